//! Expectations about many packets, decided for all of them.

mod asked;
mod people;
mod speakers;

use crate::carry;
use crate::key::Value;
use crate::list::union;
use crate::place::End;
use crate::reach::{Reach, Trip, Way};
use crate::set::{Set, of_rule};
use asked::Ask;
use hashbrown::{HashMap, HashSet};
use speakers::Speaker;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Place, Stage};
use vpcsim_network::{Claim, CvmId, RuleProtocol, Wanted};
use vpcsim_packet::{FlowKey, Protocol};

/// Decides what a network file claims of many packets at once
/// ([`Network::claims`](vpcsim_network::Network)).
///
/// A request of a claim is one that a host would send: from an address of its own, a stranger's
/// from a public one, from a port that clients use, to the address at which the receiver is asked
/// (from the internet: its eip, or what a dnat rule leads to it from). What is blocked is so for
/// every packet that could arrive there, however it is addressed and whatever it is sent from.
/// Who listens on some services is deaf to others.
///
/// ```
/// use vpcsim_dataplane::Program;
/// use vpcsim_network::Network;
/// use vpcsim_reach::{Failure, Prover, Reach};
///
/// let network = Network::from_yaml("shop.yaml", "
/// vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}, data: {cidr: 10.0.2.0/24}}}}
/// security_groups:
///   web: {egress: [accept all to any]}
///   cache: {ingress: [accept tcp 6379 from 10.0.1.10]}
/// cvms:
///   web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
///   web-2: {subnet: web, address: 10.0.1.11, security_groups: [web]}
///   cache: {subnet: data, address: 10.0.2.10, security_groups: [cache]}
/// expect:
///   - {from: 'group:web', to: cache, port: 6379, is: reachable}
///   - {from: 'subnet:web', to: 'group:cache', port: 1-6378, is: blocked}
/// ")?;
/// let claims = network.claims.clone();
/// let program = Program::new(network);
/// let reach = Reach::new(&program);
/// let prover = Prover::new(&reach);
/// let Some(Failure::Counter(counter)) = prover.decide(&claims[0]).failure else {
///     panic!("web-2 is let in");
/// };
/// assert_eq!(reach.end_name(counter.from), "web-2");
/// assert_eq!(prover.decide(&claims[1]).failure, None);
/// # Ok::<(), vpcsim_network::NetworkErrors>(())
/// ```
#[derive(Debug)]
pub struct Prover<'r, 'p> {
    reach: &'r Reach<'p>,
    /// Of hosts that nothing tells apart, the class.
    classes: HashMap<CvmId, usize>,
}

/// What has been found out about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Why it does not hold; `None`: it does.
    pub failure: Option<Failure>,
}

/// Why a claim does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It is about nobody: who is to send is all who is to be reached.
    AboutNobody,
    /// Some packets do otherwise.
    Counter(Counter),
}

/// Packets of one sender with which a claim does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Who sends them.
    pub from: End,
    /// The packets, as they are sent.
    pub packets: Set,
    /// Whether they have more than one way to go, so that not each of them fails.
    pub chose: bool,
    /// Where they have to arrive, or do and should not.
    there: There,
}

/// Where packets are to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum There {
    /// Wherever their destination is.
    Anywhere,
    /// At any nic of a host.
    Cvm(CvmId),
    /// Here.
    Place(Place),
}

impl Counter {
    /// Whether a place is where the packets were to arrive.
    pub fn is_there(&self, reach: &Reach<'_>, place: Place) -> bool {
        self.there.is(reach, place)
    }

    /// Some of the packets, the one that reads best first; the same each time.
    pub fn examples(&self, most: u32) -> impl Iterator<Item = FlowKey> + '_ {
        let others = (1..most.max(1)).filter_map(|seed| {
            let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.packets.draw(|_| {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                state >> 63 == 1
            })
        });
        self.packets.pick().into_iter().chain(others)
    }
}

impl There {
    fn is(self, reach: &Reach<'_>, place: Place) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Cvm(cvm) => reach.end_at(place) == Some(End::Cvm(cvm)),
            Self::Place(wanted) => place == wanted,
        }
    }
}

