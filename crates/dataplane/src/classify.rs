//! First match over a list of rules: what a rule sees of a packet, and the search.

use std::net::Ipv4Addr;
use vpcsim_network::{AclPort, AclRule, PortRange, Service};
use vpcsim_packet::{FlowKey, Protocol};

/// Whether the service's protocol and ports match the flow's first packet (§6: ports are
/// destination ports, in both directions).
pub(crate) fn service_matches(service: &Service, key: &FlowKey) -> bool {
    match service.protocol.number() {
        None => true,
        Some(number) if number != key.protocol.0 => false,
        Some(_) => match destination_port(key) {
            Some(port) => service.ports.iter().any(|range| range.contains(port)),
            None => true,
        },
    }
}

/// Whether an acl rule matches a packet whose other end is `peer` (§7).
pub(crate) fn acl_rule_matches(
    rule: &AclRule,
    key: &FlowKey,
    peer: Ipv4Addr,
    which: AclPort,
) -> bool {
    let protocol = rule
        .protocol
        .number()
        .is_none_or(|number| number == key.protocol.0);
    protocol && rule.peer.contains(&peer) && acl_port_matches(rule.ports, key, which)
}

fn acl_port_matches(ports: PortRange, key: &FlowKey, which: AclPort) -> bool {
    if ports == PortRange::ALL {
        return true;
    }
    let (Some(source), Some(destination)) = (source_port(key), destination_port(key)) else {
        return true;
    };
    match which {
        AclPort::Destination => ports.contains(destination),
        AclPort::Source => ports.contains(source),
        AclPort::Either => ports.contains(destination) || ports.contains(source),
    }
}

/// The destination port, for protocols that have one.
pub(crate) fn destination_port(key: &FlowKey) -> Option<u16> {
    has_ports(key).then_some(key.destination_port)
}

fn source_port(key: &FlowKey) -> Option<u16> {
    has_ports(key).then_some(key.source_port)
}

fn has_ports(key: &FlowKey) -> bool {
    matches!(key.protocol, Protocol::TCP | Protocol::UDP)
}
