//! `replay --flow-log` and `--rules`.

use crate::harness::{Desk, line_of, vpcsim};
use std::fs;

/// Records of a text log or a CSV file, fields separated by commas.
fn records(path: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.replace(' ', ","));
    lines.filter(|line| !line.starts_with("version")).collect()
}

#[test]
fn the_same_records_in_every_format() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let write = |name: &str, more: &[&str]| {
        let path = desk.path(name);
        let network = desk.network();
        let arguments = ["replay", &network, &capture, "--flow-log", &path];
        let ran = vpcsim(arguments.iter().chain(more)).status(0);
        (path, ran)
    };
    let (log, ran) = write("flows.log", &[]);
    let text = records(&log);
    assert!(!text.is_empty());
    ran.shows(&[&format!("{} flow records logged", text.len())]);
    let (csv, ran) = write("flows.csv", &["--json"]);
    assert_eq!(records(&csv), text);
    assert_eq!(ran.json()["flow_log"]["records"], text.len());
    for line in &text {
        let fields: Vec<_> = line.split(',').collect();
        assert_eq!(fields.len(), 14, "{line}");
        assert_eq!([fields[0], fields[1], fields[13]], ["2", "default", "OK"]);
        assert!(fields[2].starts_with("app-1/") || fields[2].starts_with("app-2/"));
        let number = |at: usize| fields[at].parse::<u64>().unwrap();
        assert_eq!(number(11) - number(10), 300);
    }
    // `drop udp all to any` stands in the group.
    let rejected = text.iter().filter(|line| line.contains(",REJECT,"));
    assert!(rejected.clone().count() > 0);
    assert!(
        rejected
            .clone()
            .all(|line| line.split(',').nth(7) == Some("17"))
    );
    let (short, _) = write("short.log", &["--flow-log-window", "1"]);
    assert!(records(&short).len() > text.len());
    if cfg!(feature = "parquet") {
        let (parquet, _) = write("flows.parquet", &[]);
        let bytes = fs::read(parquet).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    } else {
        let path = desk.path("flows.parquet");
        vpcsim(["replay", &desk.network(), &capture, "--flow-log", &path])
            .status(2)
            .says(&[
                "without the feature `parquet`",
                "--features parquet",
                ".csv",
            ]);
    }
}

#[test]
fn another_ending_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    for name in ["flows.txt", "flows", "flows.log.gz"] {
        let path = desk.path(name);
        let out = desk.path("out.pcapng");
        vpcsim([
            "replay",
            &desk.network(),
            &capture,
            "-o",
            &out,
            "--flow-log",
            &path,
        ])
        .status(2)
        .says(&[name, "names no format", ".log", ".csv"]);
        assert!(!fs::exists(&path).unwrap() && !fs::exists(&out).unwrap());
    }
    vpcsim(["demo", "--flow-log", "-"])
        .status(2)
        .says(&["names no format"]);
}

#[test]
fn a_window_is_a_second_or_more_and_wants_a_log() {
    for (arguments, says) in [
        (["--flow-log-window", "60"].as_slice(), "--flow-log"),
        (
            &["--flow-log", "x.log", "--flow-log-window", "0"],
            "1..=86400",
        ),
        (
            &["--flow-log", "x.log", "--flow-log-window", "long"],
            "invalid",
        ),
    ] {
        let all = ["demo"].iter().chain(arguments);
        vpcsim(all).status(2).says(&[says]);
    }
}

#[test]
fn a_log_takes_the_place_of_nothing_that_is_read_or_written() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let named = desk.path("in.log");
    fs::copy(&capture, &named).unwrap();
    let network = desk.path("net.csv");
    fs::copy(desk.network(), &network).unwrap();
    for (read, log) in [
        ([&desk.network(), &named], &named),
        ([&network, &capture], &network),
    ] {
        let before = fs::read(log).unwrap();
        vpcsim(["replay", read[0], read[1], "--flow-log", log])
            .status(2)
            .says(&["would be overwritten by its own replay"]);
        assert_eq!(fs::read(log).unwrap(), before);
    }
    let both = desk.path("both.log");
    vpcsim([
        "replay",
        &desk.network(),
        &capture,
        "-o",
        &both,
        "--flow-log",
        &both,
    ])
    .status(2)
    .says(&["cannot hold both packets and the flow log"]);
}

#[test]
fn what_cannot_be_written_is_named() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let nowhere = desk.path("no/such/directory/flows.csv");
    vpcsim(["replay", &desk.network(), &capture, "--flow-log", &nowhere])
        .status(2)
        .says(&["cannot write", "no/such/directory/flows.csv"]);
    #[cfg(target_os = "linux")]
    for name in ["full.log", "full.csv", "full.parquet"] {
        let full = desk.path(name);
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        if name.ends_with("parquet") && !cfg!(feature = "parquet") {
            continue;
        }
        vpcsim(["replay", &desk.network(), &capture, "--flow-log", &full])
            .status(2)
            .says(&["cannot write", name, "space"]);
    }
}

#[test]
fn a_damaged_capture_leaves_a_whole_log_of_what_came_before() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcapng", &[]);
    let mut bytes = fs::read(&capture).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    let damaged = desk.file("damaged.pcapng", &bytes);
    let log = desk.path("flows.csv");
    let ran = vpcsim([
        "replay",
        &desk.network(),
        &damaged,
        "--flow-log",
        &log,
        "--json",
    ]);
    let ran = ran.status(2).says(&["damaged.pcapng"]);
    let logged = records(&log);
    assert!(!logged.is_empty());
    assert_eq!(ran.json()["flow_log"]["records"], logged.len());
}

#[test]
fn rules_are_counted_and_those_never_hit_are_named() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let arguments = ["replay", &desk.network(), &capture, "--rules"];
    let ran = vpcsim(arguments).status(0).shows(&[
        "Rules",
        "security group app",
        "accept icmp from any",
        "never",
        "route table out",
        "0.0.0.0/0 via nat/gw",
        "nat gateway gw",
        "no rule: any eip",
        "1 of 4 rules was never hit.",
    ]);
    let line = line_of("drop udp")
        .replace(['(', ')'], "")
        .replace("line ", "");
    let shown = ran
        .out
        .lines()
        .find(|text| text.contains("drop udp to any"));
    assert!(shown.unwrap().contains(&format!(" {line} ")), "{shown:?}");
    let arguments = ["replay", &desk.network(), &capture, "--rules", "--json"];
    let report = vpcsim(arguments).status(0).json();
    let rules = &report["rules"];
    assert_eq!(
        (&rules["rules"], &rules["never_hit"]),
        (&4.into(), &1.into())
    );
    let rows = rules["rows"].as_array().unwrap();
    let denied = rows.iter().find(|row| row["rule"] == "drop udp to any");
    // A group that denies lets no flow in: it judges each packet.
    let denied = denied.unwrap();
    assert_eq!(denied["packets"], denied["judged"]);
    let drops = report["drops"].as_array().unwrap();
    let by_group = drops
        .iter()
        .find(|row| row["reason"] == "security-group-deny");
    assert_eq!(by_group.unwrap()["packets"], denied["packets"]);
}

#[test]
fn the_demo_has_rules_too() {
    vpcsim(["demo", "--rules"])
        .status(0)
        .shows(&["rules were never hit."]);
    vpcsim(["demo", "--rules", "--save", "x"])
        .status(2)
        .says(&["cannot be used with"]);
}
