//! Sixteen numbers compared at once.

#![allow(unsafe_code)]

/// How many numbers are compared: a cache line of them.
pub(crate) const LANES: usize = 16;

/// Where the numbers that are greater than `number` begin, in numbers that stand in order.
#[inline]
pub(crate) fn first_greater(numbers: &[i32; LANES], number: i32) -> usize {
    (greater(numbers, number) | 1 << LANES).trailing_zeros() as usize
}

/// A bit for each that is greater.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn greater(numbers: &[i32; LANES], number: i32) -> u32 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpgt_epi32, _mm_movemask_epi8, _mm_packs_epi16, _mm_packs_epi32,
        _mm_set_epi32, _mm_set1_epi32,
    };

    // A compiler that is left to itself counts the bits, without an instruction that does, or shifts them
    // into place one by one: four times as many instructions.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn by_fours(numbers: &[i32; LANES], number: i32) -> u32 {
        let greater = |first: usize| -> __m128i {
            let [a, b, c, d] = [0, 1, 2, 3].map(|at| numbers[first + at]);
            _mm_cmpgt_epi32(_mm_set_epi32(d, c, b, a), _mm_set1_epi32(number))
        };
        let low = _mm_packs_epi32(greater(0), greater(4));
        let high = _mm_packs_epi32(greater(8), greater(12));
        _mm_movemask_epi8(_mm_packs_epi16(low, high)) as u32
    }

    // SAFETY: every x86-64 processor has SSE2.
    unsafe { by_fours(numbers, number) }
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
#[inline]
fn greater(numbers: &[i32; LANES], number: i32) -> u32 {
    let bits = (0..).zip(numbers);
    bits.fold(0, |bits, (at, &one)| bits | u32::from(one > number) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_number() -> impl Strategy<Value = i32> {
        prop_oneof![any::<i32>(), -3..3, Just(i32::MIN), Just(i32::MAX)]
    }

    proptest! {
        #[test]
        fn it_is_where_a_search_finds_it(mut numbers: [i32; LANES], few in proptest::array::uniform16(any_number()), number in any_number()) {
            for numbers in [&mut numbers, &mut few.clone()] {
                numbers.sort_unstable();
                let expected = numbers.partition_point(|&one| one <= number);
                prop_assert_eq!(first_greater(numbers, number), expected);
            }
        }
    }
}