impl<'r, 'p> Prover<'r, 'p> {
    /// Prepares to decide claims.
    pub fn new(reach: &'r Reach<'p>) -> Self {
        let mut classes = HashMap::new();
        for (index, class) in reach.classes().into_iter().enumerate() {
            for end in class.members {
                if let End::Cvm(cvm) = end {
                    classes.insert(cvm, index);
                }
            }
        }
        Self { reach, classes }
    }

    /// Decides a claim for all its packets.
    pub fn decide(&self, claim: &Claim) -> Decided {
        let failure = match claim.is {
            Wanted::Reachable => self.reachable(claim),
            Wanted::Blocked(None) => self.blocked(claim),
            Wanted::Blocked(Some(stage)) => {
                let stage = Stage::ALL.iter().find(|known| known.name() == stage);
                self.blocked(claim)
                    .or_else(|| self.blocked_by(claim, *stage?))
            }
        };
        Decided { failure }
    }

    /// Every request arrives, whichever way it takes, and so does the answer.
    fn reachable(&self, claim: &Claim) -> Option<Failure> {
        let mut anybody = false;
        for speaker in self.speakers(&claim.from) {
            let asks = self.asks(&speaker, claim);
            let ways = self.ways(&speaker, &asks);
            for ask in &asks {
                let wanted = self.requests(&speaker, ask).and(&client_ports(speaker.end));
                anybody |= !wanted.is_empty();
                let near = ways.iter().filter(|way| ask.may_be_of(way));
                let there = |place| ask.there.is(self.reach, place);
                let found = self.reach.found(near, there).always;
                let lost = wanted.without(&found);
                if !lost.is_empty() {
                    return Some(counter(&speaker, lost, &ways, ask.there));
                }
            }
        }
        (!anybody).then_some(Failure::AboutNobody)
    }

    /// No packet arrives and is answered, whichever way it takes.
    fn blocked(&self, claim: &Claim) -> Option<Failure> {
        let targets = self.targets(&claim.to);
        let service = service(claim.protocol);
        for speaker in self.speakers(&claim.from) {
            let only = self.addresses_of(&targets);
            let ways = self.ways_from(&speaker, &only);
            for way in &ways {
                let carry::End::At(place) = way.end else {
                    continue;
                };
                for target in &targets {
                    let hit = self.hits(target, way, place, speaker.end);
                    if hit.is_empty() {
                        continue;
                    }
                    let port = way.path.key.ports.destination;
                    let ports: Vec<Set> = claim.ports.iter().map(|&r| port.among(r)).collect();
                    let through = self.heard(way).and(&hit).and(&union(&ports)).and(&service);
                    let through = way.path.packets(&through).and(&speaker.any_source());
                    if !through.is_empty() {
                        return Some(counter(&speaker, through, &ways, There::Place(place)));
                    }
                }
            }
        }
        None
    }

    /// Every request, or the answer to it, is dropped at this stage.
    fn blocked_by(&self, claim: &Claim, stage: Stage) -> Option<Failure> {
        let mut anybody = false;
        for speaker in self.speakers(&claim.from) {
            let asks = self.asks(&speaker, claim);
            let ways = self.ways(&speaker, &asks);
            for ask in &asks {
                let wanted = self.requests(&speaker, ask);
                anybody |= !wanted.is_empty();
                let (mut there, mut elsewhere, mut known) = (vec![], vec![], vec![]);
                for way in ways.iter().filter(|way| ask.may_be_of(way)) {
                    let all = &way.path.set;
                    known.push(way.path.packets(all));
                    let (here, others) = self.lost_at(way, stage);
                    elsewhere.push(way.path.packets(&others));
                    there.push(way.path.packets(&here));
                }
                let (there, elsewhere) = (union(&there), union(&elsewhere));
                let mut lost = wanted.without(&there).or(&wanted.and(&elsewhere));
                // Nothing of ours has such a destination, and the door says so.
                if at_the_door(speaker.end) == Some(stage) {
                    lost = lost.and(&union(&known));
                }
                if !lost.is_empty() {
                    return Some(counter(&speaker, lost, &ways, ask.there));
                }
            }
        }
        (!anybody).then_some(Failure::AboutNobody)
    }

