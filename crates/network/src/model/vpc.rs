//! Regions, zones, vpcs, subnets and the peerings between vpcs.

use super::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A geography: vpcs live in one.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Name in the file.
    pub name: String,
    /// Its zones.
    pub zones: Vec<ZoneId>,
    /// Where it is declared.
    pub mark: Mark,
}

/// A data centre of a region: subnets live in one.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Name in the file.
    pub name: String,
    /// The region it belongs to.
    pub region: RegionId,
    /// Where it is declared.
    pub mark: Mark,
}

/// A private network.
#[derive(Debug, Clone, PartialEq)]
pub struct Vpc {
    /// Name in the file.
    pub name: String,
    /// The region it lives in.
    pub region: RegionId,
    /// The account that owns it; peerings between accounts want acceptance.
    pub account: String,
    /// Primary CIDR first, secondary ones after it.
    pub cidrs: Vec<Ipv4Net>,
    /// Largest IPv4 packet in bytes on its links (policy `mtu`).
    pub mtu: u16,
    /// The table of subnets that name none.
    pub default_route_table: RouteTableId,
    /// The group of primary nics that name none.
    pub default_security_group: SecurityGroupId,
    /// Where it is declared.
    pub mark: Mark,
}

impl Vpc {
    /// Whether `address` lies in one of the vpc's CIDRs.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.cidrs.iter().any(|cidr| cidr.contains(&address))
    }
}

/// A slice of a vpc in one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Subnet {
    /// Name in the file, unique over the whole file.
    pub name: String,
    /// The vpc it belongs to.
    pub vpc: VpcId,
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// The zone it lives in.
    pub zone: ZoneId,
    /// The table that steers what leaves it.
    pub route_table: RouteTableId,
    /// The acl at its edge; none: no filtering.
    pub acl: Option<AclId>,
    /// Where it is declared.
    pub mark: Mark,
}

impl Subnet {
    /// The router's address: the first after the network address.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.cidr.network()).wrapping_add(1))
    }
}

/// A link between two vpcs, fixed for life.
#[derive(Debug, Clone, PartialEq)]
pub struct Peering {
    /// Name in the file.
    pub name: String,
    /// The two vpcs.
    pub vpcs: [VpcId; 2],
    /// Whether packets pass: same account, or accepted by the other one.
    pub active: bool,
    /// Where it is declared.
    pub mark: Mark,
}

impl Peering {
    /// The vpc at the other end, seen from `vpc`; `None` if `vpc` is at neither.
    pub fn other(&self, vpc: VpcId) -> Option<VpcId> {
        match self.vpcs {
            [a, b] if a == vpc => Some(b),
            [a, b] if b == vpc => Some(a),
            _ => None,
        }
    }
}
