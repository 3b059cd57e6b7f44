//! The walk for every packet at once. The stages are methods of [`Carry`], one file each, as in
//! `vpcsim_dataplane`; each says the same there about one packet and here about a set.

mod acl;
mod eip;
mod external;
mod host;
mod internet;
mod leave;
mod nat_gateway;
mod route;
mod security_group;

use crate::facts::Facts;
use crate::key::{Address, Key, Side, Value};
use crate::set::Set;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Place, Program, Stage};
use vpcsim_network::{
    AclId, CvmId, EipId, ExternalId, NatGatewayId, NicId, RouteTableId, SubnetId,
};
use vpcsim_packet::Protocol;

/// Hops that packets may take; what a host sends with the usual time to live.
const TTL: u8 = 64;

/// Packets that have gone the same way so far.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// Which, as they were sent. Of what all were sent with alike (`sent`) it says nothing, nor
    /// of what no packet has ([`Path::packets`]).
    pub(crate) set: Set,
    /// What they were sent with, as far as all were sent with the same.
    pub(crate) sent: Key,
    /// What they look like now.
    pub(crate) key: Key,
    /// Whether they open connections: all but ICMP that is no request.
    pub(crate) opens: bool,
    /// Whether these are the answers.
    pub(crate) answer: bool,
    /// Whether they, or the answers to them, had more than one way to go: the same packet may be
    /// on several paths.
    pub(crate) chose: bool,
    /// The acl that judged them last, and the host that forwarded them last.
    pub(crate) acl: Option<AclId>,
    pub(crate) router: Option<CvmId>,
    step: Step,
    ttl: u8,
    flows: Vec<Flow>,
    sessions: Vec<Session>,
    choices: Vec<Choice>,
}

/// Where they go next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Send(CvmId),
    Leave(NicId),
    Route { nic: NicId, back: Option<Entry> },
    ToInternet { hairpin: Option<NatGatewayId> },
    FromInternet { hairpin: Option<NatGatewayId> },
    FromExternal(ExternalId),
    Enter(Approach),
}

/// How they come to a nic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Approach {
    nic: NicId,
    same_subnet: bool,
    next_hop: bool,
    entry: Option<Entry>,
}

impl Approach {
    fn crossing(nic: NicId) -> Self {
        Self {
            nic,
            same_subnet: false,
            next_hop: false,
            entry: None,
        }
    }
}

/// By which public door a flow came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Eip(EipId),
    NatGateway(NatGatewayId),
}

/// What a nic remembers of them.
#[derive(Debug, Clone)]
struct Flow {
    nic: NicId,
    key: Key,
    entry: Option<Entry>,
    /// A SYN was seen in both directions.
    simultaneous: bool,
}

/// What a gateway remembers of them.
#[derive(Debug, Clone)]
struct Session {
    gateway: NatGatewayId,
    eip: EipId,
    inside: Key,
    outside: Key,
    opened: Opened,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Inside,
    Rule,
    Mapping,
}

/// A choice among equals, which the same packets take again in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    at: Chooser,
    key: Key,
    chosen: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chooser {
    Table(RouteTableId),
    Gateway(NatGatewayId),
}

/// How packets end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// They arrive.
    At(Place),
    /// They are dropped, for this reason at this stage.
    Dropped(DropReason, Stage),
    /// It depends on more than the analysis looks at.
    Undecided,
}

/// Packets that ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) path: Path,
    pub(crate) end: End,
}

/// Packets on their way.
pub(crate) struct Carry<'a> {
    program: &'a Program,
    facts: &'a Facts,
    work: Vec<Path>,
    ended: Vec<Ended>,
}

impl Path {
    /// Packets of a set that start with a step. They all open connections, or none does.
    pub(crate) fn start(set: Set, opens: bool, step: Step) -> Self {
        Self {
            set,
            sent: Key::SENT,
            key: Key::SENT,
            opens,
            answer: false,
            chose: false,
            acl: None,
            router: None,
            step,
            ttl: TTL,
            flows: Vec::new(),
            sessions: Vec::new(),
            choices: Vec::new(),
        }
    }

    /// The answers to packets that have arrived, from where they have.
    pub(crate) fn answered(self, step: Step) -> Self {
        Self {
            key: self.key.reversed(),
            answer: true,
            step,
            ttl: TTL,
            choices: Vec::new(),
            ..self
        }
    }

    /// Packets of a set of theirs, whole.
    pub(crate) fn packets(&self, set: &Set) -> Set {
        let ends = [
            (self.sent.source, Side::Source),
            (self.sent.destination, Side::Destination),
        ];
        let mut packets = set.and(&Set::opening(self.opens));
        for (address, side) in ends {
            if let Value::Is(address) = address {
                packets = packets.and(&Set::address(side.address_field(), address));
            }
        }
        packets
    }

    /// Those of them that are in `set` too.
    pub(crate) fn only(&self, set: &Set) -> Self {
        self.part(self.set.and(set))
    }

    /// Those of them that `set`, a part of theirs, has.
    fn part(&self, set: Set) -> Self {
        Self {
            set,
            ..self.clone()
        }
    }

