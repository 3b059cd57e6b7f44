//! A vector that may become large.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// From this many bytes on huge pages pay: below, a table's pages fit the translation cache.
const WORTH_HUGE_PAGES: usize = 768 << 10;
/// From this many bytes on a mapping of its own pays: an allocator copies what has to grow, and what is
/// aligned to lines it always copies.
const WORTH_MAPPING: usize = 128 << 10;
/// A huge page of the common machines.
const HUGE_PAGE: usize = 2 << 20;
/// What every mapping is aligned to.
const PAGE: usize = 4096;

/// Values in a row, as a [`Vec`]; when they are many, in a mapping of their own, on huge pages when they
/// are very many.
///
/// Random look-ups in megabytes of 4 KiB pages miss the translation cache almost every time. And a
/// mapping grows where it is, or moves by its page table (`mremap(2)`): nothing is copied, no memory is
/// asked for twice, and the system need not clear what it had cleared before, which on a virtual machine
/// can take longer than all else that a growing table costs. An allocator would write its header to the
/// first page before it could be advised to be huge, and keep what is given back in holes.
pub(crate) struct Large<T> {
    /// The first value, once there is room for any.
    first: NonNull<T>,
    len: usize,
    /// How many there is room for.
    room: usize,
    values: PhantomData<T>,
}

// SAFETY: it owns its values as a vector does.
unsafe impl<T: Send> Send for Large<T> {}
// SAFETY: it shares its values only as a slice.
unsafe impl<T: Sync> Sync for Large<T> {}

impl<T> Large<T> {
    const SIZE: usize = {
        assert!(size_of::<T>() > 0 && size_of::<T>() <= PAGE);
        assert!(align_of::<T>() <= PAGE);
        size_of::<T>()
    };

    pub(crate) const fn new() -> Self {
        Self {
            first: NonNull::dangling(),
            len: 0,
            room: 0,
            values: PhantomData,
        }
    }

    /// Adds a value.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.len == self.room {
            // More pages cost nothing but themselves; elsewhere values are copied, the fewer times the
            // better.
            let more = match Extent::of::<T>(self.room) {
                Extent::Heap(_) => self.room,
                Extent::Mapped(_) => self.room / 4,
            };
            self.make_room(self.room + more.max(4));
        }
        // SAFETY: there is room for one more behind the values.
        unsafe { self.first.add(self.len).write(value) };
        self.len += 1;
    }

    /// Appends copies of a value until there are `len`.
    pub(crate) fn widen(&mut self, len: usize, value: T)
    where
        T: Clone,
    {
        if len > self.room {
            self.make_room(len);
        }
        while self.len < len {
            self.push(value.clone());
        }
    }

    /// Moves the values to where there is room for so many, more than there was.
    #[cold]
    fn make_room(&mut self, values: usize) {
        let before = Extent::of::<T>(self.room);
        let after = Extent::of::<T>(values);
        let first: NonNull<T> = match (before, after) {
            (Extent::Heap(layout), Extent::Heap(wider)) if self.room > 0 => {
                // SAFETY: that is where and how the room was allocated; only its size differs.
                let at = unsafe { realloc(self.first.as_ptr().cast(), layout, wider.size()) };
                NonNull::new(at.cast()).unwrap_or_else(|| handle_alloc_error(wider))
            }
            (Extent::Mapped(bytes), Extent::Mapped(wider)) if is_huge(bytes) == is_huge(wider) => {
                mapping::widen(self.first.cast(), bytes, wider).cast()
            }
            _ => {
                let at = after.allocate().cast();
                // SAFETY: both are live, apart, and wide enough for the values.
                unsafe { NonNull::copy_from_nonoverlapping(at, self.first, self.len) };
                self.free();
                at
            }
        };
        self.first = first;
        self.room = after.bytes() / Self::SIZE;
    }

    /// Gives the room back.
    fn free(&mut self) {
        let first = self.first.cast();
        match Extent::of::<T>(self.room) {
            Extent::Heap(layout) if self.room > 0 => {
                // SAFETY: that is where and how it was allocated.
                unsafe { dealloc(first.as_ptr(), layout) }
            }
            Extent::Heap(_) => {}
            Extent::Mapped(bytes) => mapping::unmap(first, bytes),
        }
        self.room = 0;
    }
}

