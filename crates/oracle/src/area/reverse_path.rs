//! rp_filter, martian sources, local or forward, and TTL: a host with one or two nics.

use super::{Area, Difference, Tally};
use crate::bytes::{forget_identification, is_icmp_error};
use crate::compare::{Out, compare};
use crate::exceptions::Exception;
use crate::kernel::{At, Kernel, Setup};
use crate::rng::Rng;
use crate::sim::Sim;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Place, Source, Verdict};
use vpcsim_network::NicId;
use vpcsim_packet::{Protocol, build};

/// For experiments (RFC 3692): nothing in the kernel answers it.
const PROTOCOL: Protocol = Protocol(253);
const ETH0: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
const ETH1: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 10);
/// Beyond the default route.
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const LO: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

/// How the host is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    two_nics: bool,
    rules: bool,
    forwards: bool,
    /// eth0 has no address in the guest: there is no default route.
    unconfigured: bool,
}

const SHAPES: [Shape; 7] = [
    ONE_NIC,
    Shape {
        forwards: true,
        ..ONE_NIC
    },
    TWO_NICS,
    Shape {
        forwards: true,
        ..TWO_NICS
    },
    Shape {
        forwards: true,
        rules: true,
        ..TWO_NICS
    },
    Shape {
        unconfigured: true,
        ..TWO_NICS
    },
    Shape {
        forwards: true,
        unconfigured: true,
        ..TWO_NICS
    },
];

const ONE_NIC: Shape = Shape {
    two_nics: false,
    rules: false,
    forwards: false,
    unconfigured: false,
};

const TWO_NICS: Shape = Shape {
    two_nics: true,
    ..ONE_NIC
};

/// The sysctls that a case sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sysctls {
    all: u8,
    eth0: u8,
    eth1: u8,
    accept_local: bool,
    route_localnet: bool,
}

/// One packet, or how the host is set from here on.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sets the sysctls.
    Set(Settings),
    /// A packet arrives.
    Packet {
        /// At this nic, 0 or 1.
        nic: usize,
        /// Its source.
        source: Origin,
        /// Its destination.
        destination: Ipv4Addr,
        /// Its TTL.
        ttl: u8,
        /// Its TOS.
        tos: u8,
        /// Bytes of payload.
        length: usize,
    },
}

/// Where a packet says it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin {
    /// This address.
    Address(Ipv4Addr),
    /// An address in this /16 that was not used of late: a kernel tells one address only so often
    /// that there is no way.
    Unheard(u8, u8),
}

impl Origin {
    fn address(self, count: &mut u16) -> Ipv4Addr {
        match self {
            Self::Address(address) => address,
            Self::Unheard(a, b) => {
                *count = count.wrapping_add(1);
                let [c, d] = count.to_be_bytes();
                Ipv4Addr::new(a, b, c.max(1), d.clamp(1, 254))
            }
        }
    }
}

/// Sysctls of a host, opaque outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings(Sysctls);

/// Both sides, for every shape of host.
#[derive(Debug)]
pub(crate) struct ReversePath {
    kernels: Vec<Kernel>,
    sims: HashMap<(usize, Sysctls), Sim>,
    /// Counts the sources that are used once.
    unheard: u16,
}

