//! One packet through all stages: the truth.

use crate::conntrack::Settings;
use crate::fragments::Later;
use crate::observe::{Decision, Observer, Outcome, Stop};
use crate::packet::Packet;
use crate::state::{Entry, State};
use crate::verdict::{Drop, DropReason, Element, Policy, Rule, Stage, Verdict};
use crate::{Nanos, Place, Program, Source};
use std::collections::VecDeque;
use vpcsim_network::{CvmId, ExternalId, MidStream, NatGatewayId, NicId};
use vpcsim_packet::{FlowKey, Headers, Verdict as ChecksumVerdict, verify_checksums};

/// A packet as it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The caller's number for it, given back in [`Other`] and [`Stop`].
    pub id: u64,
    /// When. A time before the latest seen is taken as the latest seen (§12).
    pub time: Nanos,
    /// Where it starts.
    pub source: Source,
}

/// What became of the packet that [`walk`] was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// The verdict. The packet was rewritten in place and stands as it looks where it ended.
    pub verdict: Verdict,
    /// It was cut to the link's size: its pieces are among the [`Other`]s, with
    /// [`Role::Piece`], and the verdict is the first drop among them, else their delivery.
    pub cut: bool,
}

/// A packet that ended during a walk beside the one that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The number of the packet it is, is part of, or was made on account of.
    pub id: u64,
    /// What it is.
    pub role: Role,
    /// What became of it.
    pub verdict: Verdict,
    /// It was cut to the link's size: its pieces stand beside it, as in [`Walked::cut`].
    pub cut: bool,
    /// The packet as it looks where it ended, from its IPv4 header on.
    pub bytes: Vec<u8>,
    /// Length that its header says, or the captured one.
    pub original_len: usize,
}

/// What an [`Other`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A packet that was given earlier and held: this is its final verdict.
    Captured,
    /// A piece of a packet that was cut.
    Piece,
    /// A packet that the network made: an ICMP error, a proxied echo reply.
    Generated,
}

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
    walk.advance(arrival.time);
    let walked = walk.admit(arrival, bytes);
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
    Route { nic: NicId, back: Option<Entry> },
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
    pub(crate) entry: Option<Entry>,
}

