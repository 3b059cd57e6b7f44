//! What a valid network file declares.

use super::number::counted;
use super::style::{GOOD, NAME, paint};
use super::table::{together, wrap};
use vpcsim_network::Summary;

/// `network.yaml is valid` and how much of everything there is.
pub(crate) fn text(name: &str, summary: &Summary, width: usize) -> String {
    let all = [
        (summary.regions, "region"),
        (summary.zones, "zone"),
        (summary.vpcs, "vpc"),
        (summary.subnets, "subnet"),
        (summary.security_groups, "security group"),
        (summary.security_group_rules, "security group rule"),
        (summary.templates, "template"),
        (summary.acls, "acl"),
        (summary.acl_rules, "acl rule"),
        (summary.route_tables, "route table"),
        (summary.routes, "route"),
        (summary.peerings, "peering"),
        (summary.eips, "eip"),
        (summary.nat_gateways, "nat gateway"),
        (summary.nat_rules, "nat rule"),
        (summary.havips, "havip"),
        (summary.externals, "external"),
        (summary.cvms, "cvm"),
        (summary.nics, "nic"),
    ];
    let declared: Vec<_> = all
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, one)| together(&counted(*n as u64, one)))
        .collect();
    let mut text = format!("{} {}\n", paint(NAME, name), paint(GOOD, "is valid"));
    for line in wrap(&declared.join(", "), width - 2) {
        text += &format!("  {line}\n");
    }
    text
}
