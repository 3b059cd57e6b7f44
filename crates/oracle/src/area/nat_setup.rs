//! The two sides of a NAT: a namespace with nftables, a network with a gateway or an eip.

use crate::conversation::{End, Flow};
use crate::kernel::{Kernel, Setup};
use crate::sim::Sim;
use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_network::NicId;
use vpcsim_packet::Protocol;

/// The public address.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The host that dnat and 1:1 lead to.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 20);
/// How many hosts share the public address.
pub(crate) const HOST_COUNT: usize = 5;

/// Kinds of NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Many hosts behind one address.
    Snat,
    /// A port of the address leads to a port of a host.
    Dnat,
    /// The address is a host's.
    OneToOne,
}

impl Kind {
    /// What the inside end of a flow looks like from outside, unless its port had to change.
    pub(crate) fn public(self, flow: &Flow) -> End {
        let (_, port) = flow.inside;
        match (self, flow.protocol) {
            (Self::Dnat, Protocol::TCP | Protocol::UDP) if port == 80 => (PUBLIC, 8080),
            _ => (PUBLIC, port),
        }
    }
}

/// Both sides under one choice of policies.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) kind: Kind,
    /// `tcp_window: track`
    pub(crate) judged: bool,
    /// `mid_stream: drop`
    pub(crate) strict: bool,
    pub(crate) kernel: Kernel,
    pub(crate) sim: Sim,
    nics: Vec<(Ipv4Addr, NicId)>,
}

impl World {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new(kind: Kind, judged: bool, strict: bool) -> io::Result<Self> {
        let sim = Sim::new(&network(kind, judged, strict));
        let hosts = hosts().map(|(name, address)| (address, sim.nic(&format!("{name}/eth1"))));
        let nics = hosts.collect();
        Ok(Self {
            kind,
            judged,
            strict,
            kernel: Kernel::new(&setup(kind, judged, strict))?,
            sim,
            nics,
        })
    }

    /// What sets it apart.
    pub(crate) fn name(&self) -> String {
        let window = if self.judged { "track" } else { "ignore" };
        let mid_stream = if self.strict { "drop" } else { "judge" };
        format!("tcp_window: {window}, mid_stream: {mid_stream}")
    }

    /// The nic with an address.
    ///
    /// # Panics
    /// When no host has it.
    pub(crate) fn nic_of(&self, address: Ipv4Addr) -> NicId {
        match self.nics.iter().find(|(own, _)| *own == address) {
            Some((_, nic)) => *nic,
            None => panic!("no host has {address}"),
        }
    }
}

/// The address of an inside host.
pub(crate) fn host(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 2, 10 + number as u8)
}

fn hosts() -> impl Iterator<Item = (String, Ipv4Addr)> {
    let clients = (0..HOST_COUNT).map(|number| (format!("c{number}"), host(number)));
    clients.chain([("server".to_owned(), SERVER)])
}

fn setup(kind: Kind, judged: bool, strict: bool) -> Setup {
    let knob = |name: &str, value: bool| {
        let value = if value { "1" } else { "0" };
        (
            format!("net/netfilter/nf_conntrack_tcp_{name}"),
            value.to_owned(),
        )
    };
    let invalid = if strict { "drop" } else { "accept" };
    let protocols = "ip protocol { tcp, udp, icmp }";
    let (pre, post, forward) = match kind {
        Kind::Snat => (
            String::new(),
            format!("oifname outside {protocols} snat to {PUBLIC}"),
            format!("iifname inside {protocols} accept"),
        ),
        Kind::Dnat => (
            format!(
                "iifname outside ip daddr {PUBLIC} tcp dport 8080 dnat to {SERVER}:80
    iifname outside ip daddr {PUBLIC} udp dport 8080 dnat to {SERVER}:80"
            ),
            format!("oifname outside {protocols} snat to {PUBLIC}"),
            format!(
                "iifname inside {protocols} accept
    iifname outside oifname inside ct status dnat accept"
            ),
        ),
        Kind::OneToOne => (
            format!("iifname outside ip daddr {PUBLIC} dnat to {SERVER}"),
            format!("oifname outside ip saddr {SERVER} snat to {PUBLIC}"),
            "accept".to_owned(),
        ),
    };
    Setup {
        ports: vec!["inside", "outside"],
        sysctls: vec![
            knob("be_liberal", !judged),
            knob("ignore_invalid_rst", !judged),
            knob("loose", !strict),
        ],
        ip: "addr add 10.0.2.1/24 dev inside\n\
             addr add 192.0.2.1/24 dev outside\n\
             route add default via 192.0.2.254 dev outside\n"
            .to_owned(),
        nft: format!(
            "table ip nat {{
  chain pre {{
    type nat hook prerouting priority dstnat; policy accept;
    {pre}
  }}
  chain post {{
    type nat hook postrouting priority srcnat; policy accept;
    {post}
  }}
}}
table ip filter {{
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state invalid {invalid}
    ct state established,related accept
    {forward}
  }}
}}
"
        ),
        local_protocols: Vec::new(),
    }
}

fn network(kind: Kind, judged: bool, strict: bool) -> String {
    let window = if judged { "track" } else { "ignore" };
    let mid_stream = if strict { "drop" } else { "judge" };
    let (route, bind, gateway) = match kind {
        Kind::OneToOne => ("eip", ", bind: server/eth1", String::new()),
        Kind::Snat | Kind::Dnat => {
            let dnat = if kind == Kind::Dnat {
                format!(
                    "    dnat:
      - {{eip: public, protocol: tcp, port: 8080, to: {SERVER}, to_port: 80}}
      - {{eip: public, protocol: udp, port: 8080, to: {SERVER}, to_port: 80}}
"
                )
            } else {
                String::new()
            };
            let gateway = format!(
                "nat_gateways:
  gw:
    vpc: shop
    bandwidth: unlimited
    eips: [public]
    icmp_proxy: false
{dnat}"
            );
            ("nat/gw", "", gateway)
        }
    };
    let mut cvms = String::new();
    for (number, (name, address)) in (10..).zip(hosts()) {
        // A secondary nic without a group filters nothing: only the NAT is asked.
        let _ = write!(
            cvms,
            "  {name}:
    nics:
      eth0: {{subnet: idle, address: 10.0.1.{number}, security_groups: [open]}}
      eth1: {{subnet: hosts, address: {address}}}
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
"
        );
    }
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: main
    subnets:
      idle: {{cidr: 10.0.1.0/24}}
      hosts: {{cidr: 10.0.2.0/24}}
route_tables:
  main: {{routes: [{{to: 0.0.0.0/0, via: {route}}}]}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
eips:
  public: {{address: {PUBLIC}, bandwidth: unlimited{bind}}}
{gateway}cvms:
{cvms}policies: {{tcp_window: {window}, mid_stream: {mid_stream}}}
"
    )
}
