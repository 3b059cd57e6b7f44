//! Colours, and text that fits.

use crate::harness::{Desk, Ran, command, ran, tool, vpcsim};

const ESCAPE: char = '\x1b';

/// Runs a shell line with a terminal of so many columns, without what the
/// caller's environment says of colours.
fn on_terminal(columns: u32, line: &str) -> Option<Ran> {
    let line = format!(
        "unset NO_COLOR CLICOLOR CLICOLOR_FORCE; export TERM=xterm; stty rows 40 cols {columns}; {line}"
    );
    tool("script", &["-qec", &line, "/dev/null"])
}

fn visible(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_pipe_gets_no_colours() {
    let desk = Desk::new();
    let bad = desk.file("bad.yaml", b"vpcz: {}\n");
    for arguments in [
        ["demo"].as_slice(),
        &["bench", "--flows", "10", "--seconds", "0.01"],
        &["check", &bad],
        &["trace", &desk.network(), "app-1", "internet"],
        &["replay", &desk.network(), "/nowhere"],
        &["--help"],
    ] {
        let ran = vpcsim(arguments);
        assert!(
            !ran.out.contains(ESCAPE) && !ran.err.contains(ESCAPE),
            "{ran:#?}"
        );
    }
}

#[test]
fn colours_can_be_had_and_refused() {
    assert!(vpcsim(["demo", "--color", "always"]).out.contains(ESCAPE));
    assert!(
        vpcsim(["--color", "always", "check", "/nowhere"])
            .err
            .contains(ESCAPE)
    );
    assert!(!vpcsim(["demo", "--color", "never"]).out.contains(ESCAPE));
    let wanted = ran(command()
        .args(["demo", "--color", "always"])
        .env("NO_COLOR", "1"));
    assert!(
        wanted.out.contains(ESCAPE),
        "an argument is stronger than the environment"
    );
}

#[test]
fn a_terminal_gets_colours_unless_it_does_not_want_them() {
    let demo = format!("'{}' demo", env!("CARGO_BIN_EXE_vpcsim"));
    if let Some(ran) = on_terminal(80, &demo) {
        assert!(ran.status(0).out.contains(ESCAPE));
    }
    if let Some(ran) = on_terminal(80, &format!("NO_COLOR=1 {demo}")) {
        assert!(!ran.status(0).out.contains(ESCAPE));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let network = crate::harness::top().join("scenarios/demo/network.yaml");
    let network = network.display();
    for columns in [80, 100, 120] {
        for arguments in [
            "demo",
            "bench --flows 10 --seconds 0.01",
            &format!("trace {network} app-2 api-1 --port 443"),
        ] {
            let line = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_vpcsim"));
            let Some(ran) = on_terminal(columns, &line) else {
                return;
            };
            for line in visible(&ran.out).lines() {
                let width = line.trim_end_matches('\r').chars().count();
                assert!(width <= columns as usize, "{width} of {columns}: {line:?}");
                assert_eq!(
                    line.trim_end_matches('\r'),
                    line.trim_end(),
                    "space at the end"
                );
            }
        }
    }
}

#[test]
fn a_pipe_gets_lines_of_120_at_most() {
    for line in vpcsim(["demo"]).out.lines() {
        assert!(line.chars().count() <= 120, "{line:?}");
    }
}
