//! The ports that are taken towards one destination, and the next free one.
//!
//! Ports are kept by class and, within a class, by block: those among which a search chooses
//! stand side by side, in the order in which it goes through them. Few are kept as a sorted list,
//! many as a bitmap of 8 KiB, in which one word answers for 64 of them.

use super::ports::{block, class, port, search};
use std::ops::Range;

/// A port as its class, then its block: 6 and 10 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Code(u16);

impl Code {
    #[inline]
    fn of(port: u16) -> Self {
        Self::new(class(port), block(port))
    }

    #[inline]
    fn new(class: u16, block: u16) -> Self {
        Self(class << 10 | block)
    }
}

/// So many fit where otherwise the address of a list stands.
const INLINE: usize = 7;
/// A list has at most so many: with more, the bitmap costs no more than 32 bytes a port.
const LISTED: usize = 256;

/// Room of a list at first. An allocator keeps smaller ones, when they are given back, and gives
/// thousands of them back to itself at once: half a millisecond, when many connections end.
const FIRST: usize = 64;

/// The ports that are taken towards one destination.
#[derive(Debug, Clone)]
pub struct TakenPorts(Form);

#[derive(Debug, Clone)]
enum Form {
    /// Sorted.
    Inline {
        len: u8,
        codes: [Code; INLINE],
    },
    /// Sorted, at most `LISTED`.
    List(Vec<Code>),
    Bits(Box<Bits>),
}

const _: () = assert!(size_of::<TakenPorts>() == size_of::<Vec<Code>>());

impl Default for TakenPorts {
    fn default() -> Self {
        Self::NONE
    }
}

impl TakenPorts {
    pub(super) const NONE: Self = Self(Form::Inline {
        len: 0,
        codes: [Code(0); INLINE],
    });

    /// One port is taken.
    #[inline]
    pub(super) fn one(port: u16) -> Self {
        let mut codes = [Code(0); INLINE];
        codes[0] = Code::of(port);
        Self(Form::Inline { len: 1, codes })
    }

    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Inline { len, .. } => usize::from(*len),
            Form::List(codes) => codes.len(),
            Form::Bits(bits) => bits.len as usize,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a port is taken.
    pub fn contains(&self, port: u16) -> bool {
        let code = Code::of(port);
        match &self.0 {
            Form::Bits(bits) => bits.contains(code),
            _ => self.sorted().binary_search(&code).is_ok(),
        }
    }

