//! Networks, captures and sinks for tests.

use std::io::{self, Cursor};
use std::path::PathBuf;
use vpcsim_capture::{LinkType, Reader, Writer};
use vpcsim_dataplane::{Drop, Place, Program};
use vpcsim_flowlog::Record;
use vpcsim_network::Network;
use vpcsim_packet::build::Build;
use vpcsim_replay::{Input, Options, Report, Sink, replay};

/// A second, in nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// When made-up captures start.
pub(crate) const START: u64 = 1_700_000_000 * SECOND;

/// Private clients behind a nat gateway, and a server with an address of its own.
pub(crate) const OFFICE: &str = "
vpcs:
  office:
    cidr: 172.16.0.0/16
    route_table: out
    subnets:
      clients: {cidr: 172.16.1.0/24}
      servers: {cidr: 172.16.2.0/24, acl: edge}
security_groups:
  clients:
    egress: [accept all to any]
  servers:
    ingress: [accept tcp 80 from any, accept udp all from any, accept icmp from any]
    egress: [accept all to any]
acls:
  edge:
    ingress:
      - drop tcp 23 from any
      - accept all from any
    egress: [accept all to any]
route_tables:
  out:
    vpc: office
    routes:
      - {to: 192.168.0.0/16, via: vpn/branch}
      - {to: 0.0.0.0/0, via: nat/gw}
eips:
  gw-1: {address: 203.0.113.10, bandwidth: unlimited}
  web: {address: 203.0.113.20, bind: web, bandwidth: unlimited}
nat_gateways:
  gw:
    bandwidth: unlimited
    eips: [gw-1]
    dnat:
      - {eip: gw-1, protocol: tcp, port: 8080, to: web, to_port: 80}
externals:
  branch: {kind: vpn, networks: [192.168.0.0/16]}
cvms:
  client: {subnet: clients, address: 172.16.1.10, security_groups: [clients]}
  client-2: {subnet: clients, address: 172.16.1.11, security_groups: [clients]}
  web: {subnet: servers, address: 172.16.2.10, security_groups: [servers], listen: ['tcp:80,443', 'udp:53']}
";

pub(crate) fn program(yaml: &str) -> Program {
    match Network::from_yaml("test.yaml", yaml) {
        Ok(network) => Program::new(network),
        Err(errors) => panic!("{errors:?}"),
    }
}

/// A frame of a made-up capture.
pub(crate) struct Frame {
    pub(crate) time: u64,
    pub(crate) link_type: LinkType,
    pub(crate) original_len: u32,
    pub(crate) data: Vec<u8>,
}

