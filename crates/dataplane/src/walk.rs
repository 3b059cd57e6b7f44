//! One packet through all stages: the truth.

mod admit;
mod ended;
mod judge;
mod notes;
mod recipe;
mod step;

pub(crate) use admit::{Fragment, fragment_timeout, is_wrong};
pub use ended::{Arrival, Other, Role, Walked};
pub(crate) use judge::{Begins, Met, Opened};
pub(crate) use notes::Note;
use recipe::Recipe;
pub(crate) use step::{Approach, Onward, Step};

use crate::conntrack::{Settings, Tracker};
use crate::flow_cache::Key;
use crate::observe::Observer;
use crate::packet::Packet;
use crate::state::State;
use crate::verdict::{Drop, DropReason, Element, Stage, Verdict};
use crate::{Nanos, Program};
use std::collections::VecDeque;
use vpcsim_network::NicId;
use vpcsim_packet::{FlowKey, Headers};

/// Carries one packet from where it starts to its verdict (SEMANTICS §2–§12).
///
/// `bytes` is the packet from its IPv4 header on, at least as much as was captured; it is
/// rewritten in place. Packets that end on the way (fragments that were held, pieces, packets
/// that the network makes) are appended to `others` in the order in which they end.
pub fn walk<O: Observer>(
    program: &Program,
    state: &mut State,
    arrival: Arrival,
    bytes: &mut [u8],
    observer: &mut O,
    others: &mut Vec<Other>,
) -> Walked {
    let mut walk = Walk::new(program, state, observer, others);
    walk.begin(&arrival);
    let walked = walk.admit(&arrival, bytes);
    walk.finish();
    walked
}

/// [`walk`] for a fragment whose datagram's first one is known: somebody else holds those that
/// wait.
pub(crate) fn walk_fragment<O: Observer>(
    program: &Program,
    state: &mut State,
    arrival: &Arrival,
    bytes: &mut [u8],
    fragment: Fragment,
    observer: &mut O,
    others: &mut Vec<Other>,
) -> Walked {
    let mut walk = Walk::new(program, state, observer, others);
    walk.begin(arrival);
    let walked = walk.admit_fragment(arrival, bytes, fragment);
    walk.finish();
    walked
}

/// [`walk`] for a packet whose way is worth remembering: a whole TCP or UDP packet that arrives
/// by `key`.
pub(crate) fn walk_and_remember<O: Observer>(
    program: &Program,
    state: &mut State,
    arrival: &Arrival,
    bytes: &mut [u8],
    key: &Key,
    observer: &mut O,
    others: &mut Vec<Other>,
) -> Walked {
    let mut walk = Walk::new(program, state, observer, others);
    walk.begin(arrival);
    let walked = walk.admit(arrival, bytes);
    if let Some(memory) = walk.recipe.memory(O::WATCHES)
        && walk.pending.is_empty()
        && let Some(way) = walk
            .observer
            .remember(&key.flow(), &memory.becomes.unpack(key.is_tcp()))
    {
        walk.state.remember(program, key, memory, way);
    }
    walk.finish();
    walked
}

/// Moves the clock without a packet: ends what is due. Fragments that waited too long are
/// appended to `others` with their verdict.
pub fn advance<O: Observer>(
    program: &Program,
    state: &mut State,
    now: Nanos,
    observer: &mut O,
    others: &mut Vec<Other>,
) {
    Walk::new(program, state, observer, others).advance(now, usize::MAX);
}

/// How a stage ends when the packet does not simply go on.
pub(crate) enum Stopped {
    /// Dropped here.
    Drop(Drop),
    /// Cut into pieces, each of which goes on with `next`.
    Cut { pieces: Vec<Vec<u8>>, next: Step },
}

impl From<Drop> for Stopped {
    fn from(drop: Drop) -> Self {
        Self::Drop(drop)
    }
}

/// A packet that waits for its turn.
struct Pending {
    id: u64,
    role: Role,
    bytes: Vec<u8>,
    /// The first fragment's flow, for a later fragment.
    key: Option<FlowKey>,
    step: Step,
}

/// One call of [`walk`]. The stages are its methods, one file each in `stage/`.
pub(crate) struct Walk<'a, O> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a mut State,
    pub(crate) settings: Settings,
    observer: &'a mut O,
    others: &'a mut Vec<Other>,
    pending: VecDeque<Pending>,
    pub(crate) recipe: Recipe,
    /// What the packet would open, since [`Walk::open`] said so and until a place remembers it.
    begun: Tracker,
    /// The nic that the packet is leaving, has left last, or is entering.
    pub(crate) at: Option<NicId>,
}

