//! Changes in the words of the report.

use super::cause::{Because, Outcome};
use super::changes::{Change, Changed, Changes};
use super::landing::Fate;
use super::report::{Arrival, CauseRow, ChangeReport, Decided, FirstPacket, FlowRow, Reason};
use super::ways::Note;
use crate::names::{detail_text, element_text, source_text};
use crate::time::rfc3339;
use crate::trace::rule_view;
use hashbrown::HashMap;
use std::cmp::Reverse;
use vpcsim_dataplane::{Decision, Drop, Program};
use vpcsim_network::RouteTableId;
use vpcsim_packet::FlowKey;

/// All that changed in one way, with at most so many flows.
pub(super) fn change_report(
    programs: [&Program; 2],
    changes: &Changes,
    change: Change,
    flows: usize,
) -> ChangeReport {
    let total = changes.all[change as usize];
    let mut causes: Vec<_> = (0..)
        .zip(changes.causes())
        .filter(|(_, (cause, _))| cause.change == change)
        .collect();
    // Among equals the one that was met first.
    causes.sort_by_key(|(_, (_, amount))| Reverse(amount.packets));
    let rows: HashMap<u32, usize> = causes.iter().map(|(id, _)| *id).zip(1..).collect();
    let causes = causes.into_iter().map(|(_, (cause, amount))| CauseRow {
        differs: cause.differs,
        old: reason(programs[0], &cause.old),
        new: reason(programs[1], &cause.new),
        amount: *amount,
    });
    let flows: Vec<_> = changes
        .flows(change, flows)
        .into_iter()
        .map(|(flow, changed)| FlowRow {
            cause: (changed.first.cause).and_then(|cause| rows.get(&cause).copied()),
            ..flow_row(programs, changes, flow, changed)
        })
        .collect();
    ChangeReport {
        total,
        causes: causes.collect(),
        causes_beyond: changes.rest[change as usize],
        flows_beyond: total.flows - flows.len() as u64,
        flows,
    }
}

fn flow_row(
    programs: [&Program; 2],
    changes: &Changes,
    flow: FlowKey,
    changed: &Changed,
) -> FlowRow {
    let first = &changed.first;
    let cause = changes.get(first.cause);
    let arrival = |side: usize, fate: &Fate, because: Option<&Because>| Arrival {
        place: fate.place().map(|place| programs[side].place_name(place)),
        packet: fate.key.map(|key| key.to_string()),
        reason: because.map_or_else(|| untold(fate), |because| reason(programs[side], because)),
    };
    FlowRow {
        flow: flow.to_string(),
        packets: changed.count.packets,
        bytes: changed.count.bytes,
        first: FirstPacket {
            number: first.id + 1,
            time: rfc3339(first.time),
            packet: first.key.to_string(),
        },
        cause: None,
        differs: cause.and_then(|cause| cause.differs),
        old: arrival(0, &first.old, cause.map(|cause| &cause.old)),
        new: arrival(1, &first.new, cause.map(|cause| &cause.new)),
    }
}

/// Of a packet whose cause is not told apart from others.
fn untold(fate: &Fate) -> Reason {
    let outcome = match fate.place() {
        Some(_) => Outcome::Delivered,
        None => Outcome::Dropped,
    };
    Reason {
        verdict: verdict(outcome),
        start: None,
        decided: None,
        dropped: None,
    }
}

fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Dropped => "dropped",
        Outcome::Unattributed => "unattributed",
        Outcome::Held => "held",
    }
}

fn reason(program: &Program, because: &Because) -> Reason {
    let Because {
        outcome,
        start,
        stop,
        drop,
        table,
    } = because;
    let stop = stop.map(|note| of_stop(program, &note, *table));
    let drop = drop.map(|drop| of_drop(program, &drop, *table));
    let (decided, dropped) = match stop {
        Some(stop) => (Some(stop), drop),
        None => (drop, None),
    };
    Reason {
        verdict: verdict(*outcome),
        start: start.map(|start| {
            let nobody = || "nobody".to_owned();
            start.map_or_else(nobody, |start| source_text(program, start))
        }),
        decided,
        dropped,
    }
}

fn of_stop(program: &Program, note: &Note, table: Option<RouteTableId>) -> Decided {
    Decided {
        stage: note.stage.name(),
        element: element_text(program, note.element),
        decision: match note.decision {
            Decision::Pass(outcome) => outcome.name(),
            Decision::Deliver(_) => "delivered",
            Decision::Drop(reason) => reason.name(),
            Decision::Hold => "held",
        },
        rule: note
            .rule
            .map(|rule| rule_view(program, table, note.element, rule)),
        policy: note.policy.map(|policy| policy.name()),
        detail: None,
    }
}

fn of_drop(program: &Program, drop: &Drop, table: Option<RouteTableId>) -> Decided {
    Decided {
        stage: drop.stage.name(),
        element: element_text(program, drop.element),
        decision: drop.reason.name(),
        rule: drop
            .rule
            .map(|rule| rule_view(program, table, drop.element, rule)),
        policy: drop.policy.map(|policy| policy.name()),
        detail: detail_text(program, drop),
    }
}
