//! What is written, Wireshark's tools read without complaint.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Command};

use vpcsim_capture::{LinkType, PcapWriter, Resolution, Writer};

/// Whether a tool is there. In CI it must be; elsewhere its absence is told loudly.
fn present(tool: &str) -> bool {
    let present = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !present {
        assert!(
            std::env::var_os("CI").is_none(),
            "{tool} is not installed: apt-get install tshark"
        );
        eprintln!(
            "NOT CHECKED: {tool} is not installed, nobody else has read what the writers write"
        );
    }
    present
}

/// What a tool prints on standard output; anything but its remark about root on the other is a complaint.
fn run(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = complaints
        .lines()
        .filter(|line| !line.starts_with("Running as user"))
        .collect();
    assert!(
        output.status.success() && complaints.is_empty(),
        "{tool}: {complaints:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// An IPv4 packet with a UDP datagram of one byte, from 10.0.0.1 to 10.0.0.2.
fn packet() -> Vec<u8> {
    let mut packet = vec![
        0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0x66, 0xcd, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    packet.extend([0x13, 0x88, 0x13, 0x89, 0, 9, 0, 0, 0x61]);
    packet
}

const TIME: u64 = 1_700_000_000_123_456_789;

#[test]
fn tshark_reads_the_pcapng_writer() {
    if !present("tshark") {
        return;
    }
    let file = tempfile::NamedTempFile::with_suffix(".pcapng").unwrap();
    let mut writer = Writer::new(file.reopen().unwrap()).unwrap();
    let nic = writer
        .add_interface("web-1/eth0", LinkType::RAW, 0, Some("10.0.0.1"))
        .unwrap();
    writer.write(nic, TIME, 29, &packet(), None).unwrap();
    let internet = writer
        .add_interface("internet", LinkType::IPV4, 24, None)
        .unwrap();
    writer
        .write(internet, TIME + 1, 29, &packet(), None)
        .unwrap();
    let comment = "acl: acl-web, rule 3";
    writer
        .write(nic, TIME + 1_000_000_000, 29, &packet(), Some(comment))
        .unwrap();
    writer.finish().unwrap();

    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.len",
        "frame.cap_len",
        "ip.dst",
        "frame.comment",
    ];
    let mut arguments = vec!["-T", "fields", "-E", "separator=|"];
    fields
        .iter()
        .for_each(|field| arguments.extend(["-e", field]));
    arguments.push("-r");
    assert_eq!(
        run("tshark", &arguments, file.path())
            .lines()
            .collect::<Vec<_>>(),
        [
            "1700000000.123456789|web-1/eth0|29|29|10.0.0.2|",
            "1700000000.123456790|internet|29|24|10.0.0.2|",
            "1700000001.123456789|web-1/eth0|29|29|10.0.0.2|acl: acl-web, rule 3",
        ]
    );
}

#[test]
fn capinfos_reads_the_pcapng_writer() {
    if !present("capinfos") {
        return;
    }
    let file = tempfile::NamedTempFile::with_suffix(".pcapng").unwrap();
    let mut writer = Writer::new(file.reopen().unwrap()).unwrap();
    for place in 0..3 {
        let id = writer
            .add_interface(&format!("cvm-{place}/eth0"), LinkType::RAW, 0, None)
            .unwrap();
        writer
            .write(id, TIME, 29, &packet(), Some("a comment"))
            .unwrap();
    }
    writer.finish().unwrap();
    let report = run("capinfos", &[], file.path());
    for wanted in [
        "Wireshark/... - pcapng",
        "nanoseconds (9)",
        "vpcsim",
        "Number of packets:   3",
        "cvm-2/eth0",
    ] {
        assert!(report.contains(wanted), "{wanted} is missing in\n{report}");
    }
}

#[test]
fn tshark_reads_the_pcap_writer() {
    if !present("tshark") {
        return;
    }
    for (resolution, wanted) in [
        (Resolution::Nanos, "1700000000.123456789\t10.0.0.1\n"),
        (Resolution::Micros, "1700000000.123456000\t10.0.0.1\n"),
    ] {
        let file = tempfile::NamedTempFile::with_suffix(".pcap").unwrap();
        let mut writer =
            PcapWriter::new(file.reopen().unwrap(), resolution, LinkType::RAW, 0).unwrap();
        writer.write(TIME, 29, &packet()).unwrap();
        writer.finish().unwrap();
        let arguments = [
            "-T",
            "fields",
            "-e",
            "frame.time_epoch",
            "-e",
            "ip.src",
            "-r",
        ];
        assert_eq!(run("tshark", &arguments, file.path()), wanted);
    }
}
