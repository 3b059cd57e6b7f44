//! The areas that are compared. Each makes random cases, runs one on both sides, and says where
//! they part.

pub(crate) mod exhaustion;
pub(crate) mod expiry;
pub(crate) mod filter;
pub(crate) mod fragments;
pub(crate) mod nat_setup;
pub(crate) mod reverse_path;
pub(crate) mod router;
pub(crate) mod tracking;
pub(crate) mod translation;

use crate::exceptions::Exception;
use crate::rng::Rng;
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// One area of behaviour.
pub(crate) trait Area {
    /// One packet of a case, or a wait.
    type Step: Clone + fmt::Display;

    /// In how many ways both sides are set up.
    fn setups(&self) -> usize;

    /// What sets this one apart.
    fn setup_name(&self, setup: usize) -> String;

    /// A random case.
    fn generate(&mut self, setup: usize, rng: &mut Rng) -> Vec<Self::Step>;

    /// Runs a case on both sides, from a fresh state.
    ///
    /// # Errors
    /// When the kernel side fails; never because of what the packets do.
    fn run(&mut self, setup: usize, steps: &[Self::Step]) -> io::Result<Tally>;
}

/// What came of one case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Packets that both sides were given and that were compared.
    pub(crate) packets: u64,
    /// Of these, where both parted on purpose.
    pub(crate) exceptions: BTreeMap<Exception, u64>,
    /// The first packet about which they part without a reason; the case ends there.
    pub(crate) difference: Option<Difference>,
}

/// A packet about which kernel and dataplane part.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// Its place in the case, from 0.
    pub(crate) step: usize,
    /// What each side did with it.
    pub(crate) text: String,
}

impl Tally {
    /// Both parted on purpose.
    pub(crate) fn except(&mut self, exception: Exception) {
        *self.exceptions.entry(exception).or_default() += 1;
    }
}
