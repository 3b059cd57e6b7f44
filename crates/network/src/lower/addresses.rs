//! Who has which private address.

use super::Lowering;
use crate::decode::Spanned;
use crate::error::Kind;
use crate::*;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// The private addresses in use, by vpc: vpcs that are not joined may reuse them.
#[derive(Debug, Default)]
pub(super) struct AddressBook {
    owners: HashMap<(VpcId, Ipv4Addr), Owner>,
    /// The vpcs in which an address is used, in file order.
    by_address: HashMap<Ipv4Addr, Vec<Owner>>,
}

/// Whose address it is.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) holder: Holder,
    /// For messages: "nic `web-1/eth0`".
    pub(super) what: String,
    pub(super) mark: Mark,
}

/// A nic or a havip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Nic(NicId),
    Havip(HavipId),
}

impl AddressBook {
    pub(super) fn find(&self, vpc: VpcId, address: Ipv4Addr) -> Option<&Owner> {
        self.owners.get(&(vpc, address))
    }

    /// Everybody with that address, in whatever vpc.
    pub(super) fn everybody(&self, address: Ipv4Addr) -> &[Owner] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }
}

impl Lowering<'_> {
    /// Takes an address of a subnet for a holder; reports why it cannot have it.
    pub(super) fn take(
        &mut self,
        address: Spanned<Ipv4Addr>,
        subnet: Option<SubnetId>,
        holder: Holder,
        what: String,
    ) {
        let Some(id) = subnet else { return };
        let Some(facts) = self.subnet_facts(id) else {
            return;
        };
        let vpc = facts.vpc;
        if let Some(cidr) = facts.cidr
            && let Some(kind) = unusable(address.value, cidr.value, self.names.subnets.name(id.0))
        {
            let label = match &kind {
                Kind::ReservedAddress { role, .. } => format!("the {role}"),
                _ => "outside the subnet".to_owned(),
            };
            self.errors
                .push(kind, address.mark, label)
                .also(cidr.mark, "the subnet's range");
            return;
        }
        let owner = Owner {
            holder,
            what,
            mark: address.mark,
        };
        match self.book.owners.get(&(vpc, address.value)) {
            Some(first) => {
                let (at, first) = if first.mark.offset <= owner.mark.offset {
                    (&owner, first)
                } else {
                    (first, &owner)
                };
                let kind = Kind::AddressTaken {
                    address: address.value,
                    owner: first.what.clone(),
                };
                self.errors
                    .push(kind, at.mark, "taken")
                    .also(first.mark, "used here");
            }
            None => {
                self.book
                    .by_address
                    .entry(address.value)
                    .or_default()
                    .push(owner.clone());
                self.book.owners.insert((vpc, address.value), owner);
            }
        }
    }
}

/// Why an address of a subnet cannot be used, if it cannot.
fn unusable(address: Ipv4Addr, cidr: ipnet::Ipv4Net, subnet: String) -> Option<Kind> {
    let (network, broadcast) = (u32::from(cidr.network()), u32::from(cidr.broadcast()));
    let first = Ipv4Addr::from(network.saturating_add(2));
    let last = Ipv4Addr::from(broadcast.saturating_sub(1));
    if !cidr.contains(&address) {
        return Some(Kind::AddressOutsideSubnet {
            address,
            subnet,
            cidr,
            first,
            last,
        });
    }
    let role = match u32::from(address) {
        n if n == network => "network address",
        n if n == broadcast => "broadcast address",
        n if n == network.saturating_add(1) => "gateway",
        _ => return None,
    };
    Some(Kind::ReservedAddress {
        address,
        role,
        subnet,
        cidr,
        first,
        last,
    })
}
