//! The one fixed hash: equal on every run, so that nothing observable depends on a seed.
//!
//! A folded 64×64 multiplication mixes every input bit into every output bit.

/// Odd, bits well spread (digits of √2 and √3).
pub(crate) const A: u64 = 0x6a09_e667_f3bc_c909;
const B: u64 = 0xbb67_ae85_84ca_a73b;

/// Hash of two words.
#[inline]
pub(crate) fn hash(first: u64, second: u64) -> u64 {
    fold(first ^ A, second ^ B)
}

/// Both halves of a product in one.
#[inline]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}
