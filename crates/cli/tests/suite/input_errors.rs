//! Bad input ends with status 2, says what is wrong, and how to mend it.

use crate::harness::{Desk, command, empty_pcap, ran, vpcsim};
use std::fs::File;

#[test]
fn usage() {
    vpcsim(["replay"]).status(2).says(&["<NETWORK>", "Usage:"]);
    vpcsim(["replya"]).status(2).says(&["replay"]);
    vpcsim([] as [&str; 0]).status(2);
    vpcsim(["trace", "a", "b", "c", "--port", "70000"])
        .status(2)
        .says(&["70000"]);
    vpcsim(["gen", "-o", "x", "--protocols", "tcp,gre"])
        .status(2)
        .says(&["`gre` is none of"]);
    vpcsim(["gen", "-o", "x", "--duration", "-1"]).status(2);
}

#[test]
fn a_network_file_that_is_not_there() {
    vpcsim(["check", "/nowhere.yaml"])
        .status(2)
        .says(&["error: ", "/nowhere.yaml", "help: "]);
}

#[test]
fn a_directory_instead_of_a_network_file() {
    let desk = Desk::new();
    let directory = desk.path("");
    vpcsim(["check", &directory])
        .status(2)
        .says(&["did you mean", "network.yaml"]);
}

#[test]
fn arguments_the_wrong_way_round() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    vpcsim(["replay", &capture, &desk.network()])
        .status(2)
        .says(&["is not text", "captures come after it"]);
}

#[test]
fn a_capture_that_is_not_there() {
    let desk = Desk::new();
    vpcsim(["replay", &desk.network(), "/nowhere.pcap"])
        .status(2)
        .says(&["cannot open /nowhere.pcap", "help: "]);
}

#[test]
fn a_directory_instead_of_a_capture() {
    let desk = Desk::new();
    vpcsim(["replay", &desk.network(), &desk.path("")])
        .status(2)
        .says(&["is a directory"]);
}

#[test]
fn files_that_are_no_captures() {
    let desk = Desk::new();
    let text = desk.file("text.pcap", b"not a capture at all");
    let short = desk.file("short.pcap", b"abc");
    let nothing = desk.file("nothing.pcap", b"");
    for capture in [&text, &short, &nothing] {
        vpcsim(["replay", &desk.network(), capture])
            .status(2)
            .says(&["not a capture", "pcap and pcapng", capture.as_str()]);
    }
}

#[test]
fn standard_input_that_is_no_capture() {
    let desk = Desk::new();
    let mut piped = command();
    piped
        .args(["replay", &desk.network(), "-"])
        .stdin(File::open(desk.network()).unwrap());
    ran(&mut piped)
        .status(2)
        .says(&["standard input: not a capture"]);
    vpcsim(["replay", &desk.network(), "-", "-"]).status(2);
}

#[test]
fn a_later_capture_is_looked_at_before_anything_is_written() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let out = desk.path("out.pcapng");
    vpcsim([
        "replay",
        &desk.network(),
        &capture,
        "/nowhere.pcap",
        "-o",
        &out,
    ])
    .status(2);
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn names_of_nothing_are_answered_with_the_nearest() {
    let desk = Desk::new();
    let capture = desk.file("empty.pcap", &empty_pcap());
    let replay = |more: &[&str]| {
        let network = desk.network();
        let arguments = ["replay", &network, &capture];
        vpcsim(arguments.iter().chain(more)).status(2)
    };
    replay(&["--map", "10.0.0.1=ap-1"]).says(&["no cvm is called `ap-1`", "did you mean `app-1`"]);
    replay(&["--at", "app-3/eth0"]).says(&["no cvm is called `app-3`", "`app-1`"]);
    replay(&["--at", "app-1/eth7"]).says(&["eth7", "eth0"]);
    replay(&["--map", "10.0.0.1"]).says(&["--map", "10.0.0.1"]);
    replay(&["--map", "ten=app-1"]).says(&["--map", "`ten` is no IPv4 address"]);
    replay(&["--map", "10.0.0.1=internet"]).says(&["--map", "is no cvm"]);
}

#[test]
fn errors_are_json_where_that_is_asked_for() {
    let desk = Desk::new();
    let ran = vpcsim(["replay", &desk.network(), "/nowhere.pcap", "--json"]).status(2);
    assert_eq!(ran.out, "");
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("/nowhere.pcap")
    );
    assert!(error["error"]["help"].is_string());
}
