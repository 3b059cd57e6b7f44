//! Finding elements by the names and addresses people use.

use crate::*;
use std::net::Ipv4Addr;

macro_rules! by_name {
    ($($(#[$doc:meta])* $get:ident: $field:ident => $id:ident;)*) => {
        impl Network {
            $(
                $(#[$doc])*
                pub fn $get(&self, name: &str) -> Option<$id> {
                    let at = self.$field.iter().position(|element| element.name == name)?;
                    u32::try_from(at).ok().map($id)
                }
            )*
        }
    };
}

by_name! {
    /// The region of that name.
    find_region: regions => RegionId;
    /// The zone of that name.
    find_zone: zones => ZoneId;
    /// The vpc of that name.
    find_vpc: vpcs => VpcId;
    /// The subnet of that name.
    find_subnet: subnets => SubnetId;
    /// The security group of that name.
    find_security_group: security_groups => SecurityGroupId;
    /// The address template of that name.
    find_address_template: address_templates => AddressTemplateId;
    /// The service template of that name.
    find_service_template: service_templates => ServiceTemplateId;
    /// The acl of that name.
    find_acl: acls => AclId;
    /// The route table of that name.
    find_route_table: route_tables => RouteTableId;
    /// The peering of that name.
    find_peering: peerings => PeeringId;
    /// The eip of that name.
    find_eip: eips => EipId;
    /// The nat gateway of that name.
    find_nat_gateway: nat_gateways => NatGatewayId;
    /// The havip of that name.
    find_havip: havips => HavipId;
    /// The external of that name.
    find_external: externals => ExternalId;
    /// The cvm of that name.
    find_cvm: cvms => CvmId;
}

impl Network {
    /// The nic that `name` names: `web-1/eth1`, or `web-1` for the primary one.
    pub fn find_nic(&self, name: &str) -> Option<NicId> {
        let Some((cvm, nic)) = name.split_once('/') else {
            let cvm = self.cvm(self.find_cvm(name)?);
            return cvm.nics.first().copied();
        };
        let cvm = self.cvm(self.find_cvm(cvm)?);
        let named = |id: &&NicId| self.nic(**id).name == nic;
        cvm.nics.iter().find(named).copied()
    }

    /// The nic's full name: `web-1/eth0`.
    ///
    /// # Panics
    /// Only with an id of another network.
    pub fn nic_name(&self, nic: NicId) -> String {
        let nic = self.nic(nic);
        format!("{}/{}", self.cvm(nic.cvm).name, nic.name)
    }

    /// The vpc a nic is in.
    ///
    /// # Panics
    /// Only with an id of another network.
    pub fn vpc_of(&self, nic: NicId) -> VpcId {
        self.subnet(self.nic(nic).subnet).vpc
    }

    /// The nic with that private address; in a certain vpc, or in the first
    /// that uses it: vpcs that are not joined may reuse addresses.
    pub fn nic_by_address(&self, vpc: Option<VpcId>, address: Ipv4Addr) -> Option<NicId> {
        self.nic_ids().find(|&id| {
            vpc.is_none_or(|vpc| self.vpc_of(id) == vpc)
                && self.nic(id).addresses.iter().any(|a| a.address == address)
        })
    }

    /// The eip with that public address.
    pub fn eip_by_address(&self, address: Ipv4Addr) -> Option<EipId> {
        let at = self.eips.iter().position(|eip| eip.address == address)?;
        u32::try_from(at).ok().map(EipId)
    }

    /// All nics, in file order.
    pub fn nic_ids(&self) -> impl Iterator<Item = NicId> + use<> {
        (0..u32::try_from(self.nics.len()).unwrap_or(u32::MAX)).map(NicId)
    }

    /// All cvms, in file order.
    pub fn cvm_ids(&self) -> impl Iterator<Item = CvmId> + use<> {
        (0..u32::try_from(self.cvms.len()).unwrap_or(u32::MAX)).map(CvmId)
    }
}
