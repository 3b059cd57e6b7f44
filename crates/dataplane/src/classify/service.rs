//! Services as numbers: TCP ports, UDP ports, then protocols without ports, in one line.

use crate::intervals::Span;
use vpcsim_network::{AclRule, PortRange, RuleProtocol, Service};
use vpcsim_packet::{FlowKey, Protocol};

const TCP: u32 = 0;
const UDP: u32 = 1 << 16;
const ICMP: u32 = 2 << 16;
const GRE: u32 = 3 << 16;
/// Protocols that no rule names.
const OTHER: u32 = 4 << 16;

/// The service that a packet asks for: by its destination port (§6).
#[inline]
pub(crate) fn by_destination(key: &FlowKey) -> u32 {
    number(key.protocol, key.destination_port)
}

/// The same, by its source port (policy `acl_port`).
#[inline]
pub(crate) fn by_source(key: &FlowKey) -> u32 {
    number(key.protocol, key.source_port)
}

#[inline]
fn number(protocol: Protocol, port: u16) -> u32 {
    match protocol {
        Protocol::TCP => TCP + u32::from(port),
        Protocol::UDP => UDP + u32::from(port),
        Protocol::ICMP => ICMP,
        Protocol::GRE => GRE,
        _ => OTHER,
    }
}

/// What the services of a security group's rule hold: ports are for TCP and UDP alone.
pub(crate) fn of_group_rule(services: &[Service]) -> Vec<Span> {
    let spans = services.iter().flat_map(|service| {
        let ports = &service.ports[..];
        match service.protocol {
            RuleProtocol::All => vec![Span::ALL],
            protocol => of_protocol(protocol, ports),
        }
    });
    spans.collect()
}

/// What the protocol and ports of an acl's rule hold: under `all`, ports are those of TCP and
/// UDP, and every other protocol matches.
pub(crate) fn of_acl_rule(rule: &AclRule) -> Vec<Span> {
    let ports = &[rule.ports];
    match rule.protocol {
        RuleProtocol::All => {
            let others = Span {
                first: ICMP,
                last: u32::MAX,
            };
            let mut spans = vec![others];
            spans.extend(of_protocol(RuleProtocol::Tcp, ports));
            spans.extend(of_protocol(RuleProtocol::Udp, ports));
            spans
        }
        protocol => of_protocol(protocol, ports),
    }
}

fn of_protocol(protocol: RuleProtocol, ports: &[PortRange]) -> Vec<Span> {
    let over = |base: u32| {
        let spans = ports.iter().filter_map(move |range| {
            Span::new(base + u32::from(range.first), base + u32::from(range.last))
        });
        spans.collect()
    };
    let one = |number| {
        vec![Span {
            first: number,
            last: number,
        }]
    };
    match protocol {
        RuleProtocol::Tcp => over(TCP),
        RuleProtocol::Udp => over(UDP),
        RuleProtocol::Icmp => one(ICMP),
        RuleProtocol::Gre => one(GRE),
        RuleProtocol::All => vec![Span::ALL],
    }
}