impl ReversePath {
    /// Sets up the kernel side.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn new() -> io::Result<Self> {
        let kernels = SHAPES.iter().map(|shape| Kernel::new(&setup(*shape)));
        Ok(Self {
            kernels: kernels.collect::<io::Result<_>>()?,
            sims: HashMap::new(),
            unheard: 0,
        })
    }

    fn source(unheard: bool, rng: &mut Rng) -> Origin {
        let far = Origin::Unheard(100, 64);
        let on_link = Origin::Unheard(10, 2);
        let routed = Origin::Unheard(192, 168);
        if unheard {
            return rng.pick(&[far, on_link, routed]);
        }
        let address = match rng.below(20) {
            0 | 1 => Ipv4Addr::new(10, 0, 1, 77),
            2 | 3 => return on_link,
            4..=7 => return far,
            8 | 9 => return routed,
            10 => ETH0,
            11 => ETH1,
            12 => LO,
            13 => Ipv4Addr::new(10, 0, 9, 9),
            _ => rng.pick(&[
                Ipv4Addr::new(127, 0, 0, 1),
                Ipv4Addr::new(127, 9, 9, 9),
                Ipv4Addr::UNSPECIFIED,
                Ipv4Addr::new(0, 1, 2, 3),
                Ipv4Addr::BROADCAST,
                Ipv4Addr::new(224, 0, 0, 1),
                Ipv4Addr::new(239, 1, 2, 3),
                Ipv4Addr::new(240, 0, 0, 1),
                Ipv4Addr::new(255, 0, 0, 1),
                Ipv4Addr::new(169, 254, 1, 1),
                Ipv4Addr::new(10, 0, 1, 255),
                Ipv4Addr::new(10, 0, 1, 0),
                Ipv4Addr::new(10, 2, 255, 255),
                Ipv4Addr::new(10, 0, 1, 1),
            ]),
        };
        Origin::Address(address)
    }
}

impl Area for ReversePath {
    type Step = Step;

    fn setups(&self) -> usize {
        SHAPES.len()
    }

    fn setup_name(&self, setup: usize) -> String {
        format!("{:?}", SHAPES[setup])
    }

    fn generate(&mut self, setup: usize, rng: &mut Rng) -> Vec<Step> {
        let shape = SHAPES[setup];
        let mut steps = vec![Step::Set(Settings(Sysctls {
            all: rng.below(3) as u8,
            eth0: rng.below(3) as u8,
            eth1: rng.below(3) as u8,
            accept_local: rng.chance(30),
            route_localnet: rng.chance(20),
        }))];
        for _ in 0..40 {
            let nic = if shape.two_nics { rng.below(2) } else { 0 };
            // Within the vpc a packet comes to the nic that owns its destination.
            let own = if nic == 0 { ETH0 } else { ETH1 };
            let destination = rng.pick(&[own, own, LO, FAR, Ipv4Addr::new(192, 168, 60, 9)]);
            let no_way = shape.unconfigured && (destination == FAR || destination == ETH0);
            steps.push(Step::Packet {
                nic,
                source: Self::source(no_way, rng),
                destination,
                ttl: rng.pick(&[64, 64, 64, 2, 1, 1, 0, 255]),
                tos: rng.pick(&[0, 0, 0x10, 0xb8, 0xff]),
                length: rng.pick(&[0, 1, 8, 100, 1000]),
            });
        }
        steps
    }

