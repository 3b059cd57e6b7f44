//! How much of everything a network has.

use crate::Network;
use serde::Serialize;

/// Counts of a network's elements. Implied ones (default tables and groups)
/// are not counted: the file does not declare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Regions.
    pub regions: usize,
    /// Zones of all regions.
    pub zones: usize,
    /// Vpcs.
    pub vpcs: usize,
    /// Subnets of all vpcs.
    pub subnets: usize,
    /// Declared security groups.
    pub security_groups: usize,
    /// Rules of the declared security groups, in both directions.
    pub security_group_rules: usize,
    /// Address and service templates.
    pub templates: usize,
    /// Network acls.
    pub acls: usize,
    /// Rules of all acls, in both directions.
    pub acl_rules: usize,
    /// Declared route tables.
    pub route_tables: usize,
    /// Routes of all tables.
    pub routes: usize,
    /// Peerings.
    pub peerings: usize,
    /// Eips.
    pub eips: usize,
    /// NAT gateways.
    pub nat_gateways: usize,
    /// Snat and dnat rules of all gateways.
    pub nat_rules: usize,
    /// Havips.
    pub havips: usize,
    /// Externals.
    pub externals: usize,
    /// Cvms.
    pub cvms: usize,
    /// Nics of all cvms.
    pub nics: usize,
}

impl Network {
    /// Counts what the network declares.
    pub fn summary(&self) -> Summary {
        // What no line declares has a mark without a line.
        let groups = || self.security_groups.iter().filter(|g| g.mark.line > 0);
        let tables = || self.route_tables.iter().filter(|t| t.mark.line > 0);
        let acl_rules = self.acls.iter().map(|a| a.ingress.len() + a.egress.len());
        let nat_rules = self
            .nat_gateways
            .iter()
            .map(|n| n.snat.len() + n.dnat.len());
        Summary {
            regions: self.regions.len(),
            zones: self.zones.len(),
            vpcs: self.vpcs.len(),
            subnets: self.subnets.len(),
            security_groups: groups().count(),
            security_group_rules: groups().map(|g| g.ingress.len() + g.egress.len()).sum(),
            templates: self.address_templates.len() + self.service_templates.len(),
            acls: self.acls.len(),
            acl_rules: acl_rules.sum(),
            route_tables: tables().count(),
            routes: tables().map(|t| t.routes.len()).sum(),
            peerings: self.peerings.len(),
            eips: self.eips.len(),
            nat_gateways: self.nat_gateways.len(),
            nat_rules: nat_rules.sum(),
            havips: self.havips.len(),
            externals: self.externals.len(),
            cvms: self.cvms.len(),
            nics: self.nics.len(),
        }
    }
}
