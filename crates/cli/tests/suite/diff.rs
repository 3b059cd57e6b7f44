//! The same captures through two networks.

use crate::harness::{Desk, NAT, command, ran, top, vpcsim};
use serde_json::Value;
use std::fs::{self, File};

/// The network without the rule that lets `app-1` out to the web.
fn tightened(desk: &Desk) -> String {
    let drop = "    egress:\n      - drop tcp all to any\n";
    let text = NAT.replacen("    egress:\n", drop, 1);
    assert_ne!(text, NAT);
    desk.file("new.yaml", text.as_bytes())
}

fn tour(more: &[&str]) -> crate::harness::Ran {
    let path = |name: &str| top().join(name).display().to_string();
    let files = [
        "scenarios/tour/network.yaml",
        "scenarios/tour-tightened/network.yaml",
        "pcaps/web-behind-nat.pcap",
    ];
    let files = files.map(path);
    let arguments = ["diff"].into_iter().chain(files.iter().map(String::as_str));
    vpcsim(arguments.chain(more.iter().copied()))
}

#[test]
fn something_lost_is_said_first_and_ends_with_1() {
    let ran = tour(&[]).status(1).shows(&[
        "on another way",
        "Verdicts",
        "Why lost",
        "group clients, egress 2 (line 21)",
        "accept all",
        "group clients, egress implicit deny",
        "Flows lost",
        "more flows; --top lists more",
        "another way",
    ]);
    let first = ran.out.lines().next().unwrap();
    assert!(first.contains(" flows lost ("), "{first}");
    assert_eq!(ran.err, "");
}

#[test]
fn nothing_lost_ends_with_0() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let (old, new) = (desk.network(), tightened(&desk));
    let same = vpcsim(["diff", &old, &old, &capture]).status(0);
    assert!(same.out.starts_with("nothing lost; "), "{same:#?}");
    let wider = vpcsim(["diff", &new, &old, &capture]).status(0);
    let first = wider.out.lines().next().unwrap();
    assert!(
        first.starts_with("nothing lost; ") && first.contains("newly allowed"),
        "{first}"
    );
    vpcsim(["diff", &old, &new, &capture]).status(1);
}

#[test]
fn standard_input_and_several_captures() {
    let desk = Desk::new();
    let one = desk.traffic("1.pcap", &[]);
    let two = desk.traffic("2.pcapng", &["--seed", "2"]);
    let (old, new) = (desk.network(), tightened(&desk));
    let files = vpcsim(["diff", &old, &new, &one, &two, "--json"])
        .status(1)
        .json();
    let piped = command()
        .args(["diff", &old, &new, "-", &two, "--json"])
        .stdin(File::open(&one).unwrap())
        .output()
        .unwrap();
    assert_eq!(piped.status.code(), Some(1));
    let piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
    assert_eq!(files["lost"], piped["lost"]);
    assert_eq!(files["packets"], piped["packets"]);
    assert_eq!(piped["captures"][0]["name"], "standard input");
}

#[test]
fn the_json_has_the_same_facts() {
    let json = tour(&["--json", "--top", "2"]).status(1).json();
    let keys: Vec<_> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "packets",
            "bytes",
            "flows",
            "flows_forgotten",
            "old",
            "new",
            "lost",
            "allowed",
            "moved",
            "senders",
            "senders_beyond",
            "malformed",
            "not_ipv4",
            "captures",
            "warnings",
            "timing",
        ]
    );
    assert_eq!(json["old"]["verdicts"]["delivered"], 737);
    let lost = &json["lost"];
    assert_eq!(lost["by_flow"].as_array().unwrap().len(), 2);
    let cause = &lost["causes"][0];
    assert_eq!(cause["old"]["decided"]["rule"]["text"], "accept all to any");
    assert_eq!(cause["new"]["verdict"], "dropped");
    assert_eq!(cause["new"]["decided"]["decision"], "security-group-deny");
    assert_eq!(cause["new"]["decided"]["rule"]["position"], Value::Null);
    let flow = &lost["by_flow"][0];
    assert_eq!(flow["old"]["place"], "internet");
    assert_eq!(flow["new"]["place"], Value::Null);
    let sum = |key: &str| {
        lost["causes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[key].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(Some(sum("packets")), lost["packets"].as_u64());
    let replayed = top().join("scenarios/tour-tightened/network.yaml");
    let capture = top().join("pcaps/web-behind-nat.pcap");
    let replay = vpcsim([
        "replay".as_ref(),
        replayed.as_os_str(),
        capture.as_os_str(),
        "--json".as_ref(),
    ]);
    assert_eq!(replay.status(0).json()["verdicts"], json["new"]["verdicts"]);
}

#[test]
fn a_host_that_only_one_network_has() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let without: String = NAT
        .lines()
        .filter(|line| !line.trim_start().starts_with("app-1:"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(without, NAT);
    let (old, new) = (desk.network(), desk.file("new.yaml", without.as_bytes()));
    vpcsim(["diff", &old, &new, &capture]).status(1).shows(&[
        "Sent by somebody else",
        "app-1",
        "nobody",
        "sent by app-1",
    ]);
    // By name, it is somebody's in the old network alone.
    vpcsim(["diff", &old, &new, &capture, "--map", "198.51.100.1=app-1"]).status(1);
    vpcsim(["diff", &old, &new, &capture, "--at", "app-1"])
        .status(2)
        .says(&["new.yaml: no", "`app-1`"]);
    vpcsim(["diff", &old, &new, &capture, "--map", "198.51.100.1=ap-1"])
        .status(2)
        .says(&["net.yaml: no cvm is called `ap-1`"]);
}

#[test]
fn bad_input_is_2() {
    let desk = Desk::new();
    let capture = desk.traffic("in.pcap", &[]);
    let (old, new) = (desk.network(), tightened(&desk));
    vpcsim(["diff", &old, &new])
        .status(2)
        .says(&["<CAPTURE>..."]);
    vpcsim(["diff", &old, &capture, &capture])
        .status(2)
        .says(&["is not text"]);
    vpcsim(["diff", &old, "absent.yaml", &capture])
        .status(2)
        .says(&["absent.yaml"]);
    vpcsim(["diff", &old, &new, "absent.pcap", "--json"])
        .status(2)
        .says(&["\"error\"", "absent.pcap"]);
    vpcsim(["diff", &old, &new, &old])
        .status(2)
        .says(&["net.yaml"]);
    let empty = desk.file("empty.pcap", &crate::harness::empty_pcap());
    vpcsim(["diff", &old, &new, &empty])
        .status(2)
        .says(&["no packet was replayed: the capture holds none"]);
    let mut bytes = fs::read(desk.traffic("broken.pcapng", &[])).unwrap();
    // A block that says it is shorter than its own header.
    bytes.extend([6, 0, 0, 0, 4, 0, 0, 0]);
    let broken = desk.file("broken.pcapng", &bytes);
    let ran = ran(command().args(["diff", &old, &new, &broken])).status(2);
    assert!(ran.out.contains("flows lost"), "{ran:#?}");
    assert!(ran.err.contains("offset"), "{ran:#?}");
}
