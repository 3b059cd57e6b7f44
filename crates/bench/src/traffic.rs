//! Which packets come next.

use crate::carrier::Way;
use crate::live::Shot;
use crate::random::Random;
use crate::size::Size;

/// Packets of live flows at random, the same on every run.
#[derive(Debug, Clone)]
pub struct Traffic {
    random: Random,
    flows: u32,
    size: Size,
}

impl Traffic {
    pub(crate) fn new(flows: u32, size: Size) -> Self {
        Self {
            random: Random::new(0x5eed),
            flows,
            size,
        }
    }

    /// Any packet of a live flow, of one direction or either.
    pub(crate) fn next(&mut self, way: Option<Way>) -> Shot {
        let way = way.unwrap_or_else(|| match self.random.bits() >> 63 {
            0 => Way::Out,
            _ => Way::In,
        });
        Shot {
            flow: self.random.below(self.flows),
            way,
            len: self.size.next(&mut self.random),
        }
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.random.below(limit)
    }
}
