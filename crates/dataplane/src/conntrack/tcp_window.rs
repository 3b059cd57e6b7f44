//! Whether a segment lies within what both ends have shown they would take
//! (kernel `nf_conntrack_proto_tcp.c`, `tcp_in_window`; after van Rooij,
//! "Real Stateful TCP Packet Filtering in IP Filter").
//!
//! A segment of one end is plausible when it
//!
//! 1. begins no later than the other end has room for,
//! 2. ends no earlier than one window of the other end before the newest data,
//! 3. acknowledges nothing that the other end has not sent,
//! 4. acknowledges nothing very old.
//!
//! Sequence numbers wrap, so every comparison is a signed difference.

use super::Direction;
use super::flags::{Flag, Flags};
use super::judgement::Invalid;
use super::tcp_options::{Offer, sack_right_edges};
use super::tcp_segment::Segment;
use super::tcp_states::{Class, TcpState};
use std::hint::select_unpredictable;

/// Acknowledgments may be this old, or one window old if that is more.
const OLDEST_ACK: u32 = 66_000;

#[inline]
pub(super) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[inline]
pub(super) fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

/// What one end of the connection has shown. Packed: two of them, and what else is known of a
/// connection, share a cache line with its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(Rust, packed(2))]
pub(super) struct End {
    /// The sequence number after the newest data it sent.
    pub(super) sent: u32,
    /// The last sequence number that it may send: the other end's
    /// acknowledgment and window together.
    pub(super) limit: u32,
    /// The largest window it has offered, scaled; 0 until it was seen.
    pub(super) window: u32,
    /// The highest acknowledgment it has sent, if `ACKNOWLEDGED`.
    highest: u32,
    /// Shift of its windows, whether it offered that, and whether it understands selective
    /// acknowledgments.
    pub(super) offer: Offer,
    flags: Flags,
}

const ACKNOWLEDGED: Flag = Flag::bit(0);
const LIBERAL: Flag = Flag::bit(1);
const UNACKNOWLEDGED: Flag = Flag::bit(2);
const CLOSED_FIRST: Flag = Flag::bit(3);

impl End {
    /// The highest acknowledgment it has sent.
    #[inline]
    pub(super) fn acknowledged(&self) -> Option<u32> {
        self.flags.has(ACKNOWLEDGED).then_some(self.highest)
    }

    /// Its beginning was not seen: nothing it sends is out of window.
    #[inline]
    fn liberal(&self) -> bool {
        self.flags.has(LIBERAL)
    }

    /// Some data it sent is not acknowledged yet.
    #[inline]
    pub(super) fn unacknowledged(&self) -> bool {
        self.flags.has(UNACKNOWLEDGED)
    }

    /// It closed first.
    pub(super) fn closed_first(&self) -> bool {
        self.flags.has(CLOSED_FIRST)
    }

    pub(super) fn close_first(&mut self) {
        self.flags.set(CLOSED_FIRST, true);
    }

    /// An end of which one SYN was seen, long ago.
    pub(super) fn of_syn(end: u32, window: u16, offer: Offer) -> Self {
        Self {
            sent: end,
            limit: end,
            window: u32::from(window).max(1),
            offer,
            ..Self::default()
        }
    }

    /// An end whose first segment opens a connection.
    pub(super) fn opening(segment: &Segment<'_>) -> Self {
        let mut end = Self::of_syn(segment.end, segment.window, Offer::default());
        end.take_offer(segment.options);
        end
    }

    /// An end whose first segment comes from the middle of a connection: its
    /// scale is unknown, so its windows mean little.
    pub(super) fn picked_up(segment: &Segment<'_>) -> Self {
        let window = u32::from(segment.window).max(1);
        Self {
            sent: segment.end,
            limit: segment.end.wrapping_add(window),
            window,
            ..Self::unseen_in_the_middle()
        }
    }

    /// The end opposite to one that was picked up.
    pub(super) fn unseen_in_the_middle() -> Self {
        Self {
            offer: Offer::SACK,
            flags: Flags::default().with(LIBERAL, true),
            ..Self::default()
        }
    }

    /// Forgets everything but that its beginning was not seen.
    pub(super) fn forget(&mut self) {
        *self = Self {
            flags: Flags::default().with(LIBERAL, self.liberal()),
            ..Self::default()
        };
    }

    /// A SYN without options says nothing; one with options says everything.
    fn take_offer(&mut self, options: &[u8]) {
        if options.is_empty() {
            return;
        }
        self.offer = Offer::of(options);
        self.highest = 0;
        self.flags = Flags::default().with(LIBERAL, self.liberal());
    }

    fn begin(&mut self, other: &mut Self, segment: &Segment<'_>, direction: Direction) {
        self.sent = segment.end;
        self.limit = segment.end;
        self.window = u32::from(segment.window).max(1);
        self.take_offer(segment.options);
        // RFC 7323 §2.2: both ends must offer scaling.
        if direction == Direction::Reply && !(self.offer.scaling() && other.offer.scaling()) {
            self.offer = self.offer.unscaled();
            other.offer = other.offer.unscaled();
        }
    }
}

/// What the window check says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// In window.
    Fits(Positions),
    /// Cannot be checked or need not be: passes, and the connection moves on.
    Unjudged,
    /// Late or slightly too far: passes, and the connection stays as it is.
    Ignored,
    /// Out of window.
    Invalid(Invalid),
}

/// The positions of a segment as they were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Positions {
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) end: u32,
}

