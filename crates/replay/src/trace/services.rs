//! What can be asked of a target: pings, and the ports that something says are open.

use super::Question;
use crate::Endpoint;
use serde::Serialize;
use std::collections::BTreeSet;
use vpcsim_dataplane::Program;
use vpcsim_network::{CvmId, EipTarget, Network, PortRange, RuleProtocol};
use vpcsim_packet::Protocol;

/// Why a port is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Every host answers pings.
    Ping,
    /// The target says that it listens there.
    Listens,
    /// The target says nothing; a rule of its groups, or a dnat rule that leads to it, names the
    /// port.
    Rule,
    /// Nothing names a port: the usual one.
    Usual,
}

/// Ports that no rule of the network tells apart, and why they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) protocol: Protocol,
    /// None for pings.
    pub(crate) ports: Option<PortRange>,
    pub(crate) because: Because,
}

impl Service {
    /// The question for the first of the ports.
    pub(crate) fn question(&self) -> Question {
        Question {
            protocol: Some(self.protocol),
            port: self.ports.map(|ports| ports.first),
        }
    }
}

/// Everything that can be asked of a target.
pub(crate) fn services(program: &Program, to: Endpoint) -> Vec<Service> {
    let network = program.network();
    let mut list = vec![Service {
        protocol: Protocol::ICMP,
        ports: None,
        because: Because::Ping,
    }];
    let (named, because) = match (cvm(program, to), gateway_ports(program, to)) {
        (_, Some(ports)) => (ports, Because::Rule),
        (Some(cvm), None) => match &network.cvm(cvm).listen {
            Some(services) => {
                let ranges = services.iter().flat_map(|service| {
                    let protocol = service.protocol;
                    service.ports.iter().map(move |&range| (protocol, range))
                });
                (ranges.collect(), Because::Listens)
            }
            None => (ruled(network, cvm), Because::Rule),
        },
        (None, None) => (Vec::new(), Because::Usual),
    };
    for (protocol, kind) in [
        (Protocol::TCP, RuleProtocol::Tcp),
        (Protocol::UDP, RuleProtocol::Udp),
    ] {
        let cuts = cuts(network, kind);
        let ranges = named
            .iter()
            .filter(|(named, _)| [kind, RuleProtocol::All].contains(named));
        let ranges = merged(ranges.map(|(_, range)| *range).collect());
        let pieces = ranges.into_iter().flat_map(|range| pieces(range, &cuts));
        list.extend(pieces.map(|ports| Service {
            protocol,
            ports: Some(ports),
            because,
        }));
    }
    if list.len() == 1 && because != Because::Listens {
        let usual = [(Protocol::TCP, 80), (Protocol::UDP, 53)];
        list.extend(usual.map(|(protocol, port)| Service {
            protocol,
            ports: Some(PortRange {
                first: port,
                last: port,
            }),
            because: Because::Usual,
        }));
    }
    list
}

/// The host that a target is.
fn cvm(program: &Program, to: Endpoint) -> Option<CvmId> {
    let network = program.network();
    match to {
        Endpoint::Cvm(cvm) => Some(cvm),
        Endpoint::Nic(nic) => Some(network.nic(nic).cvm),
        Endpoint::Address(address) => program.sender(address).or_else(|| {
            match network.eip(program.eip_of_public(address)?).target? {
                EipTarget::Address(nic, _) => Some(network.nic(nic).cvm),
                EipTarget::Havip(havip) => {
                    let holder = network.havip(havip).holder?;
                    Some(network.nic(holder).cvm)
                }
                EipTarget::NatGateway(_) => None,
            }
        }),
        Endpoint::External(_) | Endpoint::Internet => None,
    }
}

/// The ports that a gateway forwards, where the target is its address.
fn gateway_ports(program: &Program, to: Endpoint) -> Option<Vec<(RuleProtocol, PortRange)>> {
    let Endpoint::Address(address) = to else {
        return None;
    };
    let network = program.network();
    let eip = program.eip_of_public(address)?;
    let Some(EipTarget::NatGateway(gateway)) = network.eip(eip).target else {
        return None;
    };
    let rules = network.nat_gateway(gateway).dnat.iter();
    let rules = rules.filter(|rule| rule.eip == eip);
    Some(
        rules
            .map(|rule| (rule.protocol, single(rule.port)))
            .collect(),
    )
}

