//! The questions.

use crate::carry::{self, Carry, Path, Step};
use crate::facts::Facts;
use crate::key::{Address, Side, Value};
use crate::list::union;
use crate::place::End;
use crate::set::{Field, Set, Span};
use hashbrown::{HashMap, HashSet};
use ipnet::Ipv4Net;
use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use vpcsim_dataplane::{DropReason, Place, Program, Stage};
use vpcsim_network::{CvmId, VpcId};

/// Answers questions about every packet of a network at once.
///
/// Packets are first ones: a TCP SYN, a datagram, an ICMP message that quotes nothing, whole and
/// small, sent by the host that has their source address with the usual time to live. Where the
/// network may choose among equals (equal-cost routes, a pool of public addresses) every choice
/// counts. Bandwidth, ceilings of connections and ports, and timeouts are assumed away.
///
/// ```
/// use vpcsim_dataplane::Program;
/// use vpcsim_network::Network;
/// use vpcsim_reach::{Reach, tcp};
///
/// let network = Network::from_yaml("shop.yaml", "
/// regions: {home: {zones: [home-1]}}
/// vpcs:
///   shop:
///     cidr: 10.0.0.0/16
///     subnets: {web: {cidr: 10.0.1.0/24}, data: {cidr: 10.0.2.0/24}}
/// security_groups:
///   web: {ingress: [accept tcp 443 from any], egress: [accept all to any]}
///   db: {ingress: [accept tcp 3306 from web], egress: [accept all to any]}
/// cvms:
///   web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
///   db: {subnet: data, address: 10.0.2.10, security_groups: [db]}
/// eips:
///   front: {address: 203.0.113.10, bind: web-1}
/// ")?;
/// let program = Program::new(network);
/// let reach = Reach::new(&program);
/// assert!(reach.blocked("internet", "db", tcp(3306)));
/// assert_eq!(
///     reach.between("web-1", "db").to_string(),
///     "tcp 3306 from 10.0.1.10 to 10.0.2.10",
/// );
/// assert!(reach.between("internet", "web-1").services() == tcp(443).services());
/// # Ok::<(), vpcsim_network::NetworkErrors>(())
/// ```
#[derive(Debug)]
pub struct Reach<'p> {
    program: &'p Program,
    facts: Facts,
    known: RefCell<HashMap<VpcId, Rc<Known>>>,
}

/// Addresses, in order, and destinations that are none of them.
#[derive(Debug)]
struct Known {
    addresses: Vec<Ipv4Addr>,
    others: Set,
}

/// What a question found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Packets that arrive whichever way they take.
    pub always: Set,
    /// Packets that arrive on at least one of the ways that they may take: these and
    /// [`always`](Self::always).
    pub ever: Set,
}

/// Which packets count as reaching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trip {
    /// Those whose answer comes back too.
    #[default]
    Both,
    /// Those that arrive.
    OneWay,
}

/// One way that packets of one sender take, and how it ends.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) path: Path,
    pub(crate) end: carry::End,
    /// Of its packets, those whose answer can come back, and those whose answer can be lost.
    pub(crate) answered: Set,
    pub(crate) unanswered: Set,
}

impl<'p> Reach<'p> {
    /// Prepares questions about a program.
    pub fn new(program: &'p Program) -> Self {
        Self {
            program,
            facts: Facts::new(program),
            known: RefCell::default(),
        }
    }

    /// The program that is asked about.
    pub fn program(&self) -> &'p Program {
        self.program
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Packets by which one end reaches the other: they arrive whichever way they take, and so
    /// does the answer. Names are those of [`ends`](Self::ends).
    ///
    /// # Panics
    /// When the network has no such end; [`query`](Self::query) takes ends that it has.
    pub fn between(&self, from: &str, to: &str) -> Set {
        self.query(&self.named(from), &self.named(to), Trip::Both)
            .always
    }

    /// As [`between`](Self::between), whether or not there is an answer.
    ///
    /// # Panics
    /// When the network has no such end.
    pub fn one_way(&self, from: &str, to: &str) -> Set {
        self.query(&self.named(from), &self.named(to), Trip::OneWay)
            .always
    }

