//! Who is called what.

use super::entries;
use crate::Mark;
use crate::decode::{Entry, Field, Named, Spanned};
use crate::error::{Errors, Kind, suggest};
use crate::file::File;
use crate::yaml::clip;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// The names of one kind of element.
#[derive(Debug)]
pub(super) struct Index {
    what: &'static str,
    /// The section that declares them.
    section: &'static str,
    names: Vec<String>,
    ids: HashMap<String, u32>,
    /// The whole section could not be read: anything might be declared there.
    broken: bool,
}

impl Index {
    fn new(what: &'static str, section: &'static str) -> Self {
        Self {
            what,
            section,
            names: Vec::new(),
            ids: HashMap::new(),
            broken: false,
        }
    }

    fn of<T>(
        what: &'static str,
        section: &'static str,
        field: &Field<Named<T>>,
        errors: &mut Errors,
    ) -> Self {
        let mut index = Self::new(what, section);
        index.broken = matches!(field, Field::Broken);
        for Entry { name, .. } in entries(field) {
            check(name, what, errors);
            index.add(name.value.clone());
        }
        index
    }

    /// Gives a name the next id. An earlier element of that name keeps it.
    pub(super) fn add(&mut self, name: String) -> u32 {
        let id = super::next_id(&self.names);
        self.ids.entry(name.clone()).or_insert(id);
        self.names.push(name);
        id
    }

    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// A second name for an element, where that one is free.
    pub(super) fn alias(&mut self, name: &str, id: u32) {
        self.ids.entry(name.to_owned()).or_insert(id);
    }

    pub(super) fn name(&self, id: u32) -> String {
        self.names.get(id as usize).cloned().unwrap_or_default()
    }

    /// All names, by id.
    pub(super) fn all(&self) -> &[String] {
        &self.names
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// The id of the only element there is.
    pub(super) fn only(&self) -> Option<u32> {
        (self.names.len() == 1 && !self.broken).then_some(0)
    }

    /// What to write instead of `name`.
    pub(super) fn hint(&self, name: &str) -> String {
        let nothing = format!("declare it under `{}:`", self.section);
        let hint = suggest(name, self.names.iter().map(String::as_str), &nothing);
        if hint.starts_with("known") {
            format!("{hint}; or {nothing}")
        } else {
            hint
        }
    }

    /// The element that `name` names; reports a reference to nothing.
    pub(super) fn find(&self, name: &Spanned<String>, errors: &mut Errors) -> Option<u32> {
        let found = self.get(name.as_str());
        if found.is_none() && !self.broken {
            self.report(name, errors);
        }
        found
    }

    /// Reports that nothing has that name.
    pub(super) fn report(&self, name: &Spanned<String>, errors: &mut Errors) {
        errors.push(
            Kind::UnknownReference {
                what: self.what,
                name: clip(name.as_str()),
                hint: self.hint(name.as_str()),
            },
            name.mark,
            format!("no such {}", self.what),
        );
    }
}

/// All names of the file.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) regions: Index,
    pub(super) zones: Index,
    pub(super) vpcs: Index,
    pub(super) subnets: Index,
    pub(super) groups: Index,
    pub(super) address_templates: Index,
    pub(super) service_templates: Index,
    pub(super) acls: Index,
    pub(super) tables: Index,
    pub(super) peerings: Index,
    pub(super) eips: Index,
    pub(super) nats: Index,
    pub(super) havips: Index,
    pub(super) externals: Index,
    pub(super) cvms: Index,
}

