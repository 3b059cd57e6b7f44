//! Havips and eips.

use super::addresses::Holder;
use super::{Lowering, entries, next_id};
use crate::decode::{Field, Spanned};
use crate::error::Kind;
use crate::file::{Bind, CvmRef, EipDecl, HavipDecl};
use crate::*;
use ipnet::Ipv4Net;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// Ranges that are no public unicast addresses (RFC 6890), documentation aside.
pub const NOT_PUBLIC: [(Ipv4Addr, u8); 10] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

impl Lowering<'_> {
    pub(super) fn havips(&mut self) {
        for entry in entries(&self.file.havips) {
            let id = HavipId(next_id(&self.network.havips));
            let mut havip = Havip {
                name: entry.name.value.clone(),
                subnet: SubnetId(0),
                address: Ipv4Addr::UNSPECIFIED,
                holder: None,
                mark: entry.name.mark,
            };
            let subnet = entry
                .value
                .as_ref()
                .and_then(|decl| self.havip(id, decl, &mut havip));
            self.facts.havip_subnets.push(subnet);
            self.network.havips.push(havip);
        }
    }

    fn havip(&mut self, id: HavipId, decl: &HavipDecl, havip: &mut Havip) -> Option<SubnetId> {
        let subnet = decl.subnet.given();
        let subnet = subnet.and_then(|s| self.names.subnets.find(s, self.errors));
        let subnet = subnet.map(SubnetId);
        if let Some(address) = decl.address.given() {
            havip.address = address.value;
            let what = format!("havip `{}`", havip.name);
            self.take(*address, subnet, Holder::Havip(id), what);
        }
        if let Some(holder) = decl.holder.given() {
            havip.holder = self.holder(&holder.value, holder.mark, subnet);
        }
        havip.subnet = subnet?;
        subnet
    }

    /// The nic that holds a havip: the one it names, or the cvm's in that subnet.
    fn holder(&mut self, holder: &CvmRef, mark: Mark, subnet: Option<SubnetId>) -> Option<NicId> {
        let (cvm, nic) = self.find_nic_of(holder)?;
        let subnet = subnet?;
        let facts = self.facts.cvms.get(cvm.index())?;
        let candidates = match holder.nic {
            Some(_) => vec![nic],
            None => facts.nics.clone(),
        };
        let homes: Vec<_> = candidates.iter().map(|nic| self.nic_subnet(*nic)).collect();
        if let Some(at) = homes.iter().position(|home| *home == Some(subnet)) {
            return candidates.get(at).copied();
        }
        if facts.complete && homes.iter().all(Option::is_some) {
            let kind = Kind::HolderElsewhere {
                holder: holder.cvm.value.clone(),
                subnet: self.names.subnets.name(subnet.0),
            };
            self.errors.push(kind, mark, "in another subnet");
        }
        None
    }

    pub(super) fn eips(&mut self) {
        let mut addresses = HashMap::new();
        let mut targets: HashMap<EipTarget, (&str, Mark)> = HashMap::new();
        for entry in entries(&self.file.eips) {
            let decl = entry.value.as_ref();
            let address = decl.and_then(|d| d.address.given());
            if let Some(address) = address {
                self.public_address(*address);
                match addresses.get(&address.value) {
                    Some((owner, first)) => {
                        let kind = Kind::AddressTaken {
                            address: address.value,
                            owner: format!("eip `{owner}`"),
                        };
                        self.errors
                            .push(kind, address.mark, "taken")
                            .also(*first, "used here");
                    }
                    None => {
                        let owner = (entry.name.value.as_str(), address.mark);
                        addresses.insert(address.value, owner);
                    }
                }
            }
            let target = decl.and_then(|decl| self.eip_target(decl));
            if let Some((target, mark)) = target {
                match targets.get(&target) {
                    Some((owner, first)) => {
                        let kind = Kind::TargetBoundTwice {
                            target: self.target_name(target),
                            first: (*owner).to_owned(),
                        };
                        self.errors
                            .push(kind, mark, "bound again")
                            .also(*first, "first bound here");
                    }
                    None => {
                        targets.insert(target, (entry.name.value.as_str(), mark));
                    }
                }
            }
            let bandwidth = decl.and_then(|d| d.bandwidth.given());
            self.network.eips.push(Eip {
                name: entry.name.value.clone(),
                address: address.map_or(Ipv4Addr::UNSPECIFIED, |a| a.value),
                target: target.map(|(target, _)| target),
                mode: decl.map_or(EipMode::Nat, |d| d.mode.or(EipMode::Nat)),
                bandwidth: bandwidth.map_or(Bandwidth::Mbps(100), |b| b.value.0),
                mark: entry.name.mark,
            });
        }
    }

    fn public_address(&mut self, address: Spanned<Ipv4Addr>) {
        let reserved = NOT_PUBLIC.iter().any(|(network, len)| {
            Ipv4Net::new(*network, *len).is_ok_and(|net| net.contains(&address.value))
        });
        let vpc = self.facts.vpcs.iter().enumerate().find_map(|(i, facts)| {
            let cidr = facts
                .ranges
                .iter()
                .find(|r| r.value.contains(&address.value));
            cidr.map(|cidr| (i, *cidr))
        });
        if let Some((vpc, cidr)) = vpc {
            let kind = Kind::EipInsideVpc {
                address: address.value,
                vpc: self
                    .network
                    .vpcs
                    .get(vpc)
                    .map(|v| v.name.clone())
                    .unwrap_or_default(),
                cidr: cidr.value,
            };
            self.errors
                .push(kind, address.mark, "inside a vpc")
                .also(cidr.mark, "the vpc's range");
        } else if reserved {
            let kind = Kind::NotPublic {
                address: address.value,
            };
            self.errors.push(kind, address.mark, "not public");
        }
    }

    fn eip_target(&mut self, decl: &EipDecl) -> Option<(EipTarget, Mark)> {
        let bind = decl.bind.given()?;
        let target = match &bind.value {
            Bind::Nic(reference) => {
                let (_, nic) = self.find_nic_of(reference)?;
                let address = self.network.nics.get(nic.index())?.addresses.first()?;
                EipTarget::Address(nic, address.address)
            }
            Bind::Havip(name) => {
                let id = self.names.havips.find(name, self.errors)?;
                EipTarget::Havip(HavipId(id))
            }
            Bind::CvmAddress(cvm, address) => self.cvm_address(cvm, *address)?,
            Bind::Address(address) => self.bound_address(Spanned::new(*address, bind.mark))?,
        };
        let direct = matches!(&decl.mode, Field::Given(mode) if mode.value == EipMode::Direct);
        if direct && matches!(target, EipTarget::Havip(_)) {
            self.errors
                .push(Kind::DirectModeTarget, bind.mark, "not a nic");
        }
        Some((target, bind.mark))
    }

    fn cvm_address(
        &mut self,
        cvm: &Spanned<String>,
        address: Spanned<Ipv4Addr>,
    ) -> Option<EipTarget> {
        let id = CvmId(self.names.cvms.find(cvm, self.errors)?);
        let facts = self.facts.cvms.get(id.index())?;
        let found = facts.nics.iter().copied().find(|nic| {
            let nic = self.network.nics.get(nic.index());
            nic.is_some_and(|nic| nic.addresses.iter().any(|a| a.address == address.value))
        });
        if found.is_none() && facts.complete {
            let kind = Kind::NobodysBindAddress {
                address: address.value,
            };
            let label = format!("not an address of cvm `{}`", cvm.value);
            self.errors.push(kind, address.mark, label);
        }
        found.map(|nic| EipTarget::Address(nic, address.value))
    }

    fn bound_address(&mut self, address: Spanned<Ipv4Addr>) -> Option<EipTarget> {
        match self.book.everybody(address.value) {
            [] => {
                if self.all_addresses_known() {
                    let kind = Kind::NobodysBindAddress {
                        address: address.value,
                    };
                    self.errors.push(kind, address.mark, "nobody's");
                }
                None
            }
            [owner] => Some(match owner.holder {
                Holder::Nic(nic) => EipTarget::Address(nic, address.value),
                Holder::Havip(havip) => EipTarget::Havip(havip),
            }),
            [one, other, ..] => {
                let kind = Kind::AmbiguousReference {
                    name: address.value.to_string(),
                    one: one.what.clone(),
                    other: other.what.clone(),
                    hint: format!(
                        "two vpcs use the address: write `CVM/{}` or `havip/NAME`",
                        address.value
                    ),
                };
                let (one, other) = (one.mark, other.mark);
                self.errors
                    .push(kind, address.mark, "whose?")
                    .also(one, "used here")
                    .also(other, "and here");
                None
            }
        }
    }

    /// Whether every declared nic and havip could be read, so that an address
    /// nobody has is really nobody's.
    pub(super) fn all_addresses_known(&self) -> bool {
        let file = self.file;
        let nics_known = !matches!(file.cvms, Field::Broken)
            && self.facts.cvms.iter().all(|facts| facts.complete)
            && self.facts.nic_subnets.iter().all(Option::is_some)
            && self
                .network
                .nics
                .iter()
                .all(|nic| !nic.addresses.is_empty());
        nics_known
            && !matches!(file.havips, Field::Broken)
            && self.facts.havip_subnets.iter().all(Option::is_some)
    }

    fn target_name(&self, target: EipTarget) -> String {
        match target {
            EipTarget::Address(_, address) => format!("address {address}"),
            EipTarget::NatGateway(id) => format!("nat gateway `{}`", self.names.nats.name(id.0)),
            EipTarget::Havip(id) => format!("havip `{}`", self.names.havips.name(id.0)),
        }
    }
}
