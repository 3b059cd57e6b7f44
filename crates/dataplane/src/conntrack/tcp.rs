//! One TCP connection (kernel `nf_conntrack_proto_tcp.c`).

use super::Direction;
use super::flags::{Flag, Flags};
use super::judgement::{Invalid, Judgement, Opening, Settings};
use super::tcp_options::Offer;
use super::tcp_segment::Segment;
use super::tcp_states::{Class, Next, TcpState, next};
use super::tcp_window::{End, Fit, Positions, before, check};
use super::tracker::{ASSURED, OWN, Phase, REPLIED, Tracker};
use crate::Nanos;
use vpcsim_network::{Conntrack, TcpWindow};
use vpcsim_packet::{Headers, Tcp as TcpHeader};

/// This many repetitions of a segment without progress: the other end is
/// probably gone (`nf_conntrack_tcp_max_retrans`).
const MAX_RETRANSMISSIONS: u8 = 3;

/// An out-of-window FIN or RST, answered by one, shortens only deadlines
/// farther away than this.
const WORTH_SHORTENING: u64 = 120_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tcp {
    ends: [End; 2],
    last: Last,
    /// Of a SYN that was ignored: what it offered.
    ignored_offer: Offer,
    state: TcpState,
    /// How often the last segment came again; counted to `MAX_RETRANSMISSIONS`.
    repetitions: u8,
    pub(super) flags: Flags,
}

/// A SYN from each end (RFC 9293 §3.5).
const SIMULTANEOUS: Flag = Flag::bit(OWN);
/// Both ends want to close but tracking could not place their segments.
const OUT_OF_STEP: Flag = Flag::bit(OWN + 1);

// What the last accepted segment says about how long to wait for the next.
const RESET: Flag = Flag::bit(OWN + 2);
const UNACKNOWLEDGED: Flag = Flag::bit(OWN + 3);
const CLOSED_WINDOW: Flag = Flag::bit(OWN + 4);
const ONE_SIDED: Flag = Flag::bit(OWN + 5);

/// The segment to which the next one may be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Last {
    sequence: u32,
    acknowledgment: u32,
    end: u32,
    window: u16,
    class: Option<Class>,
    flags: Flags,
}

/// It travelled in the reply direction.
const REPLY: Flag = Flag::bit(0);
/// It is an ignored SYN, and an ACK that comes next is a challenge (RFC 5961 §4), not the
/// acknowledgment of the last FIN.
const CHALLENGED: Flag = Flag::bit(1);

impl Last {
    #[inline]
    fn came_from(&self, direction: Direction) -> bool {
        self.flags.has(REPLY) == (direction == Direction::Reply)
    }

    #[inline]
    fn set(&mut self, class: Class, direction: Direction) {
        self.class = Some(class);
        self.flags.set(REPLY, direction == Direction::Reply);
    }

    /// Remembers where a segment stands, to know it when it comes again.
    #[inline]
    fn place(&mut self, at: Positions, window: u16) {
        self.sequence = at.sequence;
        self.acknowledgment = at.acknowledgment;
        self.end = at.end;
        self.window = window;
    }

    #[inline]
    fn stands(&self, at: Positions, window: u16) -> bool {
        (self.sequence == at.sequence)
            & (self.acknowledgment == at.acknowledgment)
            & (self.end == at.end)
            & (self.window == window)
    }
}

impl Tcp {
    /// What a segment without a connection begins.
    pub(super) fn open(
        packet: &[u8],
        headers: &Headers,
        tcp: &TcpHeader,
        settings: &Settings,
    ) -> Opening {
        let segment = match Segment::of(packet, headers, tcp) {
            Ok(segment) => segment,
            Err(reason) => return Opening::Invalid(reason),
        };
        let (ends, opening): ([End; 2], fn(Tracker) -> Opening) = match segment.class {
            Class::Syn => ([End::opening(&segment), End::default()], Opening::Opens),
            Class::Ack if settings.loose => (
                [End::picked_up(&segment), End::unseen_in_the_middle()],
                Opening::MidStream,
            ),
            _ => return Opening::Invalid(Invalid::NotAnOpening),
        };
        let mut connection = Self {
            ends,
            last: Last::default(),
            ignored_offer: Offer::default(),
            state: TcpState::None,
            repetitions: 0,
            flags: Flags::default(),
        };
        match connection.judge(&segment, Direction::Original, settings) {
            Judgement::Pass => opening(Tracker::of_tcp(connection)),
            Judgement::Invalid(reason) => Opening::Invalid(reason),
            _ => Opening::Invalid(Invalid::NotAnOpening),
        }
    }

