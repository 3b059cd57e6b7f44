//! `acl-blocks-replies`: an acl lets the first packet of a flow pass and no answer to it.
//!
//! An acl is stateless (SEMANTICS §7): an answer is judged alone, by the other list, and goes to
//! the port that the client asked from. The lint speaks where no such port gets an answer, for
//! nobody or for somebody who is declared. Rules that may be there for answers themselves are
//! left alone, and so are all rules under policy `acl_port: source` and `either`.

use super::Lint;
use super::finding::{Found, Words};
use super::judge::{Way, speaks_of};
use super::set::Set;
use super::subject::Subject;
use crate::file::protocol_name;
use crate::*;
use std::net::Ipv4Addr;

/// The ports that clients ask from: Linux (`ip_local_port_range`) and IANA (RFC 6335 §6).
const CLIENTS: PortRange = PortRange {
    first: 32_768,
    last: 65_535,
};
/// The ports that are in everybody's range: a rule that has them may be there for answers.
const EVERY_CLIENTS: PortRange = PortRange {
    first: 49_152,
    last: 60_999,
};
/// UDP services that answer. Much else over UDP, such as logs and metrics, goes one way.
const ASKED: [u16; 4] = [53, 123, 161, 443];
/// No platform takes lists this long, and the work grows with the square.
const MOST_RULES: usize = 500;

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    if network.policies.acl_port != AclPort::Destination {
        return;
    }
    for (id, acl) in (0..).map(AclId).zip(&network.acls) {
        let subnets: Vec<SubnetId> = subject
            .subnets()
            .filter(|(_, subnet)| subnet.acl == Some(id))
            .map(|(id, _)| id)
            .collect();
        if subnets.is_empty() || acl.ingress.len() + acl.egress.len() > MOST_RULES {
            continue;
        }
        for way in Way::BOTH {
            let others = others(subject, &subnets, way);
            for at in 0..way.of_acl(acl).len() {
                rule(subject, id, way, at, &others, found);
            }
        }
    }
}

/// A protocol whose flows a rule may begin, if they want answers.
fn asks(rule: &AclRule) -> Option<RuleProtocol> {
    match rule.protocol {
        RuleProtocol::Tcp | RuleProtocol::All => Some(RuleProtocol::Tcp),
        RuleProtocol::Udp => {
            let one = rule.ports.first == rule.ports.last;
            (one && ASKED.contains(&rule.ports.first)).then_some(RuleProtocol::Udp)
        }
        RuleProtocol::Icmp | RuleProtocol::Gre => None,
    }
}

fn ports(rule: &AclRule) -> Set {
    match rule.protocol {
        RuleProtocol::All => Set::of_ports(&[PortRange::ALL]),
        _ => Set::of_ports(&[rule.ports]),
    }
}

/// The destination ports to or from `peer` that a list accepts, out of `wanted`; the rule that
/// drops the first of the others.
fn accepted(
    rules: &[AclRule],
    peer: Ipv4Addr,
    protocol: RuleProtocol,
    wanted: Set,
) -> (Set, Option<&AclRule>) {
    let (mut left, mut taken, mut dropping) = (wanted, Set::default(), None);
    let matching = rules
        .iter()
        .filter(|rule| speaks_of(rule.protocol, protocol) && rule.peer.contains(&peer));
    for rule in matching {
        let hit = left.and(&ports(rule));
        left = left.minus(&hit);
        if hit.is_empty() {
            continue;
        }
        match rule.action {
            Action::Accept => taken = taken.or(&hit),
            Action::Drop => dropping = dropping.or(Some(rule)),
        }
    }
    (taken, dropping)
}

fn rule(subject: &Subject<'_>, id: AclId, way: Way, at: usize, others: &Set, found: &mut Found) {
    let acl = subject.network.acl(id);
    let (rules, back) = (way.of_acl(acl), way.back().of_acl(acl));
    let this = &rules[at];
    let Some(protocol) = asks(this).filter(|_| this.action == Action::Accept) else {
        return;
    };
    let everybody = Set::of_prefixes(&[this.peer]);
    let all = rules.iter().chain(back);
    let edges = all.map(|rule| Set::of_prefixes(&[rule.peer]));
    let some = others.and(&everybody);
    let whole = Set::of_ports(&[PortRange::ALL]);
    let for_answers = ports(this).covers(&Set::of_ports(&[EVERY_CLIENTS]));
    let (mut answered, mut refused, mut somebody) = (false, None, None);
    // Of each kind of peer that the rules tell apart, first the declared ones.
    let declared = some.representatives(edges.clone());
    let kinds = everybody.representatives(edges);
    for (peer, known) in declared
        .iter()
        .map(|peer| (*peer, true))
        .chain(kinds.iter().map(|peer| (*peer, false)))
    {
        let earlier = rules[..at]
            .iter()
            .filter(|rule| speaks_of(rule.protocol, protocol) && rule.peer.contains(&peer));
        let effective = earlier.fold(ports(this), |left, rule| left.minus(&ports(rule)));
        if effective.is_empty() {
            continue;
        }
        // It may be there for answers, if not for these.
        if for_answers && !accepted(back, peer, protocol, whole.clone()).0.is_empty() {
            return;
        }
        let (answers, dropping) = accepted(back, peer, protocol, Set::of_ports(&[CLIENTS]));
        if !answers.is_empty() {
            answered = true;
            continue;
        }
        refused = refused.or(Some(dropping));
        if known {
            somebody = somebody.or(Some((peer, dropping)));
        }
    }
    let (peer, dropping) = match (refused, somebody) {
        (_, Some((peer, dropping))) if answered => (Some(peer), dropping),
        (Some(dropping), _) if !answered => (None, dropping),
        _ => return,
    };
    report(subject, id, (way, this, protocol), (peer, dropping), found);
}

