//! `learn`: a capture becomes a network file.

use crate::harness::{Desk, command, empty_pcap, ran, top, vpcsim};
use std::fs::{self, File};

fn capture() -> String {
    top()
        .join("pcaps/web-behind-nat.pcap")
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn what_is_learned_is_valid_and_delivers_the_capture() {
    let desk = Desk::new();
    let file = desk.path("learned.yaml");
    let ran = vpcsim(["learn", &capture(), "-o", &file])
        .status(0)
        .shows(&[
            "web-behind-nat.pcap  pcap",
            "conversations completed",
            "learned: 1 vpc, 1 subnet, 3 cvms",
            "learned.yaml is written",
        ]);
    assert_eq!(ran.err, "");
    vpcsim(["check", &file, "--deny", "all"]).status(0);
    let report = vpcsim(["replay", &file, &capture(), "--json"])
        .status(0)
        .json();
    assert_eq!(report["verdicts"]["delivered"], report["packets"]);
}

#[test]
fn without_a_file_it_goes_to_standard_output_and_the_summary_does_not() {
    let desk = Desk::new();
    let file = desk.path("learned.yaml");
    vpcsim(["learn", &capture(), "-o", &file]).status(0);
    let text = fs::read_to_string(&file).unwrap();
    for arguments in [
        ["learn", &capture()].as_slice(),
        &["learn", &capture(), "-o", "-"],
    ] {
        let ran = vpcsim(arguments)
            .status(0)
            .says(&["completed", "learned: "]);
        assert_eq!(ran.out, text);
    }
    let mut piped = command();
    piped
        .args(["learn", "-"])
        .stdin(File::open(capture()).unwrap());
    let piped = ran(&mut piped).status(0);
    let body = |text: &str| text.split_once("\nvpcs:").map(|(_, body)| body.to_owned());
    assert_eq!(body(&piped.out), body(&text));
}

#[test]
fn the_summary_is_a_document_for_machines() {
    let desk = Desk::new();
    let file = desk.path("learned.yaml");
    let summary = vpcsim(["learn", &capture(), "-o", &file, "--json"])
        .status(0)
        .json();
    assert_eq!(summary["network"]["cvms"], 3);
    assert_eq!(summary["belongs"]["completed"], summary["packets"]);
    let ran = vpcsim(["learn", &capture(), "--json"]).status(0);
    let summary: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(
        summary["captures"][0]["format"],
        "pcap, nanoseconds, little-endian"
    );
}

#[test]
fn a_capture_without_inside_hosts_says_who_it_might_be() {
    let desk = Desk::new();
    let capture = desk.path("public.pcap");
    let ends = [
        "--clients",
        "203.0.113.9/32",
        "--servers",
        "198.51.100.7/32",
    ];
    vpcsim(["gen", "-o", &capture].iter().chain(&ends)).status(0);
    vpcsim(["learn", &capture]).status(2).says(&[
        "was sent by an inside host",
        "between addresses that are not inside",
        "help: say who is inside: --inside 203.0.113.9; the busiest are 203.0.113.9 (",
        "198.51.100.7 (",
    ]);
    let ran = vpcsim(["learn", &capture, "--inside", "203.0.113.9"]).status(0);
    assert!(ran.out.contains("mode: direct"), "{ran:#?}");
    vpcsim(["learn", &capture, "--inside", "203.0.113"])
        .status(2)
        .says(&["a prefix such as 10.0.0.0/16"]);
}

#[test]
fn what_cannot_be_read_or_written_ends_with_2_and_writes_nothing() {
    let desk = Desk::new();
    let file = desk.path("learned.yaml");
    let empty = desk.file("empty.pcap", &empty_pcap());
    vpcsim(["learn", &empty, "-o", &file])
        .status(2)
        .says(&["no packets"]);
    vpcsim(["learn", &desk.network(), "-o", &file])
        .status(2)
        .says(&["pcap and pcapng files are read"]);
    vpcsim(["learn", &desk.path("none.pcap")])
        .status(2)
        .says(&["cannot open"]);
    assert!(!fs::exists(&file).unwrap());
    let copy = desk.file("copy.pcap", &fs::read(capture()).unwrap());
    vpcsim(["learn", &copy, "-o", &copy])
        .status(2)
        .says(&["would be overwritten"]);
    vpcsim(["learn", &capture(), "-o", &desk.path("no/such/place.yaml")])
        .status(2)
        .says(&["cannot write"]);
}
