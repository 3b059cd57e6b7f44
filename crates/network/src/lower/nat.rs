//! NAT gateways and their rules.

use super::{Lowering, entries, items};
use crate::decode::{Field, Item, List, Spanned};
use crate::error::{Kind, suggest};
use crate::file::{DnatDecl, DnatTarget, NatGatewayDecl, SnatDecl, SnatFrom, protocol_name};
use crate::yaml::clip;
use crate::*;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// What a gateway's rules are checked against.
struct Gateway<'a> {
    name: &'a str,
    vpc: Option<VpcId>,
    eips: Vec<EipId>,
    /// Whether these are all it lists.
    complete: bool,
}

impl Lowering<'_> {
    pub(super) fn nat_gateways(&mut self) {
        // Which gateway lists an eip.
        let mut listed = HashMap::new();
        for (i, entry) in entries(&self.file.nat_gateways).iter().enumerate() {
            let id = NatGatewayId(u32::try_from(i).unwrap_or(u32::MAX));
            let name = &entry.name;
            let mut nat = NatGateway {
                name: name.value.clone(),
                vpc: VpcId(0),
                spec: NatSpec::Small,
                max_connections: NatSpec::Small.max_connections(),
                bandwidth: Bandwidth::Mbps(100),
                eips: Vec::new(),
                snat: Vec::new(),
                dnat: Vec::new(),
                strict_snat: false,
                affinity: true,
                icmp_proxy: true,
                timeouts: NatTimeouts::default(),
                enabled: true,
                mark: name.mark,
            };
            let mut vpc = None;
            if let Some(decl) = &entry.value {
                vpc = self.vpc_of(
                    &decl.vpc,
                    name.mark,
                    format!("nat gateway `{}`", name.value),
                );
                nat.vpc = vpc.unwrap_or(VpcId(0));
                self.nat_settings(decl, &mut nat);
                nat.eips = self.nat_eips(id, name, decl, &mut listed);
                let gateway = Gateway {
                    name: name.as_str(),
                    vpc,
                    eips: nat.eips.clone(),
                    complete: decl
                        .eips
                        .given()
                        .is_some_and(|list| list.items.len() == nat.eips.len()),
                };
                nat.snat = self.snat_rules(&gateway, &decl.snat);
                nat.dnat = self.dnat_rules(&gateway, &decl.dnat);
            }
            self.facts.nat_vpcs.push(vpc);
            self.network.nat_gateways.push(nat);
        }
    }

    fn nat_settings(&mut self, decl: &NatGatewayDecl, nat: &mut NatGateway) {
        nat.spec = decl.spec.or(nat.spec);
        nat.max_connections = nat.spec.max_connections();
        if let Some(max) = decl.max_connections.given() {
            let most = nat.spec.max_connections();
            if max.value.0 > most && !matches!(decl.spec, Field::Broken) {
                let spec = match nat.spec {
                    NatSpec::Small => "small",
                    NatSpec::Medium => "medium",
                    NatSpec::Large => "large",
                };
                let kind = Kind::AboveSpec {
                    value: max.value.0,
                    spec,
                    most,
                };
                self.errors.push(kind, max.mark, "too many");
            }
            nat.max_connections = max.value.0;
        }
        if let Some(rate) = decl.bandwidth.given() {
            nat.bandwidth = rate.value.0;
        }
        nat.strict_snat = decl.strict_snat.or(nat.strict_snat);
        nat.affinity = decl.affinity.or(nat.affinity);
        nat.icmp_proxy = decl.icmp_proxy.or(nat.icmp_proxy);
        nat.enabled = decl.enabled.or(nat.enabled);
        if let Some(decl) = decl.timeouts.given() {
            let timeouts = &mut nat.timeouts;
            for (field, value) in [
                (&mut timeouts.tcp_established, &decl.tcp_established),
                (&mut timeouts.tcp_closing, &decl.tcp_closing),
                (&mut timeouts.tcp_half_open, &decl.tcp_half_open),
                (&mut timeouts.udp, &decl.udp),
                (&mut timeouts.icmp, &decl.icmp),
            ] {
                if let Some(seconds) = value.given() {
                    *field = seconds.value.0;
                }
            }
        }
    }

    fn nat_eips<'a>(
        &mut self,
        id: NatGatewayId,
        name: &'a Spanned<String>,
        decl: &NatGatewayDecl,
        listed: &mut HashMap<EipId, (&'a str, Mark)>,
    ) -> Vec<EipId> {
        let mut eips = Vec::new();
        if let Some(list) = decl.eips.given()
            && list.items.is_empty()
        {
            let gateway = name.value.clone();
            self.errors
                .push(Kind::NoEips { gateway }, list.mark, "no eips");
        }
        for eip in items(&decl.eips) {
            let Some(found) = self.names.eips.find(eip, self.errors).map(EipId) else {
                continue;
            };
            if eips.contains(&found) {
                let name = eip.value.clone();
                self.errors
                    .push(Kind::ListedTwice { name }, eip.mark, "again");
                continue;
            }
            eips.push(found);
            self.bind_to_nat(id, found, eip, listed);
            listed.entry(found).or_insert((name.as_str(), eip.mark));
        }
        eips
    }

    /// Notes that a gateway has an eip; reports what else has it.
    fn bind_to_nat(
        &mut self,
        id: NatGatewayId,
        eip: EipId,
        name: &Spanned<String>,
        listed: &HashMap<EipId, (&str, Mark)>,
    ) {
        let decl = entries(&self.file.eips)
            .get(eip.index())
            .and_then(|entry| entry.value.as_ref());
        let bound = decl.and_then(|d| d.bind.given()).map(|bind| bind.mark);
        let owner = match listed.get(&eip) {
            Some((gateway, mark)) => Some((format!("nat gateway `{gateway}`"), *mark)),
            None => bound.map(|mark| ("what its `bind` names".to_owned(), mark)),
        };
        if let Some((owner, first)) = owner {
            let kind = Kind::EipBoundTwice {
                eip: name.value.clone(),
                owner,
            };
            self.errors
                .push(kind, name.mark, "bound again")
                .also(first, "first bound here");
            return;
        }
        if let Some(mode) = decl.and_then(|d| d.mode.given())
            && mode.value == EipMode::Direct
        {
            self.errors
                .push(Kind::DirectModeTarget, name.mark, "a direct-mode eip")
                .also(mode.mark, "its mode");
        }
        if let Some(eip) = self.network.eips.get_mut(eip.index()) {
            eip.target = Some(EipTarget::NatGateway(id));
        }
    }

    /// The gateway's eip of that name.
    fn gateway_eip(&mut self, gateway: &Gateway<'_>, name: &Spanned<String>) -> Option<EipId> {
        let id = EipId(self.names.eips.find(name, self.errors)?);
        if !gateway.eips.contains(&id) && gateway.complete {
            let own: Vec<String> = gateway
                .eips
                .iter()
                .map(|eip| self.names.eips.name(eip.0))
                .collect();
            let own = suggest(name.as_str(), own.iter().map(String::as_str), "");
            let kind = Kind::NotTheGatewaysEip {
                eip: name.value.clone(),
                gateway: gateway.name.to_owned(),
                hint: format!("add it to the gateway's `eips`, or name one of them: {own}"),
            };
            self.errors.push(kind, name.mark, "not the gateway's");
        }
        Some(id)
    }

    fn snat_rules(
        &mut self,
        gateway: &Gateway<'_>,
        rules: &Field<List<Item<SnatDecl>>>,
    ) -> Vec<SnatRule> {
        let mut seen = HashMap::new();
        let mut lowered = Vec::new();
        for Item { mark, value: rule } in items(rules) {
            let mut eips = Vec::new();
            for name in items(&rule.eips) {
                let Some(id) = self.gateway_eip(gateway, name) else {
                    continue;
                };
                if eips.contains(&id) {
                    let name_again = name.value.clone();
                    let kind = Kind::ListedTwice { name: name_again };
                    self.errors.push(kind, name.mark, "again");
                } else {
                    eips.push(id);
                }
            }
            if let Some(list) = rule.eips.given()
                && list.items.is_empty()
            {
                self.errors.push(Kind::NoRuleEips, list.mark, "no eips");
            }
            let Some(from) = rule.from.given() else {
                continue;
            };
            let Some(source) = self.snat_source(gateway, &from.value) else {
                continue;
            };
            if let Some(first) = seen.insert(source, from.mark) {
                let subject = match &from.value {
                    SnatFrom::Cvm(name) => format!("cvm `{}`", name.value),
                    SnatFrom::Subnet(name) => format!("subnet `{}`", name.value),
                };
                self.errors
                    .push(Kind::DuplicateSnat { subject }, from.mark, "again")
                    .also(first, "first rule");
            }
            lowered.push(SnatRule {
                source,
                eips,
                mark: *mark,
            });
        }
        lowered
    }

    fn snat_source(&mut self, gateway: &Gateway<'_>, from: &SnatFrom) -> Option<SnatSource> {
        let hint = "a nat gateway serves its own vpc only: name one of vpc `{wanted}`";
        match from {
            SnatFrom::Cvm(name) => {
                let id = CvmId(self.names.cvms.find(name, self.errors)?);
                let vpc = self.cvm_vpc(id);
                self.same_vpc(vpc, gateway.vpc, "cvm", name, hint);
                Some(SnatSource::Cvm(id))
            }
            SnatFrom::Subnet(name) => {
                let id = SubnetId(self.names.subnets.find(name, self.errors)?);
                let vpc = self.subnet_facts(id).map(|facts| facts.vpc);
                self.same_vpc(vpc, gateway.vpc, "subnet", name, hint);
                Some(SnatSource::Subnet(id))
            }
        }
    }

    fn dnat_rules(
        &mut self,
        gateway: &Gateway<'_>,
        rules: &Field<List<Item<DnatDecl>>>,
    ) -> Vec<DnatRule> {
        let mut seen = HashMap::new();
        let mut lowered = Vec::new();
        for Item { mark, value: rule } in items(rules) {
            let name = rule.eip.given();
            let eip = name.and_then(|name| self.gateway_eip(gateway, name));
            let to = rule.to.given();
            let to = to.and_then(|to| self.dnat_target(gateway, to));
            let (Some(protocol), Some(port)) = (rule.protocol.given(), rule.port.given()) else {
                continue;
            };
            let public = u16::try_from(port.value.0).unwrap_or(u16::MAX);
            let protocol = protocol.value.0;
            let Some(eip) = eip else { continue };
            if let Some(first) = seen.insert((eip, protocol, public), port.mark) {
                let kind = Kind::DuplicateDnat {
                    protocol: protocol_name(protocol),
                    port: public,
                    eip: self.names.eips.name(eip.0),
                };
                self.errors
                    .push(kind, port.mark, "forwarded again")
                    .also(first, "first rule");
            }
            let Some(to) = to else { continue };
            let to_port = rule.to_port.given().map_or(port.value.0, |p| p.value.0);
            lowered.push(DnatRule {
                eip,
                protocol,
                port: public,
                to,
                to_port: u16::try_from(to_port).unwrap_or(u16::MAX),
                mark: *mark,
            });
        }
        lowered
    }

    fn dnat_target(&mut self, gateway: &Gateway<'_>, to: &Spanned<DnatTarget>) -> Option<Ipv4Addr> {
        match &to.value {
            DnatTarget::Cvm(reference) => {
                let (cvm, nic) = self.find_nic_of(reference)?;
                let hint = "a nat gateway forwards into its own vpc only: name a cvm of `{wanted}`";
                let vpc = self.cvm_vpc(cvm);
                let name = Spanned::new(clip(reference.cvm.as_str()), reference.cvm.mark);
                self.same_vpc(vpc, gateway.vpc, "cvm", &name, hint);
                let address = self.network.nics.get(nic.index())?.addresses.first()?;
                Some(address.address)
            }
            DnatTarget::Address(address) => {
                let vpc = gateway.vpc?;
                let facts = self.vpc_facts(vpc)?;
                let inside = facts.ranges.iter().any(|r| r.value.contains(address));
                let (address, complete) = (*address, facts.complete);
                if !inside {
                    if complete {
                        let vpc = self.vpc_name(vpc);
                        let kind = Kind::DnatOutsideVpc { address, vpc };
                        self.errors.push(kind, to.mark, "outside the vpc");
                    }
                } else if self.book.find(vpc, address).is_none() && self.all_addresses_known() {
                    let vpc = self.vpc_name(vpc);
                    let kind = Kind::NobodysAddress { address, vpc };
                    self.errors.push(kind, to.mark, "nobody's");
                }
                Some(address)
            }
        }
    }
}
