//! One TCP connection (kernel `nf_conntrack_proto_tcp.c`).

use super::Direction;
use super::judgement::{Invalid, Judgement, Opening, Settings};
use super::tcp_options::Offer;
use super::tcp_segment::Segment;
use super::tcp_states::{Class, Next, TcpState, next};
use super::tcp_window::{End, Fit, Positions, before, check};
use super::tracker::{Phase, Seen, Tracker};
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
    state: TcpState,
    ends: [End; 2],
    last: Last,
    retransmissions: u8,
    simultaneous: bool,
    /// Both ends want to close but tracking could not place their segments.
    out_of_step: bool,
    lease: Lease,
}

/// The segment to which the next one may be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Last {
    class: Option<Class>,
    reply: bool,
    sequence: u32,
    acknowledgment: u32,
    end: u32,
    window: u16,
    /// Of an ignored SYN: what it offered.
    offer: Offer,
    /// Of an ignored SYN: an ACK that comes next is a challenge (RFC 5961 §4),
    /// not the acknowledgment of the last FIN.
    challenge: bool,
}

impl Last {
    fn came_from(&self, direction: Direction) -> bool {
        self.reply == (direction == Direction::Reply)
    }

    fn set(&mut self, class: Class, direction: Direction) {
        self.class = Some(class);
        self.reply = direction == Direction::Reply;
    }
}

