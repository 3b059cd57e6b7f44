//! Captures through a network.

use crate::harness::{Desk, command, empty_pcap, line_of, ran, vpcsim};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn a_replay_ends_with_0_and_says_what_became_of_the_packets() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let ran = vpcsim(["replay", &desk.network(), &capture])
        .status(0)
        .shows(&[
            "in.pcap  pcap, nanoseconds",
            "Verdicts",
            "delivered",
            "Dropped at",
            "security-group-egress",
            &format!("security group app, egress 1 {}", line_of("drop udp")),
            "Flows that lost most",
            "Delivered at",
            "app-1/eth0",
            "NAT sessions",
            "gw 203.0.113.10",
            "Connections",
            "/s)",
        ]);
    assert_eq!(ran.err, "");
}

#[test]
fn the_same_replay_gives_the_same_bytes_with_any_number_of_workers() {
    let desk = Desk::new();
    // More packets than two rounds that workers share.
    let capture = desk.traffic("in.pcapng", &["--packets", "20000"]);
    let run = |out: &str, workers: &str| {
        let out = desk.path(out);
        let arguments = [
            "replay",
            &desk.network(),
            &capture,
            "--json",
            "-o",
            &out,
            "--with-drops",
            "--workers",
            workers,
        ];
        let mut report = vpcsim(arguments).status(0).json();
        report["timing"]["elapsed_seconds"].take();
        report["timing"]["packets_per_second"].take();
        (report, fs::read(out).unwrap())
    };
    let one = run("one.pcapng", "1");
    for workers in ["1", "2", "3"] {
        assert!(one == run("again.pcapng", workers), "{workers} workers");
    }
}

#[test]
fn captures_are_replayed_one_after_the_other() {
    let desk = Desk::new();
    let one = desk.traffic("1.pcap", &[]);
    let two = desk.traffic("2.pcapng", &["--seed", "2"]);
    let count = |captures: &[&str]| {
        let network = desk.network();
        let arguments = ["replay", &network, "--json"]
            .into_iter()
            .chain(captures.iter().copied());
        vpcsim(arguments).status(0).json()["packets"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(count(&[&one, &two]), count(&[&one]) + count(&[&two]));
}

#[test]
fn standard_input_is_a_capture_too() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let from_file = vpcsim(["replay", &desk.network(), &capture, "--json"])
        .status(0)
        .json();
    let mut piped = command();
    piped
        .args(["replay", &desk.network(), "-", "--json"])
        .stdin(File::open(&capture).unwrap());
    let from_pipe = ran(&mut piped).status(0).json();
    assert_eq!(from_pipe["verdicts"], from_file["verdicts"]);
    assert_eq!(from_pipe["captures"][0]["name"], "standard input");
}

/// `tcpdump -w - | vpcsim replay net.yaml - -o - | tshark -r -`: packets come out
/// while more are to come in.
#[test]
fn packets_are_replayed_while_they_arrive() {
    for workers in ["1", "2"] {
        arrive_and_are_replayed(workers);
    }
}

fn arrive_and_are_replayed(workers: &str) {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &["--packets", "60", "--size", "1500"]);
    let bytes = fs::read(capture).unwrap();
    let mut child = command()
        .args(["replay", &desk.network(), "-", "-o", "-"])
        .args(["--workers", workers])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (send, received) = std::sync::mpsc::channel();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut first = [0; 64];
        stdout.read_exact(&mut first).unwrap();
        send.send(first).unwrap();
        std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    });
    stdin.write_all(&bytes).unwrap();
    // Standard input is still open: what comes now comes before its end.
    let first = received
        .recv_timeout(std::time::Duration::from_secs(60))
        .unwrap();
    assert_eq!(first[..4], [0x0a, 0x0d, 0x0d, 0x0a], "a pcapng section");
    drop(stdin);
    reader.join().unwrap();
    assert!(child.wait().unwrap().success());
}

/// Ctrl-C in `tcpdump -w - | vpcsim replay net.yaml -` reaches both: what tcpdump still had to say
/// is read, and the report comes.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_while_packets_arrive_does_not_lose_the_report() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let bytes = fs::read(capture).unwrap();
    let mut child = command()
        .args(["replay", &desk.network(), "-", "-o", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    stdin.write_all(head).unwrap();
    stdin.flush().unwrap();
    wait_for_handler(child.id());
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    stdin.write_all(tail).unwrap();
    drop(stdin);
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(0));
    assert!(report["packets"].as_u64().unwrap() > 0);
}

