//! Route tables and what their routes point at.

use super::*;
use ipnet::Ipv4Net;

/// Steers what leaves the subnets that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteTable {
    /// Name in the file; a vpc's implicit table is `VPC/default`.
    pub name: String,
    /// The vpc it belongs to.
    pub vpc: VpcId,
    /// The declared routes; the vpc's own CIDRs are implied and never listed.
    pub routes: Vec<Route>,
    /// Where it is declared.
    pub mark: Mark,
}

/// One entry of a route table.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Destinations it speaks of.
    pub destination: Ipv4Net,
    /// Where they go.
    pub next_hop: NextHop,
    /// A disabled route is kept and ignored.
    pub enabled: bool,
    /// Where it is declared.
    pub mark: Mark,
}

/// What a route points at. Several enabled routes of one destination are equal-cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// A peering.
    Peering(PeeringId),
    /// A NAT gateway of the same vpc.
    NatGateway(NatGatewayId),
    /// The sender's own public address.
    Eip,
    /// A public gateway cvm (`cvm`), by its primary nic unless another is named.
    Cvm(NicId),
    /// An ordinary instance (`instance`), ECMP over at most eight.
    Instance(NicId),
    /// A high-availability virtual address.
    Havip(HavipId),
    /// A gateway beyond which nothing is simulated.
    External(ExternalId),
}

/// The kinds of gateway beyond which nothing is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExternalKind {
    /// VPN gateway.
    Vpn,
    /// SSL VPN gateway.
    SslVpn,
    /// Direct connect gateway.
    DirectConnect,
    /// Cloud connect network.
    Ccn,
    /// Private NAT gateway.
    Intranat,
    /// Local gateway of a dedicated cluster.
    LocalGateway,
    /// Gateway load balancer endpoint.
    GwlbEndpoint,
}

/// A gateway where packets leave the simulated world, delivered to `external:NAME`.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// Name in the file.
    pub name: String,
    /// What it is.
    pub kind: ExternalKind,
    /// The vpc it is attached to.
    pub vpc: VpcId,
    /// A disabled gateway drops with `next-hop-unavailable`.
    pub enabled: bool,
    /// What lies behind it: captured packets from there enter by it. May be empty.
    pub networks: Vec<Ipv4Net>,
    /// Where it is declared.
    pub mark: Mark,
}
