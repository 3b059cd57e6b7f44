//! `vpcsim graph`, and `replay --html`.

use crate::harness::{Desk, vpcsim};
use std::fs;

#[test]
fn the_ending_or_the_option_says_what_is_written() {
    let desk = Desk::new();
    let network = desk.network();
    for (name, start) in [
        ("net.svg", "<svg"),
        ("net.dot", "digraph"),
        ("net.gv", "digraph"),
        ("net.mmd", "---\ntitle:"),
    ] {
        let file = desk.path(name);
        let ran = vpcsim(["graph", &network, "-o", &file]).status(0);
        assert_eq!(ran.out, "");
        let written = fs::read_to_string(file).unwrap();
        assert!(written.starts_with(start), "{written}");
        assert!(written.contains("app-2"));
    }
    let file = desk.path("picture");
    vpcsim(["graph", &network, "-o", &file, "--format", "svg"]).status(0);
    assert!(fs::read_to_string(file).unwrap().starts_with("<svg"));
}

#[test]
fn without_a_file_it_is_dot_on_standard_output() {
    let desk = Desk::new();
    let network = desk.network();
    let plain = vpcsim(["graph", &network]).status(0);
    assert!(plain.out.starts_with("digraph") && plain.out.ends_with("}\n"));
    let dash = vpcsim(["graph", &network, "-o", "-"]).status(0);
    assert_eq!(plain.out, dash.out);
    let svg = vpcsim(["graph", &network, "--format", "svg"]).status(0);
    assert!(svg.out.starts_with("<svg"));
}

#[test]
fn a_trace_is_drawn_whether_or_not_it_arrives() {
    let desk = Desk::new();
    let network = desk.network();
    let trace = ["--trace", "app-1", "internet"];
    let arrives = vpcsim(
        ["graph", &network, "--format", "svg"]
            .iter()
            .copied()
            .chain(trace),
    );
    assert!(!arrives.status(0).out.contains("\"v-pill v-pill-drop\""));
    let udp = ["--protocol", "udp", "--port", "53"];
    let lost = ["graph", &network, "--format", "svg"]
        .into_iter()
        .chain(trace)
        .chain(udp);
    vpcsim(lost).status(0).shows(&[
        "v-pill-drop",
        "✕ security-group-deny",
        "app-1 to internet by udp 53",
    ]);
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let desk = Desk::new();
    let network = desk.network();
    let file = desk.path("net.png");
    vpcsim(["graph", &network, "-o", &file])
        .status(2)
        .says(&["net.png does not say what to write", ".svg, .dot or .mmd"]);
    vpcsim(["graph", &network, "--trace", "app-1", "app-3"])
        .status(2)
        .says(&["no cvm is called `app-3`"]);
    vpcsim(["graph", &network, "--trace", "app-1"]).status(2);
    vpcsim(["graph", &network, "--port", "80"])
        .status(2)
        .says(&["--trace"]);
    let nowhere = desk.path("no/such/directory/net.svg");
    vpcsim(["graph", &network, "-o", &nowhere])
        .status(2)
        .says(&["cannot write"]);
}

#[test]
fn a_replay_is_written_as_a_page_beside_its_report() {
    let desk = Desk::new();
    let traffic = desk.traffic("in.pcap", &[]);
    let (network, page) = (desk.network(), desk.path("report.html"));
    let plain = vpcsim(["replay", &network, &traffic, "--json"])
        .status(0)
        .json();
    let both = vpcsim(["replay", &network, &traffic, "--json", "--html", &page])
        .status(0)
        .json();
    assert_eq!(plain["verdicts"], both["verdicts"]);
    assert_eq!(plain["drops"], both["drops"]);
    assert!(both.get("timeline").is_none());
    let written = fs::read_to_string(&page).unwrap();
    assert!(written.starts_with("<!doctype html>") && written.ends_with("</html>\n"));
    assert!(written.contains(&traffic), "the capture is named");
    vpcsim(["replay", &network, &traffic, "--html", &page]).status(0);
    assert_eq!(
        fs::read_to_string(&page).unwrap(),
        written,
        "the same, byte for byte"
    );
}

#[test]
fn a_page_needs_a_file_that_can_be_written() {
    let desk = Desk::new();
    let traffic = desk.traffic("in.pcap", &[]);
    let network = desk.network();
    let nowhere = desk.path("no/such/report.html");
    vpcsim(["replay", &network, &traffic, "--html", &nowhere])
        .status(2)
        .says(&["cannot write"]);
    vpcsim(["replay", &network, &traffic, "--html", "-"])
        .status(2)
        .says(&["the page needs a file"]);
}

/// What was read of a damaged capture is on the page.
#[test]
fn a_damaged_capture_has_a_page_up_to_the_damage() {
    let desk = Desk::new();
    let traffic = desk.traffic("in.pcapng", &[]);
    let mut bytes = fs::read(&traffic).unwrap();
    // A block that says it is shorter than its own header.
    bytes.extend([6, 0, 0, 0, 4, 0, 0, 0]);
    let broken = desk.file("broken.pcapng", &bytes);
    let page = desk.path("report.html");
    vpcsim(["replay", &desk.network(), &broken, "--html", &page]).status(2);
    let written = fs::read_to_string(&page).unwrap();
    assert!(written.contains("What was odd") && written.ends_with("</html>\n"));
}