    /// Those of them that were sent with this address at this end.
    pub(crate) fn pinned(&self, side: Side, address: Ipv4Addr) -> Self {
        let pin = |key: Key| key.pinned(side, address);
        let mut path = self.part(self.set.with_address(side.address_field(), address));
        path.sent = pin(path.sent);
        path.key = pin(path.key);
        for flow in &mut path.flows {
            flow.key = pin(flow.key);
        }
        for session in &mut path.sessions {
            session.inside = pin(session.inside);
            session.outside = pin(session.outside);
        }
        for choice in &mut path.choices {
            choice.key = pin(choice.key);
        }
        path
    }
}

/// The two parts of a path.
struct Parts<T> {
    /// Those whose address is one of some, each with what that one means.
    found: Vec<(Path, Ipv4Addr, T)>,
    /// All others.
    rest: Option<Path>,
}

impl<'a> Carry<'a> {
    pub(crate) fn new(program: &'a Program, facts: &'a Facts) -> Self {
        Self {
            program,
            facts,
            work: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Carries packets until all have ended.
    pub(crate) fn carry(mut self, paths: impl IntoIterator<Item = Path>) -> Vec<Ended> {
        self.work
            .extend(paths.into_iter().filter(|path| !path.set.is_empty()));
        while let Some(path) = self.work.pop() {
            match path.step {
                Step::Send(cvm) => self.send(path, cvm),
                Step::Leave(nic) => self.leave(path, nic),
                Step::Route { nic, back } => self.route(path, nic, back),
                Step::ToInternet { hairpin } => self.reach_internet(path, hairpin),
                Step::FromInternet { hairpin } => self.arrive_from_internet(path, hairpin),
                Step::FromExternal(external) => self.arrive_from_external(path, external),
                Step::Enter(approach) => self.enter(path, approach),
            }
        }
        self.ended
    }

    /// They go on.
    fn go(&mut self, path: Path, step: Step) {
        if !path.set.is_empty() {
            self.work.push(Path { step, ..path });
        }
    }

    /// They end.
    fn end(&mut self, path: Path, end: End) {
        if !path.set.is_empty() {
            self.ended.push(Ended { path, end });
        }
    }

    fn drop(&mut self, path: Path, reason: DropReason, stage: Stage) {
        self.end(path, End::Dropped(reason, stage));
    }

    /// Drops those of a path that are not in `passing`, and gives the others back.
    fn only(&mut self, path: Path, passing: &Set, reason: DropReason, stage: Stage) -> Path {
        let lost = path.part(path.set.without(passing));
        self.drop(lost, reason, stage);
        let set = path.set.and(passing);
        Path { set, ..path }
    }

    /// A hop of the fabric or of a host takes one of the time to live.
    fn hop(&mut self, mut path: Path, stage: Stage) -> Option<Path> {
        if path.ttl <= 1 {
            self.drop(path, DropReason::TtlExceeded, stage);
            return None;
        }
        path.ttl -= 1;
        Some(path)
    }

    /// The alternatives of a choice that these packets have: the one that they took before, or
    /// all.
    fn choose(path: &Path, at: Chooser, among: usize) -> Vec<(Path, usize)> {
        let taken = path
            .choices
            .iter()
            .find(|choice| choice.at == at && choice.key == path.key);
        if let Some(choice) = taken {
            return vec![(path.clone(), choice.chosen.min(among.saturating_sub(1)))];
        }
        let alternatives = (0..among).map(|chosen| {
            let mut path = path.clone();
            if among > 1 {
                let key = path.key;
                path.choices.push(Choice { at, key, chosen });
                path.chose = true;
            }
            (path, chosen)
        });
        alternatives.collect()
    }

    fn subnet_of(&self, nic: NicId) -> SubnetId {
        self.program.network().nic(nic).subnet
    }
}

/// Splits packets by an address of theirs; the address of each part that is found is known from
/// then on.
fn split<T>(
    path: Path,
    address: impl Fn(&Key) -> Address,
    cases: impl IntoIterator<Item = (Ipv4Addr, T)>,
) -> Parts<T> {
    let mut found = Vec::new();
    let side = match address(&path.key) {
        Value::Is(own) => {
            let case = cases.into_iter().find(|(address, _)| *address == own);
            return match case {
                Some((_, meaning)) => Parts {
                    found: vec![(path, own, meaning)],
                    rest: None,
                },
                None => Parts {
                    found,
                    rest: Some(path),
                },
            };
        }
        Value::Sent(side) => side,
    };
    let mut rest = path.set.clone();
    for (own, meaning) in cases {
        let part = path.pinned(side, own);
        if !part.set.is_empty() {
            rest = rest.without(&Address::Sent(side).is(own));
            found.push((part, own, meaning));
        }
    }
    let rest = (!rest.is_empty()).then(|| path.part(rest));
    Parts { found, rest }
}

/// Answers of TCP and ICMP open nothing: a SYN-ACK, an echo reply.
fn never_opens() -> Set {
    Set::of_protocol(Protocol::TCP).or(&Set::of_protocol(Protocol::ICMP))
}
