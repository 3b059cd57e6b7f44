//! What of a network the internet can reach.

use crate::*;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// A way from the internet to a nic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exposure {
    pub(super) nic: NicId,
    /// The protocol and port that a dnat rule forwards; none: an eip, everything.
    pub(super) only: Option<(RuleProtocol, u16)>,
}

/// Every way in: eips that are bound to nics or to held havips, and dnat rules.
pub(super) fn exposures(
    network: &Network,
    owners: &HashMap<(VpcId, Ipv4Addr), NicId>,
) -> Vec<Exposure> {
    let eips = network.eips.iter().filter_map(|eip| match eip.target? {
        EipTarget::Address(nic, _) => Some(nic),
        EipTarget::Havip(havip) => network.havip(havip).holder,
        EipTarget::NatGateway(_) => None,
    });
    let gateways = network
        .nat_gateways
        .iter()
        .filter(|gateway| gateway.enabled);
    let dnat = gateways.flat_map(|gateway| {
        gateway.dnat.iter().filter_map(|rule| {
            let nic = *owners.get(&(gateway.vpc, rule.to))?;
            let only = Some((rule.protocol, rule.to_port));
            Some(Exposure { nic, only })
        })
    });
    eips.map(|nic| Exposure { nic, only: None })
        .chain(dnat)
        .collect()
}
