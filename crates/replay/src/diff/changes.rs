//! What fares otherwise in the new network: counted by cause, and listed by flow.

use super::cause::Because;
use super::flows::Undirected;
use super::landing::Fate;
use crate::tally::Count;
use hashbrown::HashMap;
use serde::Serialize;
use vpcsim_packet::FlowKey;

/// Most flows that are listed.
pub(super) const MOST_FLOWS: usize = 1 << 16;
/// Most causes that are told apart: a scan meets an address of its own with each packet.
const MOST_CAUSES: usize = 1 << 14;
/// Most causes of one flow that are known to have been counted for it.
const MOST_OF_FLOW: usize = 16;

/// How packets fare otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// They arrived in the old network and do not in the new one.
    Lost,
    /// They did not arrive in the old network and do in the new one.
    Allowed,
    /// They arrive in both: elsewhere, by another path, or with another address or port.
    Moved,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Allowed, Self::Moved];
}

/// In what packets differ that arrive in both networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Differs {
    /// Where they arrive.
    Place,
    /// The addresses with which they arrive.
    Address,
    /// The ports or the identifier with which they arrive.
    Port,
    /// The elements that they pass on their way; they arrive alike.
    Path,
}

/// Why packets fare otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cause {
    pub(super) change: Change,
    pub(super) differs: Option<Differs>,
    pub(super) old: Because,
    pub(super) new: Because,
}

/// A cause, by its number; `None`: one of those that are not told apart.
pub(super) type CauseId = Option<u32>;

/// How much there is of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Flows with at least one such packet.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
}

/// A packet that fares otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Otherwise {
    pub(super) change: Change,
    pub(super) cause: CauseId,
    /// Number and time of the packet.
    pub(super) id: u64,
    pub(super) time: u64,
    /// As it was captured.
    pub(super) key: FlowKey,
    pub(super) frame_len: u32,
    pub(super) old: Fate,
    pub(super) new: Fate,
}

/// What of a flow fares otherwise in one way.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    /// The first such packet.
    pub(super) first: Otherwise,
    pub(super) count: Count,
    causes: Vec<CauseId>,
}

/// A flow of which something fares otherwise.
#[derive(Debug)]
pub(super) struct Listed {
    /// In the direction of its first packet.
    pub(super) flow: FlowKey,
    /// By change.
    pub(super) changed: [Option<Box<Changed>>; Change::ALL.len()],
}

/// Everything that fares otherwise.
#[derive(Debug)]
pub(super) struct Changes {
    causes: Vec<(Cause, Amount)>,
    numbers: HashMap<Cause, u32>,
    /// By change: what has a cause beyond those that are told apart.
    pub(super) rest: [Amount; Change::ALL.len()],
    /// By change.
    pub(super) all: [Amount; Change::ALL.len()],
    listed: Vec<Listed>,
    places: HashMap<Undirected, u32>,
    most_listed: usize,
}

impl Default for Changes {
    fn default() -> Self {
        Self::new(MOST_FLOWS)
    }
}

impl Changes {
    fn new(most_listed: usize) -> Self {
        Self {
            causes: Vec::new(),
            numbers: HashMap::new(),
            rest: [Amount::default(); Change::ALL.len()],
            all: [Amount::default(); Change::ALL.len()],
            listed: Vec::new(),
            places: HashMap::new(),
            most_listed,
        }
    }

    /// The number of a cause.
    pub(super) fn cause(&mut self, cause: Cause) -> CauseId {
        if let Some(&known) = self.numbers.get(&cause) {
            return Some(known);
        }
        if self.causes.len() >= MOST_CAUSES {
            return None;
        }
        let number = self.causes.len() as u32;
        self.causes.push((cause, Amount::default()));
        self.numbers.insert(cause, number);
        Some(number)
    }

    /// Which changes a flow was counted for, if it is listed.
    pub(super) fn counted(&self, flow: Undirected) -> Option<[bool; Change::ALL.len()]> {
        let &place = self.places.get(&flow)?;
        let listed = &self.listed[place as usize];
        Some(listed.changed.each_ref().map(Option::is_some))
    }

