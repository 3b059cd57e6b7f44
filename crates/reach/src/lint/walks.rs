//! What arrives and is not answered, and what never arrives because it goes in circles, each with
//! a packet.

use super::{Words, finding, is_known};
use crate::carry;
use crate::claim::client_ports;
use crate::place::End;
use crate::reach::{Reach, Trip, Way};
use crate::set::{Field, Set, ping, tcp, udp};
use std::collections::{BTreeMap, BTreeSet};
use vpcsim_dataplane::{DropReason, Place, Stage};
use vpcsim_network::{AclId, CvmId, Finding, Lint, Mark, NextHop, PeeringId, PortRange, VpcId};
use vpcsim_packet::FlowKey;

/// UDP services that answer. Much else over UDP, such as logs and metrics, goes one way.
const ASKED: [u16; 4] = [53, 123, 161, 443];

/// RFC 6335: the ports of well-known services.
const SERVICES: PortRange = PortRange {
    first: 0,
    last: 1_023,
};

/// A packet, with who sends and who gets it.
#[derive(Debug, Clone)]
struct Example {
    from: End,
    to: String,
    key: FlowKey,
}

#[derive(Debug, Default)]
struct Seen {
    /// By acl and side: an answer that it drops.
    lost: BTreeMap<(u32, bool), Example>,
    /// By host: a packet that it forwards in circles.
    circles: BTreeMap<u32, Example>,
    /// By the vpcs of sender and receiver: a packet that arrives, and is not answered for want of
    /// a way back.
    one_way: BTreeMap<(u32, u32), Example>,
    /// Vpcs of which somebody is answered by the other.
    answered: BTreeSet<(u32, u32)>,
}

pub(super) fn find(reach: &Reach<'_>, known: &[Finding], found: &mut Vec<Finding>) {
    let mut seen = Seen::default();
    let classes = reach.classes();
    let aims: Vec<Vec<End>> = classes
        .iter()
        .map(|class| class.members.iter().take(2).copied().collect())
        .collect();
    let only = reach.addresses_of(&aims);
    for sender in aims.iter().filter_map(|ends| ends.first()) {
        for way in reach.ways(*sender, Trip::Both, Some(&only)) {
            if way.path.opens {
                seen.look(reach, *sender, &way);
            }
        }
    }
    seen.report(reach, known, found);
}

impl Seen {
    fn look(&mut self, reach: &Reach<'_>, from: End, way: &Way) {
        match way.end {
            carry::End::At(place) => self.arrived(reach, from, way, place),
            carry::End::Dropped(DropReason::TtlExceeded, _) if !way.path.chose => {
                if let Some(host) = way.path.router
                    && let Some(key) = way.path.packets(&way.path.set).pick()
                {
                    let to = key.destination.to_string();
                    let example = Example { from, to, key };
                    self.circles.entry(host.0).or_insert(example);
                }
            }
            carry::End::Dropped(..) | carry::End::Undecided => {}
        }
    }

    fn arrived(&mut self, reach: &Reach<'_>, from: End, way: &Way, place: Place) {
        let vpcs = between(reach, from, way, place);
        if let Some(vpcs) = vpcs
            && !way.answered.is_empty()
        {
            self.answered.insert(vpcs);
        }
        for astray in &way.astray {
            let carry::End::Dropped(reason, stage) = astray.end else {
                continue;
            };
            let judged = reason == DropReason::AclDeny && !way.path.chose;
            if reason == DropReason::AclDeny && !judged {
                continue;
            }
            let Some(key) = asked(reach, from, way, &astray.packets).pick() else {
                continue;
            };
            let example = Example {
                from,
                to: reach.program().place_name(place),
                key,
            };
            match (astray.acl, vpcs) {
                (Some(acl), _) if judged => {
                    let ingress = stage == Stage::AclIngress;
                    self.lost.entry((acl.0, ingress)).or_insert(example);
                }
                (_, Some(vpcs)) => {
                    self.one_way.entry(vpcs).or_insert(example);
                }
                _ => {}
            }
        }
    }

    fn report(self, reach: &Reach<'_>, known: &[Finding], found: &mut Vec<Finding>) {
        for ((acl, ingress), example) in self.lost {
            found.extend(lost(reach, known, AclId(acl), ingress, &example));
        }
        for (host, example) in self.circles {
            let cvm = reach.program().network().cvm(CvmId(host));
            if !is_known(known, Lint::ForwardingLoop, &[cvm.mark]) {
                found.push(circle(reach, CvmId(host), &example));
            }
        }
        for (vpcs, example) in self.one_way {
            if !self.answered.contains(&vpcs) {
                found.extend(one_way(reach, known, vpcs, &example));
            }
        }
    }
}

/// The vpcs of a sender and of whoever its private packets get to, where they are two.
fn between(reach: &Reach<'_>, from: End, way: &Way, place: Place) -> Option<(u32, u32)> {
    let network = reach.program().network();
    let (End::Cvm(sender), Place::Nic(nic)) = (from, place) else {
        return None;
    };
    let here = reach.program().vpc_of(*network.cvm(sender).nics.first()?);
    let there = reach.program().vpc_of(nic);
    let address = crate::claim::sent_to(way)?;
    let private = network.vpc(there).contains(address);
    (here != there && private).then_some((here.0, there.0))
}