    /// Whether none of these packets can arrive, whichever way they take and answered or not.
    ///
    /// # Panics
    /// When the network has no such end.
    pub fn blocked(&self, from: &str, to: &str, packets: Set) -> bool {
        self.query(&self.named(from), &self.named(to), Trip::OneWay)
            .ever
            .and(&packets)
            .is_empty()
    }

    #[allow(clippy::panic)]
    fn named(&self, name: &str) -> Vec<End> {
        match self.ends(name) {
            Ok(ends) => ends,
            Err(error) => panic!("{error}"),
        }
    }

    /// Packets by which any of some ends reaches any of others.
    pub fn query(&self, from: &[End], to: &[End], trip: Trip) -> Found {
        let found = from.iter().map(|&sender| {
            let ways = self.ways(sender, trip, None);
            self.found(&ways, |end| to.contains(&end))
        });
        let (mut always, mut ever) = (Vec::new(), Vec::new());
        for found in found {
            always.push(found.always);
            ever.push(found.ever);
        }
        Found {
            always: union(&always),
            ever: union(&ever),
        }
    }

    /// As [`query`](Self::query), one receiver at a time: those that any packet of the sender
    /// can reach, in the order of [`all_ends`](Self::all_ends).
    pub fn reached_by(&self, from: End, trip: Trip) -> Vec<(End, Found)> {
        let ways = self.ways(from, trip, None);
        let mut reached: Vec<End> = ways
            .iter()
            .filter_map(|way| match way.end {
                carry::End::At(place) => self.end_at(place),
                carry::End::Dropped(..) | carry::End::Undecided => None,
            })
            .collect();
        reached.sort_unstable();
        reached.dedup();
        let found = reached
            .into_iter()
            .map(|to| (to, self.found(&ways, |end| end == to)));
        found.filter(|(_, found)| !found.ever.is_empty()).collect()
    }

    /// What of some ways arrives where it is wanted.
    fn found(&self, ways: &[Way], wanted: impl Fn(End) -> bool) -> Found {
        let chose = ways.iter().any(|way| way.path.chose);
        let (mut ever, mut lost) = (Vec::new(), Vec::new());
        for way in ways {
            let arrives = match way.end {
                carry::End::At(place) => self.end_at(place).is_some_and(&wanted),
                carry::End::Dropped(..) | carry::End::Undecided => false,
            };
            if arrives {
                ever.push(way.path.packets(&way.answered));
            }
            if chose || way.end == carry::End::Undecided {
                let lost_here = if arrives {
                    &way.unanswered
                } else {
                    &way.path.set
                };
                lost.push(way.path.packets(lost_here));
            }
        }
        let (ever, lost) = (union(&ever), union(&lost));
        Found {
            always: ever.without(&lost),
            ever,
        }
    }

    /// The addresses that an end sends from, in order.
    pub fn senders(&self, from: End) -> Vec<Span> {
        match from {
            End::Cvm(cvm) => {
                let own = &self.facts.hosts[cvm.index()].local;
                let own: Vec<Set> = own
                    .iter()
                    .map(|&(address, _)| Set::address(Field::SOURCE, address))
                    .collect();
                union(&own).source_spans()
            }
            End::Internet | End::External(_) => self.sources(from).source_spans(),
        }
    }

    /// How the packets of one sender end; with `only`, those alone that go to one of these
    /// addresses or to none of the network's.
    pub(crate) fn ways(&self, from: End, trip: Trip, only: Option<&HashSet<Ipv4Addr>>) -> Vec<Way> {
        let starts = self.sent_by(from, only);
        let ended = Carry::new(self.program, &self.facts).carry(starts);
        ended
            .into_iter()
            .map(|ended| self.answered(from, ended, trip))
            .collect()
    }

