//! How a packet starts a walk, and what a walk says of the packets that ended in it.

use crate::{Nanos, Source, Verdict};
use vpcsim_packet::Headers;

/// A packet as it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The caller's number for it, given back in [`Other`] and [`Stop`](crate::Stop).
    pub id: u64,
    /// When. A time before the latest seen is taken as the latest seen (§12).
    pub time: Nanos,
    /// Where it starts.
    pub source: Source,
}

/// What became of the packet that [`walk`](crate::walk) was given.
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

impl Other {
    pub(crate) fn new(id: u64, role: Role, walked: Walked, bytes: Vec<u8>) -> Self {
        let Walked { verdict, cut } = walked;
        let original_len = Headers::parse(&bytes).map_or(bytes.len(), |headers| headers.total_len);
        Self {
            id,
            role,
            verdict,
            cut,
            bytes,
            original_len,
        }
    }
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
