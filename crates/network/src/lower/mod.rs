//! From declarations to a validated [`Network`]: names become ids, and
//! whatever contradicts the platform is refused.
//!
//! A declaration that is broken keeps its name and its id, and a placeholder
//! takes its place, so that nothing else seems wrong because of it. A
//! placeholder never leaves this module: where there is one there is an error,
//! and then there is no network.

mod addresses;
mod cvm;
mod eip;
mod equal_routes;
mod expect;
mod host;
mod names;
mod nat;
mod peering;
mod policy;
mod route;
mod security;
mod vpc;

use crate::decode::{Entry, Field, List, Named, Spanned};
use crate::error::{Errors, Kind};
use crate::file::File;
use crate::{Mark, Network, NicId, RegionId, SubnetId, VpcId, ZoneId};
use addresses::AddressBook;
pub use eip::NOT_PUBLIC;
use ipnet::Ipv4Net;
use names::Names;

/// The network of `file`; meaningless if anything was reported.
pub(crate) fn lower(file: &File, errors: &mut Errors) -> Network {
    let names = Names::collect(file, errors);
    let mut lowering = Lowering {
        file,
        errors,
        names,
        network: Network::default(),
        facts: Facts::default(),
        book: AddressBook::default(),
    };
    lowering.regions();
    lowering.vpcs();
    lowering.templates();
    lowering.acls();
    lowering.route_tables();
    lowering.default_elements();
    lowering.subnets();
    lowering.groups();
    lowering.cvms();
    lowering.havips();
    lowering.hosts();
    lowering.eips();
    lowering.nat_gateways();
    lowering.peerings();
    lowering.externals();
    lowering.routes();
    lowering.policies();
    lowering.expectations();
    lowering.network
}

struct Lowering<'a> {
    file: &'a File,
    errors: &'a mut Errors,
    names: Names,
    network: Network,
    facts: Facts,
    book: AddressBook,
}

/// What is known of elements that others depend on; `None` where it is broken.
#[derive(Debug, Default)]
struct Facts {
    vpcs: Vec<VpcFacts>,
    subnets: Vec<SubnetFacts>,
    /// The vpcs of route tables, acls and other elements of one vpc, by id.
    table_vpcs: Vec<Option<VpcId>>,
    acl_vpcs: Vec<Option<VpcId>>,
    nat_vpcs: Vec<Option<VpcId>>,
    external_vpcs: Vec<Option<VpcId>>,
    havip_subnets: Vec<Option<SubnetId>>,
    /// The ends of peerings.
    peerings: Vec<Option<[VpcId; 2]>>,
    cvms: Vec<CvmFacts>,
    /// The subnets of nics.
    nic_subnets: Vec<Option<SubnetId>>,
}

#[derive(Debug, Default)]
struct VpcFacts {
    region: Option<RegionId>,
    /// Its ranges that could be read.
    ranges: Vec<Spanned<Ipv4Net>>,
    /// Whether these are all of them.
    complete: bool,
    account: Option<String>,
}

#[derive(Debug)]
struct SubnetFacts {
    vpc: VpcId,
    cidr: Option<Spanned<Ipv4Net>>,
    zone: Option<ZoneId>,
}

#[derive(Debug, Default)]
struct CvmFacts {
    /// Its nics in order.
    nics: Vec<NicId>,
    /// Whether these are all of them.
    complete: bool,
    /// The vpc of its first nic.
    vpc: Option<VpcId>,
}

/// The entries of a section, none where it is missing or broken.
fn entries<T>(section: &Field<Named<T>>) -> &[Entry<T>] {
    section.given().map_or(&[], |named| &named.entries)
}

/// The readable items of a list.
fn items<T>(list: &Field<List<T>>) -> impl Iterator<Item = &T> {
    list.given().into_iter().flat_map(List::iter)
}

/// The dense id that comes next in a vector.
fn next_id<T>(vector: &[T]) -> u32 {
    u32::try_from(vector.len()).unwrap_or(u32::MAX)
}

impl<'a> Lowering<'a> {
    fn vpc_facts(&self, vpc: VpcId) -> Option<&VpcFacts> {
        self.facts.vpcs.get(vpc.index())
    }

    fn subnet_facts(&self, subnet: SubnetId) -> Option<&SubnetFacts> {
        self.facts.subnets.get(subnet.index())
    }

    fn vpc_name(&self, vpc: VpcId) -> String {
        self.names.vpcs.name(vpc.0)
    }

    /// The vpc that `field` names, or the only one there is.
    fn vpc_of(
        &mut self,
        field: &Field<Spanned<String>>,
        title: Mark,
        record: String,
    ) -> Option<VpcId> {
        match field {
            Field::Broken => None,
            Field::Given(name) => self.names.vpcs.find(name, self.errors).map(VpcId),
            Field::Absent => {
                if let Some(only) = self.names.vpcs.only() {
                    return Some(VpcId(only));
                }
                if !self.names.vpcs.is_broken() {
                    let hint = self.names.vpcs.hint("");
                    self.errors.push(
                        Kind::MissingKey {
                            record,
                            key: "vpc",
                            hint: format!("add `vpc: …`: {hint}"),
                        },
                        title,
                        "which vpc?",
                    );
                }
                None
            }
        }
    }

    /// Whether `found` is the vpc that is wanted; what is unknown is.
    fn same_vpc(
        &mut self,
        found: Option<VpcId>,
        wanted: Option<VpcId>,
        what: &'static str,
        name: &Spanned<String>,
        hint: &str,
    ) -> bool {
        let (Some(found), Some(wanted)) = (found, wanted) else {
            return true;
        };
        if found == wanted {
            return true;
        }
        let (vpc, wanted) = (self.vpc_name(found), self.vpc_name(wanted));
        self.errors.push(
            Kind::OtherVpc {
                what,
                name: name.value.clone(),
                hint: hint.replace("{wanted}", &wanted).replace("{vpc}", &vpc),
                vpc: vpc.clone(),
                wanted,
            },
            name.mark,
            format!("a {what} of vpc `{vpc}`"),
        );
        false
    }
}
