//! The flows seen of late, and the ways that their packets took.

use super::changes::{Change, Changes, Differs};
use super::ways::WayId;
use crate::tally::Count;
use hashbrown::HashMap;
use std::hint::black_box;
use vpcsim_packet::FlowKey;

/// Flows of one generation: twice as many are remembered at most.
const MOST: usize = 1 << 19;

/// A flow without direction, in words that hash quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Undirected {
    addresses: u64,
    rest: u64,
}

impl Undirected {
    /// The flow of a packet, and which of its directions that goes.
    pub(super) fn of(key: FlowKey) -> (Self, usize) {
        let reversed = key.reversed();
        if key <= reversed {
            (Self::new(key), 0)
        } else {
            (Self::new(reversed), 1)
        }
    }

    fn new(key: FlowKey) -> Self {
        let halves = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let ports = u32::from(key.source_port) << 16 | u32::from(key.destination_port);
        Self {
            addresses: halves(key.source.into(), key.destination.into()),
            rest: halves(ports, u32::from(key.protocol.0)),
        }
    }
}

/// What is remembered of a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    /// By network, then by direction.
    pub(super) ways: [[WayId; 2]; 2],
    /// By direction: whether the ways lead through other elements.
    pub(super) paths_differ: [bool; 2],
    /// The direction of its first packet.
    pub(super) first: u8,
    /// Which changes it was counted for.
    pub(super) changes: [bool; Change::ALL.len()],
    /// By direction: in what packets differ that arrive in both networks by these ways, and the
    /// number of the cause, once that is known.
    pub(super) moved: [Option<(Differs, u32)>; 2],
    /// Moved packets that the list of flows does not count yet: it is told of all at once, and
    /// need not be looked at for each.
    pub(super) unlisted: Count,
}

impl Flow {
    fn new(first: usize) -> Self {
        Self {
            ways: [[WayId::NONE; 2]; 2],
            paths_differ: [false; 2],
            first: first as u8,
            changes: [false; Change::ALL.len()],
            moved: [None; 2],
            unlisted: Count::default(),
        }
    }
}

/// Flows in two generations: when the younger is full, the elder is forgotten. A flow that goes on
/// stays in the younger.
#[derive(Debug)]
pub(super) struct Flows {
    young: HashMap<Undirected, Flow>,
    old: HashMap<Undirected, Flow>,
    most: usize,
    /// How many there were.
    pub(super) seen: u64,
    /// How many were forgotten: one that comes back is counted anew.
    pub(super) forgotten: u64,
}

impl Default for Flows {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Flows {
    fn new(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            most,
            seen: 0,
            forgotten: 0,
        }
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// The flow of a packet that goes in `direction`. Of one that is not remembered, `changes` says
    /// what it was counted for before; of those that are forgotten now, it is told what it does not
    /// know yet.
    pub(super) fn of(
        &mut self,
        key: Undirected,
        direction: usize,
        changes: &mut Changes,
    ) -> &mut Flow {
        if self.young.len() >= self.most {
            self.forgotten += self.old.len() as u64;
            list(&mut self.old, changes);
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key).or_insert_with(|| {
            self.old.remove(&key).unwrap_or_else(|| {
                let counted = changes.counted(key);
                self.seen += u64::from(counted.is_none());
                Flow {
                    changes: counted.unwrap_or_default(),
                    ..Flow::new(direction)
                }
            })
        })
    }

    /// Fetches what is remembered of a flow into the cache. Looking for several before any of them
    /// is needed takes hardly longer than looking for one.
    #[inline]
    pub(super) fn touch(&self, key: Undirected) {
        black_box(self.young.get(&key).map(|flow| flow.unlisted.packets));
    }

    /// Tells `changes` of all flows what it does not know yet.
    pub(super) fn list(&mut self, changes: &mut Changes) {
        for flows in [&mut self.old, &mut self.young] {
            list(flows, changes);
        }
    }
}

fn list(flows: &mut HashMap<Undirected, Flow>, changes: &mut Changes) {
    let unlisted = flows
        .iter_mut()
        .filter(|(_, flow)| flow.unlisted.packets > 0);
    for (&key, flow) in unlisted {
        changes.list_more(key, std::mem::take(&mut flow.unlisted));
    }
}

#[cfg(test)]
mod tests {
    use super::super::changes::Otherwise;
    use super::super::landing::Fate;
    use super::*;
    use std::net::Ipv4Addr;
    use vpcsim_packet::Protocol;

    fn flow(number: u32) -> Undirected {
        Undirected::of(key(number)).0
    }

    fn key(number: u32) -> FlowKey {
        FlowKey {
            protocol: Protocol::UDP,
            source: Ipv4Addr::from(number),
            source_port: 1,
            destination: Ipv4Addr::new(255, 0, 0, 1),
            destination_port: 53,
        }
    }

    #[test]
    fn both_directions_are_one_flow() {
        let there = Undirected::of(key(7));
        let back = Undirected::of(key(7).reversed());
        assert_eq!(there.0, back.0);
        assert_ne!(there.1, back.1);
    }

    #[test]
    fn a_flood_is_forgotten_and_counted_and_who_goes_on_is_not() {
        let (mut flows, mut changes) = (Flows::new(100), Changes::default());
        for number in 0..10_000 {
            flows.of(flow(number + 1), 0, &mut changes);
            flows.of(flow(0), 0, &mut changes).changes[0] = true;
            assert!(flows.len() <= 200);
        }
        assert!(flows.of(flow(0), 0, &mut changes).changes[0]);
        assert_eq!(flows.seen, 10_001);
        assert_eq!(flows.forgotten + flows.len() as u64, 10_001);
    }

    /// One packet of a flow that arrives elsewhere.
    fn moves(flows: &mut Flows, changes: &mut Changes, number: u32) {
        let (undirected, direction) = Undirected::of(key(number));
        let packet = Otherwise {
            change: Change::Moved,
            cause: None,
            id: u64::from(number),
            time: 0,
            key: key(number),
            frame_len: 60,
            old: Fate::NOBODYS,
            new: Fate::NOBODYS,
        };
        let flow = flows.of(undirected, direction, changes);
        changes.add(packet, undirected, key(number), &mut flow.changes);
    }

    #[test]
    fn one_that_is_listed_is_not_counted_twice() {
        let (mut flows, mut changes) = (Flows::new(1), Changes::default());
        for number in [1, 2, 3] {
            moves(&mut flows, &mut changes, number);
        }
        assert_eq!((flows.seen, flows.forgotten), (3, 1));
        let flow = flows.of(flow(1), 0, &mut changes);
        assert!(flow.changes[Change::Moved as usize]);
        assert_eq!(flows.seen, 3);
    }

    #[test]
    fn every_packet_reaches_the_list_whether_or_not_its_flow_is_forgotten() {
        let (mut flows, mut changes) = (Flows::new(1), Changes::default());
        for number in [1, 2, 3] {
            moves(&mut flows, &mut changes, number);
            let flow = flows.of(flow(number), 0, &mut changes);
            flow.unlisted.add(60);
            flow.unlisted.add(60);
        }
        assert!(flows.forgotten > 0);
        for _ in 0..2 {
            flows.list(&mut changes);
            let listed = changes.flows(Change::Moved, usize::MAX);
            let counts: Vec<_> = listed.iter().map(|(_, changed)| changed.count).collect();
            let three = Count {
                packets: 3,
                bytes: 180,
            };
            assert_eq!(counts, [three; 3]);
        }
    }
}
