//! What the command says of itself.

use crate::harness::vpcsim;

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        vpcsim(["completions", shell])
            .status(0)
            .shows(&["vpcsim", "replay", "verify-checksums"]);
    }
}

#[test]
fn manual_pages() {
    vpcsim(["man"])
        .status(0)
        .shows(&[".TH vpcsim 1", "EXIT STATUS", "replay"]);
    for command in [
        "replay",
        "diff",
        "trace",
        "check",
        "learn",
        "demo",
        "gen",
        "bench",
        "schema",
        "completions",
        "man",
    ] {
        let title = format!(".TH vpcsim-{command} 1");
        vpcsim(["man", command]).status(0).shows(&[&title]);
    }
    vpcsim(["man", "women"])
        .status(2)
        .says(&["no command `women`", "replay"]);
}

#[test]
fn help_says_how_a_run_can_end() {
    vpcsim(["--help"])
        .status(0)
        .shows(&["Exit status:", "the answer is no"]);
    vpcsim(["replay", "--help"])
        .status(0)
        .shows(&["--map <ADDR=CVM>", "--with-drops"]);
    vpcsim(["--version"])
        .status(0)
        .shows(&[env!("CARGO_PKG_VERSION")]);
}

#[test]
fn the_schema_is_a_json_schema() {
    let schema = vpcsim(["schema"]).status(0).json();
    assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
    assert!(schema.to_string().contains("\"security_groups\""));
}
