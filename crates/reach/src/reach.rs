//! The questions.

use crate::carry::{self, Carry, Path, Step};
use crate::facts::Facts;
use crate::key::{Side, Value};
use crate::list::union;
use crate::place::End;
use crate::senders::Known;
use crate::set::Set;
use hashbrown::{HashMap, HashSet};
use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use vpcsim_dataplane::{Place, Program};
use vpcsim_network::{AclId, VpcId};

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
    pub(crate) program: &'p Program,
    pub(crate) facts: Facts,
    pub(crate) known: RefCell<HashMap<VpcId, Rc<Known>>>,
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
    /// The answers that can be lost.
    pub(crate) astray: Vec<Astray>,
}

/// Answers that do not come home.
#[derive(Debug, Clone)]
pub(crate) struct Astray {
    pub(crate) end: carry::End,
    /// The acl that judged them last.
    pub(crate) acl: Option<AclId>,
    /// The packets that they answer.
    pub(crate) packets: Set,
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
            self.found(&ways, |place| {
                self.end_at(place).is_some_and(|end| to.contains(&end))
            })
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
        let found = reached.into_iter().map(|to| {
            (
                to,
                self.found(&ways, |place| self.end_at(place) == Some(to)),
            )
        });
        found.filter(|(_, found)| !found.ever.is_empty()).collect()
    }

    /// What of some ways arrives where it is wanted.
    pub(crate) fn found<'w>(
        &self,
        ways: impl IntoIterator<Item = &'w Way> + Clone,
        wanted: impl Fn(Place) -> bool,
    ) -> Found {
        let chose = ways.clone().into_iter().any(|way| way.path.chose);
        let (mut ever, mut lost) = (Vec::new(), Vec::new());
        for way in ways {
            let arrives = match way.end {
                carry::End::At(place) => wanted(place),
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

    /// How the packets of one sender end; with `only`, those alone that go to one of these
    /// addresses or to none of the network's.
    pub(crate) fn ways(&self, from: End, trip: Trip, only: Option<&HashSet<Ipv4Addr>>) -> Vec<Way> {
        self.ways_also_from(from, &[], trip, only)
    }

    /// The same, of a host that sends from these addresses too, which its guest does not know.
    pub(crate) fn ways_also_from(
        &self,
        from: End,
        also: &[Ipv4Addr],
        trip: Trip,
        only: Option<&HashSet<Ipv4Addr>>,
    ) -> Vec<Way> {
        let starts = self.sent_by(from, also, only);
        let ended = Carry::new(self.program, &self.facts).carry(starts);
        ended
            .into_iter()
            .map(|ended| self.answered(from, ended, trip))
            .collect()
    }

    /// Follows the answers to packets that have arrived.
    fn answered(&self, from: End, ended: carry::Ended, trip: Trip) -> Way {
        let carry::Ended { mut path, end } = ended;
        let all = path.set.clone();
        let mut strayed = Vec::new();
        let (answered, unanswered) = match (trip, self.answers_from(&path, end)) {
            (Trip::OneWay, _) => (all, Set::none()),
            (Trip::Both, None) => (Set::none(), all),
            (Trip::Both, Some(step)) => {
                let answers = path.clone().answered(step);
                let answers = Carry::new(self.program, &self.facts).carry([answers]);
                let (mut back, mut lost) = (Set::none(), Set::none());
                for answer in answers {
                    path.chose |= answer.path.chose;
                    let home = match answer.end {
                        carry::End::At(place) if self.end_at(place) == Some(from) => {
                            let sent = answer.path.sent.reversed();
                            answer.path.key.equals(sent, &answer.path.set)
                        }
                        _ => Set::none(),
                    };
                    back = back.or(&self.within(&path, &answer.path, &home));
                    let astray = answer.path.set.without(&home);
                    if !astray.is_empty() {
                        let astray = self.within(&path, &answer.path, &astray);
                        lost = lost.or(&astray);
                        strayed.push(Astray {
                            end: answer.end,
                            acl: answer.path.acl,
                            packets: astray,
                        });
                    }
                }
                (back, lost)
            }
        };
        Way {
            path,
            end,
            answered,
            unanswered,
            astray: strayed,
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
            // It answers pings itself, from its public address.
            Place::NatGateway(_) => Some(Step::ToInternet { hairpin: None }),
        }
    }
}
