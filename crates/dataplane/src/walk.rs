//! One packet through all stages: the truth.

mod admit;
mod ended;
mod judge;
mod notes;
mod recipe;

pub(crate) use admit::{Fragment, fragment_timeout, is_wrong};
pub use ended::{Arrival, Other, Role, Walked};
pub(crate) use judge::{Met, Opened};
pub(crate) use notes::Note;
use recipe::Recipe;

use crate::conntrack::Settings;
use crate::flow_cache::{Key, Memory};
use crate::observe::Observer;
use crate::packet::{Changes, Packet};
use crate::state::{Door, State};
use crate::verdict::{Drop, DropReason, Element, Stage, Verdict};
use crate::{Nanos, Place, Program};
use std::collections::VecDeque;
use vpcsim_network::{CvmId, ExternalId, NatGatewayId, NicId};
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
    walk.begin(arrival);
    let walked = walk.admit(arrival, bytes);
    walk.finish();
    walked
}

/// [`walk`] for a fragment whose datagram's first one is known: somebody else holds those that
/// wait.
pub(crate) fn walk_fragment<O: Observer>(
    program: &Program,
    state: &mut State,
    arrival: Arrival,
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
    arrival: Arrival,
    bytes: &mut [u8],
    key: &Key,
    observer: &mut O,
    others: &mut Vec<Other>,
) -> Walked {
    let mut walk = Walk::new(program, state, observer, others);
    walk.begin(arrival);
    let walked = walk.admit(arrival, bytes);
    let memory = walk.memory.take();
    if let Some(memory) = memory
        && walk.pending.is_empty()
        && let Some(way) = walk.observer.remember(&key.flow(), &memory.becomes)
    {
        walk.state.remember(program, key, &memory, way);
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
    Walk::new(program, state, observer, others).advance(now);
}

/// Where a packet goes next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// A host sends it: its routing decides the nic.
    Send(CvmId),
    /// It leaves a nic (§2).
    Leave(NicId),
    /// It has left a nic and the link; acl and routes come next (§2.4). `back`: the public door
    /// of the flow that it answers (§2.5a).
    Route { nic: NicId, back: Door },
    /// It arrives from the internet with a public destination (§3). `hairpin`: the gateway that
    /// just translated it on its way out.
    FromInternet { hairpin: Option<NatGatewayId> },
    /// It was captured inside although it comes from the internet (§12).
    Untranslate,
    /// It arrives by a gateway at the edge of the simulated world.
    FromExternal(ExternalId),
    /// It enters a nic (§5).
    Enter(Approach),
    /// It ends.
    End(Place),
}

/// How a packet comes to a nic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Approach {
    pub(crate) nic: NicId,
    /// From within the subnet: no acl (§2.3), or from its router.
    pub(crate) same_subnet: bool,
    /// As a next hop, destination untouched (§2.6).
    pub(crate) next_hop: bool,
    /// The public door it came in by.
    pub(crate) entry: Door,
}

impl Approach {
    /// Crossing into the nic's subnet.
    pub(crate) fn crossing(nic: NicId) -> Self {
        Self {
            nic,
            same_subnet: false,
            next_hop: false,
            entry: Door::NONE,
        }
    }
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
    memory: Option<Memory>,
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
            recipe: Recipe::default(),
            memory: None,
            at: None,
        }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Nanos {
        self.state.now
    }

    /// Carries a packet step by step until it ends.
    fn carry(&mut self, packet: Packet<'_>, step: Step) -> Walked {
        (self.memory, self.at) = (None, None);
        let walked = self.carry_on(packet, step);
        self.settle();
        walked
    }

    fn carry_on(&mut self, mut packet: Packet<'_>, step: Step) -> Walked {
        let mut next: Result<Step, Stopped> = Ok(step);
        loop {
            next = match next {
                Ok(Step::Send(cvm)) => self.send(&mut packet, cvm),
                Ok(Step::Leave(nic)) => self.leave(&mut packet, nic),
                Ok(Step::Route { nic, back }) => self.route(&mut packet, nic, back),
                Ok(Step::FromInternet { hairpin }) => {
                    self.arrive_from_internet(&mut packet, hairpin)
                }
                Ok(Step::Untranslate) => self.untranslate(&mut packet),
                Ok(Step::FromExternal(external)) => self.arrive_from_external(&packet, external),
                Ok(Step::Enter(approach)) => self.enter(&mut packet, approach),
                Ok(Step::End(place)) => {
                    self.note_delivery(&packet, place);
                    self.settle();
                    self.memory = self.memory(&packet, place);
                    return Walked {
                        verdict: Verdict::Delivered(place),
                        cut: false,
                    };
                }
                Err(Stopped::Drop(drop)) => {
                    self.note_drop(&packet, &drop);
                    return Walked {
                        verdict: Verdict::Dropped(drop),
                        cut: false,
                    };
                }
                Err(Stopped::Cut { pieces, next }) => {
                    self.settle();
                    self.recipe.spoil();
                    return self.carry_pieces(&packet, pieces, next);
                }
            };
        }
    }

    /// Carries the pieces of a packet that was cut.
    fn carry_pieces(&mut self, whole: &Packet<'_>, pieces: Vec<Vec<u8>>, next: Step) -> Walked {
        let mut verdict: Option<Verdict> = None;
        for mut bytes in pieces {
            let Ok(headers) = Headers::parse(&bytes) else {
                continue;
            };
            let piece = Packet {
                id: whole.id,
                generated: whole.generated,
                bytes: &mut bytes,
                headers,
                key: whole.key,
                changes: Changes::default(),
            };
            let ended = self.carry(piece, next);
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
            let Ok(headers) = Headers::parse(&pending.bytes) else {
                continue;
            };
            let key = FlowKey::of(&headers)
                .or(pending.key)
                .unwrap_or(fragment_key(&headers));
            let packet = Packet {
                id: pending.id,
                generated: pending.role == Role::Generated,
                bytes: &mut pending.bytes,
                headers,
                key,
                changes: Changes::default(),
            };
            let walked = self.carry(packet, pending.step);
            self.push_other(pending.id, pending.role, walked, pending.bytes);
        }
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
