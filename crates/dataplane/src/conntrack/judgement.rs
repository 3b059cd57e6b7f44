//! What connection tracking says of a packet.

use super::Tracker;
use crate::Program;
use std::fmt;
use vpcsim_network::{MidStream, TcpWindow};

/// Policies that decide how strictly packets are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Whether sequence numbers are judged (SEMANTICS §6, `tcp_window`).
    pub window: TcpWindow,
    /// Whether a connection may be picked up in its middle (the kernel's
    /// `nf_conntrack_tcp_loose`): true under `mid_stream: judge`.
    pub loose: bool,
}

impl Settings {
    /// As the network's policies say.
    pub(crate) fn of(program: &Program) -> Self {
        let policies = &program.network().policies;
        Self {
            window: policies.tcp_window,
            loose: policies.mid_stream == MidStream::Judge,
        }
    }
}

/// What a packet without a connection begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Opening {
    /// A real first packet: a SYN, a datagram, an ICMP request.
    Opens(Tracker),
    /// A TCP segment from the middle of a connection whose beginning was not
    /// seen; only when [`Settings::loose`].
    MidStream(Tracker),
    /// Nothing: it leaves no connection behind, whatever the rules say.
    Invalid(Invalid),
}

/// What a packet whose key is known means for its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// Belongs to the connection and keeps it alive.
    Pass,
    /// Belongs to the connection but does not prolong it: a repeated SYN that
    /// nobody answers, a segment that tracking cannot place but that may show
    /// the real state of both ends (the kernel's "ignored" packets).
    Ignored,
    /// Belongs to the connection and ends it at once: a RST before any answer.
    Ends,
    /// Has the connection's key but does not belong to it.
    Invalid(Invalid),
    /// A SYN that replaces a finished connection: remove that, then open anew.
    Reopen,
}

impl Judgement {
    /// Whether the packet belongs to the connection that was asked.
    pub fn belongs(self) -> bool {
        matches!(self, Self::Pass | Self::Ignored | Self::Ends)
    }
}

/// Why tracking finds no place for a packet (the kernel's INVALID).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// A length in the transport header contradicts the packet.
    Malformed,
    /// TCP flags that no sender combines.
    Flags,
    /// Of a kind that never comes first and belongs to no connection.
    NotAnOpening,
    /// Impossible in the connection's TCP state.
    OutOfState,
    /// Begins beyond what the receiver has room for.
    SequenceAhead,
    /// Acknowledges what was never sent.
    AcknowledgmentAhead,
    /// A RST older than what its receiver has acknowledged.
    OldReset,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "lengths contradict each other",
            Self::Flags => "impossible TCP flags",
            Self::NotAnOpening => "opens no connection and belongs to none",
            Self::OutOfState => "impossible in the state of its connection",
            Self::SequenceAhead => "sequence number beyond the receiver's window",
            Self::AcknowledgmentAhead => "acknowledges data that was not sent",
            Self::OldReset => "RST older than what its receiver has acknowledged",
        })
    }
}
