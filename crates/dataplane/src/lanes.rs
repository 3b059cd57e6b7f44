//! Sixteen numbers, or bytes, compared at once.

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

/// A bit for each byte that equals this one.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(crate) fn equal(bytes: &[u8; LANES], byte: u8) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cvtsi64_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm_unpacklo_epi64,
    };

    #[inline]
    #[target_feature(enable = "sse2")]
    fn at_once(bytes: &[u8; LANES], byte: u8) -> u32 {
        let (halves, _) = bytes.as_chunks();
        let half = |at: usize| _mm_cvtsi64_si128(i64::from_le_bytes(halves[at]));
        let all = _mm_unpacklo_epi64(half(0), half(1));
        _mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8(byte as i8))) as u32
    }

    // SAFETY: every x86-64 processor has SSE2.
    unsafe { at_once(bytes, byte) }
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
#[inline]
pub(crate) fn equal(bytes: &[u8; LANES], byte: u8) -> u32 {
    let bits = (0..).zip(bytes);
    bits.fold(0, |bits, (at, &one)| bits | u32::from(one == byte) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::array::uniform16;
    use proptest::prelude::*;

    fn any_number() -> impl Strategy<Value = i32> {
        prop_oneof![any::<i32>(), -3..3, Just(i32::MIN), Just(i32::MAX)]
    }

    proptest! {
        #[test]
        fn it_is_where_a_search_finds_it(mut numbers: [i32; LANES], few in uniform16(any_number()), number in any_number()) {
            for numbers in [&mut numbers, &mut few.clone()] {
                numbers.sort_unstable();
                let expected = numbers.partition_point(|&one| one <= number);
                prop_assert_eq!(first_greater(numbers, number), expected);
            }
        }

        #[test]
        fn bytes_are_equal_where_they_are(few in uniform16(0..4_u8), any: [u8; LANES], byte in 0..5_u8) {
            for bytes in [few, any] {
                let bits = (0..LANES).filter(|&at| bytes[at] == byte);
                let expected = bits.fold(0, |bits, at| bits | 1 << at);
                prop_assert_eq!(equal(&bytes, byte), expected);
            }
        }
    }
}
