//! What the network has to do, as its file says.

use super::*;
use std::net::Ipv4Addr;

/// A question to the network with the answer that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Where the request starts.
    pub from: ExpectationEnd,
    /// Where it goes.
    pub to: ExpectationEnd,
    /// [`RuleProtocol::Tcp`], [`RuleProtocol::Udp`] or [`RuleProtocol::Icmp`].
    pub protocol: RuleProtocol,
    /// The destination port. `None`: the first that the destination listens on, else the usual
    /// one; ICMP has none.
    pub port: Option<u16>,
    /// What is wanted.
    pub is: Wanted,
    /// Where it is declared.
    pub mark: Mark,
}

/// One end of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectationEnd {
    /// A host.
    Cvm(CvmId),
    /// One of its nics.
    Nic(NicId),
    /// An address, ours or not.
    Address(Ipv4Addr),
    /// What lies behind a gateway at the edge of the simulated world.
    External(ExternalId),
    /// Somebody out there.
    Internet,
}

/// The answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The request arrives, is answered, and the answer comes back.
    Reachable,
    /// It does not; where a stage is named, by its name in output, it is dropped there.
    Blocked(Option<&'static str>),
}
