//! `covered-rule`: a rule that decides over no packet, because earlier ones together take all of
//! its packets, those of groups that are bound before it among them.

use super::{Words, finding, is_known};
use crate::reach::Reach;
use hashbrown::HashMap;
use vpcsim_network::{Action, Finding, Lint, Mark, NicId, SecurityGroupId};

/// Earlier rules that a finding points at.
const MOST_SHOWN: usize = 3;

/// A rule where it stands.
#[derive(Debug, Clone, Copy)]
struct Line {
    action: Action,
    mark: Mark,
    group: Option<SecurityGroupId>,
}

pub(super) fn find(reach: &Reach<'_>, known: &[Finding], found: &mut Vec<Finding>) {
    groups(reach, known, found);
    let network = reach.program().network();
    for (index, acl) in network.acls.iter().enumerate() {
        let id = vpcsim_network::AclId(index as u32);
        for ingress in [true, false] {
            let rules = if ingress { &acl.ingress } else { &acl.egress };
            let lines = rules.iter().map(|rule| Line {
                action: rule.action,
                mark: rule.mark,
                group: None,
            });
            let lines: Vec<Line> = lines.collect();
            let covered = reach.facts().acl_list(id, ingress).covered();
            for (line, takers) in lines.iter().zip(covered) {
                if let Some(takers) = takers {
                    let takers: Vec<Line> = takers.iter().map(|&at| lines[at]).collect();
                    report(reach, line, &takers, known, found);
                }
            }
        }
    }
}

/// A group's rule has to be covered at every nic that the group is bound to.
fn groups(reach: &Reach<'_>, known: &[Finding], found: &mut Vec<Finding>) {
    let network = reach.program().network();
    for ingress in [true, false] {
        // By rule: those that cover it at the first nic; none where it decides somewhere.
        let mut seen: HashMap<(SecurityGroupId, usize), Option<Vec<Line>>> = HashMap::new();
        let mut lists: Vec<_> = Vec::new();
        for (id, nic) in (0..).map(NicId).zip(&network.nics) {
            let bound = (reach.program().vpc_of(id), &nic.security_groups);
            let Some(list) = reach.facts().group_list(id, ingress) else {
                continue;
            };
            if lists.contains(&bound) {
                continue;
            }
            lists.push(bound);
            let groups = nic.security_groups.iter();
            let places: Vec<(SecurityGroupId, usize)> = groups
                .flat_map(|&group| {
                    (0..rules(reach, group, ingress).len()).map(move |at| (group, at))
                })
                .collect();
            let line = |at: usize| {
                let (group, position) = places[at];
                rules(reach, group, ingress)[position]
            };
            for (&place, takers) in places.iter().zip(list.covered()) {
                let takers = takers.map(|takers| takers.into_iter().map(line).collect());
                let entry = seen.entry(place).or_insert_with(|| takers.clone());
                if takers.is_none() {
                    *entry = None;
                }
            }
        }
        let mut covered: Vec<_> = seen.into_iter().collect();
        covered.sort_unstable_by_key(|((group, at), _)| (group.0, *at));
        for ((group, at), takers) in covered {
            if let Some(takers) = takers {
                report(
                    reach,
                    &rules(reach, group, ingress)[at],
                    &takers,
                    known,
                    found,
                );
            }
        }
    }
}

fn rules(reach: &Reach<'_>, id: SecurityGroupId, ingress: bool) -> Vec<Line> {
    let group = reach.program().network().security_group(id);
    let rules = if ingress {
        &group.ingress
    } else {
        &group.egress
    };
    let lines = rules.iter().map(|rule| Line {
        action: rule.action,
        mark: rule.mark,
        group: Some(id),
    });
    lines.collect()
}

fn report(
    reach: &Reach<'_>,
    line: &Line,
    takers: &[Line],
    known: &[Finding],
    found: &mut Vec<Finding>,
) {
    // Without earlier ones it has no packets: `empty-group-peer` speaks of that.
    if takers.is_empty() || line.mark.line == 0 {
        return;
    }
    let said = [Lint::CoveredRule, Lint::EmptyGroupPeer];
    if known
        .iter()
        .any(|other| said.contains(&other.lint) && other.mark == line.mark)
        || said.iter().any(|&lint| is_known(found, lint, &[line.mark]))
    {
        return;
    }
    let network = reach.program().network();
    let by: Vec<String> = takers
        .iter()
        .map(|taker| by(network, line, taker))
        .collect();
    let mut lines: Vec<u32> = takers.iter().map(|taker| taker.mark.line).collect();
    lines.dedup();
    let by = match by.as_slice() {
        [_, _, ..] if lines.len() < by.len() => {
            format!("{} earlier rules together cover it", by.len())
        }
        [one] => format!("{one} covers it"),
        [some @ .., last] if by.len() <= MOST_SHOWN => {
            format!("{} and {last} together cover it", some.join(", "))
        }
        _ => format!("{} earlier rules together cover it", by.len()),
    };
    let same = takers.iter().all(|taker| taker.action == line.action);
    let opposite = takers.iter().all(|taker| taker.action != line.action);
    let (message, why) = if same {
        (
            format!("this rule does nothing: {by}"),
            "the first match wins: who changes or trusts this rule changes nothing",
        )
    } else {
        let opposite = if opposite {
            ", and do the opposite"
        } else {
            ""
        };
        (
            format!("this rule can never match: {by}{opposite}"),
            "the first match wins: what this rule says does not happen",
        )
    };
    let words = Words {
        message,
        why,
        help: "remove it, or move it before those that are wider".to_owned(),
        label: "never matches",
    };
    let mut finding = finding(Lint::CoveredRule, line.mark, words);
    let shown = takers.iter().filter(|taker| taker.mark.line > 0);
    let shown = shown.take(MOST_SHOWN);
    finding.related = shown
        .map(|taker| (taker.mark, "matches first".to_owned()))
        .collect();
    found.push(finding);
}

/// An earlier rule in words.
fn by(network: &vpcsim_network::Network, line: &Line, taker: &Line) -> String {
    let place = match taker.mark.line {
        0 => "a rule".to_owned(),
        number => format!("the one on line {number}"),
    };
    match taker.group {
        Some(group) if taker.group != line.group => {
            let name = &network.security_group(group).name;
            format!("{place} of group `{name}`, which is bound before,")
        }
        _ => place,
    }
}