/// Where so much room comes from, a function of how much it is.
#[derive(Clone, Copy)]
enum Extent {
    /// The allocator.
    Heap(Layout),
    /// A mapping, of this many bytes: whole pages. If it is worth huge ones, whole huge pages, because
    /// only such a mapping does Linux place so that all of it can lie on them.
    Mapped(usize),
}

/// Whether a mapping lies on huge pages.
fn is_huge(bytes: usize) -> bool {
    bytes >= WORTH_HUGE_PAGES
}

impl Extent {
    fn of<T>(values: usize) -> Self {
        // More than there are addresses: as if the allocator had refused.
        let layout =
            Layout::array::<T>(values).unwrap_or_else(|_| handle_alloc_error(Layout::new::<T>()));
        // By whole pages, so that as many values as have room in some are those for which there are some.
        match layout.size().next_multiple_of(PAGE) {
            pages if is_huge(pages) => Self::Mapped(pages.next_multiple_of(HUGE_PAGE)),
            pages if pages >= WORTH_MAPPING => Self::Mapped(pages),
            _ => Self::Heap(layout),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Heap(layout) => layout.size(),
            Self::Mapped(bytes) => bytes,
        }
    }

    /// Room for something.
    fn allocate(self) -> NonNull<u8> {
        match self {
            // SAFETY: values have a size, and there is room for some of them.
            Self::Heap(layout) => {
                NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
            }
            Self::Mapped(bytes) => mapping::map(bytes),
        }
    }
}

impl<T> Drop for Large<T> {
    fn drop(&mut self) {
        // SAFETY: the values are live, and nobody sees them again.
        unsafe { std::ptr::drop_in_place::<[T]>(&mut **self) };
        self.free();
    }
}

impl<T> Deref for Large<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: so many values are there, and they are borrowed with `self`.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Large<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: so many values are there, and they are borrowed with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Default for Large<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Clone for Large<T> {
    fn clone(&self) -> Self {
        let mut new = Self::new();
        if !self.is_empty() {
            new.make_room(self.len);
        }
        self.iter().for_each(|value| new.push(value.clone()));
        new
    }
}

impl<T: fmt::Debug> fmt::Debug for Large<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Mappings of whole pages.
#[cfg(all(target_os = "linux", not(miri)))]
mod mapping {
    use std::alloc::{Layout, handle_alloc_error};
    use std::ptr::{NonNull, null_mut};

    /// Memory that nobody has written to.
    pub(super) fn map(bytes: usize) -> NonNull<u8> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, wherever the system likes, is in nobody's way.
        let at = unsafe { libc::mmap(null_mut(), bytes, access, private, -1, 0) };
        let there = mapped(at, bytes);
        if !super::is_huge(bytes) {
            return there;
        }
        // SAFETY: the advice changes only how the mapping is backed, never what it holds. A refusal is
        // no error: the table works without.
        let _ = unsafe { libc::madvise(at, bytes, libc::MADV_HUGEPAGE) };
        there
    }

    /// The same memory with more behind it, at another address perhaps.
    pub(super) fn widen(at: NonNull<u8>, bytes: usize, wider: usize) -> NonNull<u8> {
        let at = at.as_ptr().cast();
        // SAFETY: `map` made the mapping, so long; who calls has the only pointer to it.
        let at = unsafe { libc::mremap(at, bytes, wider, libc::MREMAP_MAYMOVE) };
        mapped(at, wider)
    }

    pub(super) fn unmap(at: NonNull<u8>, bytes: usize) {
        // SAFETY: `map` made the mapping, so long; who calls has the only pointer to it.
        let _ = unsafe { libc::munmap(at.as_ptr().cast(), bytes) };
    }

    fn mapped(at: *mut libc::c_void, bytes: usize) -> NonNull<u8> {
        let there = NonNull::new(at.cast()).filter(|_| at != libc::MAP_FAILED);
        there.unwrap_or_else(|| {
            let wanted = Layout::array::<u8>(bytes).unwrap_or(Layout::new::<u8>());
            handle_alloc_error(wanted)
        })
    }
}

/// Elsewhere the allocator's.
#[cfg(not(all(target_os = "linux", not(miri))))]
mod mapping {
    use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
    use std::ptr::NonNull;

