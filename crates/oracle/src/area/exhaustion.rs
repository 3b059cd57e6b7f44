//! Many inside hosts with one source port towards one destination, until the public ports are
//! taken.

use super::{Difference, Tally};
use crate::drive::Report;
use crate::exceptions::Exception;
use crate::kernel::{At, Kernel, Setup};
use crate::public::source_port;
use crate::sim::Sim;
use std::collections::HashSet;
use std::io;
use std::net::Ipv4Addr;
use std::time::Instant;
use vpcsim_dataplane::{Drop, DropReason, Place, Source, Verdict};
use vpcsim_packet::{Protocol, TcpFlags, build};

const REMOTE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// Ports that the kernel's rule names. It tries at most 128 ports for a connection
/// (`nf_nat_l4proto_unique_tuple`), so a larger range would seem full before it is.
const THEIR_PORTS: usize = 100;
/// Ports of a class at 1024 or above.
const OUR_PORTS: usize = 1008;
const HOSTS: usize = OUR_PORTS + 40;

/// Fills both sides up.
///
/// # Errors
/// When the kernel side cannot be set up or fails.
pub(crate) fn run(name: &'static str) -> io::Result<Report> {
    let began = Instant::now();
    let mut report = Report::new(name);
    let mut kernel = Kernel::new(&setup())?;
    let mut sim = Sim::new(&network());
    let router = Source::Nic(sim.nic("router/eth1"));
    for protocol in [Protocol::UDP, Protocol::TCP, Protocol::ICMP] {
        kernel.forget_connections()?;
        sim.reset();
        let tally = fill(&mut kernel, &mut sim, router, protocol)?;
        report.add(&tally);
        if let Some(Difference { step, text }) = tally.difference {
            let text = format!("{protocol}, flow {step} towards one destination: {text}");
            report.unexplained.push(text);
        }
    }
    report.took = began.elapsed();
    Ok(report)
}

fn fill(
    kernel: &mut Kernel,
    sim: &mut Sim,
    router: Source,
    protocol: Protocol,
) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let (mut theirs, mut ours) = (HashSet::new(), HashSet::new());
    // The first flow comes back at the end: whoever has a port keeps it.
    for number in (0..HOSTS).chain([0]) {
        let known = tally.packets as usize >= HOSTS;
        let packet = first_packet(protocol, number);
        let out = kernel.inject(0, &packet)?;
        let their_port = match out.as_slice() {
            [(At::Port(1), packet)] => source_port(packet),
            _ => None,
        };
        let ended = sim.send(router, &packet);
        let our_port = match ended.delivered.as_slice() {
            [(Place::Internet, packet)] => source_port(packet),
            _ => None,
        };
        tally.packets += 1;
        let fresh = |port: Option<u16>, taken: &mut HashSet<u16>| match port {
            Some(port) => port >= 1024 && (known || taken.insert(port)),
            None => true,
        };
        let exhausted = matches!(
            ended.verdict,
            Verdict::Dropped(Drop {
                reason: DropReason::NatPortsExhausted,
                ..
            })
        );
        let right = their_port.is_some() == (number < THEIR_PORTS)
            && our_port.is_some() == (number < OUR_PORTS)
            && exhausted == our_port.is_none()
            && fresh(their_port, &mut theirs)
            && fresh(our_port, &mut ours);
        if !right {
            let text = format!(
                "kernel {their_port:?}, vpcsim {our_port:?}: {:?}",
                ended.verdict
            );
            tally.difference = Some(Difference { step: number, text });
            break;
        }
        if their_port.is_some() != our_port.is_some() {
            tally.except(Exception::OtherPortRange);
        }
    }
    Ok(tally)
}

fn first_packet(protocol: Protocol, number: usize) -> Vec<u8> {
    let [high, low] = (number as u16).to_be_bytes();
    let from = (Ipv4Addr::new(10, 0, 16 + high, low), 40_000);
    let to = (REMOTE, 443);
    match protocol {
        Protocol::UDP => build::udp(from, to, b"x").bytes(),
        Protocol::TCP => build::tcp(from, to, TcpFlags::SYN).bytes(),
        _ => build::icmp_echo(build::Echo::Request, from.0, to.0, from.1, 1, b"x").bytes(),
    }
}

fn setup() -> Setup {
    let last = 1023 + THEIR_PORTS;
    Setup {
        ports: vec!["inside", "outside"],
        sysctls: Vec::new(),
        ip: "addr add 10.0.2.1/24 dev inside\n\
             route add 10.0.0.0/16 dev inside\n\
             addr add 192.0.2.1/24 dev outside\n\
             route add default via 192.0.2.254 dev outside\n"
            .to_owned(),
        nft: format!(
            "table ip nat {{
  chain post {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname outside ip protocol {{ tcp, udp, icmp }} snat to {PUBLIC}:1024-{last}
  }}
}}
"
        ),
        local_protocols: Vec::new(),
    }
}

fn network() -> String {
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
  main: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
eips:
  public: {{address: {PUBLIC}, bandwidth: unlimited}}
nat_gateways:
  gw: {{vpc: shop, bandwidth: unlimited, eips: [public]}}
cvms:
  router:
    ip_forward: true
    nics:
      eth0: {{subnet: idle, address: 10.0.1.10, security_groups: [open]}}
      eth1: {{subnet: hosts, address: 10.0.2.10}}
"
    )
}