/// Checks a segment from `sender` and takes over what it shows.
#[inline(always)]
pub(super) fn check(
    sender: &mut End,
    receiver: &mut End,
    segment: &Segment<'_>,
    direction: Direction,
    state: TcpState,
    judged: bool,
) -> Fit {
    let mut sequence = segment.sequence;
    let mut end = segment.end;
    let mut ack = segment.acknowledgment;
    let mut sack = ack;
    if receiver.offer.sack() {
        sack = sack_right_edges(segment.options).fold(sack, |highest, edge| {
            if after(edge, highest) { edge } else { highest }
        });
    }

    if sender.window == 0 {
        if segment.has_syn() {
            sender.begin(receiver, segment, direction);
            if !segment.has_ack() {
                return Fit::Unjudged;
            }
        } else {
            meet_in_the_middle(sender, receiver, segment, sack);
        }
    } else if segment.has_syn()
        && after(end, sender.sent)
        && matches!(state, TcpState::SynSent | TcpState::SynRecv)
    {
        // The same direction opens once more with a later sequence number.
        sender.begin(receiver, segment, direction);
        if direction == Direction::Reply && !segment.has_ack() {
            return Fit::Unjudged;
        }
    }

    let reset = segment.class == Class::Rst;
    // Without an acknowledgment, and in a RST with a zero one, none is judged.
    if !segment.has_ack() || (reset && ack == 0) {
        ack = receiver.sent;
        sack = ack;
    }
    if reset && sequence == 0 && state == TcpState::SynSent {
        // A refusal need not know the sequence number.
        sequence = sender.sent;
        end = sender.sent;
    }

    let judged = judged && !sender.liberal();
    if let Some(misfit) = misfit(sender, receiver, sequence, end, sack) {
        return if judged { misfit } else { Fit::Unjudged };
    }
    let positions = Positions {
        sequence,
        acknowledgment: ack,
        end,
    };
    learn(sender, receiver, segment, positions, sack);
    Fit::Fits(positions)
}

/// The first segment of an end, not a SYN: its history is unknown.
fn meet_in_the_middle(sender: &mut End, receiver: &mut End, segment: &Segment<'_>, sack: u32) {
    sender.sent = segment.end;
    sender.window = (u32::from(segment.window) << sender.offer.scale()).max(1);
    sender.limit = segment.end.wrapping_add(sender.window);
    if receiver.window == 0 {
        // Nothing is known of the other end either: believe the acknowledgment.
        receiver.sent = sack;
        receiver.limit = sack;
    } else if sack == receiver.sent.wrapping_add(1) {
        // Probably the answer to a keepalive.
        receiver.sent = sack;
    }
}

/// Which of the four bounds the segment breaks, if any.
#[inline]
fn misfit(sender: &mut End, receiver: &End, sequence: u32, end: u32, sack: u32) -> Option<Fit> {
    let oldest_end = sender.sent.wrapping_sub(receiver.window).wrapping_sub(1);
    let oldest_ack = receiver
        .sent
        .wrapping_sub(sender.window.max(OLDEST_ACK))
        .wrapping_sub(1);
    let ack_was_sent = before(sack, receiver.sent.wrapping_add(1));
    let ack_is_recent = after(sack, oldest_ack);

    if !before(sequence, sender.limit.wrapping_add(1)) {
        let overshot = end.wrapping_sub(sender.limit).wrapping_add(1);
        let by_a_window_at_most = receiver.window != 0
            && after(end, oldest_end)
            && ack_is_recent
            && overshot <= receiver.window
            && ack_was_sent;
        if !by_a_window_at_most {
            return Some(Fit::Invalid(Invalid::SequenceAhead));
        }
        // Some ends send more than they may. Remember it, or every later
        // acknowledgment of it would be taken for one of unsent data.
        sender.sent = end;
        sender.flags.set(UNACKNOWLEDGED, true);
        return Some(Fit::Ignored);
    }
    if !ack_was_sent {
        return Some(Fit::Invalid(Invalid::AcknowledgmentAhead));
    }
    let recent = receiver.window == 0 || after(end, oldest_end);
    (!recent || !ack_is_recent).then_some(Fit::Ignored)
}

/// Takes over what a segment in window shows of both ends.
#[inline]
fn learn(
    sender: &mut End,
    receiver: &mut End,
    segment: &Segment<'_>,
    Positions {
        acknowledgment: ack,
        end,
        ..
    }: Positions,
    sack: u32,
) {
    // RFC 7323 §2.2: the window of a SYN is never scaled.
    let scale = if segment.has_syn() {
        0
    } else {
        sender.offer.scale()
    };
    let window = u32::from(segment.window) << scale;

    sender.window = sender
        .window
        .max(window.wrapping_add(sack.wrapping_sub(ack)));
    if after(end, sender.sent) {
        sender.sent = end;
        sender.flags.set(UNACKNOWLEDGED, true);
    }
    if segment.has_ack() {
        // Whether it acknowledges anything new nobody can foresee: no branch.
        let news = !sender.flags.has(ACKNOWLEDGED) | after(ack, sender.highest);
        sender.highest = select_unpredictable(news, ack, sender.highest);
        sender.flags.set(ACKNOWLEDGED, true);
    }

    if receiver.window != 0 && after(end, sender.limit) {
        receiver.window = receiver.window.wrapping_add(end.wrapping_sub(sender.limit));
    }
    let limit = sack.wrapping_add(window);
    if after(limit, receiver.limit.wrapping_sub(1)) {
        // A closed window still takes a probe.
        receiver.limit = limit.wrapping_add(u32::from(window == 0));
    }
    if ack == receiver.sent {
        receiver.flags.set(UNACKNOWLEDGED, false);
    }
}