    /// Follows the answers to packets that have arrived.
    fn answered(&self, from: End, ended: carry::Ended, trip: Trip) -> Way {
        let carry::Ended { path, end } = ended;
        let all = path.set.clone();
        let (answered, unanswered) = match (trip, self.answers_from(&path, end)) {
            (Trip::OneWay, _) => (all, Set::none()),
            (Trip::Both, None) => (Set::none(), all),
            (Trip::Both, Some(step)) => {
                let answers = path.clone().answered(step);
                let answers = Carry::new(self.program, &self.facts).carry([answers]);
                let (mut back, mut lost) = (Set::none(), Set::none());
                for answer in answers {
                    let home = match answer.end {
                        carry::End::At(place) if self.end_at(place) == Some(from) => {
                            let sent = answer.path.sent.reversed();
                            answer.path.key.equals(sent, &answer.path.set)
                        }
                        _ => Set::none(),
                    };
                    back = back.or(&self.within(&path, &answer.path, &home));
                    let astray = answer.path.set.without(&home);
                    lost = lost.or(&self.within(&path, &answer.path, &astray));
                }
                (back, lost)
            }
        };
        Way {
            path,
            end,
            answered,
            unanswered,
        }
    }

    /// A set of packets of a path, as another path says it from which that one parted.
    fn within(&self, whole: &Path, part: &Path, set: &Set) -> Set {
        let ends = [
            (whole.sent.source, part.sent.source, Side::Source),
            (
                whole.sent.destination,
                part.sent.destination,
                Side::Destination,
            ),
        ];
        let mut set = set.clone();
        for (before, after, side) in ends {
            if let (Value::Sent(_), Value::Is(address)) = (before, after) {
                set = set.and(&Set::address(side.address_field(), address));
            }
        }
        set
    }

    /// Where the answers to packets start that ended here; `None`: nobody answers.
    fn answers_from(&self, path: &Path, end: carry::End) -> Option<Step> {
        let carry::End::At(place) = end else {
            return None;
        };
        if !path.opens {
            return None;
        }
        match place {
            Place::Nic(nic) => Some(Step::Send(self.program.network().nic(nic).cvm)),
            Place::Internet => Some(Step::FromInternet { hairpin: None }),
            Place::External(external) => Some(Step::FromExternal(external)),
            Place::NatGateway(_) => None,
        }
    }

    /// Every packet that an end may send, by the addresses that the network tells apart. One of
    /// the two addresses of each is known.
    pub(crate) fn sent_by(&self, from: End, only: Option<&HashSet<Ipv4Addr>>) -> Vec<Path> {
        let (senders, step, side) = match from {
            End::Cvm(cvm) => {
                let own = &self.facts.hosts[cvm.index()].local;
                let own = own.iter().map(|&(address, _)| address).collect();
                (own, Step::Send(cvm), Side::Source)
            }
            End::Internet => {
                let eips = self.facts.eips.keys().copied().collect();
                (
                    eips,
                    Step::FromInternet { hairpin: None },
                    Side::Destination,
                )
            }
            End::External(external) => {
                let vpc = self.program.network().external(external).vpc;
                let owned = self.facts.owners[vpc.index()].keys();
                let wanted = |address: &&Ipv4Addr| only.is_none_or(|only| only.contains(*address));
                let owned: Vec<Ipv4Addr> = owned.filter(wanted).copied().collect();
                (owned, Step::FromExternal(external), Side::Destination)
            }
        };
        let sources = self.sources(from);
        let mut paths = Vec::new();
        for opens in [true, false] {
            for &address in &senders {
                let start = Path::start(sources.clone(), opens, step).pinned(side, address);
                match from {
                    End::Cvm(cvm) => self.by_destination(&start, cvm, only, &mut paths),
                    End::Internet | End::External(_) => paths.push(start),
                }
            }
        }
        paths
    }

    /// A host's packets, apart for each address that the network knows, and the rest.
    fn by_destination(
        &self,
        path: &Path,
        cvm: CvmId,
        only: Option<&HashSet<Ipv4Addr>>,
        paths: &mut Vec<Path>,
    ) {
        let Some(&nic) = self.program.network().cvm(cvm).nics.first() else {
            return;
        };
        let known = self.known_from(self.program.vpc_of(nic));
        let own = self.facts.hosts[cvm.index()].local.iter();
        let own: Vec<Ipv4Addr> = own
            .map(|&(address, _)| address)
            .filter(|address| known.addresses.binary_search(address).is_err())
            .collect();
        for &address in known.addresses.iter().chain(&own) {
            let private = !self.facts.eips.contains_key(&address);
            if private && only.is_some_and(|only| !only.contains(&address)) {
                continue;
            }
            paths.push(path.pinned(Side::Destination, address));
        }
        let to = Address::Sent(Side::Destination);
        let others = own.iter().fold(known.others.clone(), |others, &address| {
            others.without(&to.is(address))
        });
        paths.push(path.only(&others));
    }

