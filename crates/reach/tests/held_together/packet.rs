//! Packets drawn from sets, and what the walk makes of them.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{
    Arrival, Element, Nanos, Place, Program, Role, Rule, Source, State, Stop, Verdict, walk,
};
use vpcsim_packet::build::{self, Build};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags};
use vpcsim_reach::{End, Outcome, Set, Traced};

const START: Nanos = Nanos(1_700_000_000_000_000_000);

/// A source of packets: the same seed gives the same ones.
pub(crate) struct Draw {
    state: u64,
    people: Vec<Ipv4Addr>,
}

impl Draw {
    pub(crate) fn new(seed: u64, program: &Program) -> Self {
        let network = program.network();
        let nics = network.nics.iter().flat_map(|nic| &nic.addresses);
        let mut people: Vec<_> = nics.map(|own| own.address).collect();
        people.extend(network.eips.iter().map(|eip| eip.address));
        people.extend(network.havips.iter().map(|havip| havip.address));
        people.extend(network.cvms.iter().flat_map(|cvm| cvm.lo.iter().copied()));
        people.extend(network.subnets.iter().map(|subnet| subnet.cidr.broadcast()));
        people.extend([
            Ipv4Addr::new(198, 51, 100, 1),
            Ipv4Addr::new(192, 168, 0, 9),
            Ipv4Addr::new(127, 0, 0, 1),
            Ipv4Addr::new(224, 0, 0, 1),
            Ipv4Addr::BROADCAST,
            Ipv4Addr::UNSPECIFIED,
        ]);
        Self {
            state: seed | 1,
            people,
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A packet of a set, any one.
    pub(crate) fn any_of(&mut self, set: &Set) -> Option<FlowKey> {
        let key = set.draw(|_| self.next() & 1 == 1)?;
        // Ports that rules speak of, where the set lets them.
        let ports = [22, 53, 80, 443, 5353, 8050, 8443, 40_000];
        let mut liked = key;
        if self.next() & 1 == 0 {
            liked.destination_port = self.one_of(&ports);
        }
        match self.below(4) {
            0 => liked.source_port = liked.destination_port,
            1 => liked.source_port = self.one_of(&ports),
            _ => {}
        }
        if self.below(3) == 0 {
            liked.protocol =
                self.one_of(&[Protocol::TCP, Protocol::UDP, Protocol::ICMP, Protocol::GRE]);
        }
        if liked.protocol == Protocol::ICMP && self.below(3) > 0 {
            liked.destination_port = 8 << 8;
        }
        Some(if set.contains(&liked) { liked } else { key })
    }

    /// A packet that an end sends: of one of the ways that it may take, or to somebody.
    pub(crate) fn packet(
        &mut self,
        end: End,
        traced: &[Traced],
        program: &Program,
    ) -> Option<FlowKey> {
        let way = &traced[self.below(traced.len())];
        let mut key = self.any_of(&way.packets)?;
        if self.below(4) == 0 {
            key.destination = self.one_of(&self.people.clone());
        }
        if self.below(8) == 0 {
            key.source = self.one_of(&self.people.clone());
        }
        sends(end, &key, program).then_some(key)
    }

    /// A packet of a set that an end sends.
    pub(crate) fn sendable(&mut self, end: End, set: &Set, program: &Program) -> Option<FlowKey> {
        let mut key = self.any_of(set)?;
        let own = match end {
            End::Cvm(cvm) => local(program, cvm),
            End::Internet | End::External(_) => Vec::new(),
        };
        for _ in 0..8 {
            if sends(end, &key, program) && set.contains(&key) {
                return Some(key);
            }
            if !own.is_empty() {
                key.source = self.one_of(&own);
            }
            key.destination = self.one_of(&self.people.clone());
        }
        None
    }
}

/// Whether an end sends such a packet: from an address of its own, to one that the network tells
/// from others.
fn sends(end: End, key: &FlowKey, program: &Program) -> bool {
    let network = program.network();
    if !Set::all().contains(key) {
        return false;
    }
    let public = program.eip_of_public(key.destination).is_some();
    let stranger = |source: Ipv4Addr| {
        let reserved = source.octets()[0] == 0 || source.is_loopback() || source.octets()[0] >= 224;
        let eip = program.eip_of_public(source).is_some();
        !program.is_private(source) && !eip && program.external_of(source).is_none() && !reserved
    };
    match end {
        End::Cvm(cvm) => local(program, cvm).contains(&key.source),
        End::Internet => public && stranger(key.source),
        End::External(id) => {
            let external = network.external(id);
            let behind = external
                .networks
                .iter()
                .any(|net| net.contains(&key.source));
            let known = program.owner(external.vpc, key.destination).is_some();
            known && (behind || (external.networks.is_empty() && stranger(key.source)))
        }
    }
}

/// A host's addresses beside 127/8 (SEMANTICS §10).
pub(crate) fn local(program: &Program, cvm: vpcsim_network::CvmId) -> Vec<Ipv4Addr> {
    let network = program.network();
    let host = network.cvm(cvm);
    let mut own: Vec<Ipv4Addr> = host
        .lo
        .iter()
        .copied()
        .filter(|lo| !lo.is_loopback())
        .collect();
    for &nic in &host.nics {
        let configured = network
            .nic(nic)
            .addresses
            .iter()
            .filter(|own| own.configured);
        own.extend(configured.map(|own| own.address));
        let held = network
            .havips
            .iter()
            .filter(|havip| havip.holder == Some(nic));
        own.extend(held.map(|havip| havip.address));
    }
    for eip in &network.eips {
        if let Some(vpcsim_network::EipTarget::Address(nic, _)) = eip.target
            && eip.mode == vpcsim_network::EipMode::Direct
            && network.nic(nic).cvm == cvm
        {
            own.push(eip.address);
        }
    }
    own
}

/// What became of a packet and of the answer to it.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) outcome: Outcome,
    /// Who got it.
    pub(crate) end: Option<End>,
    /// The answer came back to the sender, as the answer to what was sent.
    pub(crate) answered: bool,
    /// What became of the answer.
    pub(crate) answer: Option<Verdict>,
}

pub(crate) fn walk_there_and_back(program: &Program, end: End, key: &FlowKey) -> Walked {
    walk_noting(program, end, key, &mut |_| {})
}

/// Both walks, with every rule that decided in them.
pub(crate) fn walk_with_rules(
    program: &Program,
    end: End,
    key: &FlowKey,
) -> (Walked, Vec<(Element, Rule)>) {
    let mut rules = Vec::new();
    let walked = walk_noting(program, end, key, &mut |stop| {
        rules.extend(stop.rule.map(|rule| (stop.element, rule)));
    });
    (walked, rules)
}

/// Both walks, stop by stop.
pub(crate) fn told(program: &Program, end: End, key: &FlowKey) -> String {
    let mut lines = Vec::new();
    walk_noting(program, end, key, &mut |stop| {
        let key = FlowKey::of(stop.headers).map_or(String::new(), |key| key.to_string());
        lines.push(format!(
            "{key}: {:?} {:?} {:?}",
            stop.stage, stop.element, stop.decision
        ));
    });
    lines.join("\n")
}

fn walk_noting(
    program: &Program,
    end: End,
    key: &FlowKey,
    note: &mut dyn FnMut(&Stop<'_>),
) -> Walked {
    let mut state = State::new(program);
    let source = match end {
        End::Cvm(cvm) => Source::Cvm(cvm),
        End::Internet => Source::Internet,
        End::External(external) => Source::External(external),
    };
    let made = RefCell::new(Vec::new());
    let mut send = |source, bytes: &mut Vec<u8>, id| {
        let time = START.after_seconds(id as u32);
        let arrival = Arrival { id, time, source };
        let mut observer = |stop: &Stop<'_>| {
            if !stop.generated {
                note(stop);
            }
        };
        walk(
            program,
            &mut state,
            arrival,
            bytes,
            &mut observer,
            &mut made.borrow_mut(),
        )
        .verdict
    };
    let mut bytes = built(key, false).bytes();
    let verdict = send(source, &mut bytes, 0);
    let (outcome, place) = match verdict {
        Verdict::Delivered(place) => (Outcome::At(place), Some(place)),
        Verdict::Dropped(drop) => (Outcome::Dropped(drop.reason, drop.stage), None),
        other => panic!("{key}: {other:?}"),
    };
    let (who, from) = match place {
        Some(Place::Nic(nic)) => {
            let cvm = program.network().nic(nic).cvm;
            (Some(End::Cvm(cvm)), Some(Source::Cvm(cvm)))
        }
        Some(Place::Internet) => (Some(End::Internet), Some(Source::Internet)),
        Some(Place::External(id)) => (Some(End::External(id)), Some(Source::External(id))),
        Some(Place::NatGateway(_)) | None => (None, None),
    };
    let arrived = key_of(&bytes);
    let mut walked = Walked {
        outcome,
        end: who,
        answered: false,
        answer: None,
    };
    let is_home = |verdict| match verdict {
        Verdict::Delivered(Place::Nic(nic)) => End::Cvm(program.network().nic(nic).cvm) == end,
        Verdict::Delivered(Place::Internet) => end == End::Internet,
        Verdict::Delivered(Place::External(id)) => end == End::External(id),
        _ => false,
    };
    if let Some(Place::NatGateway(_)) = place {
        // It answers itself.
        let made = made.borrow();
        let mut answers = made.iter().filter(|other| other.role == Role::Generated);
        walked.answered =
            answers.any(|other| is_home(other.verdict) && key_of(&other.bytes) == key.reversed());
        return walked;
    }
    let (Some(from), true) = (from, has_answer(&arrived)) else {
        return walked;
    };
    let mut bytes = built(&arrived.reversed(), true).bytes();
    let verdict = send(from, &mut bytes, 1);
    walked.answer = Some(verdict);
    walked.answered = is_home(verdict) && key_of(&bytes) == key.reversed();
    walked
}

fn has_answer(key: &FlowKey) -> bool {
    key.icmp_kind()
        .is_none_or(|kind| matches!(kind, 8 | 13 | 15 | 17))
}

fn key_of(bytes: &[u8]) -> FlowKey {
    FlowKey::of(&Headers::parse(bytes).unwrap()).unwrap()
}

fn built(key: &FlowKey, answer: bool) -> Build {
    let ends = (
        (key.source, key.source_port),
        (key.destination, key.destination_port),
    );
    match key.protocol {
        Protocol::TCP if answer => {
            build::tcp(ends.0, ends.1, TcpFlags::SYN | TcpFlags::ACK).acknowledgment(1)
        }
        Protocol::TCP => build::tcp(ends.0, ends.1, TcpFlags::SYN),
        Protocol::UDP => build::udp(ends.0, ends.1, b"?"),
        Protocol::ICMP => {
            let [kind, code] = key.destination_port.to_be_bytes();
            let [high, low] = key.source_port.to_be_bytes();
            let rest = [high, low, 0, 1];
            build::icmp(key.source, key.destination, kind, code, rest, &[])
        }
        other => build::raw(other, key.source, key.destination, b"?"),
    }
}