impl Names {
    pub(super) fn collect(file: &File, errors: &mut Errors) -> Self {
        let mut names = Self {
            regions: Index::of("region", "regions", &file.regions, errors),
            zones: Index::new("zone", "regions"),
            vpcs: Index::of("vpc", "vpcs", &file.vpcs, errors),
            subnets: Index::new("subnet", "vpcs"),
            groups: Index::of(
                "security group",
                "security_groups",
                &file.security_groups,
                errors,
            ),
            address_templates: Index::of(
                "address template",
                "address_templates",
                &file.address_templates,
                errors,
            ),
            service_templates: Index::of(
                "service template",
                "service_templates",
                &file.service_templates,
                errors,
            ),
            acls: Index::of("acl", "acls", &file.acls, errors),
            tables: Index::of("route table", "route_tables", &file.route_tables, errors),
            peerings: Index::of("peering", "peerings", &file.peerings, errors),
            eips: Index::of("eip", "eips", &file.eips, errors),
            nats: Index::of("nat gateway", "nat_gateways", &file.nat_gateways, errors),
            havips: Index::of("havip", "havips", &file.havips, errors),
            externals: Index::of("external", "externals", &file.externals, errors),
            cvms: Index::of("cvm", "cvms", &file.cvms, errors),
        };
        names.zones(file, errors);
        names.subnets(file, errors);
        names
    }

    fn zones(&mut self, file: &File, errors: &mut Errors) {
        self.zones.broken = self.regions.broken;
        let mut seen = HashMap::new();
        for region in entries(&file.regions) {
            let Some(zones) = region.value.as_ref().and_then(|r| r.zones.given()) else {
                self.zones.broken = true;
                continue;
            };
            for zone in &zones.items {
                let Some(zone) = zone else {
                    self.zones.broken = true;
                    continue;
                };
                check(zone, "zone", errors);
                unique(&mut seen, "zone", zone, errors);
                self.zones.add(zone.value.clone());
            }
        }
    }

    fn subnets(&mut self, file: &File, errors: &mut Errors) {
        self.subnets.broken = self.vpcs.broken;
        let mut seen = HashMap::new();
        for vpc in entries(&file.vpcs) {
            let Some(vpc) = &vpc.value else {
                self.subnets.broken = true;
                continue;
            };
            self.subnets.broken |= matches!(vpc.subnets, Field::Broken);
            for Entry { name, .. } in entries(&vpc.subnets) {
                check(name, "subnet", errors);
                unique(&mut seen, "subnet", name, errors);
                self.subnets.add(name.value.clone());
            }
        }
    }
}

/// Reports a name that an element before already has.
fn unique<'a>(
    seen: &mut HashMap<&'a str, Mark>,
    what: &'static str,
    name: &'a Spanned<String>,
    errors: &mut Errors,
) {
    match seen.get(name.as_str()) {
        Some(&first) => {
            let value = name.value.clone();
            errors
                .push(
                    Kind::DuplicateName { what, name: value },
                    name.mark,
                    "taken",
                )
                .also(first, "first used here");
        }
        None => {
            seen.insert(name.as_str(), name.mark);
        }
    }
}

/// Words that mean something else where a name of that kind may stand.
fn reserved(what: &str) -> &'static [&'static str] {
    match what {
        "cvm" => &[
            "internet", "external", "nat", "havip", "any", "dropped", "cvm", "subnet",
        ],
        "security group" | "address template" => &["any", "group", "template", "internet"],
        _ => &[],
    }
}

/// Reports a name that could not be written where it is referred to.
fn check(name: &Spanned<String>, what: &'static str, errors: &mut Errors) {
    let word = name.as_str();
    // A vpc's default group may be spelled out: `VPC/default`.
    let plain = match what {
        "security group" => word.strip_suffix("/default").unwrap_or(word),
        _ => word,
    };
    let hint = if plain.is_empty()
        || !plain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        "use letters, digits, `-`, `_` and `.`"
    } else if plain.parse::<Ipv4Addr>().is_ok() {
        "an address cannot be told from a name that looks like one: choose a word"
    } else if reserved(what).contains(&plain) {
        "the word has a meaning of its own where names stand: choose another"
    } else {
        return;
    };
    errors.push(
        Kind::BadName {
            what,
            name: clip(word),
            hint,
        },
        name.mark,
        "not a name",
    );
}
