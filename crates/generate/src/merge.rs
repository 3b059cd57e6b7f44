//! Many conversations as one stream in the order of time.

use crate::Packet;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A conversation: its packets in the order of time.
pub(crate) type Live = Box<dyn Iterator<Item = Packet> + Send>;

/// Merges conversations that begin one after another. Holds those that are live, and of each its
/// next packet.
pub(crate) struct Merge<S> {
    /// The conversations, in the order of the time of their first packets.
    starts: S,
    /// The next one to begin.
    next: Option<(Packet, Live)>,
    live: BinaryHeap<Reverse<Head>>,
    begun: u64,
}

struct Head {
    packet: Packet,
    /// Of two at the same time, the one that began earlier goes first.
    number: u64,
    rest: Live,
}

impl Head {
    fn key(&self) -> (u64, u64) {
        (self.packet.time, self.number)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<S: Iterator<Item = Live>> Merge<S> {
    pub(crate) fn new(mut starts: S) -> Self {
        let next = begin(&mut starts);
        Self {
            starts,
            next,
            live: BinaryHeap::new(),
            begun: 0,
        }
    }

    /// How many conversations are live.
    pub(crate) fn live(&self) -> usize {
        self.live.len()
    }
}

/// The next conversation that says anything.
fn begin(starts: &mut impl Iterator<Item = Live>) -> Option<(Packet, Live)> {
    starts.find_map(|mut live| Some((live.next()?, live)))
}

impl<S: Iterator<Item = Live>> Iterator for Merge<S> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        while let Some((packet, _)) = &self.next {
            let earliest = self.live.peek().map(|head| head.0.packet.time);
            if earliest.is_some_and(|earliest| earliest < packet.time) {
                break;
            }
            let begins = std::mem::replace(&mut self.next, begin(&mut self.starts));
            let Some((packet, rest)) = begins else { break };
            let number = self.begun;
            self.begun += 1;
            self.live.push(Reverse(Head {
                packet,
                number,
                rest,
            }));
        }
        let Reverse(mut head) = self.live.pop()?;
        let packet = match head.rest.next() {
            Some(next) => {
                let packet = std::mem::replace(&mut head.packet, next);
                self.live.push(Reverse(head));
                packet
            }
            None => head.packet,
        };
        Some(packet)
    }
}
