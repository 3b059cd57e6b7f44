//! The types of a validated network. Names are SEMANTICS §1's.

mod address;
mod cvm;
mod expect;
mod gateway;
mod id;
mod policy;
mod route;
mod security;
mod vpc;

pub use address::*;
pub use cvm::*;
pub use expect::*;
pub use gateway::*;
pub use id::*;
pub use policy::*;
pub use route::*;
pub use security::*;
pub use vpc::*;

/// A whole declared network, valid by construction.
///
/// Every `*Id` in it indexes the vector of its kind: `network.vpcs[id.index()]`,
/// or shorter `network.vpc(id)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Network {
    /// Regions, in file order.
    pub regions: Vec<Region>,
    /// Zones of all regions.
    pub zones: Vec<Zone>,
    /// Private networks.
    pub vpcs: Vec<Vpc>,
    /// Subnets of all vpcs.
    pub subnets: Vec<Subnet>,
    /// Security groups, the vpcs' `default` groups among them.
    pub security_groups: Vec<SecurityGroup>,
    /// Named address lists for security-group rules.
    pub address_templates: Vec<AddressTemplate>,
    /// Named protocol and port lists for security-group rules.
    pub service_templates: Vec<ServiceTemplate>,
    /// Network acls.
    pub acls: Vec<Acl>,
    /// Route tables, each vpc's default table among them.
    pub route_tables: Vec<RouteTable>,
    /// Peerings between two vpcs.
    pub peerings: Vec<Peering>,
    /// Elastic public addresses.
    pub eips: Vec<Eip>,
    /// NAT gateways.
    pub nat_gateways: Vec<NatGateway>,
    /// High-availability virtual addresses.
    pub havips: Vec<Havip>,
    /// Gateways at which a packet leaves the simulated world.
    pub externals: Vec<External>,
    /// Hosts.
    pub cvms: Vec<Cvm>,
    /// Network interfaces of all cvms.
    pub nics: Vec<Nic>,
    /// Choices that the platform's documentation leaves open.
    pub policies: Policies,
    /// What the network has to do, in file order, as far as one request tells.
    pub expectations: Vec<Expectation>,
    /// What it has to do with many, in file order.
    pub claims: Vec<Claim>,
}
