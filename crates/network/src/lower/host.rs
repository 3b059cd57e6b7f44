//! The Linux side of cvms: sysctls, addresses on lo, routes and rules.

use super::addresses::Holder;
use super::{Lowering, entries, items};
use crate::decode::{Field, Item, Spanned};
use crate::error::{Kind, suggest};
use crate::file::{CvmDecl, HostRouteDecl, SysctlValue};
use crate::yaml::clip;
use crate::*;
use std::net::Ipv4Addr;

impl Lowering<'_> {
    pub(super) fn hosts(&mut self) {
        for (i, entry) in entries(&self.file.cvms).iter().enumerate() {
            let Some(decl) = &entry.value else { continue };
            let cvm = CvmId(u32::try_from(i).unwrap_or(u32::MAX));
            self.sysctls(cvm, decl);
            let lo = self.lo(cvm, decl);
            let mut routes = Vec::new();
            for route in items(&decl.routes) {
                routes.extend(self.host_route(cvm, route));
            }
            let rules = items(&decl.rules)
                .filter_map(|rule| {
                    Some(HostRule {
                        from: rule.from.given()?.value.0,
                        table: rule.table.given()?.value.0,
                    })
                })
                .collect();
            if let Some(cvm) = self.network.cvms.get_mut(i) {
                cvm.lo = lo;
                cvm.routes = routes;
                cvm.rules = rules;
            }
        }
    }

    fn nics_of(&self, cvm: CvmId) -> Vec<NicId> {
        let facts = self.facts.cvms.get(cvm.index());
        facts.map_or_else(Vec::new, |facts| facts.nics.clone())
    }

    /// Sets the sysctls of a cvm and its nics, and what depends on ip_forward.
    fn sysctls(&mut self, cvm: CvmId, decl: &CvmDecl) {
        let nics = self.nics_of(cvm);
        let mut ip_forward = decl.ip_forward.given().map(|f| f.value);
        let mut all = InterfaceSysctl {
            rp_filter: 1,
            ..InterfaceSysctl::default()
        };
        let lines = decl.sysctl.given().map_or(&[][..], |s| &s.lines);
        // `default` seeds whatever has no value of its own, wherever it stands.
        let mut seed = InterfaceSysctl::default();
        for line in lines {
            if let SysctlValue::Interface(interface, value) = &line.value
                && interface == "default"
            {
                value.set(&mut seed);
            }
        }
        let mut values = vec![seed; nics.len()];
        for line in lines {
            match &line.value {
                SysctlValue::IpForward(value) => {
                    if decl.ip_forward.given().is_some_and(|f| f.value != *value) {
                        self.errors.push(
                            Kind::ConflictingKeys {
                                one: "ip_forward",
                                other: "net.ipv4.ip_forward",
                                hint: "they are one switch: keep one of the two",
                            },
                            line.mark,
                            "says otherwise",
                        );
                    }
                    ip_forward = Some(*value);
                }
                SysctlValue::Interface(interface, value) => match interface.as_str() {
                    "all" => value.set(&mut all),
                    "default" => {}
                    name => match self.interface(cvm, name) {
                        Some(at) => {
                            if let Some(nic) = values.get_mut(at) {
                                value.set(nic);
                            }
                        }
                        None => self.unknown_interface(cvm, name, line.mark, &line.key),
                    },
                },
            }
        }
        let ip_forward = ip_forward.unwrap_or(false);
        if let Some(cvm) = self.network.cvms.get_mut(cvm.index()) {
            cvm.ip_forward = ip_forward;
            cvm.sysctl_all = all;
        }
        for (at, (nic, value)) in nics.iter().zip(values).enumerate() {
            let forwarding = match &decl.nics {
                Field::Given(nics) => {
                    let nic = nics.entries.get(at).and_then(|e| e.value.as_ref());
                    nic.and_then(|n| n.forwarding.given())
                }
                _ => decl.forwarding.given(),
            };
            if let Some(nic) = self.network.nics.get_mut(nic.index()) {
                nic.sysctl = value;
                nic.forwarding = forwarding.map_or(ip_forward, |f| f.value);
            }
        }
    }

    /// The position of a nic among those of its cvm.
    fn interface(&self, cvm: CvmId, name: &str) -> Option<usize> {
        let facts = self.facts.cvms.get(cvm.index())?;
        facts.nics.iter().position(|nic| {
            let nic = self.network.nics.get(nic.index());
            nic.is_some_and(|nic| nic.name == name)
        })
    }

    fn unknown_interface(&mut self, cvm: CvmId, name: &str, mark: Mark, key: &str) {
        let Some(facts) = self.facts.cvms.get(cvm.index()) else {
            return;
        };
        if !facts.complete {
            return;
        }
        let nics = facts.nics.iter();
        let known = nics
            .filter_map(|nic| self.network.nics.get(nic.index()))
            .map(|nic| nic.name.as_str());
        let hint = suggest(name, known.chain(["all", "default"]), "");
        let kind = Kind::UnknownSysctl {
            key: clip(key),
            hint: format!("the cvm has no interface `{}`: {hint}", clip(name)),
        };
        self.errors.push(kind, mark, "no such interface");
    }

    fn lo(&mut self, cvm: CvmId, decl: &CvmDecl) -> Vec<Ipv4Addr> {
        let mut list: Vec<Ipv4Addr> = Vec::new();
        for address in items(&decl.lo) {
            let value = address.value;
            if value.is_unspecified() || value.is_multicast() || value.octets()[0] >= 240 {
                let kind = Kind::AddressNotUnicast { address: value };
                self.errors.push(kind, address.mark, "not unicast");
                continue;
            }
            if list.contains(&value) {
                let name = value.to_string();
                self.errors
                    .push(Kind::ListedTwice { name }, address.mark, "again");
                continue;
            }
            list.push(value);
            self.lo_of_another(cvm, *address);
        }
        list
    }

    /// Reports an address on lo that is a nic's of another cvm.
    fn lo_of_another(&mut self, cvm: CvmId, address: Spanned<Ipv4Addr>) {
        let Some(vpc) = self.cvm_vpc(cvm) else { return };
        let Some(owner) = self.book.find(vpc, address.value) else {
            return;
        };
        let Holder::Nic(nic) = owner.holder else {
            return;
        };
        let other = self.network.nics.get(nic.index()).map(|nic| nic.cvm);
        if other.is_some_and(|other| other != cvm) {
            let kind = Kind::AddressTaken {
                address: address.value,
                owner: owner.what.clone(),
            };
            let first = owner.mark;
            self.errors
                .push(kind, address.mark, "taken")
                .also(first, "used here");
        }
    }

    fn host_route(&mut self, cvm: CvmId, route: &Item<HostRouteDecl>) -> Option<HostRoute> {
        let (mark, route) = (route.mark, &route.value);
        let via = route.via.given();
        let nic = match &route.nic {
            Field::Broken => None,
            Field::Given(name) => {
                let nic = self.find_nic_named(cvm, name);
                if let (Some(nic), Some(via)) = (nic, via) {
                    self.on_link(nic, *via);
                }
                nic
            }
            Field::Absent => match (&route.via, via) {
                (_, Some(via)) => self.link_to(cvm, *via),
                (Field::Absent, _) => {
                    self.errors.push(
                        Kind::MissingKey {
                            record: "a host route".to_owned(),
                            key: "nic",
                            hint: "add `nic: …` for destinations on link, or `via: …` for a router"
                                .to_owned(),
                        },
                        mark,
                        "which way?",
                    );
                    None
                }
                _ => None,
            },
        };
        Some(HostRoute {
            destination: route.to.given()?.value.0,
            via: via.map(|v| v.value),
            nic: nic?,
            table: match &route.table {
                Field::Absent => HostTable::MAIN,
                Field::Broken => return None,
                Field::Given(table) => table.value.0,
            },
        })
    }

    /// Reports a router that is not in the nic's subnet.
    fn on_link(&mut self, nic: NicId, via: Spanned<Ipv4Addr>) {
        let facts = self.nic_subnet(nic).and_then(|s| self.subnet_facts(s));
        let Some(cidr) = facts.and_then(|f| f.cidr) else {
            return;
        };
        if !cidr.value.contains(&via.value) {
            let name = self.network.nics.get(nic.index()).map(|n| n.name.clone());
            let kind = Kind::RouterOffLink {
                via: via.value,
                link: format!("`{}` ({})", name.unwrap_or_default(), cidr.value),
            };
            self.errors.push(kind, via.mark, "not reachable directly");
        }
    }

    /// The nic whose subnet contains a router.
    fn link_to(&mut self, cvm: CvmId, via: Spanned<Ipv4Addr>) -> Option<NicId> {
        let mut complete = self.facts.cvms.get(cvm.index())?.complete;
        let mut links = Vec::new();
        for nic in self.nics_of(cvm) {
            let facts = self.nic_subnet(nic).and_then(|s| self.subnet_facts(s));
            match facts.and_then(|f| f.cidr) {
                Some(cidr) if cidr.value.contains(&via.value) => return Some(nic),
                Some(cidr) => links.push(cidr.value.to_string()),
                None => complete = false,
            }
        }
        if complete {
            let kind = Kind::RouterOffLink {
                via: via.value,
                link: format!("any nic ({})", links.join(", ")),
            };
            self.errors.push(kind, via.mark, "not reachable directly");
        }
        None
    }
}
