//! A crowd behind few doors: hosts that use the same ports towards the same strangers, by gateways,
//! eips, DNAT rules and each other's public addresses. What answers is made of what arrived, where
//! it arrived, or as a capture taken inside has it.

use crate::world::{Run, World, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Nanos, Place, Program, Source, Verdict};
use vpcsim_packet::build::{self, Build};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags};
use vpcsim_testkit::strategy::Sent;
use vpcsim_testkit::{attribute, net};

/// What differs between the networks.
#[derive(Debug, Clone, Copy)]
struct Shape {
    hairpin: bool,
    affinity: bool,
    independent: bool,
    /// One of the hosts forwards and may send from any address.
    forwards: bool,
    direct: bool,
    /// Mbit/s of doors; 0: no limit.
    bandwidth: u8,
    few: bool,
    mtu: &'static str,
}

fn shape() -> impl Strategy<Value = Shape> {
    let rare = || prop::bool::weighted(0.15);
    let forwards = prop::bool::weighted(0.3);
    let flags = (
        any::<bool>(),
        any::<bool>(),
        rare(),
        forwards,
        rare(),
        rare(),
    );
    let mtu = prop_oneof![4 => Just("ignore"), 1 => Just("icmp"), 1 => Just("silent")];
    let bandwidth = prop_oneof![3 => Just(0_u8), 1 => Just(1), 2 => Just(100)];
    (flags, mtu, bandwidth).prop_map(|(flags, mtu, bandwidth)| {
        let (hairpin, affinity, independent, forwards, direct, few) = flags;
        Shape {
            hairpin,
            affinity,
            independent,
            forwards,
            direct,
            bandwidth,
            few,
            mtu,
        }
    })
}

fn network(shape: Shape) -> String {
    let filtering = ["endpoint-dependent", "endpoint-independent"][usize::from(shape.independent)];
    let Shape {
        hairpin,
        affinity,
        mtu,
        forwards,
        ..
    } = shape;
    let bandwidth = match shape.bandwidth {
        0 => "unlimited".to_owned(),
        mbps => mbps.to_string(),
    };
    let mode = if shape.direct { "direct" } else { "nat" };
    let few = if shape.few {
        "max_connections: 9, "
    } else {
        ""
    };
    let mut text = format!(
        "
policies: {{filtering: {filtering}, hairpin: {hairpin}, mtu: {mtu}}}
vpcs:
  shop: {{cidr: 10.0.0.0/16, mtu: 600, route_table: out, subnets: {{web: {{cidr: 10.0.1.0/24}}, app: {{cidr: 10.0.2.0/24}}}}}}
  lab: {{cidr: 10.1.0.0/16, route_table: lab, subnets: {{desk: {{cidr: 10.1.1.0/24}}}}}}
peerings: {{pair: {{vpcs: [shop, lab]}}}}
externals: {{office: {{kind: vpn, vpc: shop, networks: [192.168.0.0/16]}}}}
route_tables:
  out: {{vpc: shop, routes: [{{to: 0.0.0.0/0, via: nat/gw}}, {{to: 0.0.0.0/0, via: eip}}, {{to: 10.1.0.0/16, via: peering/pair}}, {{to: 192.168.0.0/16, via: vpn/office}}]}}
  lab: {{vpc: lab, routes: [{{to: 0.0.0.0/0, via: nat/lab}}, {{to: 10.0.1.0/24, via: peering/pair}}]}}
eips:
  a: {{address: 203.0.113.1, bandwidth: {bandwidth}}}
  b: {{address: 203.0.113.2, bandwidth: {bandwidth}}}
  c: {{address: 203.0.113.3, bind: c0, bandwidth: {bandwidth}}}
  d: {{address: 203.0.113.4, bind: c1, mode: {mode}, bandwidth: {bandwidth}}}
  e: {{address: 203.0.113.5, bandwidth: {bandwidth}}}
nat_gateways:
  gw:
    {{vpc: shop, eips: [a, b], {few}affinity: {affinity}, bandwidth: {bandwidth},
      dnat: [{{eip: a, protocol: tcp, port: 2000, to: 10.0.1.12, to_port: 80}},
             {{eip: a, protocol: tcp, port: 8080, to: 10.0.1.12, to_port: 80}},
             {{eip: b, protocol: tcp, port: 443, to: 10.0.1.12, to_port: 2065}},
             {{eip: a, protocol: udp, port: 53, to: 10.0.1.13, to_port: 2000}}]}}
  lab: {{vpc: lab, eips: [e], bandwidth: {bandwidth}, dnat: [{{eip: e, protocol: tcp, port: 80, to: 10.1.1.10, to_port: 443}}]}}
security_groups: {{all: {{ingress: [accept all from any], egress: [accept all to any]}}}}
cvms:
"
    );
    for host in 0..5 {
        text += &format!(
            "  c{host}: {{subnet: web, address: 10.0.1.1{host}, security_groups: [all]}}\n"
        );
    }
    text += &format!(
        "  router: {{ip_forward: {forwards}, nics: {{eth0: {{subnet: app, address: 10.0.2.10, forwarding: {forwards}, security_groups: [all]}}}}}}\n"
    );
    for host in 0..2 {
        text += &format!(
            "  l{host}: {{subnet: desk, address: 10.1.1.1{host}, security_groups: [all]}}\n"
        );
    }
    text
}

