//! What is written: the same on every run, and what Wireshark's tools read.

use crate::support::{OFFICE, START, capture, check, corpus, go_on, input, json, packets, program};
use std::io;
use std::path::Path;
use std::process::Command;
use vpcsim_dataplane::{Drop, Place, Program};
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{tcp, udp};
use vpcsim_replay::fix::{Ask, advise, advise_all};
use vpcsim_replay::trace::Question;
use vpcsim_replay::{FlowLogOptions, Input, Mapping, Options, PcapngSink, Sink, replay};

const CLIENT: [u8; 4] = [172, 16, 1, 10];
const WEB: [u8; 4] = [172, 16, 2, 10];
const STRANGER: [u8; 4] = [198, 51, 100, 9];

fn written(program: &Program, inputs: Vec<Input>, options: &Options) -> (Vec<u8>, String) {
    let mut sink = PcapngSink::new(program, Vec::new()).unwrap();
    let report = replay(program, inputs, options, &mut sink, &mut go_on).unwrap();
    check(&report);
    (sink.finish().unwrap(), json(&report))
}

fn with_drops() -> Options {
    Options {
        keep_drops: true,
        ..Options::default()
    }
}

/// Delivered at two places, and dropped by a rule.
fn example() -> Vec<u8> {
    let mut frames = packets([
        tcp((CLIENT, 4000), (WEB, 80), TcpFlags::SYN).bytes(),
        tcp((CLIENT, 4001), (STRANGER, 443), TcpFlags::SYN).bytes(),
        tcp((CLIENT, 4002), (WEB, 23), TcpFlags::SYN).bytes(),
        udp((CLIENT, 4003), (WEB, 53), &[1; 500]).bytes()[..60].to_vec(),
    ]);
    frames[1].time = START + 1_000_000_007;
    frames[2].time = START + 1_000_000_009;
    frames[3].time = START + 1_000_000_011;
    frames[3].original_len = 528;
    capture(&frames)
}

/// Whether a tool is there. In CI it must be; elsewhere its absence is told loudly.
fn present(tool: &str) -> bool {
    let run = Command::new(tool).arg("--version").output();
    let present = run.is_ok_and(|output| output.status.success());
    if !present {
        assert!(
            std::env::var_os("CI").is_none(),
            "{tool} is not installed: apt-get install tshark"
        );
        eprintln!("NOT CHECKED: {tool} is not installed, nobody else has read the output");
    }
    present
}

/// What a tool prints; anything but its remark about root on standard error is a complaint.
fn tool(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<_> = complaints
        .lines()
        .filter(|line| !line.starts_with("Running as user"))
        .collect();
    assert!(
        output.status.success() && complaints.is_empty(),
        "{tool}: {complaints:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tshark_reads_places_times_lengths_and_reasons() {
    if !present("tshark") {
        return;
    }
    let program = program(OFFICE);
    let (file, _) = written(&program, vec![input("example", example())], &with_drops());
    let path = tempfile::NamedTempFile::with_suffix(".pcapng").unwrap();
    std::fs::write(path.path(), file).unwrap();
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.len",
        "frame.cap_len",
        "ip.src",
        "frame.comment",
    ];
    let mut arguments = vec!["-T", "fields", "-E", "separator=|"];
    fields
        .iter()
        .for_each(|field| arguments.extend(["-e", field]));
    arguments.push("-r");
    let lines = tool("tshark", &arguments, path.path());
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        [
            "1700000000.000000000|web/eth0|40|40|172.16.1.10|",
            "1700000001.000000007|internet|40|40|203.0.113.10|",
            "1700000001.000000009|dropped|40|40|172.16.1.10|acl-deny at acl-ingress: acl edge, \
             ingress 1 (line 18)",
            "1700000001.000000011|web/eth0|528|60|172.16.1.10|",
        ]
    );
}

#[test]
fn capinfos_and_tshark_read_a_real_replay() {
    let (Some(corpus), true, true) = (corpus(), present("capinfos"), present("tshark")) else {
        return;
    };
    let program = program(OFFICE);
    let options = Options {
        map: vec![Mapping::parse(&program, "10.0.0.1=client").unwrap()],
        ..with_drops()
    };
    let capture = Input::open(corpus.join("cl_many_protocols.pcap")).unwrap();
    let (file, _) = written(&program, vec![capture], &options);
    let path = tempfile::NamedTempFile::with_suffix(".pcapng").unwrap();
    std::fs::write(path.path(), file).unwrap();
    let infos = tool("capinfos", &[], path.path());
    for wanted in ["pcapng", "nanoseconds (9)", "client/eth0", "internet"] {
        assert!(infos.contains(wanted), "{wanted} is missing in\n{infos}");
    }
    tool("tshark", &["-r"], path.path());
}

