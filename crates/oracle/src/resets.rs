//! Which flows have seen a RST that a liberal kernel may not believe.

use crate::conversation::{Content, Flow, Side, Step};
use std::collections::BTreeMap;
use vpcsim_packet::TcpFlags;

/// Follows the sequence numbers of flows, and the resets that do not fit them.
#[derive(Debug, Default)]
pub(crate) struct Resets(BTreeMap<Flow, Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    /// What each side sends next.
    next: [Option<u32>; 2],
    /// What each side has acknowledged.
    acknowledged: [Option<u32>; 2],
    /// Some segment was not the next one of its side.
    out_of_order: bool,
    doubtful: bool,
}

impl Resets {
    /// A step is taken.
    pub(crate) fn see(&mut self, step: &Step) {
        let Content::Tcp {
            flags,
            sequence,
            acknowledgment,
            length,
            ..
        } = step.content
        else {
            return;
        };
        let flow = self.0.entry(step.flow).or_default();
        let (own, peer) = match step.from {
            Side::Inside => (0, 1),
            Side::Outside => (1, 0),
        };
        let plain = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST]
            .iter()
            .filter(|&&flag| flags.contains(flag))
            .count()
            <= 1;
        // A second SYN may be ignored, and what it says with it.
        let again = flags.contains(TcpFlags::SYN) && flow.next[own].is_some();
        flow.out_of_order |= again || !plain || flow.next[own].is_some_and(|next| next != sequence);
        if flags.contains(TcpFlags::ACK) {
            flow.out_of_order |= flow.next[peer].is_some_and(|next| next != acknowledgment);
        }
        if flags.contains(TcpFlags::RST) {
            let exact = flow.acknowledged[peer].is_none_or(|expected| expected == sequence);
            flow.doubtful |= flow.out_of_order || !exact;
        }
        let counted = flags.contains(TcpFlags::SYN) || flags.contains(TcpFlags::FIN);
        flow.next[own] = Some(
            sequence
                .wrapping_add(length as u32)
                .wrapping_add(counted.into()),
        );
        if flags.contains(TcpFlags::ACK) {
            flow.acknowledged[own] = Some(acknowledgment);
        }
    }

    /// Whether the flow has seen a RST with another sequence number than its receiver's highest
    /// acknowledgment, or after segments that leave in doubt what that is.
    pub(crate) fn doubtful(&self, flow: &Flow) -> bool {
        self.0.get(flow).is_some_and(|numbers| numbers.doubtful)
    }
}