    pub(super) fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        tcp: &TcpHeader,
        direction: Direction,
        settings: &Settings,
    ) -> Judgement {
        self.flags.set(OUT_OF_STEP, false);
        let segment = match Segment::of(packet, headers, tcp) {
            Ok(segment) => segment,
            Err(reason) => return Judgement::Invalid(reason),
        };
        // Nearly every segment: data or an acknowledgment within an open connection. `judge`
        // would come to the same; here the compiler knows the class.
        if self.state == TcpState::Established && segment.class == Class::Ack {
            let stays = (TcpState::Established, TcpState::Established);
            return self.follow(&segment, direction, stays, settings);
        }
        self.judge(&segment, direction, settings)
    }

    /// What [`update`](Self::update) does for a segment that neither opens nor ends anything in an
    /// established connection; false where it would not simply pass: then nothing has happened.
    // Inlined where its segment is read: of that it is known what it is not.
    #[inline(always)]
    pub(super) fn go_on(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        settings: &Settings,
    ) -> bool {
        if self.state != TcpState::Established {
            return false;
        }
        let stays = (TcpState::Established, TcpState::Established);
        if settings.window == TcpWindow::Ignore {
            // Positions are learned and not judged: it passes.
            self.flags.set(OUT_OF_STEP, false);
            let judgement = self.follow(segment, direction, stays, settings);
            debug_assert_eq!(judgement, Judgement::Pass);
            return true;
        }
        let before = *self;
        self.flags.set(OUT_OF_STEP, false);
        let passes = self.follow(segment, direction, stays, settings) == Judgement::Pass;
        if !passes {
            *self = before;
        }
        passes
    }

    fn judge(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        settings: &Settings,
    ) -> Judgement {
        let mut from = self.state;
        let mut to = match next(from, direction, segment.class) {
            Next::Invalid => return Judgement::Invalid(Invalid::OutOfState),
            Next::Ignore if self.answers_ignored_syn(segment, direction) => {
                self.get_in_step(direction);
                from = TcpState::SynSent;
                TcpState::SynRecv
            }
            Next::Ignore => return self.ignore(segment, direction),
            Next::To(state) => state,
        };
        match to {
            TcpState::SynSent if matches!(from, TcpState::TimeWait | TcpState::Close) => {
                return if self.may_reopen(direction) {
                    Judgement::Reopen
                } else {
                    self.ignore(segment, direction)
                };
            }
            TcpState::TimeWait if self.is_challenge(segment, direction, from) => {
                self.last.flags.set(CHALLENGED, false);
                return Judgement::Ignored;
            }
            TcpState::SynSent2 => self.flags.set(SIMULTANEOUS, true),
            TcpState::SynRecv
                if direction == Direction::Reply
                    && segment.class == Class::Ack
                    && self.flags.has(SIMULTANEOUS) =>
            {
                to = TcpState::Established;
            }
            TcpState::Close if segment.class == Class::Rst => {
                match self.reset(segment, direction, from, settings) {
                    Reset::Old => return Judgement::Invalid(Invalid::OldReset),
                    Reset::Certain => return self.accept(segment, direction, from, to),
                    Reset::Plausible => {}
                    Reset::Inexact => to = from,
                }
            }
            _ => {}
        }

        self.follow(segment, direction, (from, to), settings)
    }

    /// Goes from one state to another if the segment is in window.
    #[inline(always)]
    fn follow(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        (from, to): (TcpState, TcpState),
        settings: &Settings,
    ) -> Judgement {
        match self.check_window(segment, direction, settings) {
            Fit::Fits(positions) => self.count_repetition(segment, direction, positions),
            Fit::Unjudged => {}
            Fit::Ignored => return Judgement::Ignored,
            Fit::Invalid(reason) => {
                self.note_invalid(segment.class, direction);
                return Judgement::Invalid(reason);
            }
        }
        self.accept(segment, direction, from, to)
    }

    #[inline(always)]
    fn accept(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        from: TcpState,
        to: TcpState,
    ) -> Judgement {
        self.last.set(segment.class, direction);
        self.state = to;
        if from != to && to == TcpState::FinWait {
            self.ends[direction.index()].close_first();
        }
        let replied = self.flags.has(REPLIED);
        if !replied {
            if segment.class == Class::Rst {
                return Judgement::Ends;
            }
            if segment.class == Class::Syn && from == TcpState::SynSent {
                // Else a client that reuses its port would keep an entry that
                // nobody answers alive for ever.
                return Judgement::Ignored;
            }
        }
        let unacknowledged = self.ends[0].unacknowledged() || self.ends[1].unacknowledged();
        let lasting = matches!(from, TcpState::SynRecv | TcpState::Established)
            && to == TcpState::Established;
        self.flags = self
            .flags
            .with(RESET, segment.class == Class::Rst)
            .with(UNACKNOWLEDGED, unacknowledged)
            .with(CLOSED_WINDOW, self.last.window == 0)
            .with(ONE_SIDED, !replied)
            .with(ASSURED, self.flags.has(ASSURED) || (replied && lasting));
        Judgement::Pass
    }

    /// Whether a SYN in a finished connection begins a new one: after an
    /// orderly close, or when its sender had reset the old one. Otherwise
    /// tracking may be wrong about the end, and only the answer will tell.
    fn may_reopen(&self, direction: Direction) -> bool {
        self.ends.iter().any(|end| end.closed_first())
            || (self.last.came_from(direction) && self.last.class == Some(Class::Rst))
    }

    /// A SYN-ACK that acknowledges a SYN which was ignored: the ends are in
    /// step with each other and tracking is not.
    fn answers_ignored_syn(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        segment.class == Class::SynAck
            && self.last.class == Some(Class::Syn)
            && !self.last.came_from(direction)
            && segment.acknowledgment == self.last.end
    }

    /// Believes the ignored SYN to which a SYN-ACK in `direction` answers.
    fn get_in_step(&mut self, direction: Direction) {
        self.ends[direction.opposite().index()] =
            End::of_syn(self.last.end, self.last.window, self.ignored_offer);
        self.last.flags.set(CHALLENGED, false);
        self.ends[direction.index()].forget();
    }

    /// Lets a segment through without believing it, but remembers it.
    fn ignore(&mut self, segment: &Segment<'_>, direction: Direction) -> Judgement {
        self.last.set(segment.class, direction);
        self.last.sequence = segment.sequence;
        self.last.end = segment.end;
        self.last.window = segment.window;
        if segment.class == Class::Syn && direction == Direction::Original {
            self.ignored_offer = Offer::of(segment.options);
            self.flags.set(SIMULTANEOUS, false);
            let challenged = self.state == TcpState::LastAck;
            self.last.flags.set(CHALLENGED, challenged);
        }
        if self.state == TcpState::SynSent
            && segment.class == Class::Ack
            && direction == Direction::Reply
        {
            self.last.acknowledgment = segment.acknowledgment;
        }
        Judgement::Ignored
    }

    /// RFC 5961 §4: the answer to a stray SYN, easily taken for the
    /// acknowledgment of the last FIN.
    fn is_challenge(&self, segment: &Segment<'_>, direction: Direction, from: TcpState) -> bool {
        from == TcpState::LastAck
            && segment.class == Class::Ack
            && !self.last.came_from(direction)
            && self.last.class == Some(Class::Syn)
            && self.last.flags.has(CHALLENGED)
    }

    fn reset(
        &self,
        segment: &Segment<'_>,
        direction: Direction,
        from: TcpState,
        settings: &Settings,
    ) -> Reset {
        // SEMANTICS §6, `tcp_window: ignore`: a RST of the flow closes it. And
        // while closing the ports may be in use again: what is known of the
        // window may be of another connection.
        if settings.window == TcpWindow::Ignore || from.is_closing() {
            return Reset::Certain;
        }
        let (replied, assured) = (self.flags.has(REPLIED), self.flags.has(ASSURED));
        let established = from == TcpState::Established && assured;
        let receiver = &self.ends[direction.opposite().index()];
        // After an ignored SYN the highest acknowledgment may be outdated.
        if let Some(expected) = receiver.acknowledged()
            && self.last.class != Some(Class::Syn)
        {
            if segment.sequence == 0 && !established {
                // Most likely the answer to a SYN that was let through.
                return Reset::Plausible;
            }
            if before(segment.sequence, expected) {
                return Reset::Old;
            }
            if !established || segment.sequence == expected {
                return Reset::Plausible;
            }
            let follows_own_data = self.last.class == Some(Class::Ack)
                && self.last.came_from(direction)
                && segment.sequence == self.last.end;
            if follows_own_data {
                return Reset::Plausible;
            }
            // RFC 5961 §3: the receiver will challenge it.
            return Reset::Inexact;
        }
        let refuses = match self.last.class {
            Some(Class::Syn) => replied && !self.last.came_from(direction),
            Some(Class::Ack) => !assured,
            _ => false,
        };
        if refuses && segment.acknowledgment == self.last.end {
            return Reset::Certain;
        }
        let answers_challenge = from == TcpState::SynSent
            && self.last.class == Some(Class::Ack)
            && self.last.flags.has(REPLY)
            && segment.sequence == self.last.acknowledgment;
        if answers_challenge {
            return Reset::Certain;
        }
        Reset::Plausible
    }

    #[inline(always)]
    fn check_window(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        settings: &Settings,
    ) -> Fit {
        let [original, reply] = &mut self.ends;
        let (sender, receiver) = match direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        };
        let judged = settings.window == TcpWindow::Track;
        check(sender, receiver, segment, direction, self.state, judged)
    }

    #[inline]
    fn count_repetition(&mut self, segment: &Segment<'_>, direction: Direction, at: Positions) {
        if segment.class != Class::Ack {
            return;
        }
        // Which end it is from nobody can foresee, that it is no repetition nearly always.
        if self.last.came_from(direction) & self.last.stands(at, segment.window) {
            self.repetitions = (self.repetitions + 1).min(MAX_RETRANSMISSIONS);
        } else {
            self.last.place(at, segment.window);
            self.repetitions = 0;
        }
    }

    /// Remembers a FIN or RST that was out of window; answered by one of the
    /// other end, the connection is over, whatever tracking can prove.
    fn note_invalid(&mut self, class: Class, direction: Direction) {
        if !self.flags.has(ASSURED) || !matches!(class, Class::Fin | Class::Rst) {
            return;
        }
        let answers = !self.last.came_from(direction)
            && matches!(self.last.class, Some(Class::Fin | Class::Rst));
        if answers {
            self.flags.set(OUT_OF_STEP, true);
        } else {
            self.last.set(class, direction);
        }
    }

    /// The deadline after a segment that was invalid.
    pub(super) fn deadline_after_invalid(
        &self,
        current: Nanos,
        now: Nanos,
        timeouts: &Conntrack,
    ) -> Nanos {
        if self.flags.has(OUT_OF_STEP) && current.since(now) >= WORTH_SHORTENING {
            current.min(now.after_seconds(timeouts.tcp_unacknowledged))
        } else {
            current
        }
    }

    #[inline]
    pub(super) fn timeout(&self, timeouts: &Conntrack) -> u32 {
        let full = match self.state {
            TcpState::None | TcpState::Close => timeouts.tcp_close,
            TcpState::SynSent | TcpState::SynSent2 => timeouts.tcp_syn_sent,
            TcpState::SynRecv => timeouts.tcp_syn_recv,
            TcpState::Established => timeouts.tcp_established,
            TcpState::FinWait => timeouts.tcp_fin_wait,
            TcpState::CloseWait => timeouts.tcp_close_wait,
            TcpState::LastAck => timeouts.tcp_last_ack,
            TcpState::TimeWait => timeouts.tcp_time_wait,
        };
        let repeating = self.repetitions >= MAX_RETRANSMISSIONS;
        let picked = if repeating && full > timeouts.tcp_max_retrans {
            timeouts.tcp_max_retrans
        } else if self.flags.has(RESET) {
            timeouts.tcp_close
        } else if self.flags.has(UNACKNOWLEDGED) && full > timeouts.tcp_unacknowledged {
            timeouts.tcp_unacknowledged
        } else if self.flags.has(CLOSED_WINDOW) && full > timeouts.tcp_max_retrans {
            timeouts.tcp_max_retrans
        } else {
            full
        };
        if self.flags.has(ONE_SIDED) && self.state == TcpState::Established {
            picked.min(timeouts.tcp_unacknowledged)
        } else {
            picked
        }
    }

    /// The shortest [`timeout`](Self::timeout) from here on, as long as the connection is not closing.
    pub(super) fn least_timeout(&self, timeouts: &Conntrack) -> u32 {
        let established = timeouts
            .tcp_established
            .min(timeouts.tcp_max_retrans)
            .min(timeouts.tcp_unacknowledged);
        if self.state == TcpState::Established {
            established
        } else {
            let handshake = timeouts.tcp_syn_sent.min(timeouts.tcp_syn_recv);
            established.min(handshake)
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.state {
            state if state.is_closing() || self.flags.has(RESET) => Phase::TcpClosing,
            TcpState::Established if self.flags.has(REPLIED) => Phase::TcpEstablished,
            _ => Phase::TcpHalfOpen,
        }
    }

    pub(super) fn state(&self) -> TcpState {
        self.state
    }
}

/// How much a RST is worth.
enum Reset {
    /// Older than what its receiver has acknowledged.
    Old,
    /// Closes the connection whatever the window says.
    Certain,
    /// Closes the connection if the window agrees.
    Plausible,
    /// Perhaps forged: passes if the window agrees, closes nothing.
    Inexact,
}