impl Approach {
    /// Crossing into the nic's subnet.
    pub(crate) fn crossing(nic: NicId) -> Self {
        Self {
            nic,
            same_subnet: false,
            next_hop: false,
            entry: None,
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
}

impl<'a, O: Observer> Walk<'a, O> {
    fn new(
        program: &'a Program,
        state: &'a mut State,
        observer: &'a mut O,
        others: &'a mut Vec<Other>,
    ) -> Self {
        let policies = &program.network().policies;
        let loose = policies.mid_stream == MidStream::Judge;
        let settings = Settings {
            window: policies.tcp_window,
            loose,
        };
        Self {
            program,
            state,
            settings,
            observer,
            others,
            pending: VecDeque::new(),
        }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Nanos {
        self.state.now
    }

    fn advance(&mut self, to: Nanos) {
        self.state.now = self.state.now.max(to);
        let now = self.state.now;
        self.state.flows.expire(now, |_, _| {});
        self.state.sessions.expire(now);
        let mut timed_out = Vec::new();
        self.state
            .fragments
            .expire(now, |fragment| timed_out.push(fragment));
        for mut fragment in timed_out {
            let verdict = self.fragment_timeout(fragment.id, &mut fragment.bytes);
            let walked = Walked {
                verdict,
                cut: false,
            };
            self.push_other(fragment.id, Role::Captured, walked, fragment.bytes);
        }
    }

    fn fragment_timeout(&mut self, id: u64, bytes: &mut [u8]) -> Verdict {
        let drop = Drop::new(DropReason::FragmentTimeout, Stage::Packet, Element::Packet);
        if let Ok(headers) = Headers::parse(bytes) {
            let key = fragment_key(&headers);
            let packet = Packet {
                id,
                generated: false,
                bytes,
                headers,
                key,
            };
            self.note_drop(&packet, &drop);
        }
        Verdict::Dropped(drop)
    }

    /// A packet enters the simulation: is it whole, whose fragment is it, where does it start?
    fn admit(&mut self, arrival: Arrival, bytes: &mut [u8]) -> Walked {
        let uncut = |verdict| Walked {
            verdict,
            cut: false,
        };
        if bytes.first().is_some_and(|first| first >> 4 == 6) {
            return uncut(Verdict::NotIpv4);
        }
        let headers = match Headers::parse(bytes) {
            Ok(headers) => headers,
            Err(malformed) => return uncut(Verdict::Malformed(malformed)),
        };
        let key = FlowKey::of(&headers);
        let known = key.unwrap_or_else(|| fragment_key(&headers));
        let Arrival { id, source, .. } = arrival;
        let mut packet = Packet {
            id,
            generated: false,
            bytes,
            headers,
            key: known,
        };
        if self.program.verify_checksums() && is_wrong(&packet) {
            let drop = Drop::new(DropReason::BadChecksum, Stage::Packet, Element::Packet);
            self.note_drop(&packet, &drop);
            return uncut(Verdict::Dropped(drop));
        }
        let step = self.start(source, &packet.key);
        let now = self.now();
        if let Some(key) = key {
            if headers.more_fragments {
                for held in self.state.fragments.first(source, &headers, key, now) {
                    let (id, role) = (held.id, Role::Captured);
                    self.pending.push_back(Pending {
                        id,
                        role,
                        bytes: held.bytes,
                        key: Some(key),
                        step,
                    });
                }
            }
        } else {
            match self
                .state
                .fragments
                .later(source, &headers, id, packet.bytes, now)
            {
                Later::Follow(first) => packet.key = first,
                Later::Held => {
                    self.note_hold(&packet);
                    return uncut(Verdict::Held);
                }
                Later::Overflow => {
                    return uncut(self.fragment_timeout(id, packet.bytes));
                }
            }
        }
        self.carry(packet, step)
    }

    /// Where the walk begins for a packet of this source.
    fn start(&self, source: Source, key: &FlowKey) -> Step {
        match source {
            Source::Cvm(cvm) => Step::Send(cvm),
            Source::Nic(nic) => Step::Leave(nic),
            Source::External(external) => Step::FromExternal(external),
            Source::Internet => {
                if self.program.eip_of_public(key.destination).is_some() {
                    Step::FromInternet { hairpin: None }
                } else if self.program.is_private(key.destination) {
                    // Whoever sent it, an eip of ours included (§4): nobody on the internet
                    // sends to a private address, so it was captured inside.
                    Step::Untranslate
                } else if self.program.eip_of_public(key.source).is_some() {
                    // §12: seen on the internet, already translated, on its way to a stranger.
                    Step::End(Place::Internet)
                } else {
                    Step::FromInternet { hairpin: None }
                }
            }
        }
    }

    /// Carries a packet step by step until it ends.
    fn carry(&mut self, mut packet: Packet<'_>, mut step: Step) -> Walked {
        loop {
            let next = match step {
                Step::Send(cvm) => self.send(&mut packet, cvm),
                Step::Leave(nic) => self.leave(&mut packet, nic),
                Step::Route { nic, back } => self.route(&mut packet, nic, back),
                Step::FromInternet { hairpin } => self.arrive_from_internet(&mut packet, hairpin),
                Step::Untranslate => self.untranslate(&mut packet),
                Step::FromExternal(external) => self.arrive_from_external(&packet, external),
                Step::Enter(approach) => self.enter(&mut packet, approach),
                Step::End(place) => {
                    self.note_delivery(&packet, place);
                    return Walked {
                        verdict: Verdict::Delivered(place),
                        cut: false,
                    };
                }
            };
            step = match next {
                Ok(next) => next,
                Err(Stopped::Drop(drop)) => {
                    self.note_drop(&packet, &drop);
                    return Walked {
                        verdict: Verdict::Dropped(drop),
                        cut: false,
                    };
                }
                Err(Stopped::Cut { pieces, next }) => {
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
            };
            let walked = self.carry(packet, pending.step);
            self.push_other(pending.id, pending.role, walked, pending.bytes);
        }
    }

    /// The network makes a packet on account of another one. Packets that it made itself cause
    /// none, so that nothing multiplies.
    pub(crate) fn generate(&mut self, cause: &Packet<'_>, bytes: Option<Vec<u8>>, step: Step) {
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
        let Walked { verdict, cut } = walked;
        let original_len = Headers::parse(&bytes).map_or(bytes.len(), |headers| headers.total_len);
        self.others.push(Other {
            id,
            role,
            verdict,
            cut,
            bytes,
            original_len,
        });
    }

    /// Tells the observer how a packet passed a stage.
    pub(crate) fn note(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        outcome: Outcome,
    ) {
        self.note_decided(packet, stage, element, outcome, None, None);
    }

    /// Tells the observer how a packet passed a stage, and what decided.
    pub(crate) fn note_decided(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        outcome: Outcome,
        rule: Option<Rule>,
        policy: Option<Policy>,
    ) {
        let decision = Decision::Pass(outcome);
        self.observe(packet, stage, element, decision, rule, policy);
    }

    fn note_drop(&mut self, packet: &Packet<'_>, drop: &Drop) {
        let decision = Decision::Drop(drop.reason);
        self.observe(
            packet,
            drop.stage,
            drop.element,
            decision,
            drop.rule,
            drop.policy,
        );
    }

    fn note_hold(&mut self, packet: &Packet<'_>) {
        self.observe(
            packet,
            Stage::Packet,
            Element::Packet,
            Decision::Hold,
            None,
            None,
        );
    }

    fn note_delivery(&mut self, packet: &Packet<'_>, place: Place) {
        let (stage, element) = match place {
            Place::Nic(nic) => (Stage::Host, Element::Nic(nic)),
            Place::Internet => (Stage::Internet, Element::Internet),
            Place::External(external) => (Stage::External, Element::External(external)),
            Place::NatGateway(gateway) => (Stage::NatGateway, Element::NatGateway(gateway)),
        };
        self.observe(packet, stage, element, Decision::Deliver(place), None, None);
    }

    fn observe(
        &mut self,
        packet: &Packet<'_>,
        stage: Stage,
        element: Element,
        decision: Decision,
        rule: Option<Rule>,
        policy: Option<Policy>,
    ) {
        self.observer.stop(&Stop {
            id: packet.id,
            generated: packet.generated,
            stage,
            element,
            decision,
            rule,
            policy,
            headers: &packet.headers,
            bytes: packet.bytes,
        });
    }
}

/// What is known of a later fragment's flow before its first one is.
fn fragment_key(headers: &Headers) -> FlowKey {
    FlowKey {
        protocol: headers.protocol,
        source: headers.source,
        source_port: 0,
        destination: headers.destination,
        destination_port: 0,
    }
}

/// Whether a checksum of the packet is wrong, as far as can be told.
fn is_wrong(packet: &Packet<'_>) -> bool {
    let report = verify_checksums(packet.bytes, &packet.headers);
    [report.ip, report.transport].contains(&ChecksumVerdict::Wrong)
}