/// Ports that rules speak of where a host itself does not: what its groups take in, and what is
/// forwarded to it.
fn ruled(network: &Network, cvm: CvmId) -> Vec<(RuleProtocol, PortRange)> {
    let nics: Vec<_> = network
        .cvm(cvm)
        .nics
        .iter()
        .map(|&nic| network.nic(nic))
        .collect();
    let groups: BTreeSet<_> = nics.iter().flat_map(|nic| &nic.security_groups).collect();
    let rules = groups
        .into_iter()
        .flat_map(|&group| &network.security_group(group).ingress);
    let services = rules.flat_map(|rule| &rule.services);
    let mut ports: Vec<_> = services
        .flat_map(|service| {
            service
                .ports
                .iter()
                .map(move |&range| (service.protocol, range))
        })
        // Everything is no port in particular.
        .filter(|(_, range)| *range != PortRange::ALL)
        .collect();
    let has = |address| {
        nics.iter()
            .any(|nic| nic.addresses.iter().any(|own| own.address == address))
    };
    let forwarded = network
        .nat_gateways
        .iter()
        .flat_map(|gateway| &gateway.dnat);
    let forwarded = forwarded.filter(|rule| has(rule.to));
    ports.extend(forwarded.map(|rule| (rule.protocol, single(rule.to_port))));
    ports
}

fn single(port: u16) -> PortRange {
    PortRange {
        first: port,
        last: port,
    }
}

/// Ports at which some rule of the network begins to speak, or has just ended.
fn cuts(network: &Network, kind: RuleProtocol) -> BTreeSet<u32> {
    let groups = network.security_groups.iter();
    let rules = groups.flat_map(|group| group.ingress.iter().chain(&group.egress));
    let services = rules.flat_map(|rule| &rule.services);
    let services = services.filter(|service| service.protocol == kind);
    let of_groups = services.flat_map(|service| service.ports.iter().copied());
    let acls = network
        .acls
        .iter()
        .flat_map(|acl| acl.ingress.iter().chain(&acl.egress));
    let of_acls = acls
        .filter(|rule| rule.protocol == kind)
        .map(|rule| rule.ports);
    let dnat = network
        .nat_gateways
        .iter()
        .flat_map(|gateway| &gateway.dnat);
    let dnat = dnat.filter(|rule| rule.protocol == kind);
    let of_dnat = dnat.flat_map(|rule| [single(rule.port), single(rule.to_port)]);
    let ranges = of_groups.chain(of_acls).chain(of_dnat);
    ranges
        .flat_map(|range| [u32::from(range.first), u32::from(range.last) + 1])
        .collect()
}

/// Ranges in order, those that touch as one.
fn merged(mut ranges: Vec<PortRange>) -> Vec<PortRange> {
    ranges.sort_by_key(|range| (range.first, range.last));
    let mut merged: Vec<PortRange> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if u32::from(range.first) <= u32::from(last.last) + 1 => {
                last.last = last.last.max(range.last);
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// A range cut wherever a rule may tell its ports apart.
fn pieces(range: PortRange, cuts: &BTreeSet<u32>) -> Vec<PortRange> {
    let (first, last) = (u32::from(range.first), u32::from(range.last));
    let inner = cuts
        .iter()
        .copied()
        .filter(|cut| (first + 1..=last).contains(cut));
    let starts: Vec<_> = std::iter::once(first).chain(inner).collect();
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([last]);
    let pieces = starts.iter().zip(ends);
    let port = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    pieces
        .map(|(&first, last)| PortRange {
            first: port(first),
            last: port(last),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange { first, last }
    }

    #[test]
    fn a_range_is_cut_where_rules_begin_and_end() {
        let cuts = BTreeSet::from([80, 81, 443, 8000, 65536]);
        assert_eq!(pieces(range(80, 80), &cuts), [range(80, 80)]);
        assert_eq!(
            pieces(range(79, 82), &cuts),
            [range(79, 79), range(80, 80), range(81, 82)]
        );
        assert_eq!(
            pieces(range(8000, u16::MAX), &cuts),
            [range(8000, u16::MAX)]
        );
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let ranges = vec![
            range(443, 443),
            range(80, 90),
            range(85, 100),
            range(101, 101),
        ];
        assert_eq!(merged(ranges), [range(80, 101), range(443, 443)]);
        let ends = vec![range(0, u16::MAX), range(u16::MAX, u16::MAX)];
        assert_eq!(merged(ends), [range(0, u16::MAX)]);
    }
}
