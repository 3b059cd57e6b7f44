//! What came out of both sides, held against each other.

use crate::bytes::hex;
use crate::kernel::At;
use std::fmt::Write as _;

/// Packets and where they came out.
pub(crate) type Out = Vec<(At, Vec<u8>)>;

/// `None` when both let out the same packets at the same places in the same order; otherwise
/// what each did, for a person.
pub(crate) fn compare(given: &[u8], kernel: &Out, sim: &Out, verdict: &str) -> Option<String> {
    if kernel == sim {
        return None;
    }
    let mut text = format!("given   {}\n", hex(given));
    for (who, out) in [("kernel", kernel), ("vpcsim", sim)] {
        if out.is_empty() {
            let _ = writeln!(text, "{who}  nothing");
        }
        for (at, packet) in out {
            let _ = writeln!(text, "{who}  at {at:?}\n        {}", hex(packet));
        }
    }
    let _ = write!(text, "vpcsim says: {verdict}");
    Some(text)
}
