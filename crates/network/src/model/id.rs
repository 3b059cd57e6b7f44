//! Dense ids: an index into the vector of its kind, impossible to mix up.

use super::*;

/// Where something was declared in the network file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Mark {
    /// Line, counted from 1; 0 for what no line declares (a vpc's implicit default table).
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// Byte offset in the file.
    pub offset: u32,
    /// Length in bytes.
    pub len: u32,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident => $field:ident, $get:ident: $ty:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $id(pub u32);

            impl $id {
                /// The position in the vector of this kind.
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*

        impl Network {
            $(
                #[doc = concat!("The element that a [`", stringify!($id), "`] of this network names.")]
                ///
                /// # Panics
                /// Only with an id of another network.
                pub fn $get(&self, id: $id) -> &$ty {
                    &self.$field[id.index()]
                }
            )*
        }
    };
}

ids! {
    /// Names a [`Region`].
    RegionId => regions, region: Region;
    /// Names a [`Zone`].
    ZoneId => zones, zone: Zone;
    /// Names a [`Vpc`].
    VpcId => vpcs, vpc: Vpc;
    /// Names a [`Subnet`].
    SubnetId => subnets, subnet: Subnet;
    /// Names a [`SecurityGroup`].
    SecurityGroupId => security_groups, security_group: SecurityGroup;
    /// Names an [`AddressTemplate`].
    AddressTemplateId => address_templates, address_template: AddressTemplate;
    /// Names a [`ServiceTemplate`].
    ServiceTemplateId => service_templates, service_template: ServiceTemplate;
    /// Names an [`Acl`].
    AclId => acls, acl: Acl;
    /// Names a [`RouteTable`].
    RouteTableId => route_tables, route_table: RouteTable;
    /// Names a [`Peering`].
    PeeringId => peerings, peering: Peering;
    /// Names an [`Eip`].
    EipId => eips, eip: Eip;
    /// Names a [`NatGateway`].
    NatGatewayId => nat_gateways, nat_gateway: NatGateway;
    /// Names a [`Havip`].
    HavipId => havips, havip: Havip;
    /// Names an [`External`].
    ExternalId => externals, external: External;
    /// Names a [`Cvm`].
    CvmId => cvms, cvm: Cvm;
    /// Names a [`Nic`].
    NicId => nics, nic: Nic;
}