    /// The ways to whoever is asked.
    fn ways(&self, speaker: &Speaker, asks: &[Ask]) -> Vec<Way> {
        let only = asks.iter().filter_map(|ask| ask.address).collect();
        let mut ways = self.ways_from(speaker, &only);
        for way in &mut ways {
            let heard = self.heard(way);
            way.unanswered = way.unanswered.or(&way.answered.without(&heard));
            way.answered = heard;
        }
        ways
    }

    /// What somebody sends to some addresses. A nic is there with its primary address, whether or
    /// not the guest knows it: that is what a host without any other asks from.
    fn ways_from(&self, speaker: &Speaker, only: &HashSet<Ipv4Addr>) -> Vec<Way> {
        let also: Vec<Ipv4Addr> = match speaker.end {
            End::Cvm(cvm) => {
                let network = self.reach.program().network();
                let nics = network.cvm(cvm).nics.iter();
                nics.map(|&nic| network.nic(nic).address()).collect()
            }
            End::Internet | End::External(_) => Vec::new(),
        };
        let (end, trip) = (speaker.end, Trip::Both);
        self.reach.ways_also_from(end, &also, trip, Some(only))
    }

    /// The packets of a way of which this stage drops the request or an answer, and those that may
    /// fare otherwise. Where answers have a choice a packet may be among both.
    fn lost_at(&self, way: &Way, stage: Stage) -> (Set, Set) {
        let all = &way.path.set;
        match way.end {
            carry::End::Dropped(_, at) if at == stage => (all.clone(), Set::none()),
            carry::End::Dropped(..) | carry::End::Undecided => (Set::none(), all.clone()),
            carry::End::At(_) => {
                let (mut here, mut others) = (Vec::new(), vec![way.answered.clone()]);
                for astray in &way.astray {
                    if dropped_at(astray.end, stage) {
                        here.push(self.reach.hearable(way).and(&astray.packets));
                    } else {
                        others.push(astray.packets.clone());
                    }
                }
                let here = union(&here);
                others.push(all.without(&here));
                (here, union(&others))
            }
        }
    }

    /// Of the packets of a way that are answered, those that whoever gets them listens for.
    fn heard(&self, way: &Way) -> Set {
        way.answered.and(&self.reach.hearable(way))
    }
}

fn counter(speaker: &Speaker, packets: Set, ways: &[Way], there: There) -> Failure {
    Failure::Counter(Counter {
        from: speaker.end,
        packets,
        chose: ways.iter().any(|way| way.path.chose),
        there,
    })
}

fn dropped_at(end: carry::End, stage: Stage) -> bool {
    matches!(end, carry::End::Dropped(_, at) if at == stage)
}

/// The stage that drops what comes from outside and is for nobody.
fn at_the_door(from: End) -> Option<Stage> {
    match from {
        End::Cvm(_) => None,
        End::Internet => Some(Stage::Internet),
        End::External(_) => Some(Stage::External),
    }
}

/// The packets of a protocol that have an answer; of ICMP, pings.
fn service(protocol: RuleProtocol) -> Set {
    match protocol {
        RuleProtocol::Icmp => crate::set::ping(),
        RuleProtocol::All => {
            let others = Set::all().without(&Set::of_protocol(Protocol::ICMP));
            others.or(&crate::set::ping())
        }
        other => Set::all().and(&of_rule(other)),
    }
}

/// Ports that clients ask from: hosts by Linux's `ip_local_port_range`, strangers behind
/// whatever translates them.
pub(crate) fn client_ports(end: End) -> Set {
    let (first, last) = match end {
        End::Cvm(_) => (32_768, 60_999),
        End::Internet | End::External(_) => (1_024, 65_535),
    };
    let ports = vpcsim_network::PortRange { first, last };
    let portless = Set::anything().without(&Set::with_ports());
    portless.or(&Set::ports(crate::set::Field::SOURCE_PORT, ports))
}

/// The address that all packets of a way are sent to, where it is one.
pub(crate) fn sent_to(way: &Way) -> Option<std::net::Ipv4Addr> {
    match way.path.sent.destination {
        Value::Is(address) => Some(address),
        Value::Sent(_) => None,
    }
}
