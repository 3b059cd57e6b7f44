//! The rows of the rule report: every rule of the network, and what stands where no rule does.

use super::Count;
use crate::names::element_text;
use hashbrown::HashMap;
use serde::Serialize;
use vpcsim_dataplane::{Element, Program, Rule, RuleList};
use vpcsim_network::{AclId, Mark, NatGatewayId, NicId, RouteTableId, SecurityGroupId};

/// What each rule of a network decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// Rules of the file.
    pub rules: u64,
    /// Those of them that decided no packet.
    pub never_hit: u64,
    /// Whether all flows were told apart: if not, `flows` are at least as many.
    pub flows_exact: bool,
    /// Security groups, acls, route tables and NAT gateways in file order; in each the rules in
    /// order, and then what decides where none of them does.
    pub rows: Vec<RuleRow>,
}

impl RuleReport {
    pub(crate) fn warning(&self) -> Option<String> {
        (!self.flows_exact).then(|| {
            "more flows met the rules than are told apart: the counts of flows are least counts"
                .to_owned()
        })
    }
}

/// What one rule decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// Where it stands: `security group web`, `route table out`.
    pub element: String,
    /// Its list: `ingress`, `egress`, `routes`, `snat`, `dnat`.
    pub list: &'static str,
    /// Its position from 1; `None`: no rule of the file.
    pub position: Option<u32>,
    /// Its line in the network file.
    pub line: Option<u32>,
    /// In words: `accept tcp 443 from any`, `implicit deny`.
    pub rule: String,
    /// Flows that it was asked about.
    pub flows: u64,
    /// Packets that it decided, those included that passed by a flow that it had let in.
    pub packets: u64,
    /// Packets that it was asked about itself.
    pub judged: u64,
}

/// What a route table does without a declared route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Local,
    EipFallback,
    ReturnPath,
    NoRoute,
}

/// In this order, after the routes.
const ENDS: [(End, &str); 4] = [
    (End::Local, "local: the vpc's own addresses"),
    (End::EipFallback, "no route: by the sender's eip"),
    (End::ReturnPath, "return path: the way the flow came in"),
    (End::NoRoute, "no route: drop"),
];

/// Where the rows of the lists begin; the end of a list comes after its rules.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// Ingress, egress.
    groups: Vec<[List; 2]>,
    acls: Vec<[List; 2]>,
    tables: Vec<List>,
    /// Snat, dnat.
    gateways: Vec<[List; 2]>,
    /// The ends of the lists of nics with several groups.
    nics: HashMap<NicId, [u32; 2]>,
}

#[derive(Debug)]
struct Row {
    row: RuleRow,
    /// Shown even if nothing met it: it is declared, or ends a list that is.
    is_declared: bool,
}

/// A list's first row, and its rules.
#[derive(Debug, Clone, Copy)]
struct List {
    first: u32,
    len: u32,
}

impl List {
    /// The row of a position; of `None` the end.
    fn row(self, position: Option<u32>) -> Option<u32> {
        match position {
            Some(position) => {
                let index = position.checked_sub(1)?;
                (index < self.len).then_some(self.first + index)
            }
            None => Some(self.first + self.len),
        }
    }
}

/// The list of a group or acl; the other lists have no two directions.
fn direction(list: RuleList) -> Option<usize> {
    match list {
        RuleList::Ingress => Some(0),
        RuleList::Egress => Some(1),
        RuleList::Routes | RuleList::Snat | RuleList::Dnat => None,
    }
}

const DIRECTIONS: [RuleList; 2] = [RuleList::Ingress, RuleList::Egress];
const DENY: &str = "implicit deny";