    /// The addresses that a vpc tells apart: its own, those of its peers, and the public ones.
    fn known_from(&self, vpc: VpcId) -> Rc<Known> {
        if let Some(known) = self.known.borrow().get(&vpc) {
            return Rc::clone(known);
        }
        let mut addresses: Vec<Ipv4Addr> = self.facts.eips.keys().copied().collect();
        for vpc in self.neighbours(vpc) {
            addresses.extend(self.facts.owners[vpc.index()].keys());
        }
        addresses.sort_unstable();
        addresses.dedup();
        let to = Address::Sent(Side::Destination);
        let each: Vec<Set> = addresses.iter().map(|&address| to.is(address)).collect();
        let others = Set::anything().without(&union(&each));
        let known = Rc::new(Known { addresses, others });
        self.known.borrow_mut().insert(vpc, Rc::clone(&known));
        known
    }

    /// A vpc and those that it has a peering with.
    fn neighbours(&self, vpc: VpcId) -> Vec<VpcId> {
        let peerings = self.program.network().peerings.iter();
        let active = peerings.filter(|peering| peering.active);
        let peers = active.filter_map(|peering| peering.other(vpc));
        [vpc].into_iter().chain(peers).collect()
    }

    /// The sources that an end sends from.
    fn sources(&self, from: End) -> Set {
        let network = self.program.network();
        match from {
            End::Cvm(_) => Set::anything(),
            End::Internet => self.strangers(),
            End::External(external) => {
                let networks = &network.external(external).networks;
                if networks.is_empty() {
                    return self.strangers();
                }
                let parts: Vec<Set> = networks
                    .iter()
                    .map(|&net| Set::within(Field::SOURCE, net))
                    .collect();
                union(&parts)
            }
        }
    }

    /// Unicast addresses that nobody in the network has: those of its vpcs, its public addresses
    /// and what lies behind its gateways are not.
    fn strangers(&self) -> Set {
        let network = self.program.network();
        let vpcs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        let externals = network
            .externals
            .iter()
            .flat_map(|external| &external.networks);
        let nets = vpcs.chain(externals).chain(&RESERVED);
        let mut own: Vec<Set> = nets.map(|&net| Set::within(Field::SOURCE, net)).collect();
        let eips = self.facts.eips.keys();
        own.extend(eips.map(|&address| Set::address(Field::SOURCE, address)));
        Set::anything().without(&union(&own))
    }
}

/// What nobody sends from: "this network", loopback, multicast, reserved and broadcast (RFC 6890).
const RESERVED: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// How a packet ends, as a question sees it and as the walk does: for tests that hold the two
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It arrives here.
    At(Place),
    /// It is dropped for this reason at this stage.
    Dropped(DropReason, Stage),
    /// Not decided.
    Undecided,
}

/// Packets of one sender that may take one way.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The packets.
    pub packets: Set,
    /// How the way ends.
    pub outcome: Outcome,
    /// Of them, those whose answer may come back.
    pub answered: Set,
    /// Of them, those whose answer may not.
    pub unanswered: Set,
}

impl Reach<'_> {
    /// Every way that packets of an end may take, with how it ends: together they are all
    /// packets that the end sends to anybody the network knows of. A packet that is on several
    /// ways takes one of them.
    pub fn traced(&self, from: End) -> Vec<Traced> {
        let ways = self.ways(from, Trip::Both, None);
        let traced = ways.into_iter().map(|way| Traced {
            packets: way.path.packets(&way.path.set),
            outcome: match way.end {
                carry::End::At(place) => Outcome::At(place),
                carry::End::Dropped(reason, stage) => Outcome::Dropped(reason, stage),
                carry::End::Undecided => Outcome::Undecided,
            },
            answered: way.path.packets(&way.answered),
            unanswered: way.path.packets(&way.unanswered),
        });
        traced.filter(|traced| !traced.packets.is_empty()).collect()
    }
}