    /// The ports that a flow from port `wanted` may have, best first: that one, then the free ones
    /// of its class as [`ports_of_same_class`](crate::ports_of_same_class) goes through them.
    pub fn free(&self, wanted: u16) -> impl Iterator<Item = u16> + use<'_> {
        let [above, around] = search(wanted);
        let same = (!self.contains(wanted)).then_some(wanted);
        let others = self.free_within(class(wanted), above);
        same.into_iter()
            .chain(others)
            .chain(self.free_within(class(wanted), around))
    }

    /// The free ports of a class in some blocks.
    fn free_within(
        &self,
        class: u16,
        mut blocks: Range<u16>,
    ) -> impl Iterator<Item = u16> + use<'_> {
        std::iter::from_fn(move || {
            let block = match &self.0 {
                Form::Bits(bits) => bits.first_free(class, &blocks),
                _ => first_missing(self.sorted(), class, &blocks),
            }?;
            blocks.start = block + 1;
            Some(port(class, block))
        })
    }

    /// Takes a port; false if it is taken.
    pub fn take(&mut self, port: u16) -> bool {
        let code = Code::of(port);
        match &mut self.0 {
            Form::Inline { len, codes } => {
                let held = usize::from(*len);
                let Err(place) = codes[..held].binary_search(&code) else {
                    return false;
                };
                if held == INLINE {
                    let mut list = Vec::with_capacity(FIRST);
                    list.extend_from_slice(codes);
                    list.insert(place, code);
                    self.0 = Form::List(list);
                } else {
                    codes.copy_within(place..held, place + 1);
                    codes[place] = code;
                    *len += 1;
                }
            }
            Form::List(codes) => {
                let Err(place) = codes.binary_search(&code) else {
                    return false;
                };
                if codes.len() == LISTED {
                    let mut bits = Box::new(Bits::of(codes));
                    bits.set(code);
                    self.0 = Form::Bits(bits);
                } else {
                    codes.insert(place, code);
                }
            }
            Form::Bits(bits) => return bits.set(code),
        }
        true
    }

    /// Gives a port back; false if it was free. What has become small is kept small.
    pub fn release(&mut self, port: u16) -> bool {
        let code = Code::of(port);
        match &mut self.0 {
            Form::Inline { len, codes } => {
                let held = usize::from(*len);
                let Ok(place) = codes[..held].binary_search(&code) else {
                    return false;
                };
                codes.copy_within(place + 1..held, place);
                *len -= 1;
            }
            Form::List(codes) => {
                let Ok(place) = codes.binary_search(&code) else {
                    return false;
                };
                codes.remove(place);
                if codes.len() <= INLINE / 2 {
                    let mut few = [Code::default(); INLINE];
                    few[..codes.len()].copy_from_slice(codes);
                    self.0 = Form::Inline {
                        len: codes.len() as u8,
                        codes: few,
                    };
                }
            }
            Form::Bits(bits) => {
                if !bits.clear(code) {
                    return false;
                }
                if bits.len as usize <= LISTED / 2 {
                    self.0 = Form::List(bits.codes().collect());
                }
            }
        }
        true
    }

    /// The codes where they are a list.
    #[inline]
    fn sorted(&self) -> &[Code] {
        match &self.0 {
            Form::Inline { len, codes } => &codes[..usize::from(*len)],
            Form::List(codes) => codes,
            Form::Bits(_) => &[],
        }
    }
}

/// The first of some blocks in which a sorted list does not have a class.
fn first_missing(codes: &[Code], class: u16, blocks: &Range<u16>) -> Option<u16> {
    let first = codes.partition_point(|&code| code < Code::new(class, blocks.start));
    let listed = codes[first..].iter().copied();
    let taken = blocks.clone().map(|block| Code::new(class, block));
    let run = listed
        .zip(taken)
        .take_while(|(listed, taken)| listed == taken);
    let block = blocks.start + run.count() as u16;
    blocks.contains(&block).then_some(block)
}

/// One bit for each port, those of a class in 16 words of their own.
#[derive(Debug, Clone)]
struct Bits {
    len: u32,
    words: [u64; 1024],
}

/// The words of a class.
const WORDS: usize = 16;

impl Bits {
    fn of(codes: &[Code]) -> Self {
        let mut bits = Self {
            len: 0,
            words: [0; 1024],
        };
        for &code in codes {
            bits.set(code);
        }
        bits
    }

    fn contains(&self, Code(code): Code) -> bool {
        self.words[usize::from(code / 64)] & 1 << (code % 64) != 0
    }

    fn set(&mut self, code: Code) -> bool {
        let free = !self.contains(code);
        self.words[usize::from(code.0 / 64)] |= 1 << (code.0 % 64);
        self.len += u32::from(free);
        free
    }

    fn clear(&mut self, code: Code) -> bool {
        let taken = self.contains(code);
        self.words[usize::from(code.0 / 64)] &= !(1 << (code.0 % 64));
        self.len -= u32::from(taken);
        taken
    }

    fn first_free(&self, class: u16, blocks: &Range<u16>) -> Option<u16> {
        let words = &self.words[usize::from(class) * WORDS..][..WORDS];
        let mut block = blocks.start;
        while block < blocks.end {
            // Zeros move in from above: they count as taken.
            let free = !words[usize::from(block / 64)] >> (block % 64);
            if free != 0 {
                block += free.trailing_zeros() as u16;
                return blocks.contains(&block).then_some(block);
            }
            block = (block / 64 + 1) * 64;
        }
        None
    }

