//! `check`, and mistakes in network files everywhere else.

use crate::harness::{Desk, vpcsim};
use serde_json::Value;

/// Three mistakes, on lines 3, 6 and 8.
const MISTAKES: &str = "\
vpcs:
  shop:
    cidr: 10.0.0.0/33
  mall:
    cidr: 10.1.0.0/16
    subnetz: {}
cvms:
  web-1: {subnet: nowhere, address: 10.1.0.10}
";

#[test]
fn all_mistakes_are_shown_at_once_where_they_are() {
    let desk = Desk::new();
    let network = desk.file("bad.yaml", MISTAKES.as_bytes());
    let ran = vpcsim(["check", &network]).status(2).says(&[
        "bad.yaml:3:11",
        "10.0.0.0/33",
        "^",
        "bad.yaml:6:5",
        "did you mean `subnets`",
        "bad.yaml:8:",
        "help:",
        "bad.yaml has 3 mistakes",
    ]);
    assert_eq!(ran.out, "");
    // Each once.
    assert_eq!(ran.err.matches("did you mean `subnets`").count(), 1);
}

#[test]
fn every_command_shows_them() {
    let desk = Desk::new();
    let network = desk.file("bad.yaml", MISTAKES.as_bytes());
    for arguments in [
        ["replay", &network, "-"].as_slice(),
        &["trace", &network, "a", "b"],
        &["gen", "--network", &network, "-o", &desk.path("x.pcap")],
    ] {
        vpcsim(arguments)
            .status(2)
            .says(&["bad.yaml has 3 mistakes"]);
    }
}

#[test]
fn as_json_they_are_the_answer_of_check() {
    let desk = Desk::new();
    let network = desk.file("bad.yaml", MISTAKES.as_bytes());
    let ran = vpcsim(["check", &network, "--json"]).status(2);
    assert_eq!(ran.err, "");
    let answer = ran.json();
    assert_eq!(answer["valid"], Value::Bool(false));
    assert_eq!(answer["summary"], Value::Null);
    let lines: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["line"])
        .collect();
    assert_eq!(lines, [3, 6, 8]);
    for key in ["kind", "message", "line", "column", "text", "help"] {
        assert!(answer["errors"][0].get(key).is_some(), "{key}");
    }
}

#[test]
fn as_json_they_are_an_error_elsewhere() {
    let desk = Desk::new();
    let network = desk.file("bad.yaml", MISTAKES.as_bytes());
    let ran = vpcsim(["trace", &network, "a", "b", "--json"]).status(2);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["errors"].as_array().unwrap().len(), 3);
}

#[test]
fn a_valid_file_is_summed_up() {
    let desk = Desk::new();
    vpcsim(["check", &desk.network()]).status(0).shows(&[
        "net.yaml is valid",
        "1 vpc,",
        "2 cvms",
        "2 nics",
    ]);
    let answer = vpcsim(["check", &desk.network(), "--json"])
        .status(0)
        .json();
    assert_eq!(answer["valid"], Value::Bool(true));
    assert_eq!(answer["errors"], Value::Array(Vec::new()));
    assert_eq!(answer["summary"]["cvms"], 2);
}
