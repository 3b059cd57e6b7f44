//! UDP: unanswered, answered, and lasting (kernel `nf_conntrack_proto_udp.c`).

use super::flags::{Flag, Flags};
use super::judgement::{Invalid, Judgement};
use super::tracker::{ASSURED, OWN, REPLIED};
use crate::Nanos;
use vpcsim_network::Conntrack;
use vpcsim_packet::{Headers, Udp as UdpHeader};

/// An answered flow that still has traffic this long after its first packet
/// is a stream and lives longer.
const STREAM_AGE: u64 = 2_000_000_000;

const UDP_HEADER_LEN: usize = 8;

/// Packed: so it fits, with all that is known of its tracker, into half a cache line.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(Rust, packed(2))]
pub(super) struct Udp {
    opened: Nanos,
    pub(super) flags: Flags,
}

/// The last packet earned the stream timeout.
const STREAM: Flag = Flag::bit(OWN);

impl Udp {
    pub(super) fn open(headers: &Headers, udp: &UdpHeader, now: Nanos) -> Result<Self, Invalid> {
        check_length(headers, udp)?;
        Ok(Self {
            opened: now,
            flags: Flags::default(),
        })
    }

    #[inline]
    pub(super) fn update(&mut self, headers: &Headers, udp: &UdpHeader, now: Nanos) -> Judgement {
        if let Err(reason) = check_length(headers, udp) {
            return Judgement::Invalid(reason);
        }
        self.seen_at(now);
        Judgement::Pass
    }

    /// A datagram came.
    pub(super) fn seen_at(&mut self, now: Nanos) {
        let stream = self.flags.has(REPLIED) && now.since(self.opened) > STREAM_AGE;
        self.flags = self
            .flags
            .with(STREAM, stream)
            .with(ASSURED, self.flags.has(ASSURED) || stream);
    }

    #[inline]
    pub(super) fn timeout(&self, timeouts: &Conntrack) -> u32 {
        if self.flags.has(STREAM) {
            timeouts.udp_stream
        } else {
            timeouts.udp
        }
    }
}

/// RFC 768: the length counts the header, and no more than the packet holds. That of a first
/// fragment speaks of the whole datagram (the kernel would have put it together).
#[inline]
fn check_length(headers: &Headers, udp: &UdpHeader) -> Result<(), Invalid> {
    let length = usize::from(udp.length);
    let room = headers.total_len.saturating_sub(headers.header_len);
    if length >= UDP_HEADER_LEN && (length <= room || headers.more_fragments) {
        Ok(())
    } else {
        Err(Invalid::Malformed)
    }
}
