//! What lints look at: the file as it is written and the network that it means.

use super::exposure::{Exposure, exposures};
use super::judge::public;
use super::set::Set;
use crate::decode::{Entry, Field, List, Named};
use crate::file::{AclDecl, CvmDecl, File, GroupDecl, RouteDecl};
use crate::*;
use ipnet::Ipv4Net;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// A file without mistakes. Its elements have their ids in file order, so that an id leads to
/// the declaration too.
pub(super) struct Subject<'a> {
    text: &'a str,
    file: &'a File,
    pub(super) network: &'a Network,
    /// Who has a private address or holds it, by vpc.
    owners: HashMap<(VpcId, Ipv4Addr), NicId>,
    /// Every way in from the internet.
    pub(super) exposures: Vec<Exposure>,
    /// The addresses that hosts on the internet have.
    pub(super) public: Set,
}

fn declared<T>(section: &Field<Named<T>>, at: usize) -> Option<&T> {
    let entry: &Entry<T> = section.given()?.entries.get(at)?;
    entry.value.as_ref()
}

impl<'a> Subject<'a> {
    pub(super) fn new(text: &'a str, file: &'a File, network: &'a Network) -> Self {
        let nics = (0..).map(NicId).zip(&network.nics);
        let own = nics.flat_map(|(id, nic)| {
            let vpc = network.subnet(nic.subnet).vpc;
            let addresses = nic.addresses.iter();
            addresses.map(move |own| ((vpc, own.address), id))
        });
        let held = network.havips.iter().filter_map(|havip| {
            let vpc = network.subnet(havip.subnet).vpc;
            Some(((vpc, havip.address), havip.holder?))
        });
        let owners = own.chain(held).collect();
        Self {
            text,
            file,
            network,
            exposures: exposures(network, &owners),
            owners,
            public: public(network),
        }
    }

    /// The nic that has a private address of a vpc, or holds it.
    pub(super) fn owner(&self, vpc: VpcId, address: Ipv4Addr) -> Option<NicId> {
        self.owners.get(&(vpc, address)).copied()
    }

    /// The text of a mark.
    pub(super) fn text_of(&self, mark: Mark) -> &'a str {
        let start = mark.offset as usize;
        self.text
            .get(start..start + mark.len as usize)
            .unwrap_or("")
    }

    /// A group as it is declared; none for one that a vpc has by default.
    pub(super) fn group(&self, id: SecurityGroupId) -> Option<&'a GroupDecl> {
        declared(&self.file.security_groups, id.index())
    }

    /// An acl as it is declared.
    pub(super) fn acl(&self, id: AclId) -> Option<&'a AclDecl> {
        declared(&self.file.acls, id.index())
    }

    /// A cvm as it is declared.
    pub(super) fn cvm(&self, id: CvmId) -> Option<&'a CvmDecl> {
        declared(&self.file.cvms, id.index())
    }

    /// A route as it is declared.
    fn route(&self, table: RouteTableId, position: usize) -> Option<&'a RouteDecl> {
        let table = declared(&self.file.route_tables, table.index())?;
        let route = table.routes.given()?.items.get(position)?.as_ref()?;
        Some(&route.value)
    }

    /// Where a route's destination is written.
    pub(super) fn destination(&self, table: RouteTableId, position: usize) -> Mark {
        let route = self.route(table, position);
        let to = route.and_then(|route| route.to.given());
        to.map_or_else(
            || self.network.route_table(table).routes[position].mark,
            |to| to.mark,
        )
    }

    /// The line of a list of rules: its key where it has one.
    pub(super) fn list_mark<T>(list: &Field<List<T>>) -> Option<Mark> {
        list.given().map(|list| list.mark)
    }

    /// All subnets, in file order.
    pub(super) fn subnets(&self) -> impl Iterator<Item = (SubnetId, &'a Subnet)> + use<'a> {
        (0..).map(SubnetId).zip(&self.network.subnets)
    }

    /// Whether any subnet uses a table.
    pub(super) fn is_used(&self, table: RouteTableId) -> bool {
        let mut subnets = self.network.subnets.iter();
        subnets.any(|subnet| subnet.route_table == table)
    }

    /// The enabled routes of a table that decide over an address: those of the longest prefix
    /// (SEMANTICS §2.5c).
    pub(super) fn deciding(&self, table: RouteTableId, address: Ipv4Addr) -> Vec<&'a Route> {
        let routes = &self.network.route_table(table).routes;
        let matching = || {
            let enabled = routes.iter().filter(|route| route.enabled);
            enabled.filter(move |route| route.destination.contains(&address))
        };
        let longest: Option<Ipv4Net> = matching()
            .max_by_key(|route| route.destination.prefix_len())
            .map(|route| route.destination);
        matching()
            .filter(|route| Some(route.destination) == longest)
            .collect()
    }
}