impl<'a, O: Observer> Walk<'a, O> {
    fn new(
        program: &'a Program,
        state: &'a mut State,
        observer: &'a mut O,
        others: &'a mut Vec<Other>,
    ) -> Self {
        Self {
            program,
            state,
            settings: Settings::of(program),
            observer,
            others,
            pending: VecDeque::new(),
            recipe: Recipe::new(),
            begun: Tracker::of_nothing(),
            at: None,
        }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Nanos {
        self.state.now
    }

    /// Carries a packet step by step until it ends.
    fn carry(&mut self, packet: &mut Packet<'_>, step: Step) -> Walked {
        self.recipe.set_out();
        self.at = None;
        let walked = self.carry_on(packet, step);
        self.settle();
        walked
    }

    fn carry_on(&mut self, packet: &mut Packet<'_>, mut step: Step) -> Walked {
        loop {
            let next = match step {
                Step::Send(cvm) => self.send(packet, cvm),
                Step::Leave(nic) => self.leave(packet, nic),
                Step::Route { nic, back } => self.route(packet, nic, back),
                Step::FromInternet { hairpin } => self.arrive_from_internet(packet, hairpin),
                Step::Untranslate => self.untranslate(packet),
                Step::FromExternal(external) => self.arrive_from_external(packet, external),
                Step::Enter(approach) => self.enter(packet, approach),
                Step::End(place) => {
                    self.note_delivery(packet, place);
                    self.settle();
                    self.recipe.arrive(packet, place);
                    return Walked {
                        verdict: Verdict::Delivered(place),
                        cut: false,
                    };
                }
            };
            step = match next {
                Ok(next) => next.step(),
                Err(Stopped::Drop(drop)) => {
                    self.note_drop(packet, &drop);
                    return Walked {
                        verdict: Verdict::Dropped(drop),
                        cut: false,
                    };
                }
                Err(Stopped::Cut { pieces, next }) => {
                    self.settle();
                    self.recipe.spoil();
                    return self.carry_pieces(packet, pieces, next);
                }
            };
        }
    }

    /// Carries the pieces of a packet that was cut.
    fn carry_pieces(&mut self, whole: &Packet<'_>, pieces: Vec<Vec<u8>>, next: Step) -> Walked {
        let mut verdict: Option<Verdict> = None;
        for mut bytes in pieces {
            let Ok(headers) = &mut Headers::parse(&bytes) else {
                continue;
            };
            let mut piece = Packet::new(whole.id, &mut bytes, headers, whole.key);
            piece.generated = whole.generated;
            let ended = self.carry(&mut piece, next);
            if !matches!(verdict, Some(Verdict::Dropped(_))) {
                verdict = Some(ended.verdict);
            }
            self.push_other(whole.id, Role::Piece, ended, bytes);
        }
        let lost = Drop::new(DropReason::TooBig, Stage::Mtu, Element::Packet);
        Walked {
            verdict: verdict.unwrap_or(Verdict::Dropped(lost)),
            cut: true,
        }
    }

    /// Lets everything that waits for its turn have it.
    fn finish(&mut self) {
        while let Some(mut pending) = self.pending.pop_front() {
            let Ok(headers) = &mut Headers::parse(&pending.bytes) else {
                continue;
            };
            let key = FlowKey::of(headers)
                .or(pending.key)
                .unwrap_or(fragment_key(headers));
            let mut packet = Packet::new(pending.id, &mut pending.bytes, headers, key);
            packet.generated = pending.role == Role::Generated;
            let walked = self.carry(&mut packet, pending.step);
            self.push_other(pending.id, pending.role, walked, pending.bytes);
        }
        self.state.has_passed();
    }

    /// The network makes a packet on account of another one. Packets that it made itself cause
    /// none, so that nothing multiplies.
    pub(crate) fn generate(&mut self, cause: &Packet<'_>, bytes: Option<Vec<u8>>, step: Step) {
        self.recipe.spoil();
        if let (Some(bytes), false) = (bytes, cause.generated) {
            let pending = Pending {
                id: cause.id,
                role: Role::Generated,
                bytes,
                key: None,
                step,
            };
            self.pending.push_back(pending);
        }
    }

    fn push_other(&mut self, id: u64, role: Role, walked: Walked, bytes: Vec<u8>) {
        self.others.push(Other::new(id, role, walked, bytes));
    }
}

/// What is known of a later fragment's flow before its first one is.
pub(crate) fn fragment_key(headers: &Headers) -> FlowKey {
    FlowKey {
        protocol: headers.protocol,
        source: headers.source,
        source_port: 0,
        destination: headers.destination,
        destination_port: 0,
    }
}
