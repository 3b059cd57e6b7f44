//! `vpcsim bench`: short, its numbers mean nothing here.

use crate::harness::{Ran, top, vpcsim};
use std::fs;

fn short(more: &[&str]) -> Ran {
    let arguments = [
        "bench",
        "--flows",
        "300",
        "--rules",
        "5",
        "--seconds",
        "0.01",
    ];
    vpcsim(arguments.iter().chain(more))
}

#[test]
fn text_says_what_this_machine_does() {
    for (size, words) in [
        ("64", "64-byte frames"),
        ("512", "512-byte frames"),
        ("1500", "1500-byte packets"),
        ("imix", "frames of 64, 594 and 1518 bytes"),
    ] {
        short(&["--size", size]).status(0).shows(&[
            "300 live flows",
            words,
            "5 rules",
            "1 worker",
            "Gbit/s on the wire",
            "% of 5 Gbit/s",
            "New connections",
            "bare loop",
            "vpcsim",
            "times the bare loop",
        ]);
    }
}

#[test]
fn numbers_fit_each_other() {
    let measured = short(&["--json"]).status(0).json();
    let number = |key: &str| measured[key].as_f64().unwrap();
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}: {measured:#}");
    assert_eq!(measured["flows"], 300);
    assert_eq!(measured["size"], "64");
    assert_eq!(measured["rules"], 5);
    assert_eq!(measured["workers"], 1);
    assert!(measured["times_one_worker"].is_null());
    near(number("mpps") * number("ns_per_packet"), 1000.0);
    // A 64-byte frame takes 84 bytes of wire.
    near(number("gbps_wire"), number("mpps") * 0.672);
    near(
        number("floor_ratio"),
        number("ns_per_packet") / number("floor_ns"),
    );
    near(
        number("times_target"),
        number("gbps_wire") / number("target_gbps"),
    );
    assert!(number("connections_per_second") > 0.0);
}

#[test]
fn workers_share_the_flows() {
    let words = ["2 workers", "times one worker"];
    short(&["--workers", "2"]).status(0).shows(&words);
    let measured = short(&["--workers", "2", "--json"]).status(0).json();
    assert_eq!(measured["workers"], 2);
    assert!(measured["times_one_worker"].as_f64().unwrap() > 0.0);
    let all = measured["mpps"].as_f64().unwrap() * measured["ns_per_packet"].as_f64().unwrap();
    assert!((all / 2000.0 - 1.0).abs() < 1e-9, "{measured:#}");
}

#[test]
fn limits_are_told() {
    for (option, value, words) in [
        ("--flows", "10000001", "1..=10000000"),
        ("--flows", "0", "1..=10000000"),
        ("--rules", "0", "1..=100000"),
        ("--workers", "0", "1..=64"),
        ("--workers", "65", "1..=64"),
        ("--size", "63", "imix"),
        ("--seconds", "soon", "a number of seconds"),
    ] {
        vpcsim(["bench", option, value]).status(2).says(&[words]);
    }
}

/// Digits as 0, bars as one sign each, spaces and the unit before `/s` left out: what two
/// measurements have in common.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        if matches!(
            word,
            "k/s," | "M/s," | "k/s" | "M/s" | "KiB" | "MiB" | "GiB"
        ) {
            continue;
        }
        let word: String = word
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .filter(|c| !matches!(c, ',' | '.'))
            .collect();
        let mut word = word.replace('#', "");
        while word.contains("00") {
            word = word.replace("00", "0");
        }
        if !word.is_empty() {
            shape += &word;
            shape.push(' ');
        }
    }
    shape
}

#[test]
fn the_document_shows_what_is_printed() {
    let document = fs::read_to_string(top().join("docs/bench.md")).unwrap();
    let (_, after) = document.split_once("$ vpcsim bench\n").unwrap();
    let (shown, _) = after.split_once("```").unwrap();
    let ran = vpcsim(["bench", "--seconds", "0.01"]).status(0);
    let shapes = |text: &str| text.lines().map(shape).collect::<Vec<_>>();
    assert_eq!(shapes(shown), shapes(&ran.out), "{ran:#?}");
}
