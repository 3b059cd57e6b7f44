//! Comparisons of any two networks, by any conversation.

use crate::diff::{adds_up, is_empty, is_mirrored, is_replay};
use hashbrown::HashMap;
use proptest::prelude::*;
use proptest::test_runner::Config;
use vpcsim_capture::{LinkType, Record};
use vpcsim_dataplane::{
    Arrival, Decision, Element, Nanos, Program, Rule, Stage, State, Stop, walk,
};
use vpcsim_network::NicId;
use vpcsim_packet::{FlowKey, Headers};
use vpcsim_replay::diff::{Decided, Diff, DiffReport, Side};
use vpcsim_replay::{Attribution, Options, Replay, Report, element_text};
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::{Sent, networks, worlds};

fn cases(cases: u32) -> Config {
    let asked = Config::default();
    Config {
        cases: (cases * asked.cases / 256).max(1),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..asked
    }
}

/// A network, a conversation in it, and another network: any other, or the same with a few lines
/// changed.
fn pairs() -> impl Strategy<Value = (String, String, Vec<Sent>)> {
    (worlds(), networks(), any::<(u8, u16)>())
        .prop_map(|((old, sent), other, (kind, at))| {
            let new = match kind % 8 {
                0 | 1 => other,
                2 => old.replace("203.0.113.", "203.0.112."),
                3 => old.replace("accept tcp", "accept udp"),
                4 => old.replacen("accept", "drop", usize::from(at) % 6 + 1),
                5 => old.replacen("drop", "accept", usize::from(at) % 6 + 1),
                6 => old.replace("0.0.0.0/0", "198.51.100.0/31"),
                _ => old.replacen("via: nat", "via: eip, enabled: false #", 1),
            };
            let valid = vpcsim_network::Network::from_yaml("changed", &new).is_ok();
            (if valid { new } else { old.clone() }, old, sent)
        })
        .prop_map(|(new, old, sent)| (old, new, sent))
}

fn record(sent: &Sent) -> Record<'_> {
    Record {
        time: sent.time.0,
        interface: 0,
        link_type: LinkType::RAW,
        original_len: sent.bytes.len() as u32,
        data: &sent.bytes,
    }
}

/// The conversation three times, so that flows are remembered.
fn again(sent: &[Sent]) -> Vec<Sent> {
    let later = |round: u64| {
        sent.iter().cloned().map(move |mut sent| {
            sent.time = Nanos(sent.time.0 + round * 70_000_000_000);
            sent
        })
    };
    (0..3).flat_map(later).collect()
}

fn compared(old: &Program, new: &Program, sent: &[Sent]) -> DiffReport {
    let mut diff = Diff::new(&Side::new("old", old), &Side::new("new", new));
    diff.begin_capture("any", "none");
    for sent in sent {
        diff.packet(&record(sent));
    }
    let report = diff.finish(usize::MAX);
    adds_up(&report);
    report
}

fn replayed(program: &Program, sent: &[Sent]) -> Report {
    let mut replay = Replay::new(program, &Options::default());
    replay.begin_capture("any", "none");
    for sent in sent {
        replay.packet(&record(sent), &mut ()).unwrap();
    }
    replay.finish(&mut ()).unwrap()
}

/// A stop as a report names it, with the rule that it owes its decision to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    stage: &'static str,
    element: String,
    rule: Option<Rule>,
    dropped: bool,
}

