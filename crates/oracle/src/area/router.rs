//! The hop itself: TTL, the size of the link, fragmenting, and the errors that a router sends.

use super::{Area, Difference, Tally};
use crate::bytes::{forget_identification, is_icmp_error};
use crate::compare::{Out, compare};
use crate::exceptions::Exception;
use crate::kernel::{At, Kernel, Setup};
use crate::reassembly::reassembled;
use crate::rng::Rng;
use crate::sim::Sim;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Place, Source};
use vpcsim_packet::{Protocol, TcpFlags, build};

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 10);
const INSIDE: usize = 0;
const OUTSIDE: usize = 1;
/// Of the link out.
const MTU: u16 = 1000;

/// Both sides.
#[derive(Debug)]
pub(crate) struct Router {
    kernel: Kernel,
    sim: Sim,
    host: Source,
}

/// A packet from the host inside.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    protocol: Protocol,
    destination: Ipv4Addr,
    ttl: u8,
    tos: u8,
    dont_fragment: bool,
    length: usize,
    options: Vec<u8>,
    /// It is the piece at this place of a larger packet.
    piece: Option<usize>,
    /// It is an ICMP error.
    error: bool,
}

impl Step {
    fn packet(&self) -> Vec<u8> {
        let payload = vec![0x5a; self.length];
        let to = self.destination;
        let built = match (self.error, self.protocol) {
            (true, _) => {
                let about = build::udp((to, 1), (HOST, 2), b"what it complains about").bytes();
                build::icmp(HOST, to, 3, 3, [0; 4], &about)
            }
            (false, Protocol::TCP) => {
                build::tcp((HOST, 40_000), (to, 80), TcpFlags::ACK).payload(&payload)
            }
            (false, Protocol::UDP) => build::udp((HOST, 40_000), (to, 53), &payload),
            (false, Protocol::ICMP) => {
                build::icmp_echo(build::Echo::Request, HOST, to, 1, 1, &payload)
            }
            (false, protocol) => build::raw(protocol, HOST, to, &payload),
        };
        let built = built
            .ttl(self.ttl)
            .tos(self.tos)
            .identification(0x1234)
            .options(&self.options);
        match self.piece {
            Some(place) => {
                let pieces = built.fragments(700);
                pieces[place.min(pieces.len() - 1)].clone()
            }
            None => built.dont_fragment(self.dont_fragment).bytes(),
        }
    }
}

impl Step {
    /// Too big for the link, and the router would have dropped it for another reason.
    fn is_judged_by_link_first(&self, packet: &[u8]) -> bool {
        let routed = self.destination.octets()[0] == 192;
        packet.len() > usize::from(MTU) && (self.ttl <= 1 || !routed)
    }
}

/// The answers to packets that are judged by the link first: fragmentation needed, or about the
/// first piece of what the link took in pieces, or none.
fn says_too_big(out: &Out) -> bool {
    out.iter().all(|(at, bytes)| {
        let (kind, code) = (bytes.get(20), bytes.get(21));
        *at == At::Port(INSIDE) && matches!((kind, code), (Some(3), Some(4)) | (Some(11), Some(0)))
    })
}

impl Router {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new() -> io::Result<Self> {
        let sim = Sim::new(&network());
        let host = Source::Nic(sim.nic("host/eth1"));
        Ok(Self {
            kernel: Kernel::new(&setup())?,
            sim,
            host,
        })
    }
}

impl Area for Router {
    type Step = Step;

    fn setups(&self) -> usize {
        1
    }

    fn setup_name(&self, _: usize) -> String {
        format!("fabric_ttl: 1, mtu: icmp, {MTU} bytes")
    }

