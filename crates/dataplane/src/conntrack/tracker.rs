//! The protocol state machine of one connection, whatever its protocol.

use super::Direction;
use super::flags::{Flag, Flags};
use super::judgement::{Invalid, Judgement, Opening, Settings};
use super::other::Other;
use super::tcp::Tcp;
use super::tcp_segment::Segment;
use crate::Nanos;
use vpcsim_network::{Conntrack, NatTimeouts};
use vpcsim_packet::{Headers, Shape, Transport};

/// The protocol state of one connection, as nf_conntrack keeps it.
///
/// Later fragments and ICMP errors never reach a tracker: the first take the
/// way of their first fragment, the second that of the packet they quote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracker(Kind);

// With the flow entries that stand for it, it fills one cache line.
const _: () = assert!(size_of::<Tracker>() <= 56);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Tcp(Tcp),
    Other(Other),
}

/// A [`Tracker`] where it is kept: that of TCP takes many times the place of any other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrackerRef<'a>(KindRef<'a>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum KindRef<'a> {
    Tcp(&'a Tcp),
    Other(&'a Other),
}

/// The same, to change.
#[derive(Debug)]
pub(crate) struct TrackerMut<'a>(KindMut<'a>);

#[derive(Debug)]
enum KindMut<'a> {
    Tcp(&'a mut Tcp),
    Other(&'a mut Other),
}

/// A packet in the reply direction was seen before the one under judgement.
pub(super) const REPLIED: Flag = Flag::bit(0);
/// There was enough traffic for the kernel to spare the connection when its table is full.
pub(super) const ASSURED: Flag = Flag::bit(1);
/// The first flag that each protocol has for itself.
pub(super) const OWN: u8 = 2;

/// How far a connection has come, as NAT timeouts see it (SEMANTICS §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// TCP before the handshake is complete, or picked up and not yet answered.
    TcpHalfOpen,
    /// TCP, both directions seen.
    TcpEstablished,
    /// TCP after a FIN or RST.
    TcpClosing,
    /// UDP.
    Udp,
    /// An ICMP query.
    Icmp,
    /// Any other protocol.
    Other,
}

impl Tracker {
    /// What a packet without a connection begins. `packet` starts at its IPv4
    /// header and is read for TCP options only.
    pub fn open(packet: &[u8], headers: &Headers, now: Nanos, settings: &Settings) -> Opening {
        if let Transport::Tcp(tcp) = &headers.transport {
            return Tcp::open(packet, headers, tcp, settings);
        }
        match Other::open(headers, now) {
            Ok(other) => Opening::Opens(Self(Kind::Other(other))),
            Err(reason) => Opening::Invalid(reason),
        }
    }

    /// Of a protocol without states: stands where none is known yet.
    pub(crate) fn of_nothing() -> Self {
        Self(Kind::Other(Other::GENERIC))
    }

    pub(super) fn of_tcp(tcp: Tcp) -> Self {
        Self(Kind::Tcp(tcp))
    }

