//! Claims: the counterexample of one that does not hold replays, and where one holds no packet
//! does otherwise.

use crate::packet::{Draw, Walked, local, walk_there_and_back};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::Cell;
use vpcsim_dataplane::{Program, Stage, Verdict};
use vpcsim_network::{
    Claim, ClaimEnd, ClaimEnds, CvmId, ExpectationEnd, Mark, NicId, PortRange, RuleProtocol,
    SecurityGroupId, SubnetId, Wanted,
};
use vpcsim_packet::{FlowKey, Protocol};
use vpcsim_reach::{End, Failure, Outcome, Prover, Reach};

/// What came of the claims that were decided.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    held: Cell<u32>,
    failed: Cell<u32>,
    by_chance: Cell<u32>,
    about_nobody: Cell<u32>,
    walked: Cell<u32>,
}

fn count(of: &Cell<u32>) {
    of.set(of.get() + 1);
}

/// Packets of each claim that holds.
const PACKETS: usize = 40;

fn any_end(program: &Program, draw: &mut Draw) -> ClaimEnd {
    let network = program.network();
    let nic = NicId(draw.below(network.nics.len()) as u32);
    let own = network.nic(nic);
    match draw.below(11) {
        0 => ClaimEnd::Any,
        1 | 2 => ClaimEnd::One(ExpectationEnd::Internet),
        3 | 4 => ClaimEnd::One(ExpectationEnd::Cvm(own.cvm)),
        5 => ClaimEnd::One(ExpectationEnd::Nic(nic)),
        6 => ClaimEnd::Vpc(network.subnet(own.subnet).vpc),
        7 => ClaimEnd::Subnet(own.subnet),
        8 => match own.security_groups.first() {
            Some(&group) => ClaimEnd::Group(group),
            None => ClaimEnd::Group(SecurityGroupId(0)),
        },
        9 => ClaimEnd::One(ExpectationEnd::Address(own.address())),
        _ => ClaimEnd::Prefix(network.subnet(own.subnet).cidr),
    }
}

fn any_claim(program: &Program, draw: &mut Draw) -> Claim {
    let mut ends = || {
        let mut list = vec![any_end(program, draw)];
        if draw.below(4) == 0 {
            list.push(any_end(program, draw));
        }
        ClaimEnds {
            list,
            text: String::new(),
        }
    };
    let (from, to) = (ends(), ends());
    let protocols = [
        RuleProtocol::Tcp,
        RuleProtocol::Udp,
        RuleProtocol::Icmp,
        RuleProtocol::All,
    ];
    let ports = [(22, 22), (80, 80), (443, 443), (8_000, 8_100), (0, 65_535)];
    let (first, last) = draw.one_of(&ports);
    let protocol = draw.one_of(&protocols);
    let ported = matches!(protocol, RuleProtocol::Tcp | RuleProtocol::Udp);
    Claim {
        from,
        to,
        protocol,
        ports: vec![if ported {
            PortRange { first, last }
        } else {
            PortRange::ALL
        }],
        is: match draw.below(5) {
            0 | 1 => Wanted::Reachable,
            2 | 3 => Wanted::Blocked(None),
            _ => Wanted::Blocked(Some(draw.one_of(Stage::ALL).name())),
        },
        mark: Mark::default(),
    }
}

/// Whether a packet gets there and its answer back.
fn gets_through(walked: &Walked, there: &dyn Fn(vpcsim_dataplane::Place) -> bool) -> bool {
    let arrived = matches!(walked.outcome, Outcome::At(place) if there(place));
    arrived && walked.answered
}

/// Whether one packet does otherwise than claimed.
fn fails(is: Wanted, walked: &Walked, through: bool) -> bool {
    match is {
        Wanted::Reachable => !through,
        Wanted::Blocked(None) => through,
        Wanted::Blocked(Some(stage)) => {
            let dropped = match (walked.outcome, walked.answer) {
                (Outcome::Dropped(_, at), _) => Some(at),
                (Outcome::At(_), Some(Verdict::Dropped(drop))) => Some(drop.stage),
                _ => None,
            };
            dropped.map(Stage::name) != Some(stage)
        }
    }
}

