//! `-o`: what is written is what was delivered, and others can read it.

use crate::harness::{Desk, command, ran, tool, vpcsim};
use std::collections::BTreeMap;
use std::process::Stdio;
use vpcsim_capture::Reader;

/// Packets by interface.
fn interfaces(path: &str) -> BTreeMap<String, u64> {
    let mut reader = Reader::open(path).unwrap();
    let mut counts = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        counts.push(record.interface);
    }
    assert!(reader.warnings().is_empty());
    let mut packets = BTreeMap::new();
    for interface in counts {
        let name = reader.interfaces()[interface as usize]
            .name
            .clone()
            .unwrap();
        *packets.entry(name).or_default() += 1;
    }
    packets
}

#[test]
fn every_delivered_packet_is_written_at_its_place() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let out = desk.path("out.pcapng");
    let report = vpcsim(["replay", &desk.network(), &capture, "-o", &out, "--json"])
        .status(0)
        .json();
    let places: BTreeMap<String, u64> = report["places"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| {
            (
                place["name"].as_str().unwrap().to_owned(),
                place["packets"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(interfaces(&out), places);
    assert!(places.contains_key("internet"));

    let drops = desk.path("drops.pcapng");
    vpcsim([
        "replay",
        &desk.network(),
        &capture,
        "-o",
        &drops,
        "--with-drops",
    ])
    .status(0);
    let mut all = places;
    all.insert(
        "dropped".into(),
        report["verdicts"]["dropped"].as_u64().unwrap(),
    );
    assert_eq!(interfaces(&drops), all);
}

#[test]
fn wireshark_reads_what_is_written() {
    let desk = Desk::new();
    let out = desk.path("out.pcapng");
    let report = vpcsim(["demo", "-o", &out, "--with-drops", "--json"])
        .status(0)
        .json();
    let written = report["verdicts"]["delivered"].as_u64().unwrap()
        + report["verdicts"]["dropped"].as_u64().unwrap()
        + report["generated"]["total"].as_u64().unwrap();
    if let Some(tshark) = tool(
        "tshark",
        &["-r", &out, "-T", "fields", "-e", "frame.comment"],
    ) {
        let lines: Vec<_> = tshark.out.lines().collect();
        // Pieces of a packet cut on its way are packets of their own.
        assert!(
            lines.len() as u64 >= written,
            "{} of {written}",
            lines.len()
        );
        let commented = lines.iter().filter(|line| line.contains(" at ")).count() as u64;
        assert!(commented >= report["verdicts"]["dropped"].as_u64().unwrap());
        assert!(!tshark.err.contains("appears"), "{}", tshark.err);
        assert_eq!(tshark.status, 0);
    }
    if let Some(capinfos) = tool("capinfos", &["-c", "-I", "-M", &out]) {
        let capinfos = capinfos
            .status(0)
            .shows(&["Name = internet", "Name = dropped"]);
        assert_eq!(capinfos.err, "");
    }
}

#[test]
fn packets_can_go_to_standard_output_and_the_report_then_does_not() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let file = desk.path("out.pcapng");
    vpcsim(["replay", &desk.network(), &capture, "-o", &file]).status(0);
    let output = command()
        .args(["replay", &desk.network(), &capture, "-o", "-"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, std::fs::read(file).unwrap());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Verdicts")
    );
}

#[test]
fn a_reader_that_goes_away_is_not_a_failure() {
    for arguments in [["demo", "--output=-"], ["schema", "--color=auto"]] {
        let mut child = command()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panick") && !err.contains("error"), "{err}");
        assert!(output.status.success());
    }
}

#[test]
fn a_capture_is_not_overwritten_by_its_own_replay() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let before = std::fs::read(&capture).unwrap();
    vpcsim(["replay", &desk.network(), &capture, "-o", &capture])
        .status(2)
        .says(&["would be overwritten"]);
    assert_eq!(std::fs::read(&capture).unwrap(), before);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let out = desk.path("nowhere/out.pcapng");
    vpcsim(["replay", &desk.network(), &capture, "-o", &out])
        .status(2)
        .says(&["cannot write", "nowhere/out.pcapng"]);
}

#[test]
fn drops_are_written_only_with_an_output() {
    ran(command().args(["demo", "--with-drops"]))
        .status(2)
        .says(&["--output"]);
}

#[test]
fn generated_traffic_is_the_same_every_time() {
    let desk = Desk::new();
    let make =
        |name: &str, seed: &str| std::fs::read(desk.traffic(name, &["--seed", seed])).unwrap();
    assert_eq!(make("a.pcap", "7"), make("b.pcap", "7"));
    assert_ne!(make("c.pcap", "7"), make("d.pcap", "8"));
}
