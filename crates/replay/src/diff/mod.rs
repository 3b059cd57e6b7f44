//! The same capture through two networks, in one pass: what a change would break.
//!
//! Each packet is read once and attributed in both networks, and then both carry it, batch by
//! batch, each with a [`State`] of its own. Where a packet takes a way that both
//! remember and arrives alike, nothing more is done with it. Where it does not, its flow's ways
//! through the two networks are compared stop by stop: where they part, something made the
//! difference. The ways are what the walks themselves were seen to do ([`Observer`]), so that a
//! comparison cannot disagree with a replay.
//!
//! [`State`]: vpcsim_dataplane::State
//! [`Observer`]: vpcsim_dataplane::Observer

mod carry;
mod cause;
mod changes;
mod flows;
mod judge;
mod landing;
mod report;
mod run;
mod text;
mod twins;
mod watch;
mod ways;

pub use carry::{Diff, DiffUse, Side};
pub use changes::{Amount, Change, Differs};
pub use report::{
    Arrival, CauseRow, ChangeReport, Decided, DiffReport, FirstPacket, FlowRow, Reason, SenderRow,
    SideReport,
};
pub use run::{DiffError, diff};
