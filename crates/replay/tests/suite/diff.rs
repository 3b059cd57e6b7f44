//! The same packets through two networks: what is true of every comparison.

use crate::support::{Frame, capture, go_on, input, run};
use vpcsim_dataplane::Program;
use vpcsim_replay::diff::{
    Amount, ChangeReport, Decided, DiffReport, FlowRow, Reason, Side, SideReport, diff,
};
use vpcsim_replay::{Options, Report};

/// Compares, the other way round too, and holds both to each other and to two replays.
#[track_caller]
pub(crate) fn compare(old: &Program, new: &Program, frames: &[Frame]) -> DiffReport {
    let report = compared(&Side::new("old", old), &Side::new("new", new), frames);
    let mirrored = compared(&Side::new("new", new), &Side::new("old", old), frames);
    is_mirrored(&report, &mirrored);
    for (side, program) in [(&report.old, old), (&report.new, new)] {
        is_replay(side, &run(program, &Options::default(), frames).0);
    }
    report
}

/// Compares, and checks that the counts add up.
#[track_caller]
pub(crate) fn compared(old: &Side<'_>, new: &Side<'_>, frames: &[Frame]) -> DiffReport {
    let inputs = vec![input("test", capture(frames))];
    let report = diff(old, new, inputs, usize::MAX, &mut go_on).unwrap();
    adds_up(&report);
    report
}

/// One side is what a replay through its network says.
#[track_caller]
pub(crate) fn is_replay(side: &SideReport, replayed: &Report) {
    assert_eq!(side.verdicts, replayed.verdicts, "{}", side.network);
    assert_eq!(side.generated, replayed.generated, "{}", side.network);
}

/// What is true of every comparison.
#[track_caller]
pub(crate) fn adds_up(report: &DiffReport) {
    let [old, new] = [&report.old.verdicts, &report.new.verdicts];
    assert_eq!(old.total(), report.packets);
    assert_eq!(new.total(), report.packets);
    let [lost, allowed] = [&report.lost, &report.allowed].map(|change| change.total.packets);
    assert_eq!(old.delivered + allowed, new.delivered + lost);
    for change in [&report.lost, &report.allowed, &report.moved] {
        let ChangeReport {
            total,
            causes,
            causes_beyond,
            flows,
            flows_beyond,
        } = change;
        let packets: u64 = causes.iter().map(|row| row.amount.packets).sum();
        assert_eq!(packets + causes_beyond.packets, total.packets);
        let bytes: u64 = causes.iter().map(|row| row.amount.bytes).sum();
        assert_eq!(bytes + causes_beyond.bytes, total.bytes);
        let counted: u64 = causes.iter().map(|row| row.amount.flows).sum();
        assert!(counted + causes_beyond.flows >= total.flows);
        assert!(causes.iter().all(|row| row.amount.packets > 0));
        assert_eq!(flows.len() as u64 + flows_beyond, total.flows);
        let packets: u64 = flows.iter().map(|row| row.packets).sum();
        assert!(packets == total.packets || *flows_beyond > 0 && packets < total.packets);
        assert!(total.flows <= report.flows);
        for row in flows {
            let cause = row.cause.map(|cause| &causes[cause - 1]);
            let reasons = cause.map(|cause| [&cause.old, &cause.new]);
            let told = [&row.old.reason, &row.new.reason];
            assert!(reasons.is_none_or(|reasons| reasons == told), "{row:#?}");
        }
    }
}

/// What one comparison has lost the other one allows.
#[track_caller]
pub(crate) fn is_mirrored(one: &DiffReport, other: &DiffReport) {
    let swapped = |change: &ChangeReport| ChangeReport {
        causes: change
            .causes
            .iter()
            .cloned()
            .map(|mut row| {
                std::mem::swap(&mut row.old, &mut row.new);
                row
            })
            .collect(),
        flows: change
            .flows
            .iter()
            .cloned()
            .map(|mut row: FlowRow| {
                std::mem::swap(&mut row.old, &mut row.new);
                row
            })
            .collect(),
        ..change.clone()
    };
    assert_eq!(one.lost, swapped(&other.allowed));
    assert_eq!(one.allowed, swapped(&other.lost));
    assert_eq!(one.moved, swapped(&other.moved));
    assert_eq!(one.flows, other.flows);
    assert_eq!(
        (&one.old.verdicts, &one.new.verdicts),
        (&other.new.verdicts, &other.old.verdicts)
    );
}

/// Nothing fares otherwise.
#[track_caller]
pub(crate) fn is_empty(report: &DiffReport) {
    for change in [&report.lost, &report.allowed, &report.moved] {
        assert_eq!(*change, ChangeReport::default());
    }
    assert_eq!(report.senders, []);
}

/// So many flows and packets.
pub(crate) fn amount(change: &ChangeReport) -> (u64, u64) {
    let Amount { flows, packets, .. } = change.total;
    (flows, packets)
}

/// `accepted at acl-ingress: acl edge, ingress 2: accept all from any`, and where it was dropped.
pub(crate) fn words(reason: &Reason) -> String {
    let start = reason.start.iter().map(|start| format!("by {start}"));
    let stops = [&reason.decided, &reason.dropped];
    let parts: Vec<_> = start
        .chain(stops.into_iter().flatten().map(decided))
        .collect();
    match parts.as_slice() {
        [] => reason.verdict.to_owned(),
        parts => parts.join("; "),
    }
}

fn decided(by: &Decided) -> String {
    let mut text = format!("{} at {}: {}", by.decision, by.stage, by.element);
    if let Some(rule) = &by.rule {
        text += &match rule.position {
            Some(position) => format!(", {} {position}", rule.list),
            None => format!(", {} implicit deny", rule.list),
        };
        if let Some(words) = &rule.text {
            text += &format!(": {words}");
        }
    }
    text
}

/// What made the difference, for each cause: in the old network, in the new one, packets.
pub(crate) fn causes(change: &ChangeReport) -> Vec<(String, String, u64)> {
    let row = |row: &vpcsim_replay::diff::CauseRow| {
        (words(&row.old), words(&row.new), row.amount.packets)
    };
    change.causes.iter().map(row).collect()
}