    /// Counts a packet. `flow`: its flow without direction; `first`: in that of its first packet;
    /// `counted`: which changes the flow was counted for.
    pub(super) fn add(
        &mut self,
        packet: Otherwise,
        flow: Undirected,
        first: FlowKey,
        counted: &mut [bool; Change::ALL.len()],
    ) {
        let Otherwise {
            change,
            cause,
            frame_len,
            ..
        } = packet;
        let kind = change as usize;
        let is_new = !std::mem::replace(&mut counted[kind], true);
        self.all[kind].add(is_new, frame_len);
        let is_new_cause = match self.list(flow, first) {
            Some(listed) => listed.add(packet),
            // What is not listed is counted with the flow's first cause alone.
            None => is_new,
        };
        let amount = match cause {
            Some(cause) => &mut self.causes[cause as usize].1,
            None => &mut self.rest[kind],
        };
        amount.add(is_new_cause, frame_len);
    }

    /// Counts one more packet of a flow that was counted for this change and this cause; not in
    /// the list of flows, which [`list_more`](Self::list_more) is for.
    #[inline]
    pub(super) fn again(&mut self, change: Change, cause: u32, frame_len: u32) {
        self.all[change as usize].add(false, frame_len);
        self.causes[cause as usize].1.add(false, frame_len);
    }

    /// More packets of a flow that have moved, if it is listed.
    pub(super) fn list_more(&mut self, flow: Undirected, more: Count) {
        let place = self.places.get(&flow);
        let listed = place.and_then(|&place| self.listed.get_mut(place as usize));
        let moved = listed.and_then(|listed| listed.changed[Change::Moved as usize].as_mut());
        if let Some(moved) = moved {
            moved.count.add_all(more);
        }
    }

    /// The flow's place in the list, if there is one for it.
    fn list(&mut self, flow: Undirected, first: FlowKey) -> Option<&mut Listed> {
        let place = match self.places.get(&flow) {
            Some(&place) => place as usize,
            None if self.listed.len() < self.most_listed => {
                self.places.insert(flow, self.listed.len() as u32);
                self.listed.push(Listed {
                    flow: first,
                    changed: [const { None }; Change::ALL.len()],
                });
                self.listed.len() - 1
            }
            None => return None,
        };
        self.listed.get_mut(place)
    }

    /// The cause of that number.
    pub(super) fn get(&self, cause: CauseId) -> Option<&Cause> {
        self.causes.get(cause? as usize).map(|(cause, _)| cause)
    }

    /// All causes with what they decided, in the order in which they were first seen.
    pub(super) fn causes(&self) -> impl Iterator<Item = &(Cause, Amount)> {
        self.causes.iter()
    }

    /// The flows of which most packets changed in this way, at most so many, most packets first.
    pub(super) fn flows(&self, change: Change, most: usize) -> Vec<(FlowKey, &Changed)> {
        let mut flows: Vec<_> = self
            .listed
            .iter()
            .filter_map(|listed| Some((listed.flow, &**listed.changed[change as usize].as_ref()?)))
            .collect();
        let rank = |(_, changed): &(FlowKey, &Changed)| {
            (std::cmp::Reverse(changed.count.packets), changed.first.id)
        };
        if most < flows.len() {
            flows.select_nth_unstable_by_key(most, rank);
            flows.truncate(most);
        }
        flows.sort_by_key(rank);
        flows
    }

    /// How many flows are listed.
    pub(super) fn len(&self) -> usize {
        self.listed.len()
    }
}

impl Listed {
    /// Counts a packet; whether it is the flow's first with this cause.
    fn add(&mut self, packet: Otherwise) -> bool {
        let changed = self.changed[packet.change as usize].get_or_insert_with(|| {
            Box::new(Changed {
                first: packet,
                count: Count::default(),
                causes: Vec::new(),
            })
        });
        changed.count.add(packet.frame_len);
        let is_new = !changed.causes.contains(&packet.cause);
        let room = changed.causes.len() < MOST_OF_FLOW;
        if is_new && room {
            changed.causes.push(packet.cause);
        }
        is_new && room
    }
}

impl Amount {
    fn add(&mut self, is_new_flow: bool, bytes: u32) {
        self.flows += u64::from(is_new_flow);
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }
}
