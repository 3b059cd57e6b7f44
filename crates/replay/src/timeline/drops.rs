//! Kinds of drop over time.

use super::Fared;
use super::buckets::Bucket;
use crate::names::{detail_text, element_text, rule_text};
use crate::trace::rule_words;
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Drop, Element, Program};

/// Most kinds that are told apart.
const MOST: usize = 64;

/// Packets dropped for one reason by one element and rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineDrop {
    /// The stage of the walk.
    pub stage: &'static str,
    /// The reason.
    pub reason: &'static str,
    /// The element, with its kind; `address` for whichever address.
    pub element: String,
    /// The rule, by list, position and line, where one decided.
    pub rule: Option<String>,
    /// The rule as it is written in the network file, where one stands there.
    pub text: Option<String>,
    /// The policy, where one decided.
    pub policy: Option<&'static str>,
    /// What else is known: what rp_filter saw.
    pub detail: Option<String>,
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the link.
    pub bytes: u64,
    /// By step, how many packets; steps beyond the end have none.
    pub steps: Vec<u64>,
}

/// Numbers kinds of drop as they come.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    numbers: HashMap<Drop, usize>,
    kinds: Vec<(Drop, Fared)>,
    rest: Fared,
}

impl Kinds {
    /// Counts a drop and gives the number of its kind, where it is told apart.
    pub(super) fn number(&mut self, drop: &Drop, bytes: u32) -> Option<usize> {
        let kind = kind(drop);
        let known = self.numbers.get(&kind).copied();
        if known.is_none() && self.kinds.len() == MOST {
            self.rest.add(bytes, true);
            return None;
        }
        let number = known.unwrap_or_else(|| {
            self.numbers.insert(kind, self.kinds.len());
            self.kinds.push((kind, Fared::default()));
            self.kinds.len() - 1
        });
        self.kinds[number].1.add(bytes, true);
        Some(number)
    }

    pub(super) fn finish(self, program: &Program, buckets: &[Bucket]) -> Vec<TimelineDrop> {
        let kinds = self.kinds.iter().enumerate();
        let mut rows: Vec<TimelineDrop> = kinds
            .map(|(number, (drop, fared))| {
                let steps = buckets.iter().map(|bucket| bucket.drops.get(number));
                let steps = steps.map(|count| count.copied().unwrap_or(0)).collect();
                row(program, drop, *fared, steps)
            })
            .collect();
        // Equal counts stay in the order in which they came.
        rows.sort_by_key(|row| std::cmp::Reverse(row.packets));
        if self.rest.dropped > 0 {
            let known = |bucket: &Bucket| bucket.drops.iter().sum::<u64>();
            let steps = buckets.iter();
            rows.push(TimelineDrop {
                stage: "",
                reason: "others",
                element: String::new(),
                rule: None,
                text: None,
                policy: None,
                detail: None,
                packets: self.rest.all.packets,
                bytes: self.rest.all.bytes,
                steps: steps
                    .map(|bucket| bucket.verdicts.dropped - known(bucket))
                    .collect(),
            });
        }
        rows
    }
}

/// A scan finds thousands of addresses that nobody has: they are one kind.
fn kind(drop: &Drop) -> Drop {
    match drop.element {
        Element::Address(_) => Drop {
            element: Element::Address(Ipv4Addr::UNSPECIFIED),
            ..*drop
        },
        _ => *drop,
    }
}

fn row(program: &Program, drop: &Drop, fared: Fared, steps: Vec<u64>) -> TimelineDrop {
    TimelineDrop {
        stage: drop.stage.name(),
        reason: drop.reason.name(),
        element: match drop.element {
            Element::Address(_) => "address".to_owned(),
            element => element_text(program, element),
        },
        rule: drop.rule.map(rule_text),
        text: drop
            .rule
            .and_then(|rule| rule_words(program, drop.element, rule)),
        policy: drop.policy.map(|policy| policy.name()),
        detail: detail_text(program, drop),
        packets: fared.all.packets,
        bytes: fared.all.bytes,
        steps,
    }
}
