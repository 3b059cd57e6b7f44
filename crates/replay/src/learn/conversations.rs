//! All conversations with an inside host in them, found by their packets.

use super::conversation::Conversation;
use super::inside::{Inside, Side};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Nanos;
use vpcsim_packet::{FlowKey, Headers, IcmpBody, Protocol, Quoted, Transport};

/// Most conversations that are told apart: at most 300 MB.
const MOST: usize = 1 << 20;
/// Most datagrams whose later fragments are awaited, and most ICMP errors that are remembered.
const MOST_ASIDE: usize = 1 << 16;
/// How long a datagram's fragments are awaited (SEMANTICS §11).
const FRAGMENT_SECONDS: u32 = 30;

/// A conversation of the capture, by the order in which they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId(pub(super) u32);

/// An ICMP error that rules have to accept somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ErrorKey {
    pub(super) conversation: u32,
    /// The way it travels.
    pub(super) way: usize,
    /// Who sent it.
    pub(super) sender: Ipv4Addr,
}

/// How often.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorSeen {
    pub(super) packets: u64,
    pub(super) first: u64,
    /// It came when nothing was remembered of what it speaks of.
    pub(super) unknown: bool,
}

/// What the fragments of a datagram have in common: source, destination, protocol, identification.
type Datagram = (Ipv4Addr, Ipv4Addr, Protocol, u16);
/// Where the first fragment belongs: the conversation, its way there, and when it came.
type First = (u32, usize, Nanos);

/// The conversations of a capture, in bounded memory.
#[derive(Debug)]
pub(super) struct Conversations {
    most: usize,
    list: Vec<Conversation>,
    places: HashMap<FlowKey, u32>,
    datagrams: HashMap<Datagram, First>,
    /// Errors whose sender is no end of the conversation, or of which nothing was remembered.
    errors: BTreeMap<ErrorKey, ErrorSeen>,
    /// Packets that belong to none because there were too many.
    beyond: u64,
}

impl Default for Conversations {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Conversations {
    /// At most `most` are told apart.
    fn new(most: usize) -> Self {
        Self {
            most,
            list: Vec::new(),
            places: HashMap::new(),
            datagrams: HashMap::new(),
            errors: BTreeMap::new(),
            beyond: 0,
        }
    }

    pub(super) fn list(&self) -> &[Conversation] {
        &self.list
    }

    pub(super) fn errors(&self) -> &BTreeMap<ErrorKey, ErrorSeen> {
        &self.errors
    }

    pub(super) fn beyond(&self) -> u64 {
        self.beyond
    }

    /// Takes a packet one of whose ends is inside and none is nobody's; the conversation that it
    /// belongs to, where that is known.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        headers: &Headers,
        now: Nanos,
        inside: &Inside,
    ) -> Option<ConversationId> {
        if let Transport::Icmp(icmp) = headers.transport
            && let IcmpBody::Error(quoted) = icmp.body
            && let Some(id) = self.take_error(headers, &quoted, now, inside)
        {
            return Some(id);
        }
        let datagram = (
            headers.source,
            headers.destination,
            headers.protocol,
            headers.identification,
        );
        let Some(key) = FlowKey::of(headers) else {
            let &(at, way, since) = self.datagrams.get(&datagram)?;
            if now > since.after_seconds(FRAGMENT_SECONDS) {
                return None;
            }
            self.list[at as usize].take_later_fragment(way);
            return Some(ConversationId(at));
        };
        let at = self.place(key, now, inside)?;
        let conversation = &mut self.list[at as usize];
        let way = usize::from(conversation.key != key);
        conversation.take((bytes, headers), way, now);
        if headers.more_fragments {
            self.await_fragments(datagram, (at, way, now));
        }
        Some(ConversationId(at))
    }