pub(crate) fn decide(
    program: &Program,
    reach: &Reach<'_>,
    draw: &mut Draw,
    decided: &Decided,
) -> Result<(), TestCaseError> {
    let claim = any_claim(program, draw);
    match Prover::new(reach).decide(&claim).failure {
        Some(Failure::AboutNobody) => count(&decided.about_nobody),
        Some(Failure::Counter(counter)) => {
            let tries = if counter.chose { 64 } else { 1 };
            let replays = counter.examples(tries).any(|key| {
                let walked = walk_there_and_back(program, counter.from, &key);
                let there = |place| counter.is_there(reach, place);
                fails(claim.is, &walked, gets_through(&walked, &there))
            });
            count(if replays {
                &decided.failed
            } else {
                &decided.by_chance
            });
            let key = counter.packets.pick();
            let told = key.map(|key| crate::packet::told(program, counter.from, &key));
            prop_assert!(
                replays || counter.chose,
                "{claim:?} fails, but not for {key:?} of {counter:?}\n{}",
                told.unwrap_or_default()
            );
        }
        None => {
            count(&decided.held);
            for _ in 0..PACKETS {
                if let Some((from, key)) = request(program, &claim, draw) {
                    count(&decided.walked);
                    otherwise(program, &claim, from, &key)?;
                }
            }
        }
    }
    Ok(())
}

/// A packet of somebody of a claim to somebody of it.
fn request(program: &Program, claim: &Claim, draw: &mut Draw) -> Option<(End, FlowKey)> {
    let network = program.network();
    let (from, to) = (draw.one_of(&claim.from.list), draw.one_of(&claim.to.list));
    let (senders, receivers) = (nics_of(program, from), nics_of(program, to));
    if senders.is_empty() || receivers.is_empty() {
        return None;
    }
    let (sender, receiver) = (draw.one_of(&senders), draw.one_of(&receivers));
    let (mut source, mut end) = (
        network.nic(sender).address(),
        End::Cvm(network.nic(sender).cvm),
    );
    let mut destination = network.nic(receiver).address();
    let outside = ClaimEnd::One(ExpectationEnd::Internet);
    if from == outside || (from == ClaimEnd::Any && draw.below(3) == 0) {
        (source, end) = ([8, 8, 8, 8].into(), End::Internet);
        let eips: Vec<_> = network.eips.iter().map(|eip| eip.address).collect();
        if eips.is_empty() {
            return None;
        }
        destination = draw.one_of(&eips);
    }
    if to == outside {
        destination = [8, 8, 4, 4].into();
    }
    // What is blocked is so however it is addressed, and from whatever it is sent.
    if claim.is == Wanted::Blocked(None) {
        if let (End::Cvm(cvm), 0, ClaimEnd::Any | ClaimEnd::One(ExpectationEnd::Cvm(_))) =
            (end, draw.below(2), from)
        {
            let own = local(program, cvm);
            if !own.is_empty() {
                source = draw.one_of(&own);
            }
        }
        let eips: Vec<_> = network.eips.iter().map(|eip| eip.address).collect();
        if draw.below(4) == 0 && !eips.is_empty() {
            destination = draw.one_of(&eips);
        }
    }
    let protocol = match claim.protocol.number() {
        Some(number) => Protocol(number),
        None => draw.one_of(&[Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::GRE]),
    };
    let range = claim.ports[0];
    let spread = usize::from(range.last - range.first) + 1;
    let port = range.first + draw.below(spread) as u16;
    let liked = draw.one_of(&[22, 80, 443, 8_050]);
    let port = if range.contains(liked) { liked } else { port };
    let (source_port, destination_port) = match protocol {
        Protocol::TCP | Protocol::UDP => (32_768 + draw.below(28_000) as u16, port),
        Protocol::ICMP => (draw.below(65_536) as u16, 8 << 8),
        _ => (0, 0),
    };
    let key = FlowKey {
        protocol,
        source,
        source_port,
        destination,
        destination_port,
    };
    Some((end, key))
}