    /// As it is seen where it is kept.
    #[inline]
    pub(crate) fn by_ref(&self) -> TrackerRef<'_> {
        match &self.0 {
            Kind::Tcp(tcp) => TrackerRef::of_tcp(tcp),
            Kind::Other(other) => TrackerRef::of_other(other),
        }
    }

    #[inline]
    fn by_mut(&mut self) -> TrackerMut<'_> {
        match &mut self.0 {
            Kind::Tcp(tcp) => TrackerMut::of_tcp(tcp),
            Kind::Other(other) => TrackerMut::of_other(other),
        }
    }

    /// What a packet with this connection's key, travelling in `direction`,
    /// means for it. `packet` is read for TCP options only.
    #[inline]
    pub fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> Judgement {
        let mut kept = self.by_mut();
        kept.update(packet, headers, direction, now, settings)
    }

    /// Seconds that the last packet judged [`Judgement::Pass`], or the first
    /// packet, gave the connection.
    #[inline]
    pub fn timeout(&self, timeouts: &Conntrack) -> u32 {
        self.by_ref().timeout(timeouts)
    }

    /// The deadline after `judgement` of a packet at `now`, where it was
    /// `current` before.
    #[inline]
    pub fn deadline(
        &self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &Conntrack,
    ) -> Nanos {
        self.by_ref().deadline(judgement, current, now, timeouts)
    }

    /// Seconds that a packet gives a NAT session (SEMANTICS §9).
    #[inline]
    pub fn nat_timeout(&self, timeouts: &NatTimeouts) -> u32 {
        self.by_ref().nat_timeout(timeouts)
    }

    /// As [`deadline`](Self::deadline), for a NAT session.
    #[inline]
    pub fn nat_deadline(
        &self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &NatTimeouts,
    ) -> Nanos {
        let kept = self.by_ref();
        kept.nat_deadline(judgement, current, now, timeouts)
    }

    /// How far the connection has come.
    #[inline]
    pub fn phase(&self) -> Phase {
        self.by_ref().phase()
    }

    /// See [`TrackerMut::seen_at`].
    pub(crate) fn seen_at(&mut self, now: Nanos) {
        self.by_mut().seen_at(now);
    }

    /// Whether a packet in the reply direction was seen.
    pub fn replied(&self) -> bool {
        self.by_ref().flags().has(REPLIED)
    }

    /// Whether the kernel would spare it when its table is full.
    pub fn assured(&self) -> bool {
        self.by_ref().assured()
    }

    /// The state as people know it: TCP's by the kernel's names, others
    /// `UNREPLIED`, `REPLIED` or `ASSURED`.
    pub fn state_name(&self) -> &'static str {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.state().name(),
            _ if self.assured() => "ASSURED",
            _ if self.replied() => "REPLIED",
            _ => "UNREPLIED",
        }
    }

    /// What it is made of.
    #[inline]
    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl<'a> TrackerRef<'a> {
    #[inline]
    pub(super) fn of_tcp(tcp: &'a Tcp) -> Self {
        Self(KindRef::Tcp(tcp))
    }

    #[inline]
    pub(super) fn of_other(other: &'a Other) -> Self {
        Self(KindRef::Other(other))
    }

    /// The tracker itself.
    #[inline]
    pub(crate) fn copied(self) -> Tracker {
        Tracker(match self.0 {
            KindRef::Tcp(tcp) => Kind::Tcp(*tcp),
            KindRef::Other(other) => Kind::Other(*other),
        })
    }

    #[inline]
    fn flags(self) -> Flags {
        match self.0 {
            KindRef::Tcp(tcp) => tcp.flags,
            KindRef::Other(other) => other.flags(),
        }
    }

    fn assured(self) -> bool {
        self.flags().has(ASSURED)
    }

    /// See [`Tracker::timeout`].
    #[inline]
    pub(crate) fn timeout(self, timeouts: &Conntrack) -> u32 {
        match self.0 {
            KindRef::Tcp(tcp) => tcp.timeout(timeouts),
            KindRef::Other(other) => other.timeout(timeouts),
        }
    }

    /// See [`Tracker::deadline`].
    #[inline]
    pub(crate) fn deadline(
        self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &Conntrack,
    ) -> Nanos {
        match (judgement, self.0) {
            (Judgement::Pass, _) => now.after_seconds(self.timeout(timeouts)),
            (Judgement::Invalid(_), KindRef::Tcp(tcp)) if self.assured() => {
                tcp.deadline_after_invalid(current, now, timeouts)
            }
            (Judgement::Invalid(_) | Judgement::Ignored, _) => current,
            (Judgement::Ends | Judgement::Reopen, _) => now,
        }
    }

    /// See [`Tracker::nat_timeout`].
    #[inline]
    pub(crate) fn nat_timeout(self, timeouts: &NatTimeouts) -> u32 {
        match self.phase() {
            Phase::TcpHalfOpen => timeouts.tcp_half_open,
            Phase::TcpEstablished => timeouts.tcp_established,
            Phase::TcpClosing => timeouts.tcp_closing,
            Phase::Udp | Phase::Other => timeouts.udp,
            Phase::Icmp => timeouts.icmp,
        }
    }

    /// See [`Tracker::nat_deadline`].
    #[inline]
    pub(crate) fn nat_deadline(
        self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &NatTimeouts,
    ) -> Nanos {
        match judgement {
            Judgement::Pass => now.after_seconds(self.nat_timeout(timeouts)),
            Judgement::Invalid(_) | Judgement::Ignored => current,
            Judgement::Ends | Judgement::Reopen => now,
        }
    }

    /// The shortest time, in seconds, that packets can give a connection that can go on, while it can.
    pub(crate) fn least_timeout(self, timeouts: &Conntrack) -> u32 {
        match self.0 {
            KindRef::Tcp(tcp) => tcp.least_timeout(timeouts),
            KindRef::Other(other) => other.least_timeout(timeouts),
        }
    }

    /// Its packets change nothing of it but when it was last seen, or are judged as they come: UDP, and
    /// TCP that is not closing.
    pub(crate) fn can_go_on(self) -> bool {
        match self.0 {
            KindRef::Tcp(tcp) => tcp.phase() != Phase::TcpClosing,
            KindRef::Other(other) => other.can_go_on(),
        }
    }

    /// See [`Tracker::phase`].
    #[inline]
    pub(crate) fn phase(self) -> Phase {
        match self.0 {
            KindRef::Tcp(tcp) => tcp.phase(),
            KindRef::Other(other) => other.phase(),
        }
    }
}

