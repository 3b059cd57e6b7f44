//! The beginning of a walk: the clock moves, the packet is looked at as it is (SEMANTICS §11), and
//! where it starts is decided (§12).

use super::{Pending, Step, Walk, fragment_key};
use crate::fragments::Later;
use crate::observe::Observer;
use crate::packet::{Changes, Packet};
use crate::verdict::{Drop, DropReason, Element, Stage, Verdict};
use crate::walk::{Arrival, Role, Walked};
use crate::{Nanos, Place, Source};
use vpcsim_packet::{FlowKey, Headers, Verdict as ChecksumVerdict, verify_checksums};

impl<O: Observer> Walk<'_, O> {
    pub(super) fn advance(&mut self, to: Nanos) {
        self.state.now = self.state.now.max(to);
        let now = self.state.now;
        self.state.end_due(self.program);
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
        let drop = Drop::new(DropReason::FragmentTimeout, Stage::Packet, Element::Packet);
        if let Ok(headers) = Headers::parse(bytes) {
            let key = fragment_key(&headers);
            let packet = Packet {
                id,
                generated: false,
                bytes,
                headers,
                key,
                changes: Changes::default(),
            };
            self.note_drop(&packet, &drop);
        }
        Verdict::Dropped(drop)
    }

    /// A packet enters the simulation: is it whole, whose fragment is it, where does it start?
    pub(super) fn admit(&mut self, arrival: Arrival, bytes: &mut [u8]) -> Walked {
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
            changes: Changes::default(),
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
}

/// Whether a checksum of the packet is wrong, as far as can be told.
fn is_wrong(packet: &Packet<'_>) -> bool {
    let report = verify_checksums(packet.bytes, &packet.headers);
    [report.ip, report.transport].contains(&ChecksumVerdict::Wrong)
}
