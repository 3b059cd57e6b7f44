//! What carries packets: the whole dataplane, or the bare loop beside it.

use crate::flow::Flow;
use vpcsim_dataplane::Arrived;

/// Which way a packet travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From an inside host to the internet.
    Out,
    /// From the internet to an inside host.
    In,
}

impl Way {
    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
        }
    }

    /// Counts a packet that goes this way.
    pub(crate) fn count(self, arrived: &mut Arrived) {
        match self {
            Self::Out => arrived.outside += 1,
            Self::In => arrived.inside += 1,
        }
    }
}

/// Carries packets by the batch.
pub(crate) trait Carrier {
    /// Packets of a batch.
    fn size(&self) -> usize;

    /// Adds a packet of a flow to the batch.
    fn push(&mut self, flow: &Flow, way: Way, packet: &[u8]);

    /// Carries the batch and looks at what became of each packet. This is what is timed.
    fn carry(&mut self) -> Arrived;

    /// A packet of the batch as it is now.
    fn packet(&mut self, index: usize) -> Option<&[u8]>;

    /// What became of the first packet that did not arrive, where that is known.
    fn first_lost(&self) -> Option<String>;

    /// Empties the batch.
    fn clear(&mut self);
}
