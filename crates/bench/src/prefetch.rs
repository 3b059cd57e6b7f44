//! Asking for a line of memory before it is needed.
//!
//! The one place of this crate with `unsafe`: the instruction has no safe form.
#![allow(unsafe_code)]

/// Asks for the cache line in which `target` begins; returns at once. Does nothing on processors
/// other than x86-64.
#[inline(always)]
pub(crate) fn prefetch<T>(target: &T) {
    // SAFETY: a prefetch reads and writes nothing that a program can see, and never faults
    // (Intel SDM, PREFETCHh).
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(target).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = target;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_what_it_was() {
        let line = [7_u64; 8];
        prefetch(&line);
        assert_eq!(line, [7; 8]);
    }
}
