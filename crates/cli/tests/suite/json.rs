//! The keys of JSON documents, which scripts rely on: docs/report.md, and the page of each command.

use crate::harness::{Desk, NAT, vpcsim, with_a_spare_eip};
use serde_json::Value;

#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn of_a_report() {
    let report = vpcsim(["demo", "--json"]).status(0).json();
    assert_eq!(
        keys(&report),
        [
            "packets",
            "bytes",
            "verdicts",
            "generated",
            "drops",
            "places",
            "nat",
            "connections",
            "dropped_flows",
            "malformed",
            "not_ipv4",
            "link_types",
            "captures",
            "warnings",
            "timing",
        ]
    );
    assert_eq!(
        keys(&report["verdicts"]),
        [
            "delivered",
            "dropped",
            "not_ipv4",
            "malformed",
            "unattributed",
            "held"
        ]
    );
    assert_eq!(
        keys(&report["generated"]),
        ["total", "delivered", "dropped"]
    );
    assert_eq!(
        keys(&report["drops"][0]),
        [
            "stage", "reason", "element", "rule", "policy", "detail", "packets", "bytes"
        ]
    );
    assert_eq!(keys(&report["places"][0]), ["name", "packets", "bytes"]);
    assert_eq!(
        keys(&report["nat"][0]),
        [
            "gateway",
            "sessions",
            "sessions_peak",
            "max_connections",
            "eips"
        ]
    );
    assert_eq!(
        keys(&report["nat"][0]["eips"][0]),
        ["name", "address", "sessions"]
    );
    assert_eq!(keys(&report["connections"]), ["now", "peak"]);
    assert_eq!(
        keys(&report["dropped_flows"][0]),
        [
            "flow",
            "reason",
            "stage",
            "element",
            "packets",
            "bytes",
            "missed_at_most"
        ]
    );
    assert_eq!(
        keys(&report["captures"][0]),
        ["name", "format", "packets", "warnings"]
    );
    assert_eq!(
        keys(&report["timing"]),
        [
            "elapsed_seconds",
            "packets_per_second",
            "capture_start",
            "capture_end"
        ]
    );
}

#[test]
fn of_a_trace() {
    let desk = Desk::new();
    let trace = vpcsim(["trace", &desk.network(), "app-1", "internet", "--json"])
        .status(0)
        .json();
    assert_eq!(
        keys(&trace),
        [
            "from",
            "to",
            "protocol",
            "port",
            "reachable",
            "why",
            "legs",
            "expected_blocked",
            "fixes",
            "no_fix"
        ]
    );
    let leg = &trace["legs"][0];
    assert_eq!(keys(leg), ["name", "start", "packet", "stops", "verdict"]);
    assert_eq!(
        keys(&leg["stops"][0]),
        [
            "stage", "element", "decision", "dropped", "rule", "policy", "changes"
        ]
    );
    assert_eq!(keys(&leg["stops"][0]["element"]), ["kind", "name"]);
    assert_eq!(
        keys(&leg["verdict"]),
        [
            "verdict", "place", "reason", "stage", "element", "rule", "policy", "detail", "packet"
        ]
    );
}

#[test]
fn of_the_answer_of_check() {
    let desk = Desk::new();
    let answer = vpcsim(["check", &desk.network(), "--json"])
        .status(0)
        .json();
    let expected = [
        "network",
        "valid",
        "errors",
        "summary",
        "findings",
        "expectations",
        "assumed_away",
    ];
    assert_eq!(keys(&answer), expected);
    let network = desk.file("spare.yaml", with_a_spare_eip().as_bytes());
    let answer = vpcsim(["check", &network, "--json"]).status(0).json();
    assert_eq!(
        keys(&answer["findings"][0]),
        [
            "lint", "level", "message", "why", "help", "line", "column", "text"
        ]
    );
    let expecting = format!("{NAT}expect: [{{from: app-1, to: app-2, is: reachable}}]\n");
    let network = desk.file("expecting.yaml", expecting.as_bytes());
    let answer = vpcsim(["check", &network, "--json"]).status(0).json();
    assert_eq!(
        keys(&answer["expectations"][0]),
        [
            "line", "from", "to", "protocol", "port", "ports", "is", "because", "proved", "holds",
            "why", "fails", "trace"
        ]
    );
    let broken = desk.file("broken.yaml", b"vpcz: {}\n");
    let answer = vpcsim(["check", &broken, "--json"]).status(2).json();
    assert_eq!(keys(&answer), expected);
}

#[test]
fn of_a_measurement() {
    let measured = vpcsim(["bench", "--flows", "10", "--seconds", "0.01", "--json"])
        .status(0)
        .json();
    assert_eq!(
        keys(&measured),
        [
            "flows",
            "size",
            "rules",
            "workers",
            "mpps",
            "gbps_wire",
            "ns_per_packet",
            "floor_ns",
            "floor_ratio",
            "target_gbps",
            "times_target",
            "connections_per_second",
            "rss_bytes",
            "times_one_worker",
        ]
    );
}

#[test]
fn json_has_no_colours_even_when_they_are_wanted() {
    let ran = vpcsim(["demo", "--json", "--color", "always"]).status(0);
    assert!(!ran.out.contains('\x1b'));
}
