//! Lints that want every packet looked at: what never decides, and what arrives and is not
//! answered. The lints of the crate `network` know no packets; these are exact, and speak where
//! those have nothing to say.

mod routes;
mod rules;
mod walks;

use crate::reach::Reach;
use vpcsim_network::{Finding, Lint, Mark, Why};

impl Reach<'_> {
    /// What the lints find that look at every packet, in file order. What stands in `known`, the
    /// findings of those that look at declarations alone, is not said again.
    ///
    /// Found are rules that can never decide (`covered-rule`: several earlier ones together, or
    /// groups bound before), routes that never win (`unused-route`), packets whose answer an acl
    /// drops (`lost-replies`), peers that are reached and cannot answer (`one-way-peering`) and
    /// packets that come back to the host that forwards them (`forwarding-loop`).
    pub fn findings(&self, known: &[Finding]) -> Vec<Finding> {
        let mut found = Vec::new();
        rules::find(self, known, &mut found);
        routes::find(self, &mut found);
        walks::find(self, known, &mut found);
        found.sort_by_key(|finding| (finding.mark.offset, finding.mark.len, finding.lint));
        found
    }
}

/// The words of a finding.
struct Words {
    message: String,
    why: &'static str,
    help: String,
    label: &'static str,
}

fn finding(lint: Lint, mark: Mark, words: Words) -> Finding {
    Finding {
        lint,
        message: words.message,
        why: Why(words.why.to_owned()),
        help: words.help,
        mark,
        label: words.label.to_owned(),
        related: Vec::new(),
    }
}

/// Whether something is known of one of these lines already.
fn is_known(known: &[Finding], lint: Lint, marks: &[Mark]) -> bool {
    known.iter().any(|finding| {
        let related = finding.related.iter().map(|(mark, _)| mark);
        let mut places = related.chain([&finding.mark]);
        finding.lint == lint && places.any(|place| marks.iter().any(|mark| overlap(mark, place)))
    })
}

fn overlap(a: &Mark, b: &Mark) -> bool {
    a.offset < b.offset + b.len && b.offset < a.offset + a.len
}
