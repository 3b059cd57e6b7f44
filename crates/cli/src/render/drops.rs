//! What was dropped, where and why, for people.

use super::number::{bytes, count, counted, share};
use super::report::MOST_ROWS;
use super::style::{BAD, FAINT};
use super::table::{Cell, Column, Table, together};
use vpcsim_dataplane::Stage;
use vpcsim_replay::{DropRow, Report};

/// Narrower lines keep their room for what decided: no shares beside drops, and
/// beside flows only the reason.
const ROOMY: usize = 100;

/// Drops by stage, in the order in which a packet meets them, then by what
/// decided.
pub(super) fn by_stage(report: &Report, width: usize) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Dropped at"),
        (Column::Wrap, "decided by"),
        (Column::Right, "packets"),
        (Column::Right, "share"),
        (Column::Right, "bytes"),
    ]);
    let share_of = |packets| {
        if width < ROOMY {
            // A column without content is not shown.
            String::new()
        } else {
            share(packets, report.packets)
        }
    };
    for stage in Stage::ALL {
        let rows: Vec<_> = report
            .drops
            .iter()
            .filter(|row| row.stage == stage.name())
            .collect();
        if rows.is_empty() {
            continue;
        }
        let sum = |rows: &[&DropRow]| {
            let packets = rows.iter().map(|row| row.packets).sum();
            let bytes = rows.iter().map(|row| row.bytes).sum();
            (packets, bytes)
        };
        let numbers = |(packets, size): (u64, u64)| -> [Cell; 3] {
            [
                count(packets).into(),
                share_of(packets).into(),
                bytes(size).into(),
            ]
        };
        let add = |table: &mut Table, name: Cell, by: Cell, amount| {
            let [packets, share, bytes] = numbers(amount);
            table.row([name, by, packets, share, bytes]);
        };
        let (shown, rest) = rows.split_at(rows.len().min(MOST_ROWS));
        // A stage with one row needs no sum.
        if rows.len() > 1 {
            let name = Cell::new(BAD, format!("  {stage}"));
            add(&mut table, name, "".into(), sum(&rows));
        } else {
            table.row([Cell::new(BAD, format!("  {stage}"))]);
        }
        for row in shown {
            let name = format!("    {}", row.reason).into();
            add(
                &mut table,
                name,
                decided_by(row).into(),
                (row.packets, row.bytes),
            );
        }
        if !rest.is_empty() {
            let name = format!("    {}", counted(rest.len() as u64, "more row"));
            add(&mut table, Cell::new(FAINT, name), "".into(), sum(rest));
        }
    }
    table
}

/// `ingress 3 (line 41)`, the line's number beside its word.
fn together_line(rule: &str) -> String {
    match rule.split_once(" (") {
        Some((rule, line)) => format!("{rule} {}", together(&format!("({line}"))),
        None => rule.to_owned(),
    }
}

/// `acl edge, ingress 3 (line 41)`, with the policy and what else is known.
fn decided_by(row: &DropRow) -> String {
    let mut text = row.element.clone();
    let rule = row.rule.as_ref().map(|rule| together_line(rule));
    let policy = row.policy.map(|policy| format!("policy {policy}"));
    for part in [rule.as_ref(), policy.as_ref(), row.detail.as_ref()]
        .into_iter()
        .flatten()
    {
        text.push_str(", ");
        text.push_str(part);
    }
    text
}

/// The flows that lost most packets.
pub(super) fn flows(report: &Report, width: usize) -> Table {
    let mut table = Table::new(&[
        (Column::Wrap, "Flows that lost most"),
        (Column::Wrap, "because of"),
        (Column::Right, "packets"),
        (Column::Right, "bytes"),
    ]);
    for row in &report.dropped_flows {
        let cause = if width < ROOMY {
            row.reason.to_owned()
        } else {
            format!("{}, {}", row.reason, row.element)
        };
        let least = if row.missed_at_most > 0 { "≥" } else { "" };
        table.row([
            format!("  {}", row.flow).into(),
            cause.into(),
            format!("{least}{}", count(row.packets)).into(),
            format!("{least}{}", bytes(row.bytes)).into(),
        ]);
    }
    table
}