    fn run(&mut self, setup: usize, steps: &[Step]) -> io::Result<Tally> {
        let shape = SHAPES[setup];
        let kernel = &mut self.kernels[setup];
        let mut tally = Tally::default();
        let mut sysctls = Sysctls {
            all: 0,
            eth0: 0,
            eth1: 0,
            accept_local: false,
            route_localnet: false,
        };
        apply(kernel, shape, sysctls)?;
        for (place, step) in steps.iter().enumerate() {
            let (nic, packet) = match step {
                Step::Set(settings) => {
                    sysctls = settings.0;
                    apply(kernel, shape, sysctls)?;
                    continue;
                }
                Step::Packet {
                    nic,
                    source,
                    destination,
                    ttl,
                    tos,
                    length,
                } => {
                    let payload = vec![0xa5; *length];
                    let source = source.address(&mut self.unheard);
                    let packet = build::raw(PROTOCOL, source, *destination, &payload)
                        .ttl(*ttl)
                        .tos(*tos)
                        .identification(place as u16);
                    (*nic, packet.bytes())
                }
            };
            let sim = self
                .sims
                .entry((setup, sysctls))
                .or_insert_with(|| Sim::new(&network(shape, sysctls)));
            sim.reset();
            let ports = ports(sim, shape);
            let sender = if nic == 0 { "left/eth0" } else { "right/eth0" };
            let ended = sim.send(Source::Nic(sim.nic(sender)), &packet);
            let at_nic = |nic: NicId| ports.iter().position(|&port| port == nic);
            let local = ended
                .delivered
                .into_iter()
                .filter_map(|(place, bytes)| match place {
                    Place::Nic(nic) if at_nic(nic).is_some() => Some((At::Local, bytes)),
                    _ => None,
                });
            let sent = ended
                .sent
                .into_iter()
                .filter_map(|(nic, bytes)| Some((At::Port(at_nic(nic)?), bytes)));
            let mut theirs = kernel.inject(nic, &packet)?;
            for (_, bytes) in &mut theirs {
                if is_icmp_error(bytes) {
                    forget_identification(bytes);
                }
            }
            if let Some(copy) = own_broadcast_copy(&theirs) {
                theirs.remove(copy);
                tally.except(Exception::OwnBroadcastCopy);
            }
            if let [(At::Local, bytes)] = theirs.as_slice()
                && is_icmp_error(bytes)
                && bytes.get(16) == Some(&127)
            {
                theirs.clear();
                tally.except(Exception::ErrorToLoopback);
            }
            let ours: Out = local.chain(sent).collect();
            tally.packets += 1;
            let verdict = format!("{:?}", ended.verdict);
            if let Some(text) = compare(&packet, &theirs, &ours, &verdict) {
                if ours.is_empty() && is_judged_by_source(&ended.verdict) && is_no_way(&theirs) {
                    tally.except(Exception::SourceBeforeWay);
                    continue;
                }
                tally.difference = Some(Difference { step: place, text });
                break;
            }
        }
        Ok(tally)
    }
}

fn is_judged_by_source(verdict: &Verdict) -> bool {
    let by_source = [DropReason::RpFilter, DropReason::Martian];
    matches!(verdict, Verdict::Dropped(drop) if by_source.contains(&drop.reason))
}

/// All that came out is an answer that there is no way.
fn is_no_way(out: &Out) -> bool {
    matches!(out.as_slice(), [(_, bytes)] if is_icmp_error(bytes) && bytes.get(20..22) == Some(&[3, 0]))
}

/// A copy of what left by a port, which the kernel also delivered to itself because it went to
/// the port's broadcast address.
fn own_broadcast_copy(out: &Out) -> Option<usize> {
    out.iter().position(|(at, packet)| {
        let twin = |(other, bytes): &(At, Vec<u8>)| *other != At::Local && bytes == packet;
        *at == At::Local && packet.get(19) == Some(&255) && out.iter().any(twin)
    })
}

/// The host's nics, in the order of the kernel's ports.
fn ports(sim: &Sim, shape: Shape) -> Vec<NicId> {
    let names: &[&str] = if shape.two_nics {
        &["host/eth0", "host/eth1"]
    } else {
        &["host/eth0"]
    };
    names.iter().map(|name| sim.nic(name)).collect()
}

fn apply(kernel: &Kernel, shape: Shape, sysctls: Sysctls) -> io::Result<()> {
    let set = |interface: &str, name: &str, value: u8| {
        let name = format!("net/ipv4/conf/{interface}/{name}");
        kernel.sysctl(&name, &value.to_string())
    };
    set("all", "rp_filter", sysctls.all)?;
    set("eth0", "rp_filter", sysctls.eth0)?;
    set("eth0", "accept_local", sysctls.accept_local.into())?;
    set("eth0", "route_localnet", sysctls.route_localnet.into())?;
    if shape.two_nics {
        set("eth1", "rp_filter", sysctls.eth1)?;
        set("eth1", "accept_local", sysctls.accept_local.into())?;
        set("eth1", "route_localnet", sysctls.route_localnet.into())?;
    }
    Ok(())
}