impl<'a> TrackerMut<'a> {
    #[inline]
    pub(super) fn of_tcp(tcp: &'a mut Tcp) -> Self {
        Self(KindMut::Tcp(tcp))
    }

    #[inline]
    pub(super) fn of_other(other: &'a mut Other) -> Self {
        Self(KindMut::Other(other))
    }

    /// The tracker itself.
    #[inline]
    pub(crate) fn copied(&self) -> Tracker {
        match &self.0 {
            KindMut::Tcp(tcp) => TrackerRef::of_tcp(tcp).copied(),
            KindMut::Other(other) => TrackerRef::of_other(other).copied(),
        }
    }

    /// Puts another state of the same connection in its place.
    pub(crate) fn set(&mut self, tracker: &Tracker) {
        match (&mut self.0, &tracker.0) {
            (KindMut::Tcp(kept), Kind::Tcp(tcp)) => **kept = *tcp,
            (KindMut::Other(kept), Kind::Other(other)) => **kept = *other,
            // A connection has one protocol.
            _ => {}
        }
    }

    /// See [`Tracker::update`].
    #[inline]
    pub(crate) fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> Judgement {
        let judgement = match (&mut self.0, &headers.transport) {
            (KindMut::Tcp(state), Transport::Tcp(tcp)) => {
                state.update(packet, headers, tcp, direction, settings)
            }
            (KindMut::Tcp(_), _) => Judgement::Invalid(Invalid::Malformed),
            (KindMut::Other(other), _) => other.update(headers, now),
        };
        // `nf_conntrack_in`: an answer counts as seen only after it was judged.
        if direction == Direction::Reply && judgement.belongs() {
            self.flags_mut().set(REPLIED, true);
        }
        judgement
    }

    #[inline]
    fn flags_mut(&mut self) -> &mut Flags {
        match &mut self.0 {
            KindMut::Tcp(tcp) => &mut tcp.flags,
            KindMut::Other(other) => other.flags_mut(),
        }
    }

    /// Lets a TCP segment of an established connection count, of a packet that was looked at; whether it
    /// passes and leaves the connection so. Else nothing has happened.
    #[inline]
    pub(crate) fn go_on(
        &mut self,
        packet: &[u8],
        shape: &Shape,
        direction: Direction,
        settings: &Settings,
    ) -> bool {
        let KindMut::Tcp(tcp) = &mut self.0 else {
            return false;
        };
        let segment = Segment::in_the_middle(packet, shape);
        segment.is_some_and(|segment| tcp.go_on(&segment, direction, settings))
    }

    /// Lets any packet of a connection that [can go on](TrackerRef::can_go_on) count: what
    /// [`update`](Self::update) says of it, if it passes and the connection can go on afterwards. Else
    /// nothing has happened.
    pub(crate) fn follow(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> bool {
        let mut after = self.copied();
        let judgement = after.update(packet, headers, direction, now, settings);
        let goes_on = judgement == Judgement::Pass && after.by_ref().can_go_on();
        if goes_on {
            self.set(&after);
        }
        goes_on
    }

    /// A packet of a connection came at `now` and was not judged: of UDP nothing else
    /// matters than when the last one came. TCP is judged packet by packet.
    pub(crate) fn seen_at(&mut self, now: Nanos) {
        if let KindMut::Other(other) = &mut self.0 {
            other.seen_at(now);
        }
    }
}
