//! Hints to the machine about memory. None changes what a program means.
//!
//! The only unsafe code of the crate: one instruction and one system call, both without effect on
//! the contents of memory.
#![allow(unsafe_code)]

/// Asks for a value's first cache line ahead of its use.
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and faults on no address; this one is of a live reference.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// From this many bytes on huge pages pay: below, a table's pages fit the translation cache.
const WORTH_HUGE_PAGES: usize = 1 << 20;

/// Asks for huge pages behind a large table (`madvise(2)`, `MADV_HUGEPAGE`): random look-ups in
/// gigabytes of 4 KiB pages miss the translation cache almost every time.
///
/// Of a vector all that it has room for, so that what is added later lies on them too.
pub(crate) fn prefer_huge_pages<T>(table: &Vec<T>) {
    let bytes = table.capacity() * size_of::<T>();
    if bytes < WORTH_HUGE_PAGES {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        let start = table.as_ptr().addr().next_multiple_of(PAGE);
        let end = (table.as_ptr().addr() + bytes) / PAGE * PAGE;
        if start < end {
            // SAFETY: the pages lie within a live allocation (a vector's room is one), and the advice changes only how they
            // are backed, never what they hold. A refusal is no error: the table works without.
            unsafe {
                let _ = libc::madvise(
                    std::ptr::with_exposed_provenance_mut(start),
                    end - start,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
}

/// Adds to a table that may become large.
#[inline]
pub(crate) fn push<T>(table: &mut Vec<T>, value: T) {
    if table.len() == table.capacity() {
        grow(table);
    }
    table.push(value);
}

/// Doubles a table's room. What is moved there comes to lie on huge pages already.
#[cold]
fn grow<T>(table: &mut Vec<T>) {
    let mut larger = Vec::with_capacity((table.capacity() * 2).max(4));
    prefer_huge_pages(&larger);
    larger.append(table);
    *table = larger;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_leave_memory_as_it_is() {
        let table: Vec<u64> = (0..1 << 20).collect();
        prefer_huge_pages(&table);
        prefer_huge_pages::<u64>(&Vec::new());
        prefetch(&table[77]);
        assert!((0..1 << 20).eq(table));
    }
}