/// Waits until a process catches SIGINT (bit 1 of `SigCgt`, proc(5)).
#[cfg(target_os = "linux")]
fn wait_for_handler(process: u32) {
    for _ in 0..6_000 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        if caught & 2 != 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no handler");
}

#[test]
fn a_capture_without_packets_is_not_a_success() {
    let desk = Desk::new();
    let capture = desk.file("empty.pcap", &empty_pcap());
    vpcsim(["replay", &desk.network(), &capture])
        .status(2)
        .says(&["error: no packet was replayed: the capture holds none"]);
}

#[test]
fn a_capture_of_others_is_not_a_success_and_the_way_out_is_named() {
    let desk = Desk::new();
    let capture = desk.path("in.pcap");
    let nobodys = ["--clients", "10.0.1.99/32", "--no-replies"];
    vpcsim(["gen", "-o", &capture].iter().chain(&nobodys)).status(0);
    let replay = ["replay", &desk.network(), &capture];
    vpcsim(replay).status(2).says(&[
        "no packet was replayed",
        "sent by nobody in the network",
        "--map ADDR=CVM",
    ]);
    vpcsim(replay.iter().chain(&["--map", "10.0.1.99=app-2"]))
        .status(0)
        .shows(&["internet"]);
    vpcsim(replay.iter().chain(&["--at", "app-2"]))
        .status(0)
        .shows(&["source-not-owned"]);
}

#[test]
fn wrong_checksums_are_drops_only_when_asked() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &["--protocols", "tcp"]);
    let mut bytes = fs::read(&capture).unwrap();
    // The first packet's TCP checksum: file and record header, Ethernet, IPv4, then at 16.
    bytes[24 + 16 + 14 + 20 + 16] ^= 0xff;
    fs::write(&capture, bytes).unwrap();
    let dropped = |more: &[&str]| {
        let network = desk.network();
        let arguments = ["replay", &network, &capture, "--json"];
        let report = vpcsim(arguments.iter().chain(more)).status(0).json();
        report["drops"].to_string().contains("bad-checksum")
    };
    assert!(!dropped(&[]));
    assert!(dropped(&["--verify-checksums"]));
}

#[test]
fn a_damaged_capture_is_reported_as_far_as_it_goes() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcapng", &[]);
    let mut bytes = fs::read(&capture).unwrap();
    // A block that says it is shorter than its own header.
    bytes.extend([6, 0, 0, 0, 4, 0, 0, 0]);
    fs::write(&capture, bytes).unwrap();
    let ran = vpcsim(["replay", &desk.network(), &capture])
        .status(2)
        .says(&["in.pcapng", "offset"]);
    assert!(ran.out.contains("delivered"), "{ran:#?}");
}

#[test]
fn a_capture_cut_short_is_a_warning() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let bytes = fs::read(&capture).unwrap();
    fs::write(&capture, &bytes[..bytes.len() - 7]).unwrap();
    vpcsim(["replay", &desk.network(), &capture])
        .status(0)
        .shows(&["warning:", "cut short", "offset"]);
}

#[test]
fn the_demo_needs_nothing() {
    let ran = vpcsim(["demo"])
        .status(0)
        .shows(&["delivered", "dropped", "rp-filter"]);
    assert_eq!(ran.err, "");
    let report = vpcsim(["demo", "--json"]).status(0).json();
    assert!(report["packets"].as_u64().unwrap() > 1000);
    let verdicts = report["verdicts"].as_object().unwrap();
    let total: u64 = verdicts.values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(Some(total), report["packets"].as_u64());
}

#[test]
fn the_demo_can_be_taken_along() {
    let desk = Desk::new();
    let place = desk.path("demo");
    vpcsim(["demo", "--save", &place]).status(0);
    let (network, capture) = (
        format!("{place}/network.yaml"),
        format!("{place}/demo.pcapng"),
    );
    let replayed = vpcsim(["replay", &network, &capture, "--json"])
        .status(0)
        .json();
    let demo = vpcsim(["demo", "--json"]).status(0).json();
    assert_eq!(replayed["drops"], demo["drops"]);
    vpcsim(["demo", "--save", &place])
        .status(2)
        .says(&["is already there"]);
    // Whoever saves the files replays nothing that a page could show.
    vpcsim(["demo", "--save", &desk.path("other"), "--html", "x.html"])
        .status(2)
        .says(&["cannot be used with"]);
}
