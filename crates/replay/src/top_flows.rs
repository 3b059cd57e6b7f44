//! The flows that lost most packets, in bounded memory.
//!
//! Space-saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k
//! elements in data streams", ICDT 2005): a fixed number of counters; a flow that has none takes
//! the smallest over, and with it what that one had counted as its own possible error. Any flow
//! with more than `dropped packets / capacity` drops has a counter at the end.

use hashbrown::HashMap;
use std::collections::BTreeSet;
use vpcsim_dataplane::Drop;
use vpcsim_packet::FlowKey;

/// A flow and why it lost packets: one that loses them for two reasons has two counters.
pub(crate) type Lost = (FlowKey, Drop);

#[derive(Debug, Clone, Copy)]
struct Counter {
    lost: Lost,
    /// Packets, those that may belong to counters that were taken over included.
    estimate: u64,
    /// How many of these may belong to others.
    error: u64,
    bytes: u64,
}

/// One of the flows that lost most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopFlow {
    pub(crate) lost: Lost,
    /// Packets counted: never too many.
    pub(crate) packets: u64,
    /// Bytes counted: never too many.
    pub(crate) bytes: u64,
    /// How many packets may have been missed; 0: the count is exact.
    pub(crate) missed_at_most: u64,
}

/// Counters for the flows that lost most.
#[derive(Debug)]
pub(crate) struct TopFlows {
    capacity: usize,
    slots: HashMap<Lost, usize>,
    counters: Vec<Counter>,
    /// By estimate, the smallest first; among equals the oldest slot.
    order: BTreeSet<(u64, usize)>,
}

impl TopFlows {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            slots: HashMap::new(),
            counters: Vec::new(),
            order: BTreeSet::new(),
        }
    }

    pub(crate) fn add(&mut self, key: FlowKey, drop: &Drop, bytes: u32) {
        let lost = (key, *drop);
        let slot = match self.slots.get(&lost) {
            Some(&slot) => slot,
            None => self.take_slot(lost),
        };
        let counter = &mut self.counters[slot];
        self.order.remove(&(counter.estimate, slot));
        counter.estimate += 1;
        counter.bytes += u64::from(bytes);
        self.order.insert((counter.estimate, slot));
    }

    /// A free counter, or the smallest.
    fn take_slot(&mut self, lost: Lost) -> usize {
        let fresh = |estimate| Counter {
            lost,
            estimate,
            error: estimate,
            bytes: 0,
        };
        let smallest = self.order.first().copied();
        let slot = match smallest {
            Some((estimate, slot)) if self.counters.len() >= self.capacity => {
                self.slots.remove(&self.counters[slot].lost);
                self.counters[slot] = fresh(estimate);
                slot
            }
            _ => {
                self.counters.push(fresh(0));
                self.counters.len() - 1
            }
        };
        self.slots.insert(lost, slot);
        slot
    }

    /// The `most` flows with the highest counts, highest first.
    pub(crate) fn top(&self, most: usize) -> Vec<TopFlow> {
        let mut top: Vec<_> = self
            .counters
            .iter()
            .map(|counter| TopFlow {
                lost: counter.lost,
                packets: counter.estimate - counter.error,
                bytes: counter.bytes,
                missed_at_most: counter.error,
            })
            .collect();
        // `DropReason` and `Stage` have an order, the whole of a drop has none.
        let names = |flow: &TopFlow| (flow.lost.0, flow.lost.1.stage, flow.lost.1.reason);
        top.sort_by(|a, b| {
            let packets = b.packets.cmp(&a.packets);
            packets.then_with(|| names(a).cmp(&names(b)))
        });
        top.truncate(most);
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use vpcsim_dataplane::{DropReason, Element, Stage};
    use vpcsim_packet::Protocol;

    fn key(number: u32) -> FlowKey {
        FlowKey {
            protocol: Protocol::UDP,
            source: Ipv4Addr::from(number),
            source_port: 1,
            destination: Ipv4Addr::new(10, 0, 0, 1),
            destination_port: 53,
        }
    }

    fn drop() -> Drop {
        Drop::new(DropReason::AclDeny, Stage::AclIngress, Element::Internet)
    }

    #[test]
    fn exact_below_its_capacity() {
        let mut flows = TopFlows::new(100);
        for round in 0..50 {
            for number in 0..=round {
                flows.add(key(number), &drop(), 60);
            }
        }
        let top = flows.top(10);
        assert_eq!(top.len(), 10);
        for (number, flow) in (0..).zip(&top) {
            assert_eq!(flow.lost.0, key(number));
            assert_eq!(flow.packets, u64::from(50 - number));
            assert_eq!(flow.bytes, u64::from(50 - number) * 60);
            assert_eq!(flow.missed_at_most, 0);
        }
    }

    #[test]
    fn bounded_and_right_about_the_heavy_ones_in_a_flood() {
        let mut flows = TopFlows::new(64);
        for number in 0..200_000_u32 {
            // Three heavy flows in a flood of flows of one packet each.
            flows.add(key(number + 10), &drop(), 60);
            if number % 8 == 0 {
                flows.add(key(number / 8 % 3), &drop(), 1000);
            }
        }
        assert_eq!(flows.counters.len(), 64);
        assert_eq!(flows.slots.len(), 64);
        assert_eq!(flows.order.len(), 64);
        let top = flows.top(3);
        let mut heavy: Vec<_> = top.iter().map(|flow| flow.lost.0).collect();
        heavy.sort();
        assert_eq!(heavy, [key(0), key(1), key(2)]);
        for flow in top {
            let truth = 25_000 / 3;
            assert!(flow.packets <= truth + 1, "never too many: {flow:?}");
            assert!(flow.packets + flow.missed_at_most >= truth, "{flow:?}");
        }
    }

    #[test]
    fn a_flow_lost_for_two_reasons_has_two_counters() {
        let mut flows = TopFlows::new(4);
        let other = Drop::new(DropReason::NoRoute, Stage::Route, Element::Internet);
        flows.add(key(1), &drop(), 1);
        flows.add(key(1), &other, 1);
        assert_eq!(flows.top(10).len(), 2);
    }
}
