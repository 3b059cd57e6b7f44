//! Security-group tracking against `ct state established,related accept` and rules.

use super::{Area, Difference, Tally};
use crate::bytes::one_hop;
use crate::compare::{Out, compare};
use crate::conversation::{Flow, Side, Step};
use crate::exceptions::Exception;
use crate::kernel::{At, Kernel, Setup};
use crate::resets::Resets;
use crate::rng::Rng;
use crate::sim::Sim;
use crate::talk::Talk;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Place, Source};
use vpcsim_packet::Protocol;

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
const PEER: Ipv4Addr = Ipv4Addr::new(192, 168, 3, 4);
/// The rules refuse what this one begins.
const REFUSED: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 250, 1);

const INSIDE: usize = 0;
const OUTSIDE: usize = 1;

/// Both sides, for every combination of policies.
#[derive(Debug)]
pub(crate) struct Tracking {
    worlds: Vec<World>,
}

#[derive(Debug)]
struct World {
    /// `tcp_window: track`
    judged: bool,
    /// `mid_stream: drop`
    strict: bool,
    kernel: Kernel,
    sim: Sim,
    host: Source,
}

impl Tracking {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new() -> io::Result<Self> {
        let combinations = [(true, false), (true, true), (false, false), (false, true)];
        let worlds = combinations
            .into_iter()
            .map(|(judged, strict)| World::new(judged, strict))
            .collect::<io::Result<_>>()?;
        Ok(Self { worlds })
    }
}

impl World {
    fn new(judged: bool, strict: bool) -> io::Result<Self> {
        let sim = Sim::new(&network(judged, strict));
        let host = Source::Nic(sim.nic("host/eth0"));
        Ok(Self {
            judged,
            strict,
            kernel: Kernel::new(&setup(judged, strict))?,
            sim,
            host,
        })
    }
}

impl Area for Tracking {
    type Step = Step;

    fn setups(&self) -> usize {
        self.worlds.len()
    }

    fn setup_name(&self, setup: usize) -> String {
        let world = &self.worlds[setup];
        let window = if world.judged { "track" } else { "ignore" };
        let mid_stream = if world.strict { "drop" } else { "judge" };
        format!("tcp_window: {window}, mid_stream: {mid_stream}")
    }

    fn generate(&mut self, _: usize, rng: &mut Rng) -> Vec<Step> {
        let wild = rng.pick(&[0, 10, 30]);
        let routers = [(Side::Outside, ROUTER)];
        let mut talks: Vec<Talk> = (0..1 + rng.below(4))
            .map(|_| {
                let flow = flow(rng);
                let client = rng.pick(&[Side::Inside, Side::Outside]);
                Talk::new(flow, client, wild, &routers, rng)
            })
            .collect();
        let steps = 8 + rng.below(40);
        (0..steps)
            .map(|_| {
                let at = rng.below(talks.len());
                talks[at].step(rng)
            })
            .collect()
    }

    fn run(&mut self, setup: usize, steps: &[Step]) -> io::Result<Tally> {
        let world = &mut self.worlds[setup];
        world.kernel.forget_connections()?;
        world.sim.reset();
        let mut tally = Tally::default();
        let mut resets = Resets::default();
        for (place, step) in steps.iter().enumerate() {
            let packet = step.packet(step.flow.inside);
            resets.see(step);
            let (port, source) = match step.from {
                Side::Inside => (INSIDE, world.host),
                Side::Outside => (OUTSIDE, Sim::external()),
            };
            let kernel = world.kernel.inject(port, &packet)?;
            let ended = world.sim.send(source, &packet);
            let sim: Out = ended
                .delivered
                .into_iter()
                .map(|(place, mut bytes)| {
                    // The kernel is a hop, a vpc is none (§11, `fabric_ttl: 0`).
                    one_hop(&mut bytes);
                    let port = match place {
                        Place::External(_) => OUTSIDE,
                        _ => INSIDE,
                    };
                    (At::Port(port), bytes)
                })
                .collect();
            tally.packets += 1;
            let Some(text) = compare(&packet, &kernel, &sim, &format!("{:?}", ended.verdict))
            else {
                continue;
            };
            if !world.judged && resets.doubtful(&step.flow) {
                tally.except(Exception::AnyResetCloses);
                continue;
            }
            tally.difference = Some(Difference { step: place, text });
            break;
        }
        Ok(tally)
    }
}

fn flow(rng: &mut Rng) -> Flow {
    let protocol = rng.pick(&[
        Protocol::TCP,
        Protocol::TCP,
        Protocol::TCP,
        Protocol::UDP,
        Protocol::ICMP,
        Protocol::GRE,
    ]);
    let peer = rng.pick(&[PEER, PEER, REFUSED]);
    let (inside, outside) = match protocol {
        Protocol::TCP | Protocol::UDP => (rng.pick(&[80, 40_000]), rng.pick(&[443, 50_000])),
        Protocol::ICMP => {
            let identifier = rng.pick(&[7, 9]);
            (identifier, identifier)
        }
        _ => (0, 0),
    };
    Flow {
        protocol,
        inside: (HOST, inside),
        outside: (peer, outside),
    }
}

fn setup(judged: bool, strict: bool) -> Setup {
    let invalid = if strict { "ct state invalid drop" } else { "" };
    let knob = |name: &str, value: bool| {
        let value = if value { "1" } else { "0" };
        (
            format!("net/netfilter/nf_conntrack_tcp_{name}"),
            value.to_owned(),
        )
    };
    Setup {
        ports: vec!["inside", "outside"],
        sysctls: vec![
            knob("be_liberal", !judged),
            knob("ignore_invalid_rst", !judged),
            knob("loose", !strict),
        ],
        ip: "addr add 10.0.1.1/24 dev inside\naddr add 192.168.0.1/16 dev outside\n".to_owned(),
        nft: format!(
            "table ip filter {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    {invalid}
    iifname inside tcp dport 443 accept
    iifname inside udp dport 443 accept
    iifname inside ip protocol icmp accept
    iifname inside ip protocol gre accept
    iifname outside ip saddr {REFUSED} drop
    iifname outside tcp dport 80 accept
    iifname outside udp dport 80 accept
    iifname outside ip protocol icmp accept
  }}
}}
"
        ),
        local_protocols: Vec::new(),
    }
}

fn network(judged: bool, strict: bool) -> String {
    let window = if judged { "track" } else { "ignore" };
    let mid_stream = if strict { "drop" } else { "judge" };
    format!(
        "
vpcs:
  shop: {{cidr: 10.0.0.0/16, route_table: main, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}
route_tables:
  main: {{routes: [{{to: 192.168.0.0/16, via: vpn/office}}]}}
externals:
  office: {{kind: vpn, networks: [192.168.0.0/16]}}
security_groups:
  web:
    ingress:
      - drop all from {REFUSED}
      - accept tcp 80 from any
      - accept udp 80 from any
      - accept icmp from any
    egress:
      - accept tcp 443 to any
      - accept udp 443 to any
      - accept icmp to any
      - accept gre to any
cvms:
  host: {{subnet: web, address: {HOST}, security_groups: [web]}}
policies: {{tcp_window: {window}, mid_stream: {mid_stream}}}
"
    )
}
