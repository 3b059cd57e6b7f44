//! SEMANTICS §12: every packet gets exactly one verdict; the counts add up.

use crate::world::{Ended, Run, any_world, cases};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vpcsim_dataplane::{Nanos, Other, Role, Verdict};

/// Which packets were given, and which of them still wait.
#[derive(Default)]
pub(crate) struct Ledger {
    given: u64,
    held: BTreeSet<u64>,
}

impl Ledger {
    /// The next packet ended like this.
    pub(crate) fn take(&mut self, ended: &Ended) {
        let id = self.given;
        self.given += 1;
        self.others(&ended.others);
        if ended.verdict() == Verdict::Held {
            self.held.insert(id);
        }
        let pieces = ended.others.iter();
        let pieces = pieces.filter(|other| other.id == id && other.role == Role::Piece);
        assert_eq!(
            ended.walked.cut,
            pieces.count() > 0,
            "cut means pieces, and only that"
        );
    }

    /// These ended beside it, or when the clock moved.
    pub(crate) fn others(&mut self, others: &[Other]) {
        for other in others {
            assert!(other.id < self.given, "{} was never given", other.id);
            if other.role == Role::Captured {
                assert!(self.held.remove(&other.id), "{} was not waiting", other.id);
                assert_ne!(other.verdict, Verdict::Held, "released, and held again");
            }
            let made_here = matches!(other.verdict, Verdict::Delivered(_) | Verdict::Dropped(_));
            assert!(made_here, "{:?} of {:?}", other.verdict, other.role);
        }
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Lets the clock run out: nobody waits any more.
    pub(crate) fn close(mut self, run: &mut Run<'_>) {
        let others = run.advance(run.state.now().after_seconds(30));
        self.others(&others);
        assert_eq!(self.held, BTreeSet::new(), "still waiting after 30 s (§11)");
        assert_eq!(run.state.usage(run.program).fragments_held, 0);
    }
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn every_packet_gets_one_verdict_now_or_when_it_is_released(
        world in any_world(),
        moves in prop::collection::vec(prop::option::weighted(0.2, 0_u64..40_000_000_000), 64),
    ) {
        let program = world.program();
        let mut run = Run::new(&program);
        let mut ledger = Ledger::default();
        for (sent, step) in world.sent.iter().zip(moves.iter().cycle()) {
            ledger.take(&run.send(sent));
            if let Some(step) = step {
                let now = Nanos(run.state.now().0.saturating_add(*step));
                let others = run.advance(now);
                ledger.others(&others);
            }
            prop_assert_eq!(run.state.usage(&program).fragments_held, ledger.held());
        }
        ledger.close(&mut run);
    }
}
