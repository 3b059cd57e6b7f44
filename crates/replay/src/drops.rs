//! Drops by stage, reason, element and rule.

use crate::names::{detail_text, element_text, rule_text};
use crate::report::DropRow;
use crate::tally::Count;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use vpcsim_dataplane::{Drop, DropReason, Program, Stage};

/// Most drops that are told apart. A network has no more stages, elements and rules than that,
/// but a scan finds four thousand million addresses that nobody has.
const MOST: usize = 1 << 14;
/// The element of those that are not told apart.
pub(crate) const OTHERS: &str = "others";

/// Counts drops, and remembers at most [`MOST`] different ones.
#[derive(Debug, Default)]
pub(crate) struct DropCounts {
    exact: HashMap<Drop, Count>,
    rest: BTreeMap<(Stage, DropReason), Count>,
}

impl DropCounts {
    pub(crate) fn add(&mut self, drop: &Drop, bytes: u32) {
        if let Some(count) = self.exact.get_mut(drop) {
            count.add(bytes);
        } else if self.exact.len() < MOST {
            self.exact.entry(*drop).or_default().add(bytes);
        } else {
            let rest = self.rest.entry((drop.stage, drop.reason)).or_default();
            rest.add(bytes);
        }
    }

    /// Most packets first, then by name.
    pub(crate) fn rows(&self, program: &Program) -> Vec<DropRow> {
        let exact = self
            .exact
            .iter()
            .map(|(drop, count)| row(program, drop, *count));
        let rest = self.rest.iter().map(|(&(stage, reason), count)| DropRow {
            stage: stage.name(),
            reason: reason.name(),
            element: OTHERS.to_owned(),
            rule: None,
            policy: None,
            detail: None,
            packets: count.packets,
            bytes: count.bytes,
        });
        let mut rows: Vec<_> = exact.chain(rest).collect();
        rows.sort_by(|a, b| {
            let packets = b.packets.cmp(&a.packets);
            packets.then_with(|| a.names().cmp(&b.names()))
        });
        rows
    }
}

fn row(program: &Program, drop: &Drop, count: Count) -> DropRow {
    DropRow {
        stage: drop.stage.name(),
        reason: drop.reason.name(),
        element: element_text(program, drop.element),
        rule: drop.rule.map(rule_text),
        policy: drop.policy.map(|policy| policy.name()),
        detail: detail_text(program, drop),
        packets: count.packets,
        bytes: count.bytes,
    }
}
