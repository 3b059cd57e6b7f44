//! Hit counts: how many packets and flows each rule decided.
//!
//! A rule decides the packets that it is asked about: in acls and route tables each, in security
//! groups and NAT gateways, which remember flows, the first of a flow. What such a flow carries
//! later passes because of that rule too, and is counted for it apart. So a rule that opens few
//! flows with much in them is told from one that nobody needs.

mod flows;
mod rows;

pub use rows::{RuleReport, RuleRow};

use flows::Flows;
use rows::{End, Rows};
use vpcsim_dataplane::{
    Decision, DropReason, Element, FlowRule, Outcome, Program, Rule, RuleList, Stage, Stop,
};

/// What a stop counts for: a row, and whether its rule was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Credit {
    row: u32,
    judged: bool,
}

/// What is counted for a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    flows: u64,
    packets: u64,
    judged: u64,
}

/// Counts of all rules of a network.
#[derive(Debug)]
pub(crate) struct RuleCounts {
    rows: Rows,
    counts: Vec<Count>,
    flows: Flows,
}

impl RuleCounts {
    pub(crate) fn new(program: &Program) -> Self {
        let rows = Rows::new(program);
        Self {
            counts: vec![Count::default(); rows.len()],
            rows,
            flows: Flows::default(),
        }
    }

    /// Counts a stop; says what it counted for.
    pub(crate) fn stop(&mut self, stop: &Stop<'_>) -> Option<Credit> {
        let credit = self.credit(stop)?;
        self.add(credit, 1);
        if credit.judged && self.flows.is_new(credit.row, &stop.key) {
            self.counts[credit.row as usize].flows += 1;
        }
        Some(credit)
    }

    /// Counts packets whose flows are known already.
    pub(crate) fn add(&mut self, credit: Credit, packets: u64) {
        let count = &mut self.counts[credit.row as usize];
        count.packets += packets;
        if credit.judged {
            count.judged += packets;
        }
    }

    fn credit(&self, stop: &Stop<'_>) -> Option<Credit> {
        let asked = |row| Credit { row, judged: true };
        let by_rule = |rule: Rule| self.rows.of(stop.element, rule).map(asked);
        match stop.stage {
            Stage::AclEgress | Stage::AclIngress => by_rule(stop.rule?),
            Stage::SecurityGroupEgress | Stage::SecurityGroupIngress | Stage::NatGateway => {
                match (stop.rule, stop.flow) {
                    (Some(rule), _) => by_rule(rule),
                    (None, Some(flow)) => self.by_flow(flow),
                    (None, None) => self.end_of_snat(stop).map(asked),
                }
            }
            Stage::Route => {
                // What the next hop drops was counted when the route was chosen.
                let Element::RouteTable(table) = stop.element else {
                    return None;
                };
                let end = match stop.decision {
                    Decision::Pass(Outcome::Local) => End::Local,
                    Decision::Pass(Outcome::ReturnPath) => End::ReturnPath,
                    Decision::Pass(Outcome::EipFallback) => End::EipFallback,
                    Decision::Drop(DropReason::NoRoute) => End::NoRoute,
                    _ => return by_rule(stop.rule?),
                };
                Some(asked(self.rows.end_of_table(table, end)))
            }
            _ => None,
        }
    }

    /// A packet of a flow that a rule let in.
    fn by_flow(&self, flow: FlowRule) -> Option<Credit> {
        let row = self.rows.of(flow.element, flow.rule)?;
        Some(Credit {
            row,
            judged: flow.opens,
        })
    }

    /// A strict gateway dropped it because no rule names the source.
    fn end_of_snat(&self, stop: &Stop<'_>) -> Option<u32> {
        let refused = stop.decision == Decision::Drop(DropReason::SnatNoRule);
        let end = Rule {
            list: RuleList::Snat,
            position: None,
            line: 0,
        };
        refused.then(|| self.rows.of(stop.element, end))?
    }

    /// What there is to say.
    pub(crate) fn report(&self) -> RuleReport {
        let counts = |row: usize| self.counts[row];
        self.rows.report(counts, self.flows.is_exact())
    }
}
