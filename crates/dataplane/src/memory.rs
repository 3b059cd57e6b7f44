//! Hints to the machine about memory. None changes what a program means.
//!
//! The only unsafe code of the crate: one instruction, a system call and one of the allocator, all
//! without effect on the contents of memory.
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
/// A huge page of the common machines.
const HUGE_PAGE: usize = 2 << 20;
/// What an allocator may want of a mapping for itself.
const HEADER: usize = 256;

/// Room for so many values, of a large table on huge pages: random look-ups in megabytes of 4 KiB
/// pages miss the translation cache almost every time.
///
/// Nothing is written there yet, because pages that are touched before the advice stay small. And a
/// large table gets as much more as makes its mapping whole huge pages: only such a mapping does
/// Linux place so that all of it can lie on them.
pub(crate) fn with_room<T>(values: usize) -> Vec<T> {
    let size = size_of::<T>().max(1);
    let bytes = values * size;
    let room = if bytes < WORTH_HUGE_PAGES {
        values
    } else {
        prefer_mappings();
        ((bytes + HEADER).next_multiple_of(HUGE_PAGE) - HEADER) / size
    };
    let table = Vec::with_capacity(room);
    prefer_huge_pages(&table);
    table
}

/// Has the allocator map what is large, for the rest of the process, and give it back when it is
/// freed (`mallopt(3)`, `M_MMAP_THRESHOLD`). Left to itself glibc keeps whatever it has seen freed,
/// up to 32 MiB, and tables that grow leave holes behind that nothing else fits: a tenth of the
/// memory at a million flows.
fn prefer_mappings() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // The first setting ends glibc's own choice of the second one, which would be as large; else
        // what is small goes back to the system each time that the last of it is freed.
        const KEPT: libc::c_int = 64 << 20;
        // SAFETY: the calls set numbers under the allocator's own lock; allocations that there are
        // stay what they are.
        ONCE.call_once(|| unsafe {
            let _ = libc::mallopt(libc::M_MMAP_THRESHOLD, WORTH_HUGE_PAGES as libc::c_int);
            let _ = libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        });
    }
}

/// So many copies of a value, of a large table on huge pages.
pub(crate) fn filled<T: Clone>(value: T, values: usize) -> Vec<T> {
    let mut table = with_room(values);
    table.resize(values, value);
    table
}

/// Asks for huge pages behind all that a large table has room for (`madvise(2)`, `MADV_HUGEPAGE`).
///
/// The allocator has written its header by now, on a small page, and no huge one comes where a small
/// one is. So the first is asked for at once (`MADV_COLLAPSE`, since Linux 6.1): else a table of two
/// megabytes would lie on small pages altogether.
fn prefer_huge_pages<T>(table: &Vec<T>) {
    let bytes = table.capacity() * size_of::<T>();
    if bytes < WORTH_HUGE_PAGES {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        // Whole pages: a mapping of which a part is advised is cut in two.
        let start = table.as_ptr().addr() / PAGE * PAGE;
        let end = (table.as_ptr().addr() + bytes).next_multiple_of(PAGE);
        // SAFETY: the pages hold a live allocation (a vector's room is one), so they are mapped, and
        // both calls change only how they are backed, never what they hold, whoever has the rest of
        // the first and the last one. A refusal is no error: the table works without.
        unsafe {
            let at = std::ptr::with_exposed_provenance_mut(start);
            let _ = libc::madvise(at, end - start, libc::MADV_HUGEPAGE);
            let _ = libc::madvise(at, HUGE_PAGE.min(end - start), libc::MADV_COLLAPSE);
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
    let mut larger = with_room((table.capacity() * 2).max(4));
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

    #[test]
    fn there_is_room_for_what_was_asked_for() {
        for values in [0, 1, 100, (1 << 20) / 12, 1 << 20, 3 << 20] {
            let table: Vec<[u32; 3]> = with_room(values);
            let bytes = table.capacity() * 12;
            assert!(table.is_empty() && table.capacity() >= values);
            assert!(bytes < values * 12 + HUGE_PAGE);
            assert_eq!(filled(7_u8, values), vec![7; values]);
        }
    }
}
