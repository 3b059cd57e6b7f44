//! The network file as it is written: every key, with its meaning.

mod cvm;
mod expect;
mod gateway;
mod peer;
mod policy;
mod ports;
mod reference;
mod route;
mod rule;
mod security;
mod sysctl;
mod vpc;

pub(crate) use cvm::*;
pub(crate) use expect::*;
pub(crate) use gateway::*;
pub(crate) use peer::*;
pub(crate) use policy::*;
pub(crate) use ports::{OnePort, Ports, ServiceItem};
pub(crate) use reference::*;
pub(crate) use route::*;
pub(crate) use rule::*;
pub(crate) use security::*;
pub(crate) use sysctl::{InterfaceValue, Sysctl, SysctlLine, SysctlValue};
pub(crate) use vpc::*;

use crate::decode::{Item, List, Named, record};
use crate::lint::LintsDecl;

record! {
    /// A cloud network for vpcsim.
    struct File("a network file") {
        /// Geographies and their zones. Default: one region `default` with the zone `default-1`.
        optional regions: Named<RegionDecl>,
        /// Private networks with their subnets.
        required vpcs: Named<VpcDecl>,
        /// Ordered, stateful rule lists bound to nics.
        optional security_groups: Named<GroupDecl>,
        /// Named address lists for security-group rules.
        optional address_templates: Named<AddressTemplateDecl>,
        /// Named service lists for security-group rules.
        optional service_templates: Named<ServiceTemplateDecl>,
        /// Network acls: ordered, stateless rule lists at the edge of subnets.
        optional acls: Named<AclDecl>,
        /// Route tables: where packets go that leave a subnet and its vpc.
        optional route_tables: Named<RouteTableDecl>,
        /// Links between two vpcs.
        optional peerings: Named<PeeringDecl>,
        /// Elastic public addresses.
        optional eips: Named<EipDecl>,
        /// NAT gateways.
        optional nat_gateways: Named<NatGatewayDecl>,
        /// High-availability virtual addresses.
        optional havips: Named<HavipDecl>,
        /// Gateways at which a packet leaves the simulated world: vpn, direct connect, ccn and others.
        optional externals: Named<ExternalDecl>,
        /// Hosts.
        optional cvms: Named<CvmDecl>,
        /// Choices that the platform's documentation leaves open.
        optional policies: PoliciesDecl,
        /// What the network has to do: `vpcsim check` tries it.
        optional expect: List<Item<ExpectDecl>>,
        /// What `vpcsim check` says beside mistakes.
        optional lints: LintsDecl,
    }
}