fn setup(shape: Shape) -> Setup {
    let forward = if shape.forwards { "1" } else { "0" };
    let mut setup = Setup {
        ports: vec!["eth0"],
        sysctls: vec![("net/ipv4/ip_forward".to_owned(), forward.to_owned())],
        ip: format!("addr add {LO}/32 dev lo\n"),
        nft: String::new(),
        local_protocols: vec![PROTOCOL.0, Protocol::ICMP.0],
    };
    if !shape.unconfigured {
        setup.ip +=
            &format!("addr add {ETH0}/24 dev eth0\nroute add default via 10.0.1.1 dev eth0\n");
    }
    if shape.two_nics {
        setup.ports.push("eth1");
        setup.ip += &format!(
            "addr add {ETH1}/16 dev eth1\n\
             route add 192.168.0.0/16 via 10.2.0.1 dev eth1\n"
        );
    }
    if shape.rules {
        setup.ip += &format!(
            "route add default via 10.2.0.1 dev eth1 table 20\n\
             rule add from {ETH1} lookup 20 priority 100\n\
             rule add from 192.168.0.0/16 lookup 20 priority 101\n"
        );
    }
    setup
}

fn network(shape: Shape, sysctls: Sysctls) -> String {
    let Sysctls {
        all,
        eth0,
        eth1,
        accept_local,
        route_localnet,
    } = sysctls;
    let (local, localnet) = (u8::from(accept_local), u8::from(route_localnet));
    let two = if shape.two_nics {
        format!("      eth1: {{subnet: b, address: {ETH1}, security_groups: [open]}}\n")
    } else {
        String::new()
    };
    let two_sysctls = if shape.two_nics {
        format!(
            "      net.ipv4.conf.eth1.rp_filter: {eth1}
      net.ipv4.conf.eth1.accept_local: {local}
      net.ipv4.conf.eth1.route_localnet: {localnet}
"
        )
    } else {
        String::new()
    };
    let mut routes = String::new();
    if shape.two_nics {
        routes += "    routes:\n      - {to: 192.168.0.0/16, via: 10.2.0.1, nic: eth1}\n";
    }
    if shape.rules {
        routes += &format!(
            "      - {{to: 0.0.0.0/0, via: 10.2.0.1, nic: eth1, table: 20}}
    rules:
      - {{from: {ETH1}, table: 20}}
      - {{from: 192.168.0.0/16, table: 20}}
"
        );
    }
    let eth0_address = if shape.unconfigured {
        format!("{{address: {ETH0}, configured: false}}")
    } else {
        ETH0.to_string()
    };
    let right = if shape.two_nics {
        "host/eth1"
    } else {
        "host/eth0"
    };
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/12
    subnets:
      a: {{cidr: 10.0.1.0/24}}
      b: {{cidr: 10.2.0.0/16}}
      left: {{cidr: 10.0.3.0/24, route_table: left}}
      right: {{cidr: 10.0.4.0/24, route_table: right}}
route_tables:
  left: {{routes: [{{to: 0.0.0.0/0, via: instance/host/eth0}}]}}
  right: {{routes: [{{to: 0.0.0.0/0, via: instance/{right}}}]}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
cvms:
  left: {{subnet: left, address: 10.0.3.10, security_groups: [open], ip_forward: true}}
  right: {{subnet: right, address: 10.0.4.10, security_groups: [open], ip_forward: true}}
  host:
    ip_forward: {}
    lo: [{LO}]
    nics:
      eth0: {{subnet: a, addresses: [{eth0_address}], security_groups: [open]}}
{two}    sysctl:
      net.ipv4.conf.all.rp_filter: {all}
      net.ipv4.conf.eth0.rp_filter: {eth0}
      net.ipv4.conf.eth0.accept_local: {local}
      net.ipv4.conf.eth0.route_localnet: {localnet}
{two_sysctls}{routes}",
        shape.forwards,
    )
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(settings) => write!(f, "{:?}", settings.0),
            Self::Packet {
                nic,
                source,
                destination,
                ttl,
                tos,
                length,
            } => write!(
                f,
                "at eth{nic} {source:?} > {destination} ttl {ttl} tos {tos:#04x} len {length}"
            ),
        }
    }
}
