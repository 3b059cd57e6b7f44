//! What the network has to do, as its file says.

use super::*;
use ipnet::Ipv4Net;
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

/// An expectation about many packets: those of every sender to every receiver on every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Where the requests start.
    pub from: ClaimEnds,
    /// Where they go.
    pub to: ClaimEnds,
    /// [`RuleProtocol::Tcp`], [`RuleProtocol::Udp`], [`RuleProtocol::Icmp`] (pings) or
    /// [`RuleProtocol::All`].
    pub protocol: RuleProtocol,
    /// Destination ports, as they are where the requests arrive; [`PortRange::ALL`] where the
    /// protocol has none.
    pub ports: Vec<PortRange>,
    /// What is wanted: reachable by all of the requests, or by none.
    pub is: Wanted,
    /// Where it is declared.
    pub mark: Mark,
}

/// The ends of a claim on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimEnds {
    /// Who; never nobody.
    pub list: Vec<ClaimEnd>,
    /// As it is written.
    pub text: String,
}

/// One or many ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimEnd {
    /// One.
    One(ExpectationEnd),
    /// Whoever has an address of a prefix.
    Prefix(Ipv4Net),
    /// The members of a group: nics.
    Group(SecurityGroupId),
    /// The nics of a subnet.
    Subnet(SubnetId),
    /// The nics of a vpc.
    Vpc(VpcId),
    /// Everybody: every nic, the internet, what lies behind externals.
    Any,
}

/// The answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The request arrives, is answered, and the answer comes back.
    Reachable,
    /// It does not; where a stage is named, by its name in output, it is dropped there.
    Blocked(Option<&'static str>),
}
