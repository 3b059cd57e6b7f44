//! SEMANTICS §10: strict rp_filter accepts a subset of loose, loose a subset of off.

use crate::world::{Ended, alone, any_world, cases, reason};
use proptest::prelude::*;
use vpcsim_dataplane::{DropReason, Program, Verdict};
use vpcsim_testkit::strategy::Sent;

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn what_a_stricter_filter_accepts_a_looser_one_does_too(
        world in any_world(),
        accept_local in any::<bool>(),
        on_all in any::<bool>(),
    ) {
        let with = |value: u8| world.changed(|network| {
            for cvm in &mut network.cvms {
                cvm.sysctl_all.accept_local = accept_local;
                cvm.sysctl_all.rp_filter = if on_all { value } else { 0 };
            }
            for nic in &mut network.nics {
                nic.sysctl.rp_filter = if on_all { 0 } else { value };
            }
        });
        let (off, strict, loose) = (with(0), with(1), with(2));
        for (id, sent) in world.sent.iter().enumerate() {
            // Each alone: a packet that is filtered leaves no flow behind it.
            subset(&strict, &loose, sent).map_err(|why| TestCaseError::fail(format!("{id}: {why}")))?;
            subset(&loose, &off, sent).map_err(|why| TestCaseError::fail(format!("{id}: {why}")))?;
        }
    }
}

fn subset(stricter: &Program, looser: &Program, sent: &Sent) -> Result<(), String> {
    let (here, there) = (alone(stricter, sent).0, alone(looser, sent).0);
    if ended_at_the_filter(here.verdict()) {
        return Ok(());
    }
    let main = |ended: &Ended| (ended.walked, ended.bytes.clone());
    if main(&here) != main(&there) {
        return Err(format!("{:?} becomes {:?}", here.walked, there.walked));
    }
    // What the network made on its account ends alike, or at the stricter filter.
    let differ = here
        .others
        .iter()
        .zip(&there.others)
        .any(|(here, there)| here != there && !ended_at_the_filter(here.verdict));
    if differ || here.others.len() != there.others.len() {
        return Err(format!("{:?} becomes {:?}", here.others, there.others));
    }
    Ok(())
}

/// A source that is looked up can turn out to be a broadcast address: martian.
fn ended_at_the_filter(verdict: Verdict) -> bool {
    matches!(
        reason(verdict),
        Some(DropReason::RpFilter | DropReason::Martian)
    )
}
