//! GRE: unanswered or answered (kernel `nf_conntrack_proto_gre.c`). Protocols
//! without a tracker of their own have one timeout and no state
//! (kernel `nf_conntrack_proto_generic.c`).

use super::judgement::Judgement;
use super::tracker::Seen;
use vpcsim_network::Conntrack;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gre {
    /// Whether the last packet earned the timeout of an answered tunnel.
    stream: bool,
}

impl Gre {
    pub(super) fn open() -> Self {
        Self { stream: false }
    }

    /// The judgement, and whether the tunnel is assured from here on.
    pub(super) fn update(&mut self, seen: Seen) -> (Judgement, bool) {
        self.stream = seen.replied;
        (Judgement::Pass, seen.replied)
    }

    pub(super) fn timeout(&self, timeouts: &Conntrack) -> u32 {
        if self.stream {
            timeouts.gre_stream
        } else {
            timeouts.gre
        }
    }
}
