//! Route tables, their routes, and externals.

use super::{Lowering, entries, items};
use crate::decode::{Field, Item, List, Spanned};
use crate::error::Kind;
use crate::file::{CvmRef, RouteDecl, Via};
use crate::*;
use ipnet::Ipv4Net;

impl Lowering<'_> {
    /// Makes the declared tables; their routes follow once everything has an id.
    pub(super) fn route_tables(&mut self) {
        for entry in entries(&self.file.route_tables) {
            let name = &entry.name;
            let vpc = entry.value.as_ref().and_then(|decl| {
                self.vpc_of(
                    &decl.vpc,
                    name.mark,
                    format!("route table `{}`", name.value),
                )
            });
            self.facts.table_vpcs.push(vpc);
            self.network.route_tables.push(RouteTable {
                name: name.value.clone(),
                vpc: vpc.unwrap_or(VpcId(0)),
                routes: Vec::new(),
                mark: name.mark,
            });
        }
    }

    pub(super) fn externals(&mut self) {
        for entry in entries(&self.file.externals) {
            let name = &entry.name;
            let mut external = External {
                name: name.value.clone(),
                kind: ExternalKind::Vpn,
                vpc: VpcId(0),
                enabled: true,
                networks: Vec::new(),
                mark: name.mark,
            };
            let mut vpc = None;
            if let Some(decl) = &entry.value {
                vpc = self.vpc_of(&decl.vpc, name.mark, format!("external `{}`", name.value));
                external.vpc = vpc.unwrap_or(VpcId(0));
                external.kind = decl.kind.or(ExternalKind::Vpn);
                external.enabled = decl.enabled.or(true);
                external.networks = items(&decl.networks).map(|n| n.value.0).collect();
            }
            self.facts.external_vpcs.push(vpc);
            self.network.externals.push(external);
        }
    }

    pub(super) fn routes(&mut self) {
        for (i, entry) in entries(&self.file.route_tables).iter().enumerate() {
            let Some(Field::Given(routes)) = entry.value.as_ref().map(|t| &t.routes) else {
                continue;
            };
            let vpc = self.facts.table_vpcs.get(i).copied().flatten();
            let lowered = self.table_routes(vpc, routes);
            if let Some(table) = self.network.route_tables.get_mut(i) {
                table.routes = lowered;
            }
        }
    }

    fn table_routes(&mut self, vpc: Option<VpcId>, routes: &List<Item<RouteDecl>>) -> Vec<Route> {
        let mut lowered = Vec::new();
        for Item { mark, value: route } in routes.iter() {
            if let Some(to) = route.to.given() {
                self.outside_vpc(vpc, Spanned::new(to.value.0, to.mark));
            }
            let via = route.via.given();
            let next_hop = via.and_then(|via| self.next_hop(vpc, &via.value));
            let (Some(to), Some(next_hop)) = (route.to.given(), next_hop) else {
                continue;
            };
            lowered.push(Route {
                destination: to.value.0,
                next_hop,
                enabled: route.enabled.or(true),
                mark: *mark,
            });
        }
        self.equal_routes(&lowered);
        lowered
    }

    fn outside_vpc(&mut self, vpc: Option<VpcId>, to: Spanned<Ipv4Net>) {
        let Some(facts) = vpc.and_then(|vpc| self.vpc_facts(vpc)) else {
            return;
        };
        let Some(range) = facts.ranges.iter().find(|r| r.value.contains(&to.value)) else {
            return;
        };
        let (cidr, mark) = (range.value, range.mark);
        let vpc = vpc.map(|vpc| self.vpc_name(vpc)).unwrap_or_default();
        let kind = Kind::RouteInsideVpc {
            destination: to.value,
            vpc,
            cidr,
        };
        self.errors
            .push(kind, to.mark, "inside the vpc")
            .also(mark, "the vpc's range");
    }

    fn next_hop(&mut self, vpc: Option<VpcId>, via: &Via) -> Option<NextHop> {
        const HINT: &str = "a next hop is in the table's own vpc: name one of `{wanted}`";
        match via {
            Via::Eip => Some(NextHop::Eip),
            Via::Nat(name) => {
                let id = self.names.nats.find(name, self.errors)?;
                let found = self.facts.nat_vpcs.get(id as usize).copied().flatten();
                self.same_vpc(found, vpc, "nat gateway", name, HINT);
                Some(NextHop::NatGateway(NatGatewayId(id)))
            }
            Via::Peering(name) => {
                let id = self.names.peerings.find(name, self.errors)?;
                self.peering_end(id, vpc, name);
                Some(NextHop::Peering(PeeringId(id)))
            }
            Via::Cvm(reference) => self.host_hop(reference, vpc).map(NextHop::Cvm),
            Via::Instance(reference) => self.host_hop(reference, vpc).map(NextHop::Instance),
            Via::Havip(name) => {
                let id = self.names.havips.find(name, self.errors)?;
                let subnet = self.facts.havip_subnets.get(id as usize).copied().flatten();
                let found = subnet.and_then(|s| self.subnet_facts(s)).map(|f| f.vpc);
                self.same_vpc(found, vpc, "havip", name, HINT);
                Some(NextHop::Havip(HavipId(id)))
            }
            Via::External(kind, name) => {
                let id = self.names.externals.find(name, self.errors)?;
                let found = self.facts.external_vpcs.get(id as usize).copied().flatten();
                self.same_vpc(found, vpc, "external", name, HINT);
                if let Some(wanted) = kind {
                    self.external_kind(id, *wanted, name);
                }
                Some(NextHop::External(ExternalId(id)))
            }
        }
    }

    fn host_hop(&mut self, reference: &CvmRef, vpc: Option<VpcId>) -> Option<NicId> {
        let (cvm, nic) = self.find_nic_of(reference)?;
        let found = self.cvm_vpc(cvm);
        let hint = "a next hop is in the table's own vpc: name a cvm of `{wanted}`";
        self.same_vpc(found, vpc, "cvm", &reference.cvm, hint);
        Some(nic)
    }

    /// Reports a peering that does not touch the table's vpc.
    fn peering_end(&mut self, id: u32, vpc: Option<VpcId>, name: &Spanned<String>) {
        let ends = self.facts.peerings.get(id as usize).copied().flatten();
        if let (Some(ends), Some(vpc)) = (ends, vpc)
            && !ends.contains(&vpc)
        {
            let [one, other] = ends.map(|end| self.vpc_name(end));
            let kind = Kind::OtherVpc {
                what: "peering",
                name: name.value.clone(),
                vpc: format!("{one}` and `{other}"),
                wanted: self.vpc_name(vpc),
                hint: "name a peering of the table's own vpc: peerings are not transitive"
                    .to_owned(),
            };
            self.errors.push(kind, name.mark, "joins other vpcs");
        }
    }

    fn external_kind(&mut self, id: u32, wanted: ExternalKind, name: &Spanned<String>) {
        let decl = entries(&self.file.externals).get(id as usize);
        let kind = decl
            .and_then(|e| e.value.as_ref())
            .and_then(|d| d.kind.given());
        if let Some(kind) = kind
            && kind.value != wanted
        {
            let error = Kind::WrongExternalKind {
                name: name.value.clone(),
                kind: kind.value.word(),
                wanted: wanted.word(),
            };
            let declared = kind.mark;
            self.errors
                .push(error, name.mark, "of another kind")
                .also(declared, "declared here");
        }
    }
}
