//! GRE: unanswered or answered (kernel `nf_conntrack_proto_gre.c`). Protocols
//! without a tracker of their own have one timeout and no state
//! (kernel `nf_conntrack_proto_generic.c`).

use super::flags::{Flag, Flags};
use super::judgement::Judgement;
use super::tracker::{ASSURED, OWN, REPLIED};
use vpcsim_network::Conntrack;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Gre {
    pub(super) flags: Flags,
}

/// The last packet earned the timeout of an answered tunnel.
const STREAM: Flag = Flag::bit(OWN);

impl Gre {
    pub(super) fn update(&mut self) -> Judgement {
        if self.flags.has(REPLIED) {
            self.flags = self.flags.with(STREAM, true).with(ASSURED, true);
        }
        Judgement::Pass
    }

    pub(super) fn timeout(&self, timeouts: &Conntrack) -> u32 {
        if self.flags.has(STREAM) {
            timeouts.gre_stream
        } else {
            timeouts.gre
        }
    }
}
