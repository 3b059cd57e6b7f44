//! Names of elements and places, as they are written in output.

use super::Program;
use crate::{Element, Place};
use vpcsim_network::NicId;

impl Program {
    /// `web-1/eth0`.
    pub fn nic_name(&self, nic: NicId) -> String {
        let nic = self.network().nic(nic);
        format!("{}/{}", self.network().cvm(nic.cvm).name, nic.name)
    }

    /// `web-1/eth0`, `internet`, `external:office`, `nat:gw`.
    pub fn place_name(&self, place: Place) -> String {
        let network = self.network();
        match place {
            Place::Nic(nic) => self.nic_name(nic),
            Place::Internet => "internet".to_owned(),
            Place::External(external) => format!("external:{}", network.external(external).name),
            Place::NatGateway(gateway) => format!("nat:{}", network.nat_gateway(gateway).name),
        }
    }

    /// The element's name in the file.
    pub fn element_name(&self, element: Element) -> String {
        let network = self.network();
        match element {
            Element::Nic(nic) => self.nic_name(nic),
            Element::SecurityGroup(id) => network.security_group(id).name.clone(),
            Element::SecurityGroupsOf(nic) => {
                let groups = network.nic(nic).security_groups.iter();
                let names: Vec<_> = groups
                    .map(|&id| network.security_group(id).name.as_str())
                    .collect();
                names.join("+")
            }
            Element::Acl(id) => network.acl(id).name.clone(),
            Element::RouteTable(id) => network.route_table(id).name.clone(),
            Element::Peering(id) => network.peering(id).name.clone(),
            Element::Eip(id) => network.eip(id).name.clone(),
            Element::NatGateway(id) => network.nat_gateway(id).name.clone(),
            Element::Havip(id) => network.havip(id).name.clone(),
            Element::Cvm(id) => network.cvm(id).name.clone(),
            Element::Subnet(id) => network.subnet(id).name.clone(),
            Element::Vpc(id) => network.vpc(id).name.clone(),
            Element::External(id) => network.external(id).name.clone(),
            Element::Address(address) => address.to_string(),
            Element::Internet => "internet".to_owned(),
            Element::Packet => "packet".to_owned(),
        }
    }
}
