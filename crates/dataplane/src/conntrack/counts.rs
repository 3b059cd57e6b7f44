//! How many flows each place remembers.

/// Counts by number of place, and their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    each: Vec<u32>,
    all: usize,
}

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, place: u32) {
        let place = place as usize;
        if self.each.len() <= place {
            self.each.resize(place + 1, 0);
        }
        self.each[place] += 1;
        self.all += 1;
    }

    /// One that was added is taken out.
    pub(super) fn subtract(&mut self, place: u32) {
        self.each[place as usize] -= 1;
        self.all -= 1;
    }

    #[inline]
    pub(super) fn of(&self, place: u32) -> usize {
        let count = self.each.get(place as usize);
        count.map_or(0, |&count| count as usize)
    }

    /// By place; none at those beyond the last.
    pub(super) fn each(&self) -> &[u32] {
        &self.each
    }

    pub(super) fn all(&self) -> usize {
        self.all
    }
}
