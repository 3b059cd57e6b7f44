//! Regions, vpcs and subnets.

use super::{Lowering, SubnetFacts, VpcFacts, entries, items, next_id};
use crate::decode::{Field, Spanned};
use crate::error::Kind;
use crate::file::{SubnetDecl, VpcDecl};
use crate::yaml::clip;
use crate::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Where a vpc's ranges may lie, and the shortest prefix there.
const PRIVATE: [(Ipv4Addr, u8, u8); 3] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8, 12),
    (Ipv4Addr::new(172, 16, 0, 0), 12, 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16, 16),
];
/// The longest prefix of a vpc or subnet.
const LONGEST: u8 = 28;
/// The shortest prefix of a subnet.
const SUBNET_SHORTEST: u8 = 16;

impl Lowering<'_> {
    pub(super) fn regions(&mut self) {
        let file = self.file;
        if file.regions.is_absent() {
            self.names.regions.add("default".to_owned());
            self.names.zones.add("default-1".to_owned());
            self.network.regions.push(Region {
                name: "default".to_owned(),
                zones: vec![ZoneId(0)],
                mark: Mark::default(),
            });
            self.network.zones.push(Zone {
                name: "default-1".to_owned(),
                region: RegionId(0),
                mark: Mark::default(),
            });
        }
        for entry in entries(&file.regions) {
            let id = RegionId(next_id(&self.network.regions));
            let mut zones = Vec::new();
            if let Some(region) = &entry.value {
                for zone in items(&region.zones) {
                    zones.push(ZoneId(next_id(&self.network.zones)));
                    self.network.zones.push(Zone {
                        name: zone.value.clone(),
                        region: id,
                        mark: zone.mark,
                    });
                }
                if region.zones.given().is_some_and(|z| z.items.is_empty()) {
                    let region = entry.name.value.clone();
                    self.errors
                        .push(Kind::NoZones { region }, entry.name.mark, "no zones");
                }
            }
            self.network.regions.push(Region {
                name: entry.name.value.clone(),
                zones,
                mark: entry.name.mark,
            });
        }
    }

    pub(super) fn vpcs(&mut self) {
        for entry in entries(&self.file.vpcs) {
            let name = &entry.name;
            let facts = match &entry.value {
                Some(vpc) => self.vpc(name, vpc),
                None => VpcFacts::default(),
            };
            let mtu = entry.value.as_ref().and_then(|v| v.mtu.given());
            self.network.vpcs.push(Vpc {
                name: name.value.clone(),
                region: facts.region.unwrap_or(RegionId(0)),
                account: facts.account.clone().unwrap_or_default(),
                cidrs: facts.ranges.iter().map(|r| r.value).collect(),
                mtu: mtu.map_or(1500, |m| u16::try_from(m.value.0).unwrap_or(u16::MAX)),
                // Both are set once the declared tables and groups have their ids.
                default_route_table: RouteTableId(0),
                default_security_group: SecurityGroupId(0),
                mark: name.mark,
            });
            self.facts.vpcs.push(facts);
        }
    }

    fn vpc(&mut self, name: &Spanned<String>, vpc: &VpcDecl) -> VpcFacts {
        let region = match &vpc.region {
            Field::Broken => None,
            Field::Given(region) => self.names.regions.find(region, self.errors).map(RegionId),
            Field::Absent => match self.names.regions.only() {
                Some(only) => Some(RegionId(only)),
                None => {
                    if !self.names.regions.is_broken() {
                        let hint = self.names.regions.hint("");
                        self.errors.push(
                            Kind::MissingKey {
                                record: format!("vpc `{}`", name.value),
                                key: "region",
                                hint: format!("add `region: …`: {hint}"),
                            },
                            name.mark,
                            "which region?",
                        );
                    }
                    None
                }
            },
        };
        let (mut ranges, mut complete) = (Vec::new(), true);
        match (&vpc.cidr, &vpc.cidrs) {
            (Field::Given(cidr), Field::Absent) => ranges.push(*cidr),
            (Field::Absent, Field::Given(list)) if list.items.is_empty() => {
                let vpc = name.value.clone();
                self.errors
                    .push(Kind::NoCidr { vpc }, list.mark, "no ranges");
                complete = false;
            }
            (Field::Absent, Field::Given(list)) => {
                ranges.extend(list.iter().copied());
                complete = list.items.iter().all(Option::is_some);
            }
            (Field::Absent, Field::Absent) => {
                self.errors.push(
                    Kind::MissingKey {
                        record: format!("vpc `{}`", name.value),
                        key: "cidr",
                        hint: "add `cidr: 10.0.0.0/16`, or several as `cidrs: […]`".to_owned(),
                    },
                    name.mark,
                    "needs a range",
                );
                complete = false;
            }
            (one, other) => {
                if !one.is_absent() && !other.is_absent() {
                    let mark = one.given().map_or(name.mark, |c| c.mark);
                    self.errors.push(
                        Kind::ConflictingKeys {
                            one: "cidr",
                            other: "cidrs",
                            hint: "list all ranges under `cidrs`, the primary first",
                        },
                        mark,
                        "beside `cidrs`",
                    );
                }
                complete = false;
            }
        }
        let ranges: Vec<Spanned<Ipv4Net>> = ranges
            .into_iter()
            .map(|range| Spanned::new(range.value.0, range.mark))
            .collect();
        self.vpc_ranges(name, &ranges);
        VpcFacts {
            region,
            ranges,
            complete,
            account: match &vpc.account {
                Field::Absent => Some("default".to_owned()),
                Field::Broken => None,
                Field::Given(account) => Some(account.value.clone()),
            },
        }
    }

    fn vpc_ranges(&mut self, name: &Spanned<String>, ranges: &[Spanned<Ipv4Net>]) {
        for (i, range) in ranges.iter().enumerate() {
            let cidr = range.value;
            let home = PRIVATE.iter().find(|(network, len, _)| {
                Ipv4Net::new(*network, *len).is_ok_and(|private| private.contains(&cidr.network()))
            });
            match home {
                // A prefix shorter than its home reaches beyond it.
                Some((_, _, least)) if !(*least..=LONGEST).contains(&cidr.prefix_len()) => {
                    self.errors.push(
                        Kind::CidrSize {
                            cidr,
                            what: "vpc",
                            least: *least,
                            most: LONGEST,
                        },
                        range.mark,
                        "wrong size",
                    );
                }
                Some(_) => {}
                None => {
                    self.errors
                        .push(Kind::VpcCidrNotPrivate { cidr }, range.mark, "not private");
                }
            }
            if let Some(first) = ranges[..i].iter().find(|r| overlap(r.value, cidr)) {
                self.errors
                    .push(
                        Kind::VpcCidrsOverlap {
                            vpc: name.value.clone(),
                            one: cidr,
                            other: first.value,
                        },
                        range.mark,
                        "overlaps",
                    )
                    .also(first.mark, "with this one");
            }
        }
    }

    pub(super) fn subnets(&mut self) {
        for (vpc, entry) in entries(&self.file.vpcs).iter().enumerate() {
            let Some(decl) = &entry.value else { continue };
            let vpc = VpcId(u32::try_from(vpc).unwrap_or(u32::MAX));
            let first = self.facts.subnets.len();
            for subnet in entries(&decl.subnets) {
                self.subnet(vpc, &subnet.name, subnet.value.as_ref());
            }
            self.subnet_overlaps(first);
        }
    }

    fn subnet(&mut self, vpc: VpcId, name: &Spanned<String>, decl: Option<&SubnetDecl>) {
        let mut facts = SubnetFacts {
            vpc,
            cidr: None,
            zone: None,
        };
        let default = self.network.vpcs.get(vpc.index());
        let mut route_table = default.map_or(RouteTableId(0), |v| v.default_route_table);
        let mut acl = None;
        if let Some(decl) = decl {
            facts.cidr = decl.cidr.given().map(|c| Spanned::new(c.value.0, c.mark));
            if let Some(cidr) = facts.cidr {
                self.subnet_range(vpc, name, cidr);
            }
            facts.zone = self.subnet_zone(vpc, &decl.zone);
            if let Field::Given(table) = &decl.route_table
                && let Some(id) = self.names.tables.find(table, self.errors)
            {
                let hint = "name a table of vpc `{wanted}`, or declare one";
                let found = self.facts.table_vpcs.get(id as usize).copied().flatten();
                self.same_vpc(found, Some(vpc), "route table", table, hint);
                route_table = RouteTableId(id);
            }
            if let Field::Given(name) = &decl.acl
                && let Some(id) = self.names.acls.find(name, self.errors)
            {
                let hint = "name an acl of vpc `{wanted}`, or declare one";
                let found = self.facts.acl_vpcs.get(id as usize).copied().flatten();
                self.same_vpc(found, Some(vpc), "acl", name, hint);
                acl = Some(AclId(id));
            }
        }
        self.network.subnets.push(Subnet {
            name: name.value.clone(),
            vpc,
            cidr: facts.cidr.map(|c| c.value).unwrap_or_default(),
            zone: facts.zone.unwrap_or(ZoneId(0)),
            route_table,
            acl,
            mark: name.mark,
        });
        self.facts.subnets.push(facts);
    }

    fn subnet_zone(&mut self, vpc: VpcId, zone: &Field<Spanned<String>>) -> Option<ZoneId> {
        let wanted = self.vpc_facts(vpc)?.region;
        match zone {
            Field::Broken => None,
            Field::Absent => self
                .network
                .regions
                .get(wanted?.index())?
                .zones
                .first()
                .copied(),
            Field::Given(zone) => {
                if self.file.regions.is_absent() && self.names.zones.get(zone.as_str()).is_none() {
                    let name = clip(zone.as_str());
                    let hint = format!(
                        "declare it: `regions: {{REGION: {{zones: [{name}]}}}}`, or leave `zone` out"
                    );
                    let what = "zone";
                    let kind = Kind::UnknownReference { what, name, hint };
                    self.errors.push(kind, zone.mark, "no such zone");
                    return None;
                }
                let id = self.names.zones.find(zone, self.errors)?;
                let region = self.network.zones.get(id as usize)?.region;
                if let Some(wanted) = wanted
                    && region != wanted
                {
                    let kind = Kind::OtherRegion {
                        zone: zone.value.clone(),
                        region: self.names.regions.name(region.0),
                        vpc: self.vpc_name(vpc),
                        wanted: self.names.regions.name(wanted.0),
                    };
                    self.errors.push(kind, zone.mark, "in another region");
                    return None;
                }
                Some(ZoneId(id))
            }
        }
    }

    fn subnet_range(&mut self, vpc: VpcId, name: &Spanned<String>, cidr: Spanned<Ipv4Net>) {
        let len = cidr.value.prefix_len();
        if !(SUBNET_SHORTEST..=LONGEST).contains(&len) {
            self.errors.push(
                Kind::CidrSize {
                    cidr: cidr.value,
                    what: "subnet",
                    least: SUBNET_SHORTEST,
                    most: LONGEST,
                },
                cidr.mark,
                "wrong size",
            );
        }
        let Some(facts) = self.facts.vpcs.get(vpc.index()) else {
            return;
        };
        let inside = facts.ranges.iter().any(|r| r.value.contains(&cidr.value));
        if !inside && facts.complete {
            let ranges: Vec<String> = facts.ranges.iter().map(|r| r.value.to_string()).collect();
            let kind = Kind::SubnetOutsideVpc {
                subnet: name.value.clone(),
                cidr: cidr.value,
                vpc: self.names.vpcs.name(vpc.0),
                ranges: ranges.join(", "),
            };
            let marks: Vec<Mark> = facts.ranges.iter().map(|r| r.mark).collect();
            let error = self.errors.push(kind, cidr.mark, "outside the vpc");
            for mark in marks {
                error.also(mark, "a range of the vpc");
            }
        }
    }

    /// Reports overlaps among the subnets from `first` on: those of one vpc.
    fn subnet_overlaps(&mut self, first: usize) {
        let mut ranges: Vec<(Spanned<Ipv4Net>, usize)> = (first..self.facts.subnets.len())
            .filter_map(|i| self.facts.subnets[i].cidr.map(|cidr| (cidr, i)))
            .collect();
        // Prefixes are nested or disjoint: sorted by start and then by size, a
        // range overlaps an earlier one exactly if it lies in the widest so far.
        ranges.sort_by_key(|(cidr, i)| (cidr.value.network(), cidr.value.prefix_len(), *i));
        let mut widest: Option<(Spanned<Ipv4Net>, usize)> = None;
        for &(cidr, index) in &ranges {
            match widest {
                Some((wide, owner)) if wide.value.contains(&cidr.value) => {
                    let earlier_first = wide.mark.offset <= cidr.mark.offset;
                    let ((at, one), (first, other)) = if earlier_first {
                        ((cidr, index), (wide, owner))
                    } else {
                        ((wide, owner), (cidr, index))
                    };
                    let kind = Kind::SubnetsOverlap {
                        one: self.names.subnets.name(narrow(one)),
                        one_cidr: at.value,
                        other: self.names.subnets.name(narrow(other)),
                        other_cidr: first.value,
                    };
                    self.errors
                        .push(kind, at.mark, "overlaps")
                        .also(first.mark, "with this one");
                }
                _ => widest = Some((cidr, index)),
            }
        }
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Whether two prefixes share an address.
pub(super) fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}
