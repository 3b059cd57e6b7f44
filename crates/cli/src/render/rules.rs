//! What each rule decided, for people.

use super::number::{count, counted};
use super::style::{FAINT, NAME, ODD, PLAIN, paint};
use super::table::{Cell, Column, Table};
use vpcsim_replay::{Report, RuleReport, RuleRow};

/// The table of rules and what it comes to; empty where none was asked for.
pub(super) fn text(report: &Report, width: usize) -> String {
    let Some(rules) = &report.rules else {
        return String::new();
    };
    format!("\n{}\n{}", table(rules).render(width), summary(rules))
}

fn table(rules: &RuleReport) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Rules"),
        (Column::Wrap, ""),
        (Column::Right, "line"),
        (Column::Right, "flows"),
        (Column::Right, "packets"),
        (Column::Right, "judged"),
    ]);
    let mut element = "";
    for row in &rules.rows {
        // Of the ends of lists only those that something met.
        if row.position.is_none() && row.packets == 0 {
            continue;
        }
        if row.element != element {
            element = &row.element;
            table.row([Cell::new(NAME, format!("  {element}"))]);
        }
        table.row(cells(row, rules.flows_exact));
    }
    table
}

fn cells(row: &RuleRow, exact: bool) -> [Cell; 6] {
    let (name, line) = match (row.position, row.line) {
        (Some(position), line) => (format!("    {} {position}", row.list), line),
        // The line of a list's end is its element's.
        (None, _) => (format!("    {}", row.list), None),
    };
    let line = line.map_or(String::new(), |line| line.to_string());
    let (style, numbers) = if row.packets == 0 {
        (ODD, ["never", "-", "-"].map(str::to_owned))
    } else {
        let least = if exact { "" } else { "≥" };
        let flows = format!("{least}{}", count(row.flows));
        let style = if row.position.is_some() { PLAIN } else { FAINT };
        (style, [flows, count(row.packets), count(row.judged)])
    };
    let [flows, packets, judged] = numbers.map(|number| Cell::new(style, number));
    [
        Cell::new(style, name),
        Cell::new(style, row.rule.as_str()),
        Cell::new(style, line),
        flows,
        packets,
        judged,
    ]
}

/// `3 of 12 rules were never hit`.
fn summary(rules: &RuleReport) -> String {
    let RuleReport {
        rules, never_hit, ..
    } = *rules;
    let (style, text) = match (rules, never_hit) {
        (0, _) => (PLAIN, "The network file declares no rule.".to_owned()),
        (_, 0) => (
            PLAIN,
            format!("{} hit, none never.", counted(rules, "rule")),
        ),
        _ => {
            let was = if never_hit == 1 { "was" } else { "were" };
            let of = counted(rules, "rule");
            (
                ODD,
                format!("{} of {of} {was} never hit.", count(never_hit)),
            )
        }
    };
    format!("{}\n", paint(style, text))
}
