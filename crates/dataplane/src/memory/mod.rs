//! What the machine is told about memory: what will be touched, and what lies together.

mod large;
mod prefetch;

pub(crate) use large::Large;
pub(crate) use prefetch::prefetch;