/// Every packet through every stage, before the eyes of somebody who remembers which rule let a
/// flow in at which nic.
fn watched(program: &Program, sent: &[Sent]) -> Vec<Vec<Seen>> {
    let attribution = Attribution::new(program, &Options::default());
    let mut state = State::naive(program);
    let mut let_in: HashMap<(NicId, FlowKey), (Element, Rule)> = HashMap::new();
    let mut seen = vec![Vec::new(); sent.len()];
    for (number, sent) in (0..).zip(sent) {
        let Ok(headers) = Headers::parse(&sent.bytes) else {
            continue;
        };
        let Some(source) = attribution.of(headers.source).source else {
            continue;
        };
        let arrival = Arrival {
            id: number,
            time: sent.time,
            source,
        };
        let mut stops = Vec::new();
        let mut observer = |stop: &Stop<'_>| {
            if !stop.generated {
                let key = FlowKey::of(stop.headers);
                stops.push((
                    stop.id,
                    stop.stage,
                    stop.element,
                    stop.decision,
                    stop.rule,
                    key,
                ));
            }
        };
        let (mut bytes, mut others) = (sent.bytes.clone(), Vec::new());
        walk(
            program,
            &mut state,
            arrival,
            &mut bytes,
            &mut observer,
            &mut others,
        );
        let mut nic = None;
        for at in 0..stops.len() {
            let (id, stage, mut element, decision, mut rule, key) = stops[at];
            match (stage, element) {
                (Stage::SourceCheck, Element::Nic(leaving)) => nic = Some(leaving),
                (_, Element::SecurityGroupsOf(of)) => nic = Some(of),
                (Stage::SecurityGroupIngress, _) => {
                    nic = stops.get(at + 1).and_then(|next| match next.2 {
                        Element::Nic(nic) => Some(nic),
                        _ => None,
                    });
                }
                _ => {}
            }
            let is_group = matches!(
                stage,
                Stage::SecurityGroupIngress | Stage::SecurityGroupEgress
            );
            if let (true, Some(nic), Some(key)) = (is_group, nic, key) {
                match (decision, rule) {
                    (Decision::Pass(_), Some(rule)) => {
                        let_in.insert((nic, key), (element, rule));
                        let_in.insert((nic, key.reversed()), (element, rule));
                    }
                    (Decision::Pass(_), None) => {
                        if let Some(&(by, known)) = let_in.get(&(nic, key)) {
                            (element, rule) = (by, Some(known));
                        }
                    }
                    _ => {}
                }
            }
            seen[id as usize].push(Seen {
                stage: stage.name(),
                element: element_text(program, element),
                rule,
                dropped: matches!(decision, Decision::Drop(_)),
            });
        }
    }
    seen
}

/// What a comparison says of a packet is what was seen of it.
fn is_true(by: &Decided, seen: &[Seen], dropped: bool) -> Result<(), TestCaseError> {
    let group = by.stage.starts_with("security-group");
    let rule = by
        .rule
        .as_ref()
        .map(|rule| (rule.list.as_str(), rule.position));
    let found = seen.iter().any(|seen| {
        let told = seen.rule.map(|rule| (rule.list.name(), rule.position));
        // A translation owes its rule to the session, which the comparison knows and this does not.
        let same_rule = told == rule || (!group && told.is_none());
        seen.stage == by.stage && seen.element == by.element && seen.dropped == dropped && same_rule
    });
    prop_assert!(found, "{by:#?} is not among {seen:#?}");
    Ok(())
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_network_and_itself_differ_in_nothing((text, sent) in worlds()) {
        let program = net(&text);
        let report = compared(&program, &program, &again(&sent));
        is_empty(&report);
    }

    #[test]
    fn totals_are_those_of_two_replays_and_lost_is_allowed_the_other_way_round(
        (old, new, sent) in pairs()
    ) {
        let (old, new, sent) = (net(&old), net(&new), again(&sent));
        let report = compared(&old, &new, &sent);
        is_replay(&report.old, &replayed(&old, &sent));
        is_replay(&report.new, &replayed(&new, &sent));
        is_mirrored(&report, &compared(&new, &old, &sent));
    }

    #[test]
    fn what_is_told_of_a_packet_is_what_it_met((old, new, sent) in pairs()) {
        let (old, new, sent) = (net(&old), net(&new), again(&sent));
        let report = compared(&old, &new, &sent);
        let seen = [watched(&old, &sent), watched(&new, &sent)];
        for change in [&report.lost, &report.allowed, &report.moved] {
            for row in &change.flows {
                let number = row.first.number as usize - 1;
                let outcomes = [&row.old, &row.new].map(|end| end.reason.verdict);
                let unmet = outcomes.iter().any(|verdict| matches!(*verdict, "unattributed" | "held"));
                for (end, seen) in [&row.old, &row.new].into_iter().zip(&seen) {
                    let reason = &end.reason;
                    let dropped = reason.verdict == "dropped" && reason.dropped.is_none();
                    if let Some(by) = &reason.decided {
                        is_true(by, &seen[number], dropped)?;
                    } else {
                        prop_assert!(unmet, "{row:#?}");
                    }
                    if let Some(by) = &reason.dropped {
                        is_true(by, &seen[number], true)?;
                    }
                }
            }
        }
    }
}
