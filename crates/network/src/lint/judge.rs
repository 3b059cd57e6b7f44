//! What rule lists say of a packet: first match wins (SEMANTICS §6, §7).

use super::set::Set;
use crate::lower::NOT_PUBLIC;
use crate::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The way a rule list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `ingress`
    In,
    /// `egress`
    Out,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::In, Self::Out];

    pub(super) fn back(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }

    pub(super) fn list(self) -> &'static str {
        match self {
            Self::In => "ingress",
            Self::Out => "egress",
        }
    }

    /// The word before a rule's peer.
    pub(super) fn preposition(self) -> &'static str {
        match self {
            Self::In => "from",
            Self::Out => "to",
        }
    }

    pub(super) fn of_acl(self, acl: &Acl) -> &[AclRule] {
        match self {
            Self::In => &acl.ingress,
            Self::Out => &acl.egress,
        }
    }

    pub(super) fn of_group(self, group: &SecurityGroup) -> &[SecurityGroupRule] {
        match self {
            Self::In => &group.ingress,
            Self::Out => &group.egress,
        }
    }
}

/// Whether a rule for `wanted` speaks of `protocol` too.
pub(super) fn speaks_of(wanted: RuleProtocol, protocol: RuleProtocol) -> bool {
    wanted == RuleProtocol::All || wanted == protocol
}

/// Whether any of a rule's services is `protocol` on `port`.
pub(super) fn serves(services: &[Service], protocol: RuleProtocol, port: u16) -> bool {
    services.iter().any(|service| {
        let every = service.protocol == RuleProtocol::All;
        let ports = || service.ports.iter().any(|range| range.contains(port));
        speaks_of(service.protocol, protocol) && (every || ports())
    })
}

/// What a nic's groups say of a packet from outside the cloud.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judgement<'a> {
    /// A secondary nic without a group.
    Unfiltered,
    /// This rule.
    Rule(&'a SecurityGroupRule),
    /// No rule matches: deny.
    Nothing,
}

impl Judgement<'_> {
    pub(super) fn accepts(&self) -> bool {
        match self {
            Self::Unfiltered => true,
            Self::Rule(rule) => rule.action == Action::Accept,
            Self::Nothing => false,
        }
    }
}

/// What a nic's groups say of the first packet of a flow from a public address: a group as a
/// peer means private addresses and never matches it (SEMANTICS §4, §6).
pub(super) fn from_internet<'a>(
    network: &'a Network,
    nic: &Nic,
    source: Ipv4Addr,
    protocol: RuleProtocol,
    port: u16,
) -> Judgement<'a> {
    if nic.security_groups.is_empty() {
        return Judgement::Unfiltered;
    }
    for &id in &nic.security_groups {
        for rule in &network.security_group(id).ingress {
            let peer = match &rule.peer {
                Peer::Any => true,
                Peer::Prefix(net) => net.contains(&source),
                Peer::Group(_) => false,
                Peer::Template(template) => {
                    let members = &network.address_template(*template).members;
                    members.iter().any(|range| range.contains(source))
                }
            };
            if peer && serves(&rule.services, protocol, port) {
                return Judgement::Rule(rule);
            }
        }
    }
    Judgement::Nothing
}

/// Whether the acl of a nic's subnet lets the first packet of a flow in; `source_port` is the
/// client's.
pub(super) fn acl_accepts(
    network: &Network,
    nic: &Nic,
    source: Ipv4Addr,
    protocol: RuleProtocol,
    (source_port, port): (u16, u16),
) -> bool {
    let Some(acl) = network.subnet(nic.subnet).acl else {
        return true;
    };
    let ports = |rule: &AclRule| match network.policies.acl_port {
        _ if rule.protocol == RuleProtocol::All => true,
        AclPort::Destination => rule.ports.contains(port),
        AclPort::Source => rule.ports.contains(source_port),
        AclPort::Either => rule.ports.contains(port) || rule.ports.contains(source_port),
    };
    let rules = &network.acl(acl).ingress;
    let first = rules.iter().find(|rule| {
        speaks_of(rule.protocol, protocol) && rule.peer.contains(&source) && ports(rule)
    });
    first.is_some_and(|rule| rule.action == Action::Accept)
}

/// Addresses that hosts on the internet have: public, and in no vpc.
pub(super) fn public(network: &Network) -> Set {
    let reserved = NOT_PUBLIC.iter();
    let reserved = reserved.filter_map(|(address, len)| Ipv4Net::new(*address, *len).ok());
    let own = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs).copied();
    let taken: Vec<Ipv4Net> = reserved.chain(own).collect();
    Set::all().minus(&Set::of_prefixes(&taken))
}

/// The addresses that a peer names. A group stands for those of its members, wherever they are.
pub(super) fn addresses(network: &Network, peer: &Peer) -> Set {
    match peer {
        Peer::Any => Set::all(),
        Peer::Prefix(net) => Set::of_prefixes(&[*net]),
        Peer::Template(id) => Set::of_ranges(&network.address_template(*id).members),
        Peer::Group(id) => {
            let members = network.nics.iter();
            let members = members.filter(|nic| nic.security_groups.contains(id));
            let own = members.flat_map(|nic| &nic.addresses);
            own.map(|own| (own.address.into(), own.address.into()))
                .collect()
        }
    }
}
