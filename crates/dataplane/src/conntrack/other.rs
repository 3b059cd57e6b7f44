//! The state of connections of all protocols but TCP: a few bytes.

use super::flags::Flags;
use super::generic::Gre;
use super::icmp;
use super::judgement::{Invalid, Judgement};
use super::tracker::Phase;
use super::udp::Udp;
use crate::Nanos;
use vpcsim_network::Conntrack;
use vpcsim_packet::{Headers, Protocol, Transport};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Other {
    Udp(Udp),
    Icmp(Flags),
    Gre(Gre),
    Generic(Flags),
}

const _: () = assert!(size_of::<Other>() <= 12);

impl Other {
    /// Of a protocol without states.
    pub(super) const GENERIC: Self = Self::Generic(Flags::NONE);

    /// What a packet that is not TCP and has no connection begins.
    pub(super) fn open(headers: &Headers, now: Nanos) -> Result<Self, Invalid> {
        match &headers.transport {
            Transport::Udp(udp) => Udp::open(headers, udp, now).map(Self::Udp),
            Transport::Icmp(message) => icmp::open(message).map(|()| Self::Icmp(Flags::NONE)),
            Transport::Other if headers.protocol == Protocol::GRE => Ok(Self::Gre(Gre::default())),
            Transport::Other => Ok(Self::GENERIC),
            Transport::Tcp(_) | Transport::LaterFragment => Err(Invalid::NotAnOpening),
        }
    }

    #[inline]
    pub(super) fn update(&mut self, headers: &Headers, now: Nanos) -> Judgement {
        match (self, &headers.transport) {
            (Self::Udp(state), Transport::Udp(udp)) => state.update(headers, udp, now),
            (Self::Icmp(_), Transport::Icmp(message)) => icmp::update(message),
            (Self::Gre(state), Transport::Other) => state.update(),
            (Self::Generic(_), Transport::Other) => Judgement::Pass,
            _ => Judgement::Invalid(Invalid::Malformed),
        }
    }

    /// A packet came that was not judged: of UDP nothing else matters than when the last one came.
    pub(super) fn seen_at(&mut self, now: Nanos) {
        if let Self::Udp(udp) = self {
            udp.seen_at(now);
        }
    }

    #[inline]
    pub(super) fn flags(&self) -> Flags {
        match self {
            Self::Udp(Udp { flags, .. })
            | Self::Gre(Gre { flags })
            | Self::Icmp(flags)
            | Self::Generic(flags) => *flags,
        }
    }

    #[inline]
    pub(super) fn flags_mut(&mut self) -> &mut Flags {
        match self {
            Self::Udp(Udp { flags, .. })
            | Self::Gre(Gre { flags })
            | Self::Icmp(flags)
            | Self::Generic(flags) => flags,
        }
    }

    #[inline]
    pub(super) fn timeout(&self, timeouts: &Conntrack) -> u32 {
        match self {
            Self::Udp(udp) => udp.timeout(timeouts),
            Self::Icmp(_) => timeouts.icmp,
            Self::Gre(gre) => gre.timeout(timeouts),
            Self::Generic(_) => timeouts.generic,
        }
    }

    /// The shortest time, in seconds, that packets can give it while it can go on.
    pub(super) fn least_timeout(&self, timeouts: &Conntrack) -> u32 {
        match self {
            Self::Udp(_) => timeouts.udp.min(timeouts.udp_stream),
            Self::Icmp(_) | Self::Gre(_) | Self::Generic(_) => self.timeout(timeouts),
        }
    }

    /// Its packets change nothing of it but when it was last seen.
    pub(super) fn can_go_on(&self) -> bool {
        matches!(self, Self::Udp(_))
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Udp(_) => Phase::Udp,
            Self::Icmp(_) => Phase::Icmp,
            Self::Gre(_) | Self::Generic(_) => Phase::Other,
        }
    }
}
