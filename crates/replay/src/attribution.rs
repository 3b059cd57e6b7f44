//! Where a captured packet came from: SEMANTICS §12.

use crate::mapping::Mappings;
use crate::replay::Options;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Program, Source};

/// Which place a captured packet came from.
///
/// In order: the place that the whole capture was taken at (`--at`); the host that its source
/// stands for (`--map`); the host that owns the source; a gateway at the edge of the simulated
/// world behind which the source lies; and else the internet, unless the source cannot be there:
/// an address within a vpc that nobody has, or one that no host sends from.
#[derive(Debug)]
pub struct Attribution<'p> {
    program: &'p Program,
    at: Option<Source>,
    mappings: Mappings,
}

/// What attribution says of a source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Where the packet came from; `None`: its source is nobody's.
    pub source: Option<Source>,
    /// Several vpcs have somebody with this address: the first in file order was taken.
    pub ambiguous: bool,
}

impl<'p> Attribution<'p> {
    /// Attribution by these options.
    pub fn new(program: &'p Program, options: &Options) -> Self {
        Self {
            program,
            at: options.at,
            mappings: Mappings::new(program, &options.map),
        }
    }

    /// The mappings, which also change packets.
    pub(crate) fn mappings(&self) -> &Mappings {
        &self.mappings
    }

    /// Where a packet with this source address, as it was captured, came from.
    pub fn of(&self, captured: Ipv4Addr) -> Origin {
        let certain = |source| Origin {
            source,
            ambiguous: false,
        };
        if self.at.is_some() {
            return certain(self.at);
        }
        if let Some(cvm) = self.mappings.cvm(captured) {
            return certain(Some(Source::Cvm(cvm)));
        }
        if let Some(cvm) = self.program.sender(captured) {
            return Origin {
                source: Some(Source::Cvm(cvm)),
                ambiguous: self.program.is_ambiguous(captured),
            };
        }
        if let Some(external) = self.program.external_of(captured) {
            return certain(Some(Source::External(external)));
        }
        let nobodys = self.program.is_private(captured) || !is_unicast(captured);
        certain((!nobodys).then_some(Source::Internet))
    }
}

/// Whether a host can send from this address: not "this network" (0/8, RFC 791), not loopback
/// (127/8), not multicast (224/4, RFC 5771), not reserved or broadcast (240/4, RFC 1112).
fn is_unicast(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first != 127 && first < 224
}
