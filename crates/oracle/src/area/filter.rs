//! The two sides of a filter: a namespace with `ct state established,related accept` and rules, a
//! network with a security group.

use crate::bytes::one_hop;
use crate::compare::compare;
use crate::conversation::{Side, Step};
use crate::kernel::{At, Kernel, Setup};
use crate::sim::Sim;
use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Place, Source};

const INSIDE: usize = 0;
const OUTSIDE: usize = 1;

/// The host behind the filter.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
/// The rules refuse what this one begins.
pub(crate) const REFUSED: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

/// Both sides under one choice of policies.
#[derive(Debug)]
pub(crate) struct World {
    /// `tcp_window: track`
    pub(crate) judged: bool,
    /// `mid_stream: drop`
    pub(crate) strict: bool,
    pub(crate) kernel: Kernel,
    pub(crate) sim: Sim,
    pub(crate) host: Source,
}

impl World {
    /// Sets up both sides. `timeouts`: the kernel's names without `nf_conntrack_` and `_timeout`,
    /// and seconds.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new(judged: bool, strict: bool, timeouts: &[(&str, u32)]) -> io::Result<Self> {
        let sim = Sim::new(&network(judged, strict, timeouts));
        let host = Source::Nic(sim.nic("host/eth0"));
        Ok(Self {
            judged,
            strict,
            kernel: Kernel::new(&setup(judged, strict, timeouts))?,
            sim,
            host,
        })
    }

    /// A packet goes through both sides: what is different, if anything.
    ///
    /// # Errors
    /// When the kernel side fails.
    pub(crate) fn step(&mut self, step: &Step) -> io::Result<Option<String>> {
        let packet = step.packet(step.flow.inside);
        let (port, source) = match step.from {
            Side::Inside => (INSIDE, self.host),
            Side::Outside => (OUTSIDE, Sim::external()),
        };
        let kernel = self.kernel.inject(port, &packet)?;
        let ended = self.sim.send(source, &packet);
        let verdict = format!("{:?}", ended.verdict);
        let sim = ended.delivered.into_iter().map(|(place, mut bytes)| {
            // The kernel is a hop, a vpc is none (§11, `fabric_ttl: 0`).
            one_hop(&mut bytes);
            let port = match place {
                Place::External(_) => OUTSIDE,
                _ => INSIDE,
            };
            (At::Port(port), bytes)
        });
        Ok(compare(&packet, &kernel, &sim.collect(), &verdict))
    }

    /// What sets it apart.
    pub(crate) fn name(&self) -> String {
        let window = if self.judged { "track" } else { "ignore" };
        let mid_stream = if self.strict { "drop" } else { "judge" };
        format!("tcp_window: {window}, mid_stream: {mid_stream}")
    }
}

fn setup(judged: bool, strict: bool, timeouts: &[(&str, u32)]) -> Setup {
    let invalid = if strict { "ct state invalid drop" } else { "" };
    let knob = |name: &str, value: bool| {
        let value = if value { "1" } else { "0" };
        (
            format!("net/netfilter/nf_conntrack_tcp_{name}"),
            value.to_owned(),
        )
    };
    let mut sysctls = vec![
        knob("be_liberal", !judged),
        knob("ignore_invalid_rst", !judged),
        knob("loose", !strict),
    ];
    for (name, seconds) in timeouts {
        // `tcp_timeout_close`, but `udp_timeout` and `udp_timeout_stream`.
        let name = match name.split_once('_') {
            Some((protocol, state)) => format!("{protocol}_timeout_{state}"),
            None => format!("{name}_timeout"),
        };
        let name = format!("net/netfilter/nf_conntrack_{name}");
        sysctls.push((name, seconds.to_string()));
    }
    Setup {
        ports: vec!["inside", "outside"],
        sysctls,
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

fn network(judged: bool, strict: bool, timeouts: &[(&str, u32)]) -> String {
    let window = if judged { "track" } else { "ignore" };
    let mid_stream = if strict { "drop" } else { "judge" };
    let mut conntrack = String::new();
    for (name, seconds) in timeouts {
        let _ = write!(conntrack, "{name}: {seconds}, ");
    }
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
policies: {{tcp_window: {window}, mid_stream: {mid_stream}, conntrack: {{{conntrack}}}}}
"
    )
}
