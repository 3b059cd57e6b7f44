//! Which of many adjoining intervals a number lies in: the search under rules and routes.

use crate::lanes::{LANES, first_greater};

/// Starts per node: one cache line of them.
const FANOUT: usize = LANES;

/// Numbers from `first` to `last`, both included; `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span {
    /// Lowest number.
    pub(crate) first: u32,
    /// Highest number.
    pub(crate) last: u32,
}

impl Span {
    /// Every number.
    pub(crate) const ALL: Self = Self {
        first: 0,
        last: u32::MAX,
    };

    /// From `first` to `last`; `None` where that is nothing.
    pub(crate) fn new(first: impl Into<u32>, last: impl Into<u32>) -> Option<Self> {
        let (first, last) = (first.into(), last.into());
        (first <= last).then_some(Self { first, last })
    }
}

/// Sorts spans and joins those that overlap or touch.
pub(crate) fn join(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let joins = kept.last == u32::MAX || next.first <= kept.last + 1;
        if joins {
            kept.last = kept.last.max(next.last);
        }
        joins
    });
    spans
}

/// All numbers cut into intervals, a value for each.
///
/// A static B-tree: every level holds each sixteenth start of the one below. A node is compared
/// as a whole, without a branch, so a search costs the same wherever it ends: one cache line a
/// level, one level up to 16 intervals, three up to 4 096.
#[derive(Debug, Clone)]
pub(crate) struct Intervals {
    /// Levels above the leaves, the root first: where each begins in `nodes`.
    levels: Box<[u32]>,
    nodes: Box<[Starts]>,
    /// Never empty.
    leaves: Box<[Leaf]>,
    /// The value of the last interval.
    last: u32,
}

/// Where intervals start, in order; what is free is [`u32::MAX`]. The top bit is flipped, because
/// signed comparison is the one that vector units have.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Starts([i32; FANOUT]);

#[derive(Debug, Clone, Copy)]
struct Leaf {
    starts: Starts,
    values: [u32; FANOUT],
}

impl Intervals {
    /// The value of the interval that `number` lies in.
    #[inline]
    pub(crate) fn find(&self, number: u32) -> u32 {
        // Free places are beyond every other number: no search goes where nothing is.
        if number == u32::MAX {
            return self.last;
        }
        let number = signed(number);
        let mut at = 0;
        for &level in &self.levels {
            at = at * FANOUT + self.nodes[level as usize + at].position(number);
        }
        let leaf = &self.leaves[at];
        leaf.values[leaf.starts.position(number)]
    }

    /// The value of the first span that holds a number; `otherwise` where none does.
    pub(crate) fn first_of(spans: &[(Span, u32)], otherwise: u32) -> Self {
        let mut edges = Vec::with_capacity(spans.len() * 2);
        for (order, &(span, _)) in spans.iter().enumerate() {
            edges.push((span.first, order, true));
            if let Some(after) = span.last.checked_add(1) {
                edges.push((after, order, false));
            }
        }
        edges.sort_unstable();
        let mut open = std::collections::BTreeSet::new();
        let mut cuts = Cuts::new(otherwise);
        for (at, order, opens) in edges {
            if opens {
                open.insert(order);
            } else {
                open.remove(&order);
            }
            cuts.cut(at, open.first().map_or(otherwise, |&order| spans[order].1));
        }
        cuts.build()
    }
}

impl Starts {
    /// Which of the intervals that start here holds the number, at which or beyond the first starts.
    #[inline]
    fn position(&self, number: i32) -> usize {
        first_greater(&self.0, number) - 1
    }
}

fn signed(number: u32) -> i32 {
    (number ^ (1 << 31)) as i32
}

/// Intervals in the making, from the lowest number up.
#[derive(Debug)]
pub(crate) struct Cuts {
    starts: Vec<(u32, u32)>,
}

impl Cuts {
    /// One interval: everything has this value.
    pub(crate) fn new(value: u32) -> Self {
        let starts = vec![(0, value)];
        Self { starts }
    }

    /// From `at` on the value is this; the last word on one `at` counts.
    pub(crate) fn cut(&mut self, at: u32, value: u32) {
        if let Some(&(start, _)) = self.starts.last()
            && start == at
        {
            self.starts.pop();
        }
        if self
            .starts
            .last()
            .is_none_or(|&(_, before)| before != value)
        {
            self.starts.push((at, value));
        }
    }