/// Of some packets, those that a client sends and that want an answer.
fn asked(reach: &Reach<'_>, from: End, way: &Way, packets: &Set) -> Set {
    let asked = ASKED.iter().map(|&port| udp(port));
    let wanted = asked.fold(tcp(PortRange::ALL).or(&ping()), |all, port| all.or(&port));
    let packets = way.path.packets(packets).and(&wanted);
    let heard = packets.and(&services(reach, way)).and(&client_ports(from));
    match from {
        End::Internet => heard.and(&reach.public(Field::SOURCE)),
        End::Cvm(_) | End::External(_) => heard,
    }
}

/// What a receiver is asked for: what it listens on, where it says so, else the ports of services.
/// What is let pass to higher ones is meant to be answers.
fn services(reach: &Reach<'_>, way: &Way) -> Set {
    let network = reach.program().network();
    let declares = match way.end {
        carry::End::At(Place::Nic(nic)) => network.cvm(network.nic(nic).cvm).listen.is_some(),
        _ => false,
    };
    if declares {
        return reach.hearable(way);
    }
    let portless = Set::anything().without(&Set::with_ports());
    portless.or(&way.path.key.ports.destination.among(SERVICES))
}

fn lost(
    reach: &Reach<'_>,
    known: &[Finding],
    id: AclId,
    ingress: bool,
    example: &Example,
) -> Option<Finding> {
    let acl = reach.program().network().acl(id);
    let rules = acl.ingress.iter().chain(&acl.egress);
    let marks: Vec<Mark> = rules.map(|rule| rule.mark).chain([acl.mark]).collect();
    if is_known(known, Lint::AclBlocksReplies, &marks) {
        return None;
    }
    let (side, word) = if ingress {
        ("ingress", "from")
    } else {
        ("egress", "to")
    };
    let from = reach.end_name(example.from);
    let Example { to, key, .. } = example;
    let answer = key.reversed();
    let rule = match key.protocol {
        vpcsim_packet::Protocol::ICMP => format!("`accept icmp {word} any`"),
        protocol => format!("`accept {protocol} 1024-65535 {word} any`"),
    };
    let words = Words {
        message: format!(
            "acl `{}` drops answers: {key} from {from} arrives at {to}, and {answer} does not come back",
            acl.name
        ),
        why: "an acl is stateless: what a group lets pass with its answer needs a rule for the answer here",
        help: format!(
            "add {rule} to its {side} rules, or a narrower one; or refuse the request where it enters"
        ),
        label: "drops answers",
    };
    Some(finding(Lint::LostReplies, acl.mark, words))
}

fn circle(reach: &Reach<'_>, id: CvmId, example: &Example) -> Finding {
    let cvm = reach.program().network().cvm(id);
    let from = reach.end_name(example.from);
    let words = Words {
        message: format!(
            "`{}` forwards packets that come back to it: {} from {from} goes round until its time to live runs out",
            cvm.name, example.key
        ),
        why: "a packet that comes back to the host that forwards it never arrives, and takes bandwidth at every turn",
        help: format!(
            "lead {} on from where `{}` sends it: give its subnet a route table of its own, or let it forward out of another nic",
            example.to, cvm.name
        ),
        label: "goes in circles",
    };
    finding(Lint::ForwardingLoop, cvm.mark, words)
}

fn one_way(
    reach: &Reach<'_>,
    known: &[Finding],
    (from, to): (u32, u32),
    example: &Example,
) -> Option<Finding> {
    let network = reach.program().network();
    let (here, there) = (VpcId(from), VpcId(to));
    let peerings = (0..).map(PeeringId).zip(&network.peerings);
    let mut joining = peerings.filter(|(_, peering)| peering.other(here) == Some(there));
    let (id, peering) = joining.next()?;
    let tables = network
        .route_tables
        .iter()
        .filter(|table| table.vpc == here);
    let routes = tables.flat_map(|table| &table.routes);
    let over = routes.filter(|route| route.next_hop == NextHop::Peering(id));
    let marks: Vec<Mark> = over.map(|route| route.mark).collect();
    if is_known(known, Lint::OneWayPeering, &marks) {
        return None;
    }
    let (name, other) = (&network.vpc(here).name, &network.vpc(there).name);
    let words = Words {
        message: format!(
            "hosts of vpc `{name}` reach `{other}` over peering `{}`, and none gets an answer: {} arrives at {}",
            peering.name, example.key, example.to
        ),
        why: "requests arrive and every answer is lost: it needs a way back, by the tables of the other vpc and by its hosts",
        help: format!(
            "`vpcsim trace` follows the answer: {} to {}",
            reach.end_name(example.from),
            example.to
        ),
        label: "no way back",
    };
    Some(finding(Lint::OneWayPeering, peering.mark, words))
}
