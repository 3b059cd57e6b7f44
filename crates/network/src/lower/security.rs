//! Templates, security groups, acls, and what every vpc has by default.

use super::{Lowering, entries, items};
use crate::decode::{Field, List, Spanned};
use crate::error::Kind;
use crate::file::AclPeer;
use crate::file::{Form, Matches, OnePort, Peer as PeerDecl, Ports, Rule};
use crate::*;

impl Lowering<'_> {
    pub(super) fn templates(&mut self) {
        for entry in entries(&self.file.address_templates) {
            let members = entry.value.iter().flat_map(List::iter);
            self.network.address_templates.push(AddressTemplate {
                name: entry.name.value.clone(),
                members: members.map(|m| m.value.0).collect(),
                mark: entry.name.mark,
            });
        }
        for entry in entries(&self.file.service_templates) {
            let members = entry.value.iter().flat_map(List::iter);
            self.network.service_templates.push(ServiceTemplate {
                name: entry.name.value.clone(),
                services: members.map(|m| m.value.0.clone()).collect(),
                mark: entry.name.mark,
            });
        }
    }

    pub(super) fn acls(&mut self) {
        for entry in entries(&self.file.acls) {
            let name = &entry.name;
            let (mut vpc, mut ingress, mut egress) = (None, Vec::new(), Vec::new());
            if let Some(acl) = &entry.value {
                vpc = self.vpc_of(&acl.vpc, name.mark, format!("acl `{}`", name.value));
                ingress = items(&acl.ingress).filter_map(acl_rule).collect();
                egress = items(&acl.egress).filter_map(acl_rule).collect();
            }
            self.facts.acl_vpcs.push(vpc);
            self.network.acls.push(Acl {
                name: name.value.clone(),
                vpc: vpc.unwrap_or(VpcId(0)),
                ingress,
                egress,
                mark: name.mark,
            });
        }
    }

    /// Gives every vpc its default route table and security group.
    pub(super) fn default_elements(&mut self) {
        for (i, entry) in entries(&self.file.vpcs).iter().enumerate() {
            let vpc = VpcId(u32::try_from(i).unwrap_or(u32::MAX));
            let declared = match entry.value.as_ref().map(|v| &v.route_table) {
                Some(Field::Given(table)) => {
                    let id = self.names.tables.find(table, self.errors);
                    if let Some(id) = id {
                        let found = self.facts.table_vpcs.get(id as usize).copied().flatten();
                        let hint = "name a table of vpc `{wanted}`, or declare one";
                        self.same_vpc(found, Some(vpc), "route table", table, hint);
                    }
                    Some(RouteTableId(id.unwrap_or(0)))
                }
                _ => None,
            };
            let table = declared.unwrap_or_else(|| self.default_table(vpc));
            let group = self.default_group(vpc);
            if let Some(vpc) = self.network.vpcs.get_mut(i) {
                vpc.default_route_table = table;
                vpc.default_security_group = group;
            }
        }
        // With one vpc there is no doubt whose default group is meant.
        if let Some(only) = self.names.vpcs.only()
            && let Some(vpc) = self.network.vpcs.get(only as usize)
        {
            self.names
                .groups
                .alias("default", vpc.default_security_group.0);
        }
    }

    fn default_table(&mut self, vpc: VpcId) -> RouteTableId {
        let name = format!("{}/default", self.vpc_name(vpc));
        let id = RouteTableId(self.names.tables.add(name.clone()));
        self.facts.table_vpcs.push(Some(vpc));
        self.network.route_tables.push(RouteTable {
            name,
            vpc,
            routes: Vec::new(),
            mark: Mark::default(),
        });
        id
    }

    fn default_group(&mut self, vpc: VpcId) -> SecurityGroupId {
        let name = format!("{}/default", self.vpc_name(vpc));
        let declared = self.names.groups.get(&name);
        let declared = declared.or_else(|| self.names.groups.get("default"));
        SecurityGroupId(declared.unwrap_or_else(|| self.names.groups.add(name)))
    }

    pub(super) fn groups(&mut self) {
        for entry in entries(&self.file.security_groups) {
            let (mut ingress, mut egress) = (Vec::new(), Vec::new());
            if let Some(group) = &entry.value {
                for rule in items(&group.ingress) {
                    ingress.extend(self.group_rule(rule));
                }
                for rule in items(&group.egress) {
                    egress.extend(self.group_rule(rule));
                }
            }
            self.network.security_groups.push(SecurityGroup {
                name: entry.name.value.clone(),
                ingress,
                egress,
                mark: entry.name.mark,
            });
        }
        // The vpcs' own default groups got their ids after the declared ones.
        while let Some(name) = self
            .names
            .groups
            .all()
            .get(self.network.security_groups.len())
            .cloned()
        {
            let everything = vec![SecurityGroupRule {
                action: Action::Accept,
                services: vec![Service {
                    protocol: RuleProtocol::All,
                    ports: vec![PortRange::ALL],
                }],
                peer: Peer::Any,
                mark: Mark::default(),
            }];
            self.network.security_groups.push(SecurityGroup {
                name,
                ingress: everything.clone(),
                egress: everything,
                mark: Mark::default(),
            });
        }
    }

    fn group_rule<F>(&mut self, rule: &Rule<F>) -> Option<SecurityGroupRule>
    where
        F: Form<Ports = Ports, Peer = PeerDecl>,
    {
        let peer = rule.peer.as_ref().and_then(|peer| self.peer(peer));
        let services = rule.matches.as_ref().and_then(|matches| match matches {
            Matches::Service(protocol, ports) => Some(vec![Service {
                protocol: *protocol,
                ports: ports.ranges.clone(),
            }]),
            Matches::Template(name) => {
                let id = self.names.service_templates.find(name, self.errors)?;
                let template = self.network.service_templates.get(id as usize)?;
                Some(template.services.clone())
            }
        });
        Some(SecurityGroupRule {
            action: rule.action?,
            services: services?,
            peer: peer?,
            mark: rule.mark,
        })
    }

    fn peer(&mut self, peer: &Spanned<PeerDecl>) -> Option<Peer> {
        match &peer.value {
            PeerDecl::Any => Some(Peer::Any),
            PeerDecl::Prefix(net) => Some(Peer::Prefix(*net)),
            PeerDecl::Group(name) => {
                let id = self.names.groups.find(name, self.errors)?;
                Some(Peer::Group(SecurityGroupId(id)))
            }
            PeerDecl::Template(name) => {
                let id = self.names.address_templates.find(name, self.errors)?;
                Some(Peer::Template(AddressTemplateId(id)))
            }
            PeerDecl::Named(name) => self.named_peer(name),
        }
    }

    fn named_peer(&mut self, name: &Spanned<String>) -> Option<Peer> {
        let group = self.names.groups.get(name.as_str());
        let template = self.names.address_templates.get(name.as_str());
        match (group, template) {
            (Some(group), None) => Some(Peer::Group(SecurityGroupId(group))),
            (None, Some(template)) => Some(Peer::Template(AddressTemplateId(template))),
            (Some(_), Some(_)) => {
                let value = &name.value;
                let kind = Kind::AmbiguousReference {
                    name: value.clone(),
                    one: "a security group".to_owned(),
                    other: "an address template".to_owned(),
                    hint: format!("rename one, or write `group/{value}` or `template/{value}`"),
                };
                self.errors.push(kind, name.mark, "which of the two?");
                None
            }
            (None, None) => {
                let (groups, templates) = (&self.names.groups, &self.names.address_templates);
                if !groups.is_broken() && !templates.is_broken() {
                    let known = groups.all().iter().chain(templates.all());
                    let kind = Kind::UnknownReference {
                        what: "security group or address template",
                        name: crate::yaml::clip(name.as_str()),
                        hint: crate::error::suggest(
                            name.as_str(),
                            known.map(String::as_str).chain(["any"]),
                            "",
                        ),
                    };
                    self.errors.push(kind, name.mark, "nothing of that name");
                }
                None
            }
        }
    }
}

fn acl_rule<F>(rule: &Rule<F>) -> Option<AclRule>
where
    F: Form<Ports = OnePort, Peer = AclPeer>,
{
    match rule.matches.as_ref()? {
        Matches::Service(protocol, ports) => Some(AclRule {
            action: rule.action?,
            peer: rule.peer.as_ref()?.value.prefix(),
            protocol: *protocol,
            ports: ports.range,
            mark: rule.mark,
        }),
        // Acl rules have no key for it.
        Matches::Template(_) => None,
    }
}