impl Rows {
    pub(super) fn new(program: &Program) -> Self {
        let mut rows = Self::default();
        rows.add_groups(program);
        rows.add_acls(program);
        rows.add_tables(program);
        rows.add_gateways(program);
        rows
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row of a rule.
    pub(super) fn of(&self, element: Element, rule: Rule) -> Option<u32> {
        let lists = |lists: &[[List; 2]], index: usize| {
            let list = lists.get(index)?[direction(rule.list)?];
            list.row(rule.position)
        };
        match element {
            Element::SecurityGroup(id) => lists(&self.groups, id.index()),
            Element::SecurityGroupsOf(nic) => Some(self.nics.get(&nic)?[direction(rule.list)?]),
            Element::Acl(id) => lists(&self.acls, id.index()),
            Element::RouteTable(id) => self.tables.get(id.index())?.row(rule.position),
            Element::NatGateway(id) => {
                let [snat, dnat] = *self.gateways.get(id.index())?;
                match (rule.list, rule.position) {
                    (RuleList::Snat, position) => snat.row(position),
                    (RuleList::Dnat, Some(position)) => dnat.row(Some(position)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The row of what a table does without a declared route.
    pub(super) fn end_of_table(&self, table: RouteTableId, end: End) -> u32 {
        let List { first, len } = self.tables[table.index()];
        let place = ENDS.iter().position(|(which, _)| *which == end);
        first + len + place.unwrap_or(0) as u32
    }

    /// The report, with what was counted for each row.
    pub(super) fn report(&self, counts: impl Fn(usize) -> Count, flows_exact: bool) -> RuleReport {
        let rows = self.rows.iter().enumerate().map(|(number, row)| {
            let Count {
                flows,
                packets,
                judged,
            } = counts(number);
            let counted = RuleRow {
                flows,
                packets,
                judged,
                ..row.row.clone()
            };
            (row.is_declared, counted)
        });
        let rows: Vec<_> = rows
            .filter(|(is_declared, row)| *is_declared || row.packets > 0)
            .map(|(_, row)| row)
            .collect();
        let rules = || {
            rows.iter()
                .filter(|row| row.line.is_some() && row.position.is_some())
        };
        RuleReport {
            rules: rules().count() as u64,
            never_hit: rules().filter(|row| row.packets == 0).count() as u64,
            flows_exact,
            rows,
        }
    }

    fn add_groups(&mut self, program: &Program) {
        let network = program.network();
        let mut alone = vec![false; network.security_groups.len()];
        for nic in &network.nics {
            if let [only] = nic.security_groups.as_slice() {
                alone[only.index()] = true;
            }
        }
        for (id, group) in (0..).map(SecurityGroupId).zip(&network.security_groups) {
            let element = Element::SecurityGroup(id);
            let lists = DIRECTIONS.map(|list| {
                let ingress = list == RuleList::Ingress;
                let rules = if ingress {
                    &group.ingress
                } else {
                    &group.egress
                };
                let rules = rules
                    .iter()
                    .map(|rule| (network.group_rule_words(rule, ingress), rule.mark));
                let added = self.add(program, element, list, rules);
                // The lists of several groups end together: below, for each nic.
                let is_declared = group.mark.line > 0 && alone[id.index()];
                self.add_end(program, element, list, group.mark, is_declared, DENY);
                added
            });
            self.groups.push(lists);
        }
        let mut ends = HashMap::new();
        for (id, nic) in (0..).map(NicId).zip(&network.nics) {
            if nic.security_groups.len() < 2 {
                continue;
            }
            // Nics with the same groups share the end of their lists: it has no line of its own.
            let ends = *ends.entry(&nic.security_groups).or_insert_with(|| {
                DIRECTIONS.map(|list| {
                    let row = self.len() as u32;
                    let element = Element::SecurityGroupsOf(id);
                    self.add_end(program, element, list, Mark::default(), true, DENY);
                    row
                })
            });
            self.nics.insert(id, ends);
        }
    }

    fn add_acls(&mut self, program: &Program) {
        let network = program.network();
        for (id, acl) in (0..).map(AclId).zip(&network.acls) {
            let element = Element::Acl(id);
            let lists = DIRECTIONS.map(|list| {
                let ingress = list == RuleList::Ingress;
                let rules = if ingress { &acl.ingress } else { &acl.egress };
                let rules = rules
                    .iter()
                    .map(|rule| (network.acl_rule_words(rule, ingress), rule.mark));
                let added = self.add(program, element, list, rules);
                self.add_end(program, element, list, acl.mark, acl.mark.line > 0, DENY);
                added
            });
            self.acls.push(lists);
        }
    }

    fn add_tables(&mut self, program: &Program) {
        let network = program.network();
        for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
            let element = Element::RouteTable(id);
            let routes = table.routes.iter().map(|route| {
                let disabled = if route.enabled { "" } else { " (disabled)" };
                let words = network.route_words(route) + disabled;
                (words, route.mark)
            });
            let list = self.add(program, element, RuleList::Routes, routes);
            for (_, words) in ENDS {
                let is_declared = table.mark.line > 0;
                let (list, mark) = (RuleList::Routes, table.mark);
                self.add_end(program, element, list, mark, is_declared, words);
            }
            self.tables.push(list);
        }
    }

    fn add_gateways(&mut self, program: &Program) {
        let network = program.network();
        for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
            let element = Element::NatGateway(id);
            let snat = gateway
                .snat
                .iter()
                .map(|rule| (network.snat_rule_words(rule), rule.mark));
            let snat = self.add(program, element, RuleList::Snat, snat);
            let words = if gateway.strict_snat {
                "no rule: drop"
            } else {
                "no rule: any eip"
            };
            self.add_end(program, element, RuleList::Snat, gateway.mark, true, words);
            let dnat = gateway
                .dnat
                .iter()
                .map(|rule| (network.dnat_rule_words(rule), rule.mark));
            let dnat = self.add(program, element, RuleList::Dnat, dnat);
            self.gateways.push([snat, dnat]);
        }
    }

    fn add(
        &mut self,
        program: &Program,
        element: Element,
        list: RuleList,
        rules: impl Iterator<Item = (String, Mark)>,
    ) -> List {
        let first = self.len() as u32;
        for (position, (rule, mark)) in (1..).zip(rules) {
            self.rows.push(Row {
                row: row(program, element, list, Some(position), mark, rule),
                is_declared: mark.line > 0,
            });
        }
        List {
            first,
            len: self.len() as u32 - first,
        }
    }

    fn add_end(
        &mut self,
        program: &Program,
        element: Element,
        list: RuleList,
        mark: Mark,
        is_declared: bool,
        words: &str,
    ) {
        self.rows.push(Row {
            row: row(program, element, list, None, mark, words.to_owned()),
            is_declared,
        });
    }
}

fn row(
    program: &Program,
    element: Element,
    list: RuleList,
    position: Option<u32>,
    mark: Mark,
    rule: String,
) -> RuleRow {
    RuleRow {
        element: element_text(program, element),
        list: list.name(),
        position,
        line: (mark.line > 0).then_some(mark.line),
        rule,
        flows: 0,
        packets: 0,
        judged: 0,
    }
}