const PEOPLE: [[u8; 4]; 17] = [
    [10, 0, 1, 10],
    [10, 0, 1, 11],
    [10, 0, 1, 12],
    [10, 0, 1, 13],
    [10, 0, 1, 14],
    [10, 0, 2, 10],
    [10, 1, 1, 10],
    [10, 1, 1, 11],
    [198, 51, 100, 1],
    [198, 51, 100, 1],
    [198, 51, 100, 2],
    [203, 0, 113, 1],
    [203, 0, 113, 2],
    [203, 0, 113, 3],
    [203, 0, 113, 4],
    [203, 0, 113, 5],
    [192, 168, 0, 9],
];
/// Ports of one class and of others, reserved ones and one below 1024.
const PORTS: [u16; 7] = [2000, 2065, 2130, 2001, 80, 443, 53];

#[derive(Debug, Clone)]
enum What {
    /// A packet out of nothing, from where its source belongs; or from the router.
    New {
        from: usize,
        to: usize,
        ports: (u16, u16),
        manner: u8,
        by_router: bool,
    },
    /// The answer to what arrived.
    Answer(Index, u8),
    /// The answer to what was sent, as its sender sees it.
    Inside(Index, u8),
    /// An ICMP error about what arrived; else about what was sent, as its sender sees it.
    Complaint(Index, bool),
    /// The same packet again.
    Again(Index),
}

#[derive(Debug, Clone)]
struct Step {
    what: What,
    /// Nanoseconds before it.
    wait: u64,
    /// Its payload.
    len: usize,
    /// Cut into fragments, which come in this order.
    cut: Option<u64>,
}

fn step() -> impl Strategy<Value = Step> {
    let person = || 0..PEOPLE.len();
    let ports = (select(PORTS.to_vec()), select(PORTS.to_vec()));
    let new = (
        person(),
        person(),
        ports,
        0_u8..8,
        prop::bool::weighted(0.1),
    );
    let new = new.prop_map(|(from, to, ports, manner, by_router)| What::New {
        from,
        to,
        ports,
        manner,
        by_router,
    });
    let what = prop_oneof![
        5 => new,
        6 => (any::<Index>(), any::<u8>()).prop_map(|(of, flags)| What::Answer(of, flags)),
        3 => (any::<Index>(), any::<u8>()).prop_map(|(of, flags)| What::Inside(of, flags)),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(of, there)| What::Complaint(of, there)),
        4 => any::<Index>().prop_map(What::Again),
    ];
    let wait = prop_oneof![
        30 => 0_u64..2_000_000,
        6 => Just(0),
        3 => 1_000_000_000_u64..40_000_000_000,
        1 => 100_000_000_000_u64..12_000_000_000_000,
    ];
    let cut = prop_oneof![8 => Just(None), 1 => any::<u64>().prop_map(Some)];
    let len = prop_oneof![6 => Just(0_usize), 2 => 1_usize..1500];
    (what, wait, len, cut).prop_map(|(what, wait, len, cut)| Step {
        what,
        wait,
        len,
        cut,
    })
}

/// A crowded network and what is sent in it.
pub(crate) fn crowds() -> impl Strategy<Value = World> {
    let worlds = (shape(), vec(step(), 1..120)).prop_map(|(shape, steps)| {
        let text = network(shape);
        let sent = play(&net(&text), &steps);
        World { text, sent }
    });
    worlds.prop_filter("nobody has answered yet", |world| !world.sent.is_empty())
}

/// A packet that has been sent: as it was, and as it arrived.
struct Past {
    sent: Sent,
    arrived: Option<(Place, Vec<u8>)>,
}

/// Lets the steps happen, so that answers are known.
fn play(program: &Program, steps: &[Step]) -> Vec<Sent> {
    let mut run = Run::new(program);
    let mut past: Vec<Past> = Vec::new();
    let mut time = 0;
    for (number, step) in steps.iter().enumerate() {
        time += step.wait;
        let Some((source, build)) = made(program, &past, step) else {
            continue;
        };
        for bytes in pieces(build, step, number) {
            let packet = sent(Nanos(time), source, bytes);
            let ended = run.send(&packet);
            let arrived = match ended.verdict() {
                Verdict::Delivered(place) => Some((place, ended.bytes)),
                _ => None,
            };
            past.push(Past {
                sent: packet,
                arrived,
            });
        }
    }
    past.into_iter().map(|past| past.sent).collect()
}

