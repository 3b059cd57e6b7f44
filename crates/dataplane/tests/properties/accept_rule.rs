//! SEMANTICS §6, §7: first match wins, so an accept rule above all others lets what it matches
//! pass at its stage, and changes nothing for anything else.

use crate::world::{World, alone, any_world, cases, reason};
use proptest::prelude::*;
use vpcsim_dataplane::{Decision, DropReason, Program, Stage};
use vpcsim_network::{
    AclPort, AclRule, Action, Mark, Network, Peer, PortRange, RuleProtocol, SecurityGroupRule,
    Service,
};
use vpcsim_packet::{FlowKey, Headers, Protocol};

/// What the new rule matches.
#[derive(Debug, Clone, Copy)]
struct Match {
    protocol: RuleProtocol,
    ports: PortRange,
    peer: ipnet::Ipv4Net,
    ingress: bool,
}

fn any_match() -> impl Strategy<Value = Match> {
    let protocol = prop::sample::select(vec![
        RuleProtocol::All,
        RuleProtocol::Tcp,
        RuleProtocol::Udp,
        RuleProtocol::Icmp,
    ]);
    let ports = prop::sample::select(vec![(0, 65_535), (80, 80), (22, 443), (1024, 65_535)]);
    let peer = prop::sample::select(vec![
        "0.0.0.0/0",
        "10.0.0.0/16",
        "10.1.0.0/16",
        "198.51.100.0/24",
    ]);
    (protocol, ports, peer, any::<bool>()).prop_map(|(protocol, (first, last), peer, ingress)| {
        let has_ports = matches!(protocol, RuleProtocol::Tcp | RuleProtocol::Udp);
        Match {
            protocol,
            ports: if has_ports {
                PortRange { first, last }
            } else {
                PortRange::ALL
            },
            peer: peer.parse().unwrap(),
            ingress,
        }
    })
}

impl Match {
    /// The rule by its words; `None`: a later fragment does not say.
    fn matches(&self, headers: &Headers) -> Option<bool> {
        let peer = if self.ingress {
            headers.source
        } else {
            headers.destination
        };
        if !self.peer.contains(&peer) {
            return Some(false);
        }
        let protocol = match self.protocol {
            RuleProtocol::All => return Some(true),
            RuleProtocol::Tcp => Protocol::TCP,
            RuleProtocol::Udp => Protocol::UDP,
            _ => Protocol::ICMP,
        };
        if headers.protocol != protocol {
            return Some(false);
        }
        if self.ports == PortRange::ALL {
            return Some(true);
        }
        let key = FlowKey::of(headers)?;
        Some((self.ports.first..=self.ports.last).contains(&key.destination_port))
    }

    fn in_group(&self) -> SecurityGroupRule {
        let service = Service {
            protocol: self.protocol,
            ports: vec![self.ports],
        };
        let any = self.peer.prefix_len() == 0;
        SecurityGroupRule {
            action: Action::Accept,
            services: vec![service],
            peer: if any {
                Peer::Any
            } else {
                Peer::Prefix(self.peer)
            },
            mark: Mark::default(),
        }
    }

    fn in_acl(&self) -> AclRule {
        AclRule {
            action: Action::Accept,
            peer: self.peer,
            protocol: self.protocol,
            ports: self.ports,
            mark: Mark::default(),
        }
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn an_accept_rule_above_all_in_every_group_lets_its_match_pass(
        world in any_world(),
        rule in any_match(),
    ) {
        let with = world.changed(|network| {
            for group in &mut network.security_groups {
                let list = if rule.ingress { &mut group.ingress } else { &mut group.egress };
                list.insert(0, rule.in_group());
            }
        });
        let stage = if rule.ingress { Stage::SecurityGroupIngress } else { Stage::SecurityGroupEgress };
        lets_pass(&world, &world.program(), &with, &rule, stage, DropReason::SecurityGroupDeny)?;
    }

    #[test]
    fn an_accept_rule_above_all_in_every_acl_lets_its_match_pass(
        world in any_world(),
        rule in any_match(),
    ) {
        // The rule's words are about the destination port.
        let destination = |network: &mut Network| network.policies.acl_port = AclPort::Destination;
        let without = world.changed(destination);
        let with = world.changed(|network| {
            destination(network);
            for acl in &mut network.acls {
                let list = if rule.ingress { &mut acl.ingress } else { &mut acl.egress };
                list.insert(0, rule.in_acl());
            }
        });
        let stage = if rule.ingress { Stage::AclIngress } else { Stage::AclEgress };
        lets_pass(&world, &without, &with, &rule, stage, DropReason::AclDeny)?;
    }
}

fn lets_pass(
    world: &World,
    without: &Program,
    with: &Program,
    rule: &Match,
    stage: Stage,
    denied: DropReason,
) -> Result<(), TestCaseError> {
    for (id, sent) in world.sent.iter().enumerate() {
        let (before, _) = alone(without, sent);
        let (after, noted) = alone(with, sent);
        let mut met = false;
        for stop in noted.iter().filter(|stop| stop.stage == stage) {
            let matches = rule.matches(&stop.headers);
            met |= matches != Some(false);
            let stopped = stop.decision == Decision::Drop(denied);
            prop_assert!(
                !(stopped && matches == Some(true)),
                "{id} is dropped by {:?}",
                stop.element
            );
        }
        if reason(before.verdict()) != Some(denied) && !met {
            prop_assert_eq!(
                before.verdict().without_line(),
                after.verdict().without_line(),
                "{}",
                id
            );
            prop_assert_eq!(&before.bytes, &after.bytes);
        }
    }
    Ok(())
}

/// A verdict without the rule's position, which a rule above it moves.
trait WithoutLine {
    fn without_line(self) -> Self;
}

impl WithoutLine for vpcsim_dataplane::Verdict {
    fn without_line(self) -> Self {
        match self {
            Self::Dropped(drop) => Self::Dropped(vpcsim_dataplane::Drop { rule: None, ..drop }),
            other => other,
        }
    }
}