/// What the last accepted segment says about how long to wait for the next.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Lease {
    repeating: bool,
    reset: bool,
    unacknowledged: bool,
    closed_window: bool,
    one_sided: bool,
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
            state: TcpState::None,
            ends,
            last: Last::default(),
            retransmissions: 0,
            simultaneous: false,
            out_of_step: false,
            lease: Lease::default(),
        };
        let seen = Seen {
            replied: false,
            assured: false,
        };
        match connection.judge(&segment, Direction::Original, seen, settings) {
            (Judgement::Pass, _) => opening(Tracker::of_tcp(connection)),
            (Judgement::Invalid(reason), _) => Opening::Invalid(reason),
            _ => Opening::Invalid(Invalid::NotAnOpening),
        }
    }

    /// The judgement, and whether the connection is assured from here on.
    pub(super) fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        tcp: &TcpHeader,
        direction: Direction,
        seen: Seen,
        settings: &Settings,
    ) -> (Judgement, bool) {
        self.out_of_step = false;
        match Segment::of(packet, headers, tcp) {
            Ok(segment) => self.judge(&segment, direction, seen, settings),
            Err(reason) => (Judgement::Invalid(reason), false),
        }
    }

    fn judge(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        seen: Seen,
        settings: &Settings,
    ) -> (Judgement, bool) {
        let judged = settings.window == TcpWindow::Track;
        let mut from = self.state;
        let mut to = match next(from, direction, segment.class) {
            Next::Invalid => return (Judgement::Invalid(Invalid::OutOfState), false),
            Next::Ignore if self.answers_ignored_syn(segment, direction) => {
                self.get_in_step(direction);
                from = TcpState::SynSent;
                TcpState::SynRecv
            }
            Next::Ignore => return (self.ignore(segment, direction), false),
            Next::To(state) => state,
        };
        let mut in_window = false;
        match to {
            TcpState::SynSent if matches!(from, TcpState::TimeWait | TcpState::Close) => {
                let judgement = if self.may_reopen(direction) {
                    Judgement::Reopen
                } else {
                    self.ignore(segment, direction)
                };
                return (judgement, false);
            }
            TcpState::TimeWait if self.is_challenge(segment, direction, from) => {
                self.last.challenge = false;
                return (Judgement::Ignored, false);
            }
            TcpState::SynSent2 => self.simultaneous = true,
            TcpState::SynRecv
                if direction == Direction::Reply
                    && segment.class == Class::Ack
                    && self.simultaneous =>
            {
                to = TcpState::Established;
            }
            TcpState::Close if segment.class == Class::Rst => {
                match self.reset(segment, direction, seen, from, judged) {
                    Reset::Old => return (Judgement::Invalid(Invalid::OldReset), false),
                    Reset::Certain => in_window = true,
                    Reset::Plausible => {}
                    Reset::Inexact => to = from,
                }
            }
            _ => {}
        }

        if !in_window {
            match self.check_window(segment, direction, judged) {
                Fit::Fits(positions) => self.count_repetition(segment, direction, positions),
                Fit::Unjudged => {}
                Fit::Ignored => return (Judgement::Ignored, false),
                Fit::Invalid(reason) => {
                    self.note_invalid(segment.class, direction, seen);
                    return (Judgement::Invalid(reason), false);
                }
            }
        }
        self.accept(segment, direction, seen, from, to)
    }

    fn accept(
        &mut self,
        segment: &Segment<'_>,
        direction: Direction,
        seen: Seen,
        from: TcpState,
        to: TcpState,
    ) -> (Judgement, bool) {
        self.last.set(segment.class, direction);
        self.state = to;
        if from != to && to == TcpState::FinWait {
            self.ends[direction.index()].closed_first = true;
        }
        if !seen.replied {
            if segment.class == Class::Rst {
                return (Judgement::Ends, false);
            }
            if segment.class == Class::Syn && from == TcpState::SynSent {
                // Else a client that reuses its port would keep an entry that
                // nobody answers alive for ever.
                return (Judgement::Ignored, false);
            }
        }
        self.lease = Lease {
            repeating: self.retransmissions >= MAX_RETRANSMISSIONS,
            reset: segment.class == Class::Rst,
            unacknowledged: self.ends.iter().any(|end| end.unacknowledged),
            closed_window: self.last.window == 0,
            one_sided: !seen.replied,
        };
        let assured = seen.replied
            && matches!(from, TcpState::SynRecv | TcpState::Established)
            && to == TcpState::Established;
        (Judgement::Pass, assured)
    }

    /// Whether a SYN in a finished connection begins a new one: after an
    /// orderly close, or when its sender had reset the old one. Otherwise
    /// tracking may be wrong about the end, and only the answer will tell.
    fn may_reopen(&self, direction: Direction) -> bool {
        self.ends.iter().any(|end| end.closed_first)
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
        self.ends[direction.opposite().index()] = End {
            sent: self.last.end,
            limit: self.last.end,
            window: u32::from(self.last.window).max(1),
            scale: self.last.offer.window_scale.unwrap_or(0),
            scaling: self.last.offer.window_scale.is_some(),
            sack: self.last.offer.sack,
            ..End::default()
        };
        self.last.challenge = false;
        self.ends[direction.index()].forget();
    }

    /// Lets a segment through without believing it, but remembers it.
    fn ignore(&mut self, segment: &Segment<'_>, direction: Direction) -> Judgement {
        self.last.set(segment.class, direction);
        self.last.sequence = segment.sequence;
        self.last.end = segment.end;
        self.last.window = segment.window;
        if segment.class == Class::Syn && direction == Direction::Original {
            self.last.offer = Offer::of(segment.options);
            self.simultaneous = false;
            self.last.challenge = self.state == TcpState::LastAck;
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
            && self.last.challenge
    }

    fn reset(
        &self,
        segment: &Segment<'_>,
        direction: Direction,
        seen: Seen,
        from: TcpState,
        judged: bool,
    ) -> Reset {
        // SEMANTICS §6, `tcp_window: ignore`: a RST of the flow closes it. And
        // while closing the ports may be in use again: what is known of the
        // window may be of another connection.
        if !judged || from.is_closing() {
            return Reset::Certain;
        }
        let established = from == TcpState::Established && seen.assured;
        let receiver = &self.ends[direction.opposite().index()];
        // After an ignored SYN the highest acknowledgment may be outdated.
        if let Some(expected) = receiver.acknowledged
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
            Some(Class::Syn) => seen.replied && !self.last.came_from(direction),
            Some(Class::Ack) => !seen.assured,
            _ => false,
        };
        if refuses && segment.acknowledgment == self.last.end {
            return Reset::Certain;
        }
        let answers_challenge = from == TcpState::SynSent
            && self.last.class == Some(Class::Ack)
            && self.last.reply
            && segment.sequence == self.last.acknowledgment;
        if answers_challenge {
            return Reset::Certain;
        }
        Reset::Plausible
    }

    fn check_window(&mut self, segment: &Segment<'_>, direction: Direction, judged: bool) -> Fit {
        let [original, reply] = &mut self.ends;
        let (sender, receiver) = match direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        };
        check(sender, receiver, segment, direction, self.state, judged)
    }

    fn count_repetition(&mut self, segment: &Segment<'_>, direction: Direction, at: Positions) {
        if segment.class != Class::Ack {
            return;
        }
        let again = self.last.came_from(direction)
            && self.last.sequence == at.sequence
            && self.last.acknowledgment == at.acknowledgment
            && self.last.end == at.end
            && self.last.window == segment.window;
        if again {
            self.retransmissions = self.retransmissions.saturating_add(1);
        } else {
            self.last.reply = direction == Direction::Reply;
            self.last.sequence = at.sequence;
            self.last.acknowledgment = at.acknowledgment;
            self.last.end = at.end;
            self.last.window = segment.window;
            self.retransmissions = 0;
        }
    }

    /// Remembers a FIN or RST that was out of window; answered by one of the
    /// other end, the connection is over, whatever tracking can prove.
    fn note_invalid(&mut self, class: Class, direction: Direction, seen: Seen) {
        if !seen.assured || !matches!(class, Class::Fin | Class::Rst) {
            return;
        }
        let answers = !self.last.came_from(direction)
            && matches!(self.last.class, Some(Class::Fin | Class::Rst));
        if answers {
            self.out_of_step = true;
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
        if self.out_of_step && current.since(now) >= WORTH_SHORTENING {
            current.min(now.after_seconds(timeouts.tcp_unacknowledged))
        } else {
            current
        }
    }

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
        let lease = &self.lease;
        let picked = if lease.repeating && full > timeouts.tcp_max_retrans {
            timeouts.tcp_max_retrans
        } else if lease.reset {
            timeouts.tcp_close
        } else if lease.unacknowledged && full > timeouts.tcp_unacknowledged {
            timeouts.tcp_unacknowledged
        } else if lease.closed_window && full > timeouts.tcp_max_retrans {
            timeouts.tcp_max_retrans
        } else {
            full
        };
        if lease.one_sided && self.state == TcpState::Established {
            picked.min(timeouts.tcp_unacknowledged)
        } else {
            picked
        }
    }

    pub(super) fn phase(&self, replied: bool) -> Phase {
        match self.state {
            state if state.is_closing() || self.lease.reset => Phase::TcpClosing,
            TcpState::Established if replied => Phase::TcpEstablished,
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