/// What a step sends, and from where.
enum Made {
    Anew(Build),
    Ready(Vec<u8>),
}

fn made(program: &Program, past: &[Past], step: &Step) -> Option<(Source, Made)> {
    let of = |index: &Index| (!past.is_empty()).then(|| &past[index.index(past.len())]);
    match &step.what {
        What::New {
            from,
            to,
            ports,
            manner,
            by_router,
        } => {
            let (from, to) = (Ipv4Addr::from(PEOPLE[*from]), Ipv4Addr::from(PEOPLE[*to]));
            let build = match manner {
                0..3 => build::tcp((from, ports.0), (to, ports.1), flags(*manner)),
                3..6 => build::udp((from, ports.0), (to, ports.1), b""),
                6 => build::icmp_echo(build::Echo::Request, from, to, ports.0, 1, b""),
                _ => build::raw(Protocol::GRE, from, to, &[0, 0, 8, 0]),
            };
            let router = program
                .network()
                .cvms
                .iter()
                .position(|cvm| cvm.name == "router");
            let source = match router {
                Some(router) if *by_router => {
                    Some(Source::Cvm(vpcsim_network::CvmId(router as u32)))
                }
                _ => attribute(program, from),
            };
            Some((source.unwrap_or(Source::Internet), Made::Anew(build)))
        }
        What::Answer(index, variant) => {
            let (place, bytes) = of(index)?.arrived.as_ref()?;
            Some((start(program, *place)?, answer(bytes, *variant)?))
        }
        What::Inside(index, variant) => {
            let made = answer(&of(index)?.sent.bytes, *variant)?;
            let Made::Anew(build) = &made else {
                return None;
            };
            let headers = Headers::parse(&build.bytes()).ok()?;
            let source = attribute(program, headers.source).unwrap_or(Source::Internet);
            Some((source, made))
        }
        What::Complaint(index, there) => {
            let past = of(index)?;
            let (place, bytes) = past.arrived.as_ref()?;
            let (source, bytes) = if *there {
                (start(program, *place)?, bytes)
            } else {
                (Source::Internet, &past.sent.bytes)
            };
            let headers = Headers::parse(bytes).ok()?;
            let about = IcmpError::HostUnreachable;
            let error = icmp::error(bytes, &headers, headers.destination, about)?;
            Some((source, Made::Ready(error)))
        }
        What::Again(index) => {
            let past = of(index)?;
            Some((past.sent.source, Made::Ready(past.sent.bytes.clone())))
        }
    }
}

fn flags(variant: u8) -> TcpFlags {
    match variant % 8 {
        0 | 1 => TcpFlags::SYN,
        2 | 3 => TcpFlags::ACK,
        4 => TcpFlags::RST,
        5 => TcpFlags::FIN | TcpFlags::ACK,
        _ => TcpFlags::SYN | TcpFlags::ACK,
    }
}

fn answer(bytes: &[u8], variant: u8) -> Option<Made> {
    let key = FlowKey::of(&Headers::parse(bytes).ok()?)?.reversed();
    let (from, to) = (
        (key.source, key.source_port),
        (key.destination, key.destination_port),
    );
    Some(Made::Anew(match key.protocol {
        // Most often it goes on.
        Protocol::TCP if variant < 128 => build::tcp(from, to, TcpFlags::SYN | TcpFlags::ACK),
        Protocol::TCP => build::tcp(from, to, flags(variant)),
        _ => build::of_flow(&key),
    }))
}

fn start(program: &Program, place: Place) -> Option<Source> {
    Some(match place {
        Place::Nic(nic) => Source::Cvm(program.network().nic(nic).cvm),
        Place::Internet => Source::Internet,
        Place::External(external) => Source::External(external),
        Place::NatGateway(_) => return None,
    })
}

/// The packet, or its fragments in some order.
fn pieces(made: Made, step: &Step, number: usize) -> Vec<Vec<u8>> {
    let build = match made {
        Made::Ready(bytes) => return vec![bytes],
        Made::Anew(build) => build,
    };
    let build = build.identification(number as u16);
    let Some(mut order) = step.cut else {
        return vec![build.payload(&vec![0x5a; step.len]).bytes()];
    };
    let mut pieces = build.payload(&[0x5a; 90]).fragments(68);
    let mut shuffled = Vec::new();
    while !pieces.is_empty() {
        shuffled.push(pieces.remove(order as usize % pieces.len()));
        order /= 4;
    }
    shuffled
}
