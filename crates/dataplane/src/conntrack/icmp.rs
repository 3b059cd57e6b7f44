//! ICMP queries (kernel `nf_conntrack_proto_icmp.c`).
//!
//! Identifier, type and code are in the flow key, so a reply of another type
//! or identifier never reaches the connection of a request.

use super::judgement::{Invalid, Judgement};
use vpcsim_packet::{Icmp, IcmpBody};

/// Echo, timestamp, information and address mask requests (RFC 792, RFC 950).
const REQUESTS: [u8; 4] = [8, 13, 15, 17];

/// Only a request opens. Replies, errors that name no known flow, router
/// discovery and unknown types have no flow.
pub(super) fn open(message: &Icmp) -> Result<(), Invalid> {
    if REQUESTS.contains(&message.kind) && is_query(message) {
        Ok(())
    } else {
        Err(Invalid::NotAnOpening)
    }
}

/// Whatever has the key of a request or of its reply belongs to it.
pub(super) fn update(message: &Icmp) -> Judgement {
    if is_query(message) {
        Judgement::Pass
    } else {
        Judgement::Invalid(Invalid::NotAnOpening)
    }
}

fn is_query(message: &Icmp) -> bool {
    matches!(message.body, IcmpBody::Query { .. })
}