    /// What is set, in order.
    fn codes(&self) -> impl Iterator<Item = Code> {
        let codes = (0..=u16::MAX).map(Code);
        codes.filter(|&code| self.contains(code))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ports::of_same_class;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[derive(Debug, Clone)]
    enum Step {
        Take(u16),
        /// As a gateway does: the first one that is free.
        TakeFree(u16),
        Release(u16),
        /// Gives back so many of those that are taken.
        ReleaseSome(usize),
        /// Every port of a block.
        TakeBlock(u16),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let near = prop_oneof![any::<u16>(), 0..200_u16, 40_000..40_200_u16];
        prop_oneof![
            3 => near.clone().prop_map(Step::Take),
            6 => prop_oneof![near.clone(), Just(53_u16), Just(40_001)].prop_map(Step::TakeFree),
            2 => near.prop_map(Step::Release),
            1 => (0..400_usize).prop_map(Step::ReleaseSome),
            1 => (0..1024_u16).prop_map(Step::TakeBlock),
        ]
    }

    fn naive_free(taken: &HashSet<u16>, wanted: u16) -> impl Iterator<Item = u16> {
        let all = std::iter::once(wanted).chain(of_same_class(wanted));
        all.filter(|port| !taken.contains(port))
    }

    fn apply(ports: &mut TakenPorts, model: &mut HashSet<u16>, step: Step) {
        match step {
            Step::Take(port) => assert_eq!(ports.take(port), model.insert(port)),
            Step::TakeFree(wanted) => {
                let free = ports.free(wanted).next();
                assert_eq!(free, naive_free(model, wanted).next());
                if let Some(port) = free {
                    assert!(ports.take(port) && model.insert(port));
                }
            }
            Step::Release(port) => assert_eq!(ports.release(port), model.remove(&port)),
            Step::ReleaseSome(count) => {
                let mut some: Vec<u16> = model.iter().copied().collect();
                some.sort_unstable();
                for port in some.into_iter().take(count) {
                    assert!(ports.release(port) && model.remove(&port));
                }
            }
            Step::TakeBlock(block) => {
                for port in block * 64..=block * 64 + 63 {
                    assert_eq!(ports.take(port), model.insert(port));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// The same ports are taken and found free, in the same order, as in a set that is asked
        /// about one port of the class after the other.
        #[test]
        fn a_search_finds_what_asking_for_every_port_finds(
            steps in vec(any_step(), 0..60),
            wanted in vec(any::<u16>(), 4),
        ) {
            let (mut ports, mut model) = (TakenPorts::default(), HashSet::new());
            for step in steps {
                apply(&mut ports, &mut model, step);
                prop_assert_eq!(ports.len(), model.len());
                prop_assert_eq!(ports.is_empty(), model.is_empty());
            }
            for wanted in wanted.into_iter().chain([0, 53, 1023, 1024, 40_001, u16::MAX]) {
                prop_assert!(ports.free(wanted).eq(naive_free(&model, wanted)));
            }
        }
    }

    #[test]
    fn a_full_class_has_no_free_port_and_the_others_do() {
        let mut ports = TakenPorts::default();
        for port in std::iter::once(53).chain(of_same_class(53)) {
            assert_eq!(ports.free(53).next(), Some(port));
            assert!(ports.take(port));
        }
        assert_eq!((ports.len(), ports.free(53).next()), (1009, None));
        assert_eq!(ports.free(54).next(), Some(54));
        let again = port(class(53), 700);
        assert!(ports.release(again));
        assert!(ports.free(53).eq([again]));
    }

    #[test]
    fn memory_follows_the_ports_that_are_taken() {
        let mut ports = TakenPorts::default();
        for port in 0..=u16::MAX {
            assert!(ports.take(port));
        }
        assert!(matches!(ports.0, Form::Bits(_)));
        for port in 0..=u16::MAX - 2 {
            assert!(ports.release(port));
        }
        assert!(matches!(ports.0, Form::Inline { len: 2, .. }));
    }
}
