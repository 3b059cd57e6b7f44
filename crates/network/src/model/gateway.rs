//! Public addresses, NAT gateways and virtual addresses.

use super::*;
use std::net::Ipv4Addr;

/// An elastic public address.
#[derive(Debug, Clone, PartialEq)]
pub struct Eip {
    /// Name in the file.
    pub name: String,
    /// The public address.
    pub address: Ipv4Addr,
    /// What it is bound to.
    pub target: Option<EipTarget>,
    /// Translated by the platform, or carried by the guest.
    pub mode: EipMode,
    /// Outbound cap; the inbound one is this or 10 Mbps, whichever is more.
    pub bandwidth: Bandwidth,
    /// Where it is declared.
    pub mark: Mark,
}

/// What an eip is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EipTarget {
    /// A private address of a nic, 1:1.
    Address(NicId, Ipv4Addr),
    /// A NAT gateway.
    NatGateway(NatGatewayId),
    /// A virtual address.
    Havip(HavipId),
}

/// How an eip reaches the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EipMode {
    /// The platform translates 1:1; the guest sees its private address.
    Nat,
    /// The guest carries the public address itself; nothing is rewritten.
    Direct,
}

/// Size of a NAT gateway: its connection ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NatSpec {
    /// 1 000 000 connections.
    Small,
    /// 3 000 000 connections.
    Medium,
    /// 10 000 000 connections.
    Large,
}

impl NatSpec {
    /// The documented ceiling of concurrent connections.
    pub fn max_connections(self) -> u32 {
        match self {
            Self::Small => 1_000_000,
            Self::Medium => 3_000_000,
            Self::Large => 10_000_000,
        }
    }
}

/// A gateway that lends public addresses to a vpc (SNAT) and forwards ports into it (DNAT).
#[derive(Debug, Clone, PartialEq)]
pub struct NatGateway {
    /// Name in the file.
    pub name: String,
    /// The vpc it serves.
    pub vpc: VpcId,
    /// Its size.
    pub spec: NatSpec,
    /// Ceiling of concurrent connections: the spec's unless the file says less.
    pub max_connections: u32,
    /// Outbound cap of the whole gateway.
    pub bandwidth: Bandwidth,
    /// Its public addresses, in bound order; never empty.
    pub eips: Vec<EipId>,
    /// Which source uses which address.
    pub snat: Vec<SnatRule>,
    /// Which public port leads where.
    pub dnat: Vec<DnatRule>,
    /// Drop sources that no SNAT rule names, instead of using all addresses.
    pub strict_snat: bool,
    /// One inside host keeps one address per destination address.
    pub affinity: bool,
    /// Answer pings to its addresses itself.
    pub icmp_proxy: bool,
    /// Session timeouts.
    pub timeouts: NatTimeouts,
    /// A disabled gateway drops with `next-hop-unavailable`.
    pub enabled: bool,
    /// Where it is declared.
    pub mark: Mark,
}

/// Session timeouts of a NAT gateway, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NatTimeouts {
    /// TCP, both directions seen.
    pub tcp_established: u32,
    /// TCP after FIN or RST.
    pub tcp_closing: u32,
    /// TCP before the answer.
    pub tcp_half_open: u32,
    /// UDP.
    pub udp: u32,
    /// ICMP.
    pub icmp: u32,
}

impl Default for NatTimeouts {
    /// SEMANTICS §9.
    fn default() -> Self {
        Self {
            tcp_established: 10_800,
            tcp_closing: 120,
            tcp_half_open: 120,
            udp: 180,
            icmp: 30,
        }
    }
}

/// The sources of an SNAT rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnatSource {
    /// All addresses of one cvm.
    Cvm(CvmId),
    /// All addresses of one subnet.
    Subnet(SubnetId),
}

/// Sources and the public addresses they share.
#[derive(Debug, Clone, PartialEq)]
pub struct SnatRule {
    /// Who.
    pub source: SnatSource,
    /// Their pool; never empty, all bound to the gateway.
    pub eips: Vec<EipId>,
    /// Where it is declared.
    pub mark: Mark,
}

/// A public port that leads to a private one.
#[derive(Debug, Clone, PartialEq)]
pub struct DnatRule {
    /// The public address.
    pub eip: EipId,
    /// [`RuleProtocol::Tcp`] or [`RuleProtocol::Udp`].
    pub protocol: RuleProtocol,
    /// The public port.
    pub port: u16,
    /// The private address, in the gateway's vpc.
    pub to: Ipv4Addr,
    /// The private port.
    pub to_port: u16,
    /// Where it is declared.
    pub mark: Mark,
}

/// A virtual address that moves between cvms of one subnet.
#[derive(Debug, Clone, PartialEq)]
pub struct Havip {
    /// Name in the file.
    pub name: String,
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its private address.
    pub address: Ipv4Addr,
    /// The nic that holds it now.
    pub holder: Option<NicId>,
    /// Where it is declared.
    pub mark: Mark,
}