    fn layout(bytes: usize) -> Layout {
        let layout = Layout::array::<u8>(bytes).and_then(|layout| layout.align_to(super::PAGE));
        layout.unwrap_or(Layout::new::<u8>())
    }

    fn there(at: *mut u8, bytes: usize) -> NonNull<u8> {
        NonNull::new(at).unwrap_or_else(|| handle_alloc_error(layout(bytes)))
    }

    pub(super) fn map(bytes: usize) -> NonNull<u8> {
        // SAFETY: there is something to allocate.
        there(unsafe { alloc(layout(bytes)) }, bytes)
    }

    pub(super) fn widen(at: NonNull<u8>, bytes: usize, wider: usize) -> NonNull<u8> {
        // SAFETY: `map` allocated it, so.
        let at = unsafe { realloc(at.as_ptr(), layout(bytes), wider) };
        there(at, wider)
    }

    pub(super) fn unmap(at: NonNull<u8>, bytes: usize) {
        // SAFETY: `map` allocated it, so.
        unsafe { dealloc(at.as_ptr(), layout(bytes)) }
    }
}

#[cfg(test)]
impl<T> Large<T> {
    /// How many values there is room for.
    pub(crate) fn room(&self) -> usize {
        self.room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[derive(Debug, Clone, Copy, PartialEq)]
    #[repr(align(64))]
    struct Line([u32; 3]);

    /// Across the borders of what the allocator serves, one huge page, and several: nothing is lost,
    /// what is aligned stays so.
    #[test]
    fn values_stay_what_they_are_while_their_number_grows() {
        let most = if cfg!(miri) { 1_000 } else { 200_000 };
        let line = |n: u32| Line([n, n ^ 0xffff, n * 7]);
        let mut lines = Large::new();
        let mut beside = Large::new();
        for n in 0..most {
            lines.push(line(n));
            beside.push(n);
            assert!(lines.first.is_aligned());
        }
        assert!(lines.iter().copied().eq((0..most).map(line)));
        assert!(beside.iter().copied().eq(0..most));
        lines.reverse();
        let copy = lines.clone();
        drop(lines);
        assert!(copy.iter().copied().eq((0..most).rev().map(line)));
    }

    #[test]
    fn there_is_room_for_what_was_asked_for() {
        let sizes = [0, 1, 100, (1 << 20) / 12, 1 << 20, 3 << 20];
        for &len in &sizes[..if cfg!(miri) { 3 } else { 6 }] {
            let mut table = Large::new();
            table.widen(len, [7_u32; 3]);
            assert!(table.room * 12 < len * 12 + HUGE_PAGE);
            table.widen(len + 5, [9; 3]);
            table.widen(len, [0; 3]);
            assert_eq!(table.len(), len + 5);
            assert!(table[..len].iter().all(|value| *value == [7; 3]));
            assert_eq!(table[len..], [[9; 3]; 5]);
        }
    }

    /// What is given back is what was asked for: where room comes from is worked out from how much there is.
    #[test]
    fn room_comes_from_where_it_says() {
        fn check<T>() {
            let borders = [WORTH_MAPPING, WORTH_HUGE_PAGES, HUGE_PAGE, 2 * HUGE_PAGE];
            for bytes in borders.into_iter().flat_map(|at| at - 2 * PAGE..=at + PAGE) {
                let wanted = Extent::of::<T>(bytes.div_ceil(size_of::<T>()));
                let room = Extent::of::<T>(wanted.bytes() / size_of::<T>());
                assert_eq!(wanted.bytes(), room.bytes(), "{bytes} bytes");
                let mapped = |extent| matches!(extent, Extent::Mapped(_));
                assert_eq!(mapped(wanted), mapped(room), "{bytes} bytes");
            }
        }
        check::<u32>();
        check::<[u32; 3]>();
        check::<[u64; 5]>();
        check::<Line>();
        check::<[u8; PAGE]>();
    }

    #[test]
    fn every_value_is_dropped_once() {
        let value = Rc::new(());
        let mut table = Large::new();
        for _ in 0..100 {
            table.push(Rc::clone(&value));
        }
        let copy = table.clone();
        assert_eq!(Rc::strong_count(&value), 201);
        drop(table);
        assert_eq!(Rc::strong_count(&value), 101);
        drop(copy);
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
