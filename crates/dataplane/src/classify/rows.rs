//! The rows of one dimension of a list of rules.

use crate::intervals::{Cuts, Intervals, Span};
use hashbrown::HashMap;
use std::collections::BTreeSet;

/// No rule: behind all of them.
pub(super) const NONE: u64 = u64::MAX;

/// A row for each interval; intervals in which the same rules hold share one.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// Where in `words` the interval's row begins.
    intervals: Intervals,
    /// Row after row: first rule, summary, words.
    pub(super) words: Box<[u64]>,
    /// The summary of a row that has all its words.
    full: u64,
}

/// What holds in an interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// The first rule to which the other dimension is all the same; [`NONE`] without one.
    pub(super) first: u64,
    /// The numbers of the words that the row has.
    pub(super) summary: u64,
    words: &'a [u64],
    is_full: bool,
}

impl Row<'_> {
    /// A word that the row has.
    #[inline]
    pub(super) fn word(&self, number: u32) -> u64 {
        if self.is_full {
            return self.words[number as usize];
        }
        let before = self.summary & ((1 << number) - 1);
        self.words[before.count_ones() as usize]
    }
}

/// What a rule wants of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// A bit where it holds.
    Bit,
    /// To be named where it is the first that holds: the other dimension is all the same to it.
    First,
    /// Nothing: this dimension is all the same to it.
    Nothing,
}

impl Rows {
    #[inline]
    pub(super) fn row(&self, number: u32) -> Row<'_> {
        let row = &self.words[self.intervals.find(number) as usize..];
        let summary = row[1];
        Row {
            first: row[0],
            summary,
            words: &row[2..],
            is_full: summary == self.full,
        }
    }

    /// The rows of rules in their order: the numbers for which each holds, and what it wants.
    pub(super) fn new<'a>(rules: impl Iterator<Item = (&'a [Span], Want)>) -> Self {
        let (sets, rules) = sets(rules);
        let mut edges = Vec::new();
        for (set, Set { spans, .. }) in sets.iter().enumerate() {
            for span in *spans {
                edges.push((span.first, set, true));
                edges.extend(span.last.checked_add(1).map(|after| (after, set, false)));
            }
        }
        edges.sort_unstable();
        let mut store = Store::new(rules);
        let mut cuts = Cuts::new(store.keep());
        for here in edges.chunk_by(|one, next| one.0 == next.0) {
            for &(_, set, begins) in here {
                store.turn(&sets[set], begins);
            }
            cuts.cut(here[0].0, store.keep());
        }
        Self {
            intervals: cuts.build(),
            full: store.full(),
            words: store.words.into(),
        }
    }
}

/// Rules that hold for the same numbers.
struct Set<'a> {
    spans: &'a [Span],
    bits: Vec<usize>,
    /// The first of those that want to be named; the others never are.
    first: Option<usize>,
}

/// The sets of the rules, and how many rules there are.
fn sets<'a>(rules: impl Iterator<Item = (&'a [Span], Want)>) -> (Vec<Set<'a>>, usize) {
    let mut sets: Vec<Set<'_>> = Vec::new();
    let mut known = HashMap::new();
    let mut count = 0;
    for (rule, (spans, want)) in rules.enumerate() {
        count = rule + 1;
        let set = *known.entry(spans).or_insert_with(|| {
            let (bits, first) = (Vec::new(), None);
            sets.push(Set { spans, bits, first });
            sets.len() - 1
        });
        let set = &mut sets[set];
        match want {
            Want::Bit => set.bits.push(rule),
            Want::First => set.first = set.first.or(Some(rule)),
            Want::Nothing => {}
        }
    }
    (sets, count)
}

/// Rows in the making.
struct Store {
    /// A bit for every rule that holds now.
    bits: Vec<u64>,
    /// Those that want to be named.
    firsts: BTreeSet<usize>,
    words: Vec<u64>,
    /// Where each row is that has been kept.
    known: HashMap<Box<[u64]>, u32>,
    row: Vec<u64>,
}

impl Store {
    fn new(rules: usize) -> Self {
        Self {
            bits: vec![0; rules.div_ceil(64)],
            firsts: BTreeSet::new(),
            words: Vec::new(),
            known: HashMap::new(),
            row: Vec::new(),
        }
    }

    fn full(&self) -> u64 {
        let unused = 64_usize.saturating_sub(self.bits.len()) as u32;
        u64::MAX.checked_shr(unused).unwrap_or(0)
    }

    /// The rules of a set begin to hold, or end.
    fn turn(&mut self, set: &Set<'_>, begins: bool) {
        for &rule in &set.bits {
            self.bits[rule / 64] ^= 1 << (rule % 64);
        }
        match (set.first, begins) {
            (Some(rule), true) => self.firsts.insert(rule),
            (Some(rule), false) => self.firsts.remove(&rule),
            (None, _) => false,
        };
    }

    /// Where the row of what holds now begins.
    fn keep(&mut self) -> u32 {
        let used = self.bits.iter().filter(|word| **word != 0).count();
        // What saves little memory costs more time: counting which word is which.
        let sparse = used * 2 < self.bits.len();
        self.row.clear();
        self.row
            .push(self.firsts.first().map_or(NONE, |&rule| rule as u64));
        self.row.push(if sparse { 0 } else { self.full() });
        for (number, &word) in self.bits.iter().enumerate() {
            if word != 0 || !sparse {
                self.row[1] |= 1 << number;
                self.row.push(word);
            }
        }
        if let Some(&begins) = self.known.get(&self.row[..]) {
            return begins;
        }
        let begins = self.words.len() as u32;
        self.words.extend_from_slice(&self.row);
        self.known.insert(self.row.as_slice().into(), begins);
        begins
    }
}
