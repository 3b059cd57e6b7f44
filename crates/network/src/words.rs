//! Rules and routes as they are written in the file, on one line.

use crate::file::protocol_name;
use crate::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

impl Network {
    /// A security-group rule:
    /// `accept tcp 80,443 from any`. A service template is written as what it holds.
    pub fn group_rule_words(&self, rule: &SecurityGroupRule, ingress: bool) -> String {
        let services: Vec<_> = rule.services.iter().map(service_words).collect();
        let peer = match rule.peer {
            Peer::Any => "any".to_owned(),
            Peer::Prefix(net) => prefix_words(net),
            Peer::Group(group) => self.security_group(group).name.clone(),
            Peer::Template(template) => self.address_template(template).name.clone(),
        };
        rule_words(rule.action, &services.join(", "), ingress, &peer)
    }

    /// An acl rule: `accept tcp 1024-65535 to any`.
    pub fn acl_rule_words(&self, rule: &AclRule, ingress: bool) -> String {
        let service = Service {
            protocol: rule.protocol,
            ports: vec![rule.ports],
        };
        let peer = prefix_words(rule.peer);
        rule_words(rule.action, &service_words(&service), ingress, &peer)
    }

    /// A route: `10.9.0.0/16 via peering/shop-partner`.
    pub fn route_words(&self, route: &Route) -> String {
        let Route { destination, .. } = route;
        format!("{destination} via {}", self.next_hop_words(route.next_hop))
    }

    /// A next hop: `nat/gw`, `instance/relay/eth0`, `eip`.
    pub fn next_hop_words(&self, next_hop: NextHop) -> String {
        match next_hop {
            NextHop::Peering(id) => format!("peering/{}", self.peering(id).name),
            NextHop::NatGateway(id) => format!("nat/{}", self.nat_gateway(id).name),
            NextHop::Eip => "eip".to_owned(),
            NextHop::Cvm(nic) => format!("cvm/{}", self.nic_name(nic)),
            NextHop::Instance(nic) => format!("instance/{}", self.nic_name(nic)),
            NextHop::Havip(id) => format!("havip/{}", self.havip(id).name),
            NextHop::External(id) => {
                let external = self.external(id);
                format!("{}/{}", external.kind.name(), external.name)
            }
        }
    }

    /// An snat rule: `cvm/app-1 by gw-2`.
    pub fn snat_rule_words(&self, rule: &SnatRule) -> String {
        let from = match rule.source {
            SnatSource::Cvm(id) => format!("cvm/{}", self.cvm(id).name),
            SnatSource::Subnet(id) => format!("subnet/{}", self.subnet(id).name),
        };
        let eips: Vec<_> = rule.eips.iter().map(|&id| &*self.eip(id).name).collect();
        format!("{from} by {}", eips.join(", "))
    }

    /// A dnat rule: `tcp 8443 of gw-1 to 10.0.1.10:443`.
    pub fn dnat_rule_words(&self, rule: &DnatRule) -> String {
        let (protocol, eip) = (protocol_name(rule.protocol), &self.eip(rule.eip).name);
        let DnatRule {
            port, to, to_port, ..
        } = rule;
        format!("{protocol} {port} of {eip} to {to}:{to_port}")
    }
}

impl ExternalKind {
    /// The kind's word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vpn => "vpn",
            Self::SslVpn => "sslvpn",
            Self::DirectConnect => "direct-connect",
            Self::Ccn => "ccn",
            Self::Intranat => "intranat",
            Self::LocalGateway => "local-gateway",
            Self::GwlbEndpoint => "gwlb-endpoint",
        }
    }
}

fn rule_words(action: Action, services: &str, ingress: bool, peer: &str) -> String {
    let action = match action {
        Action::Accept => "accept",
        Action::Drop => "drop",
    };
    let word = if ingress { "from" } else { "to" };
    format!("{action} {services} {word} {peer}")
}

fn service_words(service: &Service) -> String {
    let protocol = protocol_name(service.protocol);
    if service.ports == [PortRange::ALL] {
        return protocol.to_owned();
    }
    let ports: Vec<_> = service.ports.iter().map(PortRange::to_string).collect();
    format!("{protocol} {}", ports.join(","))
}

/// A prefix as peers are written: `any`, an address, or `10.0.1.0/24`.
fn prefix_words(net: Ipv4Net) -> String {
    match net.prefix_len() {
        0 => "any".to_owned(),
        32 => Ipv4Addr::to_string(&net.addr()),
        _ => net.to_string(),
    }
}