/// Packets one millisecond apart.
pub(crate) fn packets(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<Frame> {
    let frame = |(number, data): (u64, Vec<u8>)| Frame {
        time: START + number * 1_000_000,
        link_type: LinkType::RAW,
        original_len: data.len() as u32,
        data,
    };
    (0..).zip(packets).map(frame).collect()
}

pub(crate) fn bytes(build: &Build) -> Vec<u8> {
    build.bytes()
}

/// A capture file with these frames.
pub(crate) fn capture(frames: &[Frame]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    let mut interfaces: Vec<LinkType> = Vec::new();
    for frame in frames {
        let known = interfaces
            .iter()
            .position(|known| *known == frame.link_type);
        let interface = known.unwrap_or_else(|| {
            writer
                .add_interface("test", frame.link_type, 0, None)
                .unwrap();
            interfaces.push(frame.link_type);
            interfaces.len() - 1
        });
        let interface = interface as u32;
        writer
            .write(interface, frame.time, frame.original_len, &frame.data, None)
            .unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn input(name: &str, file: Vec<u8>) -> Input {
    Input {
        name: name.to_owned(),
        reader: Reader::from_stream(Cursor::new(file)).unwrap(),
    }
}

/// Replays frames, and checks that the counts add up.
pub(crate) fn run(program: &Program, options: &Options, frames: &[Frame]) -> (Report, Kept) {
    let mut kept = Kept::default();
    let inputs = vec![input("test", capture(frames))];
    let report = replay(program, inputs, options, &mut kept, &mut go_on).unwrap();
    check(&report);
    (report, kept)
}

/// What is true of every report.
pub(crate) fn check(report: &Report) {
    let verdicts = &report.verdicts;
    assert_eq!(verdicts.total(), report.packets);
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.sum::<u64>();
    let captures = sum(&mut report.captures.iter().map(|row| row.packets));
    assert_eq!(captures, report.packets);
    let drops = sum(&mut report.drops.iter().map(|row| row.packets));
    assert_eq!(drops, verdicts.dropped);
    let places = sum(&mut report.places.iter().map(|row| row.packets));
    assert_eq!(places, verdicts.delivered);
    let not_ipv4 = sum(&mut report.not_ipv4.iter().map(|row| row.packets));
    assert_eq!(not_ipv4, verdicts.not_ipv4);
    let malformed = sum(&mut report.malformed.iter().map(|row| row.count));
    assert_eq!(malformed, verdicts.malformed);
    let links = sum(&mut report.link_types.iter().map(|row| row.packets));
    assert_eq!(links, report.packets);
    let generated = &report.generated;
    assert_eq!(generated.delivered + generated.dropped, generated.total);
}

/// What a report says of drops: `reason at stage: element, rule` and how many.
pub(crate) fn drops(report: &Report) -> Vec<(String, u64)> {
    let rows = report.drops.iter().map(|row| {
        let rule = row
            .rule
            .as_ref()
            .map_or(String::new(), |rule| format!(", {rule}"));
        let text = format!("{} at {}: {}{rule}", row.reason, row.stage, row.element);
        (text, row.packets)
    });
    rows.collect()
}

/// A packet that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) time: u64,
    pub(crate) original_len: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Keeps what ends.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) delivered: Vec<(Place, Ended)>,
    pub(crate) dropped: Vec<(Drop, Ended)>,
    /// Flow-log records, as lines.
    pub(crate) flows: Vec<String>,
}

impl Kept {
    /// What was delivered at a place, by name.
    pub(crate) fn at<'a>(&'a self, program: &Program, place: &str) -> Vec<&'a Ended> {
        let at = |delivered: &&(Place, Ended)| program.place_name(delivered.0) == place;
        self.delivered
            .iter()
            .filter(at)
            .map(|(_, ended)| ended)
            .collect()
    }
}

impl Sink for Kept {
    fn delivered(&mut self, place: Place, time: u64, len: u32, bytes: &[u8]) -> io::Result<()> {
        self.delivered.push((place, ended(time, len, bytes)));
        Ok(())
    }

    fn dropped(&mut self, drop: &Drop, time: u64, len: u32, bytes: &[u8]) -> io::Result<()> {
        self.dropped.push((*drop, ended(time, len, bytes)));
        Ok(())
    }

    fn flow_record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.flows.push(record.to_string());
        Ok(())
    }
}

fn ended(time: u64, original_len: u32, bytes: &[u8]) -> Ended {
    Ended {
        time,
        original_len,
        bytes: bytes.to_vec(),
    }
}

/// The shared corpus of real captures; loud where it is not there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/captures"
    ));
    if path.join("MANIFEST.tsv").exists() {
        return Some(path);
    }
    eprintln!(
        "NOT CHECKED: {} is absent, no real capture was replayed",
        path.display()
    );
    None
}

/// A report as JSON, without what differs from run to run.
pub(crate) fn json(report: &Report) -> String {
    let mut value = serde_json::to_value(report).unwrap();
    value.as_object_mut().unwrap().remove("timing").unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

/// Lets a replay go on to its end.
pub(crate) fn go_on(_: vpcsim_replay::Progress) -> std::ops::ControlFlow<()> {
    std::ops::ControlFlow::Continue(())
}