    fn generate(&mut self, _: usize, rng: &mut Rng) -> Vec<Step> {
        let protocols = [Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol(253)];
        (0..20)
            .map(|_| Step {
                protocol: rng.pick(&protocols),
                destination: rng.pick(&[
                    Ipv4Addr::new(192, 168, 3, 4),
                    Ipv4Addr::new(192, 168, 3, 5),
                    Ipv4Addr::new(198, 51, 100, 7),
                ]),
                ttl: rng.pick(&[64, 64, 64, 255, 2, 1, 0]),
                tos: rng.pick(&[0, 0, 0x10, 0xb8, 0xff, 3]),
                dont_fragment: rng.chance(40),
                length: match rng.below(3) {
                    0 => rng.below(100),
                    1 => 960 + rng.below(60),
                    _ => rng.below(4_000),
                },
                options: rng.pick(&[
                    Vec::new(),
                    Vec::new(),
                    Vec::new(),
                    vec![1, 1, 1, 1],
                    // Unknown, copied into every fragment; unknown, not copied.
                    vec![0x9e, 4, 7, 7],
                    vec![0x5e, 4, 7, 7],
                    vec![1, 0x9e, 3, 7],
                ]),
                piece: rng.chance(15).then(|| rng.below(4)),
                error: rng.chance(5),
            })
            .collect()
    }

    fn run(&mut self, _: usize, steps: &[Step]) -> io::Result<Tally> {
        self.sim.reset();
        let mut tally = Tally::default();
        for (place, step) in steps.iter().enumerate() {
            let packet = step.packet();
            let mut kernel = self.kernel.inject(INSIDE, &packet)?;
            self.sim.reset();
            if step.piece.is_some() {
                // A later fragment would wait for its first one here.
                let mut first = step.clone();
                (first.piece, first.ttl) = (Some(0), 64);
                self.sim.send(self.host, &first.packet());
            }
            let ended = self.sim.send(self.host, &packet);
            let sim: Out = ended
                .delivered
                .into_iter()
                .map(|(place, bytes)| match place {
                    Place::External(_) => (At::Port(OUTSIDE), bytes),
                    _ => (At::Port(INSIDE), bytes),
                })
                .collect();
            for (_, bytes) in &mut kernel {
                if is_icmp_error(bytes) && !step.error {
                    forget_identification(bytes);
                }
            }
            tally.packets += 1;
            let verdict = format!("{:?}", ended.verdict);
            if let Some(text) = compare(&packet, &kernel, &sim, &verdict) {
                if step.is_judged_by_link_first(&packet) && says_too_big(&sim) {
                    tally.except(Exception::LinkBeforeRouter);
                    continue;
                }
                let whole = |out: &Out| reassembled(out.iter().map(|(_, bytes)| bytes.as_slice()));
                if !step.options.is_empty()
                    && whole(&kernel).is_some_and(|k| Some(k) == whole(&sim))
                {
                    tally.except(Exception::LaterFragmentOptions);
                    continue;
                }
                tally.difference = Some(Difference { step: place, text });
                break;
            }
        }
        Ok(tally)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

fn setup() -> Setup {
    Setup {
        ports: vec!["inside", "outside"],
        sysctls: Vec::new(),
        ip: format!(
            "link set dev inside mtu 9000
link set dev outside mtu {MTU}
addr add 10.0.2.1/24 dev inside
addr add 192.168.0.1/16 dev outside
route add blackhole default
"
        ),
        nft: String::new(),
        local_protocols: Vec::new(),
    }
}

fn network() -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    mtu: {MTU}
    route_table: main
    subnets:
      idle: {{cidr: 10.0.1.0/24}}
      hosts: {{cidr: 10.0.2.0/24}}
route_tables:
  main: {{routes: [{{to: 192.168.0.0/16, via: vpn/office}}]}}
externals:
  office: {{kind: vpn, networks: [192.168.0.0/16]}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
cvms:
  host:
    nics:
      eth0: {{subnet: idle, address: 10.0.1.10, security_groups: [open]}}
      eth1: {{subnet: hosts, address: {HOST}}}
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
policies: {{fabric_ttl: 1, mtu: icmp}}
"
    )
}