    pub(crate) fn build(self) -> Intervals {
        let leaves: Box<[Leaf]> = self.starts.chunks(FANOUT).map(Leaf::new).collect();
        let mut levels: Vec<Vec<Starts>> = Vec::new();
        let mut below: Vec<i32> = leaves.iter().map(|leaf| leaf.starts.0[0]).collect();
        while below.len() > 1 {
            let level: Vec<Starts> = below.chunks(FANOUT).map(Starts::new).collect();
            below = level.iter().map(|node| node.0[0]).collect();
            levels.push(level);
        }
        let mut nodes = Vec::new();
        let begin = |level: Vec<Starts>| {
            let begins = nodes.len() as u32;
            nodes.extend(level);
            begins
        };
        Intervals {
            levels: levels.into_iter().rev().map(begin).collect(),
            nodes: nodes.into(),
            leaves,
            last: self.starts.last().map_or(0, |&(_, value)| value),
        }
    }
}

impl Starts {
    fn new(starts: &[i32]) -> Self {
        let mut node = Self([signed(u32::MAX); FANOUT]);
        node.0[..starts.len()].copy_from_slice(starts);
        node
    }
}

impl Leaf {
    fn new(intervals: &[(u32, u32)]) -> Self {
        let mut leaf = Self {
            starts: Starts::new(&[]),
            values: [0; FANOUT],
        };
        for (place, &(start, value)) in intervals.iter().enumerate() {
            leaf.starts.0[place] = signed(start);
            leaf.values[place] = value;
        }
        leaf
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Numbers that gather around the edges of the range and of nodes.
    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![
            any::<u32>(),
            0..5_u32,
            (0..5_u32).prop_map(|n| u32::MAX - n),
            0x7fff_fffe..0x8000_0003_u32,
        ]
    }

    fn span() -> impl Strategy<Value = Span> {
        (number(), number()).prop_map(|(a, b)| Span {
            first: a.min(b),
            last: a.max(b),
        })
    }

    fn holds(span: &Span, number: u32) -> bool {
        span.first <= number && number <= span.last
    }

    proptest! {
        #[test]
        fn the_first_span_that_holds_a_number_decides(
            spans in vec(span(), 0..40),
            numbers in vec(number(), 50),
        ) {
            let spans: Vec<(Span, u32)> = spans.into_iter().zip(100..).collect();
            let intervals = Intervals::first_of(&spans, 7);
            let edges = spans.iter().flat_map(|(span, _)| [span.first, span.last]);
            let around = edges.flat_map(|e| [e, e.wrapping_sub(1), e.wrapping_add(1)]);
            for number in numbers.into_iter().chain(around) {
                let first = spans.iter().find(|(span, _)| holds(span, number));
                let expected = first.map_or(7, |&(_, value)| value);
                prop_assert_eq!(intervals.find(number), expected, "{}", number);
            }
        }

        #[test]
        fn joining_spans_keeps_what_they_hold(
            spans in vec(span(), 0..10),
            numbers in vec(number(), 50),
        ) {
            let joined = join(spans.clone());
            for pair in joined.windows(2) {
                prop_assert!(u64::from(pair[0].last) + 1 < u64::from(pair[1].first));
            }
            for number in numbers {
                let before = spans.iter().any(|span| holds(span, number));
                let after = joined.iter().any(|span| holds(span, number));
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn every_number_of_intervals_is_searched_right() {
        for count in (0..=40).chain([255, 256, 257, 4095, 4096, 4097, 70_000]) {
            let mut cuts = Cuts::new(0);
            for n in 1..=count {
                cuts.cut(n * 10, n);
            }
            let intervals = cuts.build();
            for n in 0..=count {
                for number in [n * 10, n * 10 + 9] {
                    assert_eq!(intervals.find(number), n, "{number} of {count}");
                }
            }
            assert_eq!(intervals.find(u32::MAX), count);
        }
    }

    #[test]
    fn a_short_list_is_one_leaf() {
        let intervals = Intervals::first_of(&[(Span::ALL, 1)], 0);
        assert_eq!((intervals.levels.len(), intervals.leaves.len()), (0, 1));
    }
}
