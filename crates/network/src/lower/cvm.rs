//! Cvms, their nics, and references to them.

use super::addresses::Holder;
use super::{CvmFacts, Lowering, entries, items, next_id};
use crate::decode::{Field, List, Spanned};
use crate::error::{Kind, suggest};
use crate::file::{AddressDecl, CvmDecl, CvmRef, NicDecl, ServiceItem, protocol_name};
use crate::yaml::clip;
use crate::*;
use std::collections::HashMap;
use std::net::Ipv4Addr;

impl Lowering<'_> {
    pub(super) fn cvms(&mut self) {
        let mut captured = HashMap::new();
        for entry in entries(&self.file.cvms) {
            let id = CvmId(next_id(&self.network.cvms));
            let mut facts = CvmFacts::default();
            if let Some(decl) = &entry.value {
                self.cvm_nics(id, &entry.name, decl, &mut facts);
            }
            let first = facts.nics.first().and_then(|nic| self.nic_subnet(*nic));
            facts.vpc = first
                .and_then(|subnet| self.subnet_facts(subnet))
                .map(|facts| facts.vpc);
            let zone = first
                .and_then(|subnet| self.subnet_facts(subnet))
                .and_then(|facts| facts.zone);
            self.same_place(&entry.name, &facts.nics);
            let decl = entry.value.as_ref();
            let services = decl.and_then(|d| d.listen.given());
            self.services(services);
            let captured_as = decl.map_or(Vec::new(), |decl| {
                self.captured_as(&entry.name, decl, &mut captured)
            });
            self.network.cvms.push(Cvm {
                name: entry.name.value.clone(),
                zone: zone.unwrap_or(ZoneId(0)),
                nics: facts.nics.clone(),
                running: decl.is_none_or(|d| d.running.or(true)),
                ip_forward: false,
                lo: Vec::new(),
                sysctl_all: InterfaceSysctl::default(),
                routes: Vec::new(),
                rules: Vec::new(),
                captured_as,
                listen: services.map(|list| list.iter().map(|s| s.value.0.clone()).collect()),
                mark: entry.name.mark,
            });
            self.facts.cvms.push(facts);
        }
    }

    /// The addresses that stand for a cvm in captures; one stands for no other.
    fn captured_as(
        &mut self,
        name: &Spanned<String>,
        decl: &CvmDecl,
        captured: &mut HashMap<Ipv4Addr, (String, Mark)>,
    ) -> Vec<Ipv4Addr> {
        let mut list = Vec::new();
        for address in items(&decl.captured_as) {
            if let Some((owner, first)) = captured.get(&address.value) {
                let kind = Kind::AddressTaken {
                    address: address.value,
                    owner: format!("cvm `{owner}`"),
                };
                self.errors
                    .push(kind, address.mark, "taken")
                    .also(*first, "used here");
                continue;
            }
            captured.insert(address.value, (name.value.clone(), address.mark));
            list.push(address.value);
        }
        list
    }

    /// Reports services that no host listens on.
    fn services(&mut self, services: Option<&List<Spanned<ServiceItem>>>) {
        for service in services.into_iter().flat_map(List::iter) {
            let protocol = service.value.0.protocol;
            if !matches!(protocol, RuleProtocol::Tcp | RuleProtocol::Udp) {
                let kind = Kind::UnknownValue {
                    what: "a service a host listens on",
                    value: protocol_name(protocol).to_owned(),
                    hint: "write `tcp:PORTS` or `udp:PORTS`; pings are answered anyway".to_owned(),
                };
                self.errors.push(kind, service.mark, "nobody listens on it");
            }
        }
    }

    fn cvm_nics(
        &mut self,
        cvm: CvmId,
        name: &Spanned<String>,
        decl: &CvmDecl,
        facts: &mut CvmFacts,
    ) {
        let short = [
            ("subnet", decl.subnet.is_absent()),
            ("address", decl.address.is_absent()),
            ("addresses", decl.addresses.is_absent()),
            ("security_groups", decl.security_groups.is_absent()),
            ("forwarding", decl.forwarding.is_absent()),
        ];
        let short = short
            .iter()
            .find(|(_, absent)| !absent)
            .map(|(key, _)| *key);
        match (&decl.nics, short) {
            (Field::Broken, _) => {}
            (Field::Absent, None) => {
                let cvm = name.value.clone();
                self.errors
                    .push(Kind::NoNic { cvm }, name.mark, "has no nic");
            }
            (Field::Absent, Some(_)) => {
                if decl.subnet.is_absent() {
                    self.errors.push(
                        Kind::MissingKey {
                            record: format!("cvm `{}`", name.value),
                            key: "subnet",
                            hint: "add `subnet: …`".to_owned(),
                        },
                        name.mark,
                        "in which subnet?",
                    );
                }
                let nic = NicDecl {
                    subnet: decl.subnet.clone(),
                    address: decl.address.clone(),
                    addresses: decl.addresses.clone(),
                    security_groups: decl.security_groups.clone(),
                    forwarding: decl.forwarding.clone(),
                };
                let eth0 = Spanned::new("eth0".to_owned(), name.mark);
                facts
                    .nics
                    .push(self.nic(cvm, name, &eth0, true, Some(&nic)));
                facts.complete = true;
            }
            (Field::Given(nics), short) => {
                if let Some(short) = short {
                    self.errors.push(
                        Kind::ConflictingKeys {
                            one: short,
                            other: "nics",
                            hint: "say it in each nic under `nics`",
                        },
                        name.mark,
                        format!("has both `{short}` and `nics`"),
                    );
                }
                if nics.entries.is_empty() {
                    let cvm = name.value.clone();
                    self.errors
                        .push(Kind::NoNic { cvm }, name.mark, "has no nic");
                }
                for (i, entry) in nics.entries.iter().enumerate() {
                    let nic = self.nic(cvm, name, &entry.name, i == 0, entry.value.as_ref());
                    facts.nics.push(nic);
                }
                facts.complete = !nics.entries.is_empty();
            }
        }
    }

    fn nic(
        &mut self,
        cvm: CvmId,
        cvm_name: &Spanned<String>,
        name: &Spanned<String>,
        primary: bool,
        decl: Option<&NicDecl>,
    ) -> NicId {
        let id = NicId(next_id(&self.network.nics));
        let full = format!("{}/{}", cvm_name.value, name.value);
        self.nic_name(name);
        let mut subnet = None;
        let mut addresses = Vec::new();
        let mut groups = Vec::new();
        if let Some(decl) = decl {
            subnet = decl
                .subnet
                .given()
                .and_then(|s| self.names.subnets.find(s, self.errors))
                .map(SubnetId);
            for address in self.nic_addresses(&full, name, decl) {
                let what = format!("nic `{full}`");
                self.take(address.address, subnet, Holder::Nic(id), what);
                addresses.push(NicAddress {
                    address: address.address.value,
                    configured: address.configured,
                });
            }
            groups = self.nic_groups(&decl.security_groups);
        }
        if primary && groups.is_empty() {
            let vpc = subnet.and_then(|s| self.subnet_facts(s)).map(|f| f.vpc);
            let vpc = vpc.and_then(|vpc| self.network.vpcs.get(vpc.index()));
            groups.extend(vpc.map(|vpc| vpc.default_security_group));
        }
        self.facts.nic_subnets.push(subnet);
        self.network.nics.push(Nic {
            name: name.value.clone(),
            cvm,
            primary,
            subnet: subnet.unwrap_or(SubnetId(0)),
            addresses,
            security_groups: groups,
            // Set with the cvm's sysctls, on which they depend.
            forwarding: false,
            sysctl: InterfaceSysctl::default(),
            mark: name.mark,
        });
        id
    }

    fn nic_name(&mut self, name: &Spanned<String>) {
        let word = name.as_str();
        let reserved = matches!(word, "all" | "default" | "lo");
        let plain = !word.is_empty()
            && word.parse::<Ipv4Addr>().is_err()
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if reserved || !plain {
            let hint = if reserved {
                "Linux keeps the word for itself: name it as the guest does, `eth1`"
            } else {
                "use letters, digits, `-`, `_` and `.`, as in `eth1`"
            };
            let kind = Kind::BadName {
                what: "nic",
                name: clip(word),
                hint,
            };
            self.errors.push(kind, name.mark, "not a nic's name");
        }
    }

    fn nic_addresses(
        &mut self,
        full: &str,
        name: &Spanned<String>,
        decl: &NicDecl,
    ) -> Vec<AddressDecl> {
        match (&decl.address, &decl.addresses) {
            (Field::Given(address), Field::Absent) => vec![address.clone()],
            (Field::Absent, Field::Given(list)) => {
                if list.items.is_empty() {
                    let nic = full.to_owned();
                    self.errors
                        .push(Kind::NoAddress { nic }, list.mark, "no addresses");
                }
                list.iter().cloned().collect()
            }
            (Field::Absent, Field::Absent) => {
                self.errors.push(
                    Kind::MissingKey {
                        record: format!("nic `{full}`"),
                        key: "address",
                        hint: "add `address: …`, or several as `addresses: […]`".to_owned(),
                    },
                    name.mark,
                    "needs an address",
                );
                Vec::new()
            }
            (one, other) => {
                if let Field::Given(one) = one
                    && !other.is_absent()
                {
                    self.errors.push(
                        Kind::ConflictingKeys {
                            one: "address",
                            other: "addresses",
                            hint: "list all addresses under `addresses`, the primary first",
                        },
                        one.address.mark,
                        "beside `addresses`",
                    );
                }
                Vec::new()
            }
        }
    }

    fn nic_groups(&mut self, field: &Field<List<Spanned<String>>>) -> Vec<SecurityGroupId> {
        let mut groups = Vec::new();
        for name in items(field) {
            let Some(id) = self.names.groups.find(name, self.errors) else {
                continue;
            };
            let id = SecurityGroupId(id);
            if groups.contains(&id) {
                let value = name.value.clone();
                self.errors
                    .push(Kind::ListedTwice { name: value }, name.mark, "again");
            } else {
                groups.push(id);
            }
        }
        groups
    }

    /// Reports nics in another vpc or zone than the first one.
    fn same_place(&mut self, cvm: &Spanned<String>, nics: &[NicId]) {
        let Some((first, others)) = nics.split_first() else {
            return;
        };
        let Some(home) = self.nic_subnet(*first).and_then(|s| self.subnet_facts(s)) else {
            return;
        };
        let (home_vpc, home_zone) = (home.vpc, home.zone);
        let first = self.network.nics.get(first.index()).map(|n| n.name.clone());
        let first = first.unwrap_or_default();
        for nic in others {
            let Some(facts) = self.nic_subnet(*nic).and_then(|s| self.subnet_facts(s)) else {
                continue;
            };
            let (vpc, zone) = (facts.vpc, facts.zone);
            let Some(declared) = self.network.nics.get(nic.index()) else {
                continue;
            };
            let (mark, name) = (declared.mark, format!("{}/{}", cvm.value, declared.name));
            if vpc != home_vpc {
                let kind = Kind::NicInOtherVpc {
                    nic: name,
                    vpc: self.vpc_name(vpc),
                    first: first.clone(),
                    wanted: self.vpc_name(home_vpc),
                };
                self.errors.push(kind, mark, "in another vpc");
            } else if let (Some(zone), Some(home)) = (zone, home_zone)
                && zone != home
            {
                let kind = Kind::NicInOtherZone {
                    nic: name,
                    zone: self.names.zones.name(zone.0),
                    first: first.clone(),
                    wanted: self.names.zones.name(home.0),
                };
                self.errors.push(kind, mark, "in another zone");
            }
        }
    }

    pub(super) fn nic_subnet(&self, nic: NicId) -> Option<SubnetId> {
        self.facts.nic_subnets.get(nic.index()).copied().flatten()
    }

    pub(super) fn cvm_vpc(&self, cvm: CvmId) -> Option<VpcId> {
        self.facts.cvms.get(cvm.index()).and_then(|facts| facts.vpc)
    }

    /// The cvm that a reference names, and its nic: the primary one unless it says which.
    pub(super) fn find_nic_of(&mut self, reference: &CvmRef) -> Option<(CvmId, NicId)> {
        let cvm = CvmId(self.names.cvms.find(&reference.cvm, self.errors)?);
        match &reference.nic {
            None => {
                let facts = self.facts.cvms.get(cvm.index())?;
                Some((cvm, facts.nics.first().copied()?))
            }
            Some(name) => Some((cvm, self.find_nic_named(cvm, name)?)),
        }
    }

    /// The nic of a cvm by its name.
    pub(super) fn find_nic_named(&mut self, cvm: CvmId, name: &Spanned<String>) -> Option<NicId> {
        let facts = self.facts.cvms.get(cvm.index())?;
        let named = |nic: &&NicId| {
            self.network
                .nics
                .get(nic.index())
                .is_some_and(|n| n.name == name.value)
        };
        let found = facts.nics.iter().find(named).copied();
        if found.is_none() && facts.complete {
            let nics = facts.nics.iter();
            let known = nics.filter_map(|n| self.network.nics.get(n.index()));
            let hint = suggest(name.as_str(), known.map(|n| n.name.as_str()), "");
            let kind = Kind::UnknownReference {
                what: "nic",
                name: clip(name.as_str()),
                hint,
            };
            let label = format!("no such nic of cvm `{}`", self.names.cvms.name(cvm.0));
            self.errors.push(kind, name.mark, label);
        }
        found
    }
}