    /// The conversation with this key, a new one where there is none.
    fn place(&mut self, key: FlowKey, now: Nanos, inside: &Inside) -> Option<u32> {
        let canonical = canonical(key);
        if let Some(&at) = self.places.get(&canonical) {
            return Some(at);
        }
        if self.list.len() >= self.most {
            self.beyond += 1;
            return None;
        }
        let at = self.list.len() as u32;
        let way_out = match (inside.of(key.source), inside.of(key.destination)) {
            (Side::Inside, Side::Outside) => Some(0),
            (Side::Outside, Side::Inside) => Some(1),
            _ => None,
        };
        self.list.push(Conversation::new(key, now.0, way_out));
        self.places.insert(canonical, at);
        Some(at)
    }

    /// An ICMP error belongs to the conversation of the packet that it quotes, if it goes to the
    /// sender of that (SEMANTICS §6).
    fn take_error(
        &mut self,
        headers: &Headers,
        quoted: &Quoted,
        now: Nanos,
        inside: &Inside,
    ) -> Option<ConversationId> {
        if quoted.later_fragment || quoted.key.source != headers.destination {
            return None;
        }
        let at = *self.places.get(&canonical(quoted.key))?;
        let conversation = &mut self.list[at as usize];
        // It travels against the packet that it quotes.
        let way = usize::from(conversation.key == quoted.key);
        let unknown = !conversation.take_error(now);
        let sender = headers.source;
        let third = sender != quoted.key.destination && inside.of(sender) == Side::Inside;
        if third || unknown {
            let key = ErrorKey {
                conversation: at,
                way,
                sender,
            };
            if let Some(seen) = self.errors.get_mut(&key) {
                seen.packets += 1;
                seen.unknown |= unknown;
            } else if self.errors.len() < MOST_ASIDE {
                let seen = ErrorSeen {
                    packets: 1,
                    first: now.0,
                    unknown,
                };
                self.errors.insert(key, seen);
            }
        }
        Some(ConversationId(at))
    }

    fn await_fragments(&mut self, datagram: Datagram, place: First) {
        if self.datagrams.len() >= MOST_ASIDE {
            let now = place.2;
            self.datagrams
                .retain(|_, (_, _, since)| now <= since.after_seconds(FRAGMENT_SECONDS));
        }
        if self.datagrams.len() < MOST_ASIDE {
            self.datagrams.insert(datagram, place);
        }
    }
}

/// The same for both directions.
fn canonical(key: FlowKey) -> FlowKey {
    key.min(key.reversed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::build::udp;

    #[test]
    fn beyond_the_ceiling_packets_are_counted_and_known_conversations_go_on() {
        let (mut conversations, inside) = (Conversations::new(10), Inside::new(&[]));
        let mut take = |from: u16| {
            let packet = udp(([10, 0, 1, 10], from), ([10, 0, 1, 53], 53), b"?").bytes();
            let headers = Headers::parse(&packet).expect("whole");
            conversations
                .take(&packet, &headers, Nanos(0), &inside)
                .is_some()
        };
        assert!((0..10).all(&mut take));
        assert!(!(10..100).any(&mut take));
        assert!(take(3));
        assert_eq!(
            (conversations.list().len(), conversations.beyond()),
            (10, 90)
        );
    }

    #[test]
    fn datagrams_whose_fragments_never_come_are_forgotten() {
        let (mut conversations, inside) = (Conversations::new(10), Inside::new(&[]));
        let whole = udp(([10, 0, 1, 10], 4000), ([10, 0, 1, 53], 53), &[0; 3000]);
        for number in 0..3 * MOST_ASIDE as u32 {
            let first = whole.clone().identification(number as u16);
            let first = first.fragments(1500).swap_remove(0);
            let headers = Headers::parse(&first).expect("whole");
            // A millisecond apart, and so many come back under the same identification.
            let now = Nanos(u64::from(number) * 1_000_000);
            conversations.take(&first, &headers, now, &inside);
        }
        assert!(conversations.datagrams.len() <= MOST_ASIDE);
    }
}