/// The addresses that packets come from or go to across the edge of the subnets: nics of the
/// same vpc and of peers, what lies behind externals, and the internet where there is a way.
fn others(subject: &Subject<'_>, subnets: &[SubnetId], way: Way) -> Set {
    let network = subject.network;
    let mut reached = Set::default();
    for &id in subnets {
        let own = network.subnet(id);
        let peers = network.peerings.iter().filter(|peering| peering.active);
        let vpcs: Vec<VpcId> = peers
            .filter_map(|peering| peering.other(own.vpc))
            .chain([own.vpc])
            .collect();
        let nics = network
            .nics
            .iter()
            .filter(|nic| nic.subnet != id && vpcs.contains(&network.subnet(nic.subnet).vpc));
        let addresses = nics.flat_map(|nic| &nic.addresses);
        let inside = addresses.map(|own| (own.address.into(), own.address.into()));
        let externals = network.externals.iter();
        let behind = externals.filter(|external| external.enabled && external.vpc == own.vpc);
        let behind: Vec<_> = behind
            .flat_map(|external| external.networks.clone())
            .collect();
        reached = reached.or(&inside.collect()).or(&Set::of_prefixes(&behind));
        let mut exposures = subject.exposures.iter();
        let routes = &network.route_table(own.route_table).routes;
        let public = exposures.any(|way| network.nic(way.nic).subnet == id)
            || (way == Way::Out
                && routes.iter().any(|route| {
                    route.enabled && matches!(route.next_hop, NextHop::NatGateway(_))
                }));
        if public {
            reached = reached.or(&subject.public);
        }
    }
    reached
}

fn report(
    subject: &Subject<'_>,
    id: AclId,
    (way, rule, protocol): (Way, &AclRule, RuleProtocol),
    (peer, dropping): (Option<Ipv4Addr>, Option<&AclRule>),
    found: &mut Found,
) {
    let network = subject.network;
    let acl = network.acl(id);
    let (direction, word) = match way {
        Way::In => ("in", "from"),
        Way::Out => ("out", "to"),
    };
    let whom = match peer {
        Some(peer) if subject.public.contains(peer.into()) => format!(" {word} the internet"),
        Some(peer) => format!(" {word} {peer}"),
        None => String::new(),
    };
    let name = protocol_name(protocol);
    let what = match rule.ports {
        _ if rule.protocol == RuleProtocol::All => name.to_owned(),
        PortRange::ALL => name.to_owned(),
        PortRange { first, last } if first == last => format!("{name} {first}"),
        PortRange { first, last } => format!("{name} {first}-{last}"),
    };
    let back = way.back();
    let to = match rule.peer.prefix_len() {
        0 => "any".to_owned(),
        _ => rule.peer.to_string(),
    };
    let wanted = format!("`accept {name} 1024-65535 {} {to}`", back.preposition());
    let help = match dropping {
        Some(drop) => format!(
            "add {wanted} to its {} rules, before the one on line {}",
            back.list(),
            drop.mark.line
        ),
        None => format!("add {wanted} to its {} rules", back.list()),
    };
    let words = Words {
        message: format!("acl `{}` lets {what} {direction}{whom}, and none of the answers", acl.name),
        why: "an acl is stateless: an answer is judged alone, and goes to the port that the client asked from; without it connections hang".to_owned(),
        help,
    };
    let finding = found.push(Lint::AclBlocksReplies, rule.mark, "never answered", words);
    let list = subject.acl(id).and_then(|decl| match back {
        Way::In => Subject::list_mark(&decl.ingress),
        Way::Out => Subject::list_mark(&decl.egress),
    });
    match (dropping, list) {
        (Some(drop), _) => finding.also(drop.mark, "drops the answers"),
        (None, Some(list)) => finding.also(list, "has no rule for the answers"),
        (None, None) => finding,
    };
}