#[test]
fn two_runs_give_the_same_bytes() {
    let program = program(OFFICE);
    let made = || vec![input("example", example())];
    let options = with_drops();
    assert_eq!(
        written(&program, made(), &options),
        written(&program, made(), &options)
    );
    let Some(corpus) = corpus() else {
        return;
    };
    let map = |text| Mapping::parse(&program, text).unwrap();
    let options = Options {
        map: vec![map("10.0.0.1=client"), map("192.168.1.2=client-2")],
        ..with_drops()
    };
    let files = [
        "cl_many_protocols.pcap",
        "ip_frag_1859.pcap",
        "big_portscan_26k.pcap",
    ];
    let real = || {
        files
            .map(|file| Input::open(corpus.join(file)).unwrap())
            .into()
    };
    // Two programs: nothing hangs on where something lies in memory.
    let again = crate::support::program(OFFICE);
    assert_eq!(
        written(&program, real(), &options),
        written(&again, real(), &options)
    );
}

#[test]
fn the_json_has_the_documented_keys_in_order() {
    let program = program(OFFICE);
    let inputs = vec![input("example", example())];
    let report = replay(&program, inputs, &Options::default(), &mut (), &mut go_on).unwrap();
    let value = serde_json::to_value(&report).unwrap();
    let keys: Vec<_> = value
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
            "timing"
        ]
    );
    let docs = docs();
    let mut missing = Vec::new();
    undocumented(&value, &docs, &mut missing);
    assert!(
        missing.is_empty(),
        "docs/report.md does not explain {missing:?}"
    );
}

#[test]
fn every_key_of_rules_and_flow_logs_is_documented() {
    let program = program(OFFICE);
    let inputs = vec![input("example", example())];
    let options = Options {
        rules: true,
        flow_log: Some(FlowLogOptions::default()),
        ..Options::default()
    };
    let report = replay(&program, inputs, &options, &mut (), &mut go_on).unwrap();
    let value = serde_json::to_value(&report).unwrap();
    assert!(value["rules"]["rows"].is_array() && value["flow_log"].is_object());
    let mut missing = Vec::new();
    undocumented(&value, &docs(), &mut missing);
    assert!(
        missing.is_empty(),
        "docs/report.md does not explain {missing:?}"
    );
}

#[test]
fn every_key_of_a_trace_is_documented() {
    let docs = docs();
    let mut missing = Vec::new();
    for (to, port) in [("web", None), ("web", Some(443)), ("internet", None)] {
        let ask = Ask {
            name: "office.yaml",
            text: OFFICE,
            from: "client",
            to,
            question: Question {
                protocol: None,
                port,
            },
        };
        let value = serde_json::to_value(advise(&ask, 3).unwrap()).unwrap();
        undocumented(&value, &docs, &mut missing);
        let value = serde_json::to_value(advise_all(&ask, 3).unwrap()).unwrap();
        undocumented(&value, &docs, &mut missing);
    }
    assert!(
        missing.is_empty(),
        "docs/report.md does not explain {missing:?}"
    );
}

#[test]
fn the_sample_in_the_documentation_is_real() {
    let Some(corpus) = corpus() else {
        return;
    };
    let program = program(OFFICE);
    let options = Options {
        map: vec![Mapping::parse(&program, "10.0.0.1=client").unwrap()],
        ..Options::default()
    };
    let mut capture = Input::open(corpus.join("cl_many_protocols.pcap")).unwrap();
    capture.name = "cl_many_protocols.pcap".to_owned();
    let report = replay(&program, vec![capture], &options, &mut (), &mut go_on).unwrap();
    let docs = docs();
    let (_, sample) = docs.split_once("```json\n").unwrap();
    let (sample, _) = sample.split_once("```").unwrap();
    let mut sample: serde_json::Value = serde_json::from_str(sample).expect("json");
    sample.as_object_mut().unwrap().remove("timing").unwrap();
    let real: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    let pretty = |value| serde_json::to_string_pretty(value).unwrap();
    assert_eq!(
        sample,
        real,
        "the sample in docs/report.md should be\n{}",
        pretty(&real)
    );
}

fn docs() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/report.md");
    std::fs::read_to_string(path).expect("docs/report.md explains every key")
}

/// Takes two packets and then no more.
struct Full(u32);

impl Sink for Full {
    fn delivered(&mut self, _: Place, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        self.0 += 1;
        match self.0 {
            3.. => Err(io::Error::other("the disk is full")),
            _ => Ok(()),
        }
    }

    fn dropped(&mut self, _: &Drop, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        panic!("drops were not asked for");
    }
}

#[test]
fn a_sink_that_refuses_ends_the_replay() {
    let program = program(OFFICE);
    let inputs = vec![input("example", example())];
    let result = replay(
        &program,
        inputs,
        &Options::default(),
        &mut Full(0),
        &mut go_on,
    );
    assert_eq!(
        result.unwrap_err().to_string(),
        "cannot write packets: the disk is full"
    );
}

/// Keys at any depth that a text does not speak of.
fn undocumented(value: &serde_json::Value, docs: &str, missing: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if !docs.contains(&format!("`{key}`")) {
                    missing.push(key.clone());
                }
                undocumented(value, docs, missing);
            }
        }
        serde_json::Value::Array(items) => {
            items
                .iter()
                .for_each(|item| undocumented(item, docs, missing));
        }
        _ => {}
    }
}
