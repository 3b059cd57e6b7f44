//! SEMANTICS §12: same inputs, same bytes out, watched or not.

use crate::world::{Ended, Noted, Run, any_world, cases};
use proptest::prelude::*;
use vpcsim_dataplane::{Decision, Role, Verdict};

proptest! {
    #![proptest_config(cases(120))]

    /// Everything is made anew, hash seeds included.
    #[test]
    fn the_same_packets_end_alike_on_every_run(world in any_world()) {
        let (first, second) = (world.program(), world.program());
        let runs = [first, second].map(|program| {
            let mut run = Run::new(&program);
            let ends = run.send_all(&world.sent);
            let late = run.advance(run.state.now().after_seconds(30));
            (ends, late, run.state.usage(&program))
        });
        prop_assert_eq!(&runs[0], &runs[1]);
    }

    /// One truth: the trace ends in the verdict, and watching changes nothing.
    #[test]
    fn a_trace_ends_in_the_verdict_of_the_walk(world in any_world()) {
        let program = world.program();
        let (mut blind, mut watched) = (Run::new(&program), Run::new(&program));
        for (id, sent) in (0..).zip(&world.sent) {
            let (ended, noted) = watched.watch(sent);
            prop_assert_eq!(&blind.send(sent), &ended);
            agrees(id, &ended, &noted)?;
        }
    }
}

/// The last stop of each packet says its verdict.
fn agrees(id: u64, ended: &Ended, noted: &[Noted]) -> Result<(), TestCaseError> {
    let told = |id: u64, generated: bool| {
        let ours = noted
            .iter()
            .filter(move |stop| stop.id == id && stop.generated == generated);
        ours.filter_map(|stop| ending(stop.decision))
            .collect::<Vec<_>>()
    };
    let mut walked = vec![(id, false, ended.verdict(), ended.walked.cut)];
    for other in &ended.others {
        let generated = other.role == Role::Generated;
        walked.push((other.id, generated, other.verdict, other.cut));
    }
    for &(id, generated, verdict, cut) in &walked {
        let whole = !walked.iter().any(|other| other.0 == id && other.3);
        let alone = walked
            .iter()
            .filter(|other| (other.0, other.1) == (id, generated))
            .count()
            == 1;
        match verdict {
            Verdict::NotIpv4 | Verdict::Malformed(_) => {
                prop_assert_eq!(
                    told(id, generated),
                    Vec::<String>::new(),
                    "it never entered"
                );
            }
            _ if whole && alone && !cut => {
                prop_assert_eq!(told(id, generated), vec![short(verdict)]);
            }
            // Each piece has an end of its own, the whole has none.
            _ => prop_assert!(told(id, generated).contains(&short(verdict))),
        }
    }
    Ok(())
}

fn ending(decision: Decision) -> Option<String> {
    match decision {
        Decision::Pass(_) => None,
        Decision::Deliver(place) => Some(format!("{place:?}")),
        Decision::Drop(reason) => Some(reason.to_string()),
        Decision::Hold => Some("held".to_owned()),
    }
}

fn short(verdict: Verdict) -> String {
    match verdict {
        Verdict::Delivered(place) => format!("{place:?}"),
        Verdict::Dropped(drop) => drop.reason.to_string(),
        other => format!("{other:?}").to_lowercase(),
    }
}