fn nics_of(program: &Program, end: ClaimEnd) -> Vec<NicId> {
    let network = program.network();
    let nics = (0..).map(NicId).zip(&network.nics);
    let wanted = |id: NicId, nic: &vpcsim_network::Nic| match end {
        ClaimEnd::One(ExpectationEnd::Cvm(cvm)) => nic.cvm == cvm,
        ClaimEnd::One(ExpectationEnd::Nic(wanted)) => id == wanted,
        ClaimEnd::One(ExpectationEnd::Address(address)) => nic.address() == address,
        ClaimEnd::Group(group) => nic.security_groups.contains(&group),
        ClaimEnd::Subnet(SubnetId(subnet)) => nic.subnet == SubnetId(subnet),
        ClaimEnd::Vpc(vpc) => network.subnet(nic.subnet).vpc == vpc,
        ClaimEnd::Prefix(net) => net.contains(&nic.address()),
        ClaimEnd::One(_) | ClaimEnd::Any => true,
    };
    nics.filter(|(id, nic)| wanted(*id, nic))
        .map(|(id, _)| id)
        .collect()
}

/// Of a claim that holds, no packet does otherwise. Where hosts choose their source and address
/// by more than is looked at here, nothing is said.
fn otherwise(
    program: &Program,
    claim: &Claim,
    from: End,
    key: &FlowKey,
) -> Result<(), TestCaseError> {
    let network = program.network();
    let plain = |cvm: CvmId| {
        let host = network.cvm(cvm);
        host.nics.len() == 1 && host.lo.is_empty() && host.rules.is_empty()
    };
    let walked = walk_there_and_back(program, from, key);
    let reached = |place| {
        let Some(end) = end_at(program, place) else {
            return false;
        };
        end != from
            && claim.to.list.iter().any(|&wanted| match (wanted, end) {
                (ClaimEnd::Any, _) => true,
                (ClaimEnd::One(ExpectationEnd::Internet), end) => end == End::Internet,
                (ClaimEnd::Prefix(net), End::Cvm(_)) => net.contains(&key.destination),
                (ClaimEnd::One(ExpectationEnd::Address(own)), End::Cvm(_)) => {
                    own == key.destination
                }
                (wanted, End::Cvm(cvm)) => {
                    plain(cvm)
                        && nics_of(program, wanted)
                            .iter()
                            .any(|&nic| network.nic(nic).cvm == cvm)
                }
                _ => false,
            })
    };
    let through = gets_through(&walked, &reached);
    let told = || format!("{claim:?} holds, but {from:?} sends {key}: {walked:?}");
    match claim.is {
        Wanted::Blocked(None) => prop_assert!(!through, "{}", told()),
        Wanted::Reachable | Wanted::Blocked(Some(_)) => {
            // Requests as their senders send them to whom they are for, inside.
            let owner = program.owner_anywhere(key.destination);
            let Some((_, vpcsim_dataplane::Owner::Nic(nic))) = owner else {
                return Ok(());
            };
            let to = network.nic(nic).cvm;
            let (End::Cvm(sender), true) = (from, network.nic(nic).address() == key.destination)
            else {
                return Ok(());
            };
            if sender == to || !plain(sender) || !plain(to) {
                return Ok(());
            }
            let direct = network
                .eips
                .iter()
                .any(|eip| eip.mode == vpcsim_network::EipMode::Direct && eip.target.is_some());
            if direct {
                return Ok(());
            }
            let there = |place| end_at(program, place) == Some(End::Cvm(to));
            let through = gets_through(&walked, &there);
            prop_assert!(!fails(claim.is, &walked, through), "{}", told());
        }
    }
    Ok(())
}

fn end_at(program: &Program, place: vpcsim_dataplane::Place) -> Option<End> {
    match place {
        vpcsim_dataplane::Place::Nic(nic) => Some(End::Cvm(program.network().nic(nic).cvm)),
        vpcsim_dataplane::Place::Internet => Some(End::Internet),
        vpcsim_dataplane::Place::External(external) => Some(End::External(external)),
        vpcsim_dataplane::Place::NatGateway(_) => None,
    }
}
