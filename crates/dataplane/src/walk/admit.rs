//! The beginning of a walk: the clock moves, the packet is looked at as it is (SEMANTICS §11), and
//! where it starts is decided (§12).

use super::{Pending, Step, Walk, fragment_key};
use crate::fragments::{HeldFragment, Later};
use crate::observe::Observer;
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, Stage, Verdict};
use crate::walk::{Arrival, Role, Walked};
use crate::{Nanos, Place, Source};
use vpcsim_packet::{FlowKey, Headers, Verdict as ChecksumVerdict, verify_checksums};

/// What is known of a fragment beyond its bytes.
#[derive(Debug)]
pub(crate) struct Fragment {
    /// The flow that its datagram's first one named.
    pub(crate) flow: FlowKey,
    /// Those that waited for it, if it is the first.
    pub(crate) released: Vec<HeldFragment>,
}

impl<O: Observer> Walk<'_, O> {
    /// A packet has its turn.
    pub(super) fn begin(&mut self, arrival: &Arrival) {
        self.advance(arrival.time, self.state.ends_a_turn);
        self.state.journal_begin(arrival.id);
    }

    /// Moves the clock, and ends so many connections at most.
    pub(super) fn advance(&mut self, to: Nanos, ends: usize) {
        self.state.now = self.state.now.max(to);
        let now = self.state.now;
        if now < self.state.next_due() {
            return;
        }
        self.state.end_some(self.program, ends);
        if self.state.fragments.is_empty() {
            return;
        }
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
        let drop = fragment_timeout();
        if let Ok(headers) = &mut Headers::parse(bytes) {
            let key = fragment_key(headers);
            let packet = Packet::new(id, bytes, headers, key);
            self.note_drop(&packet, &drop);
        }
        Verdict::Dropped(drop)
    }

    /// A packet enters the simulation: is it whole, whose fragment is it, where does it start?
    pub(super) fn admit(&mut self, arrival: &Arrival, bytes: &mut [u8]) -> Walked {
        let uncut = |verdict| Walked {
            verdict,
            cut: false,
        };
        if bytes.first().is_some_and(|first| first >> 4 == 6) {
            return uncut(Verdict::NotIpv4);
        }
        let mut parsed = Headers::parse(bytes);
        let headers = match &mut parsed {
            Ok(headers) => headers,
            Err(malformed) => return uncut(Verdict::Malformed(*malformed)),
        };
        let key = FlowKey::of(headers);
        let known = key.unwrap_or_else(|| fragment_key(headers));
        let Arrival { id, source, .. } = *arrival;
        let mut packet = Packet::new(id, bytes, headers, known);
        if self.program.verify_checksums() && is_wrong(packet.bytes, packet.headers) {
            let drop = Drop::new(DropReason::BadChecksum, Stage::Packet, Element::Packet);
            self.note_drop(&packet, &drop);
            return uncut(Verdict::Dropped(drop));
        }
        let step = self.start(source, &packet.key);
        let now = self.now();
        if let Some(key) = key {
            if packet.headers.more_fragments {
                let first = &*packet.headers;
                let released = self.state.fragments.first(source, first, key, now);
                self.release(released, key, step);
            }
        } else {
            match self
                .state
                .fragments
                .later(source, packet.headers, id, packet.bytes, now)
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
        self.carry(&mut packet, step)
    }

    /// [`Self::admit`] for a fragment whose flow is known.
    pub(super) fn admit_fragment(
        &mut self,
        arrival: &Arrival,
        bytes: &mut [u8],
        fragment: Fragment,
    ) -> Walked {
        let mut parsed = Headers::parse(bytes);
        let headers = match &mut parsed {
            Ok(headers) => headers,
            Err(malformed) => {
                return Walked {
                    verdict: Verdict::Malformed(*malformed),
                    cut: false,
                };
            }
        };
        let mut packet = Packet::new(arrival.id, bytes, headers, fragment.flow);
        let step = self.start(arrival.source, &packet.key);
        self.release(fragment.released, fragment.flow, step);
        self.carry(&mut packet, step)
    }

    /// Fragments that waited go on after their first one.
    fn release(&mut self, fragments: Vec<HeldFragment>, flow: FlowKey, step: Step) {
        let pending = fragments.into_iter().map(|held| Pending {
            id: held.id,
            role: Role::Captured,
            bytes: held.bytes,
            key: Some(flow),
            step,
        });
        self.pending.extend(pending);
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
}

/// Its first one did not come, or too many came before it.
pub(crate) fn fragment_timeout() -> Drop {
    Drop::new(DropReason::FragmentTimeout, Stage::Packet, Element::Packet)
}

/// Whether a checksum of a packet is wrong, as far as can be told.
pub(crate) fn is_wrong(bytes: &[u8], headers: &Headers) -> bool {
    let report = verify_checksums(bytes, headers);
    [report.ip, report.transport].contains(&ChecksumVerdict::Wrong)
}
