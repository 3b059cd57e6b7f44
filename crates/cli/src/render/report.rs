//! What became of the packets, for people.

use super::drops;
use super::number::{bytes, count, counted, duration, rate, share};
use super::rules;
use super::style::{BAD, FAINT, GOOD, NAME, ODD, PLAIN, TITLE, paint};
use super::table::{Cell, Column, Table, wrap};
use anstyle::Style;
use vpcsim_replay::{CaptureReport, NatRow, Report, Timing, Verdicts};

/// Rows of one table beyond these are summed up; `--json` has all of them.
pub(super) const MOST_ROWS: usize = 12;

/// The whole report; each table only where it has something to say.
pub(crate) fn text(report: &Report, width: usize) -> String {
    let tables = [
        verdicts(report),
        drops::by_stage(report, width),
        drops::flows(report, width),
        places(report),
        nat(report),
        connections(report),
        others(report),
    ];
    let mut text = head(
        &report.captures,
        (report.packets, report.bytes),
        &report.timing,
        width,
    );
    for table in tables.iter().filter(|table| !table.is_empty()) {
        text.push('\n');
        text += &table.render(width);
    }
    text += &rules::text(report, width);
    if let Some(log) = &report.flow_log {
        text += &format!("\n{} logged\n", counted(log.records, "flow record"));
    }
    text + &warnings(&report.warnings, width)
}

/// Why no packet met the network.
pub(crate) fn why_nothing(packets: u64, captures: usize, verdicts: &Verdicts) -> String {
    if packets == 0 {
        return match captures {
            1 => "the capture holds none".to_owned(),
            _ => "the captures hold none".to_owned(),
        };
    }
    let parts = [
        (verdicts.not_ipv4, "not IPv4"),
        (verdicts.malformed, "malformed"),
        (verdicts.unattributed, "sent by nobody in the network"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(packets, _)| *packets > 0)
        .map(|(packets, what)| {
            let are = if *packets == 1 { "is" } else { "are" };
            format!("{} {are} {what}", count(*packets))
        })
        .collect();
    format!("of {}, {}", count(packets), parts.join(", "))
}

/// What was replayed, when it was captured and how fast it went.
pub(super) fn head(
    captures: &[CaptureReport],
    (packets, size): (u64, u64),
    timing: &Timing,
    width: usize,
) -> String {
    let mut text = String::new();
    for capture in captures {
        let about = format!("{}, {}", capture.format, counted(capture.packets, "packet"));
        text += &format!("{}  {}\n", paint(NAME, &capture.name), paint(FAINT, about));
    }
    let mut facts = format!(
        "{}, {}, in {} ({})",
        counted(packets, "packet"),
        bytes(size),
        duration(timing.elapsed_seconds),
        rate(packets, timing.elapsed_seconds),
    );
    if let (Some(start), Some(end)) = (&timing.capture_start, &timing.capture_end) {
        facts += &format!("; captured {}", period(start, end));
    }
    for line in wrap(&facts, width) {
        text += &format!("{}\n", paint(TITLE, line));
    }
    text
}

/// `2014-10-11 19:15:30 to 19:36:47 UTC`: to the second is enough to know a
/// capture again.
fn period(start: &str, end: &str) -> String {
    let (start, end) = (instant(start), instant(end));
    match (start.split_once(' '), end.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => format!("{start} to {time} UTC"),
        _ => format!("{start} to {end} UTC"),
    }
}

/// Date and time of `2014-10-11T19:15:30.198203000Z`.
fn instant(rfc3339: &str) -> String {
    let whole = rfc3339.split(['.', 'Z']).next().unwrap_or(rfc3339);
    whole.replace('T', " ")
}

fn verdicts(report: &Report) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Verdicts"),
        (Column::Right, "packets"),
        (Column::Right, "share"),
    ]);
    let v = &report.verdicts;
    let rows = [
        ("  delivered", v.delivered, GOOD, true),
        ("  dropped", v.dropped, BAD, true),
        ("  not IPv4", v.not_ipv4, ODD, false),
        ("  malformed", v.malformed, ODD, false),
        ("  unattributed", v.unattributed, ODD, false),
        ("  held", v.held, ODD, false),
    ];
    for (name, packets, style, always) in rows {
        if always || packets > 0 {
            let style = if packets > 0 { style } else { PLAIN };
            table.row([
                Cell::new(style, name),
                count(packets).into(),
                share(packets, report.packets).into(),
            ]);
        }
    }
    table
}

fn places(report: &Report) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Delivered at"),
        (Column::Right, "packets"),
        (Column::Right, "share"),
        (Column::Right, "bytes"),
    ]);
    let delivered = report.verdicts.delivered;
    let (shown, rest) = report.places.split_at(report.places.len().min(MOST_ROWS));
    for place in shown {
        table.row([
            Cell::new(NAME, format!("  {}", place.name)),
            count(place.packets).into(),
            share(place.packets, delivered).into(),
            bytes(place.bytes).into(),
        ]);
    }
    if !rest.is_empty() {
        let packets = rest.iter().map(|place| place.packets).sum();
        table.row([
            Cell::new(
                FAINT,
                format!("  {}", counted(rest.len() as u64, "more place")),
            ),
            count(packets).into(),
            share(packets, delivered).into(),
            bytes(rest.iter().map(|place| place.bytes).sum()).into(),
        ]);
    }
    table
}

fn nat(report: &Report) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "NAT sessions"),
        (Column::Right, "at the end"),
        (Column::Right, "at the peak"),
        (Column::Right, "at most"),
    ]);
    for row in &report.nat {
        nat_rows(&mut table, row);
    }
    table
}

/// A gateway and its eips.
fn nat_rows(table: &mut Table, row: &NatRow) {
    table.row([
        Cell::new(NAME, format!("  {}", row.gateway)),
        count(row.sessions).into(),
        count(row.sessions_peak).into(),
        count(row.max_connections).into(),
    ]);
    for eip in &row.eips {
        table.row([
            format!("    {} {}", eip.name, eip.address).into(),
            count(eip.sessions).into(),
        ]);
    }
}

fn connections(report: &Report) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Connections"),
        (Column::Right, "at the end"),
        (Column::Right, "at the peak"),
    ]);
    let connections = &report.connections;
    if connections.peak > 0 {
        table.row([
            "  remembered at nics".into(),
            count(connections.now).into(),
            count(connections.peak).into(),
        ]);
    }
    table
}

/// Packets that did not meet the network, and packets that it made.
fn others(report: &Report) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Others"),
        (Column::Right, "packets"),
        (Column::Wrap, ""),
    ]);
    let generated = &report.generated;
    if generated.total > 0 {
        table.row([
            "  made by the network".into(),
            count(generated.total).into(),
            format!(
                "{} delivered, {} dropped",
                count(generated.delivered),
                count(generated.dropped)
            )
            .into(),
        ]);
    }
    for row in report.not_ipv4.iter().take(MOST_ROWS) {
        table.row([
            "  not IPv4".into(),
            count(row.packets).into(),
            row.kind.as_str().into(),
        ]);
    }
    for row in report.malformed.iter().take(MOST_ROWS) {
        table.row([
            "  malformed".into(),
            count(row.count).into(),
            row.what.as_str().into(),
        ]);
    }
    table
}

/// What was odd, below everything else.
pub(super) fn warnings(warnings: &[String], width: usize) -> String {
    let text: String = warnings
        .iter()
        .map(|warning| lead(ODD, "warning:", warning, width))
        .collect();
    if text.is_empty() {
        text
    } else {
        format!("\n{text}")
    }
}

/// Text after a word in colour, further lines below the text.
fn lead(style: Style, word: &str, text: &str, width: usize) -> String {
    let space = word.len() + 1;
    let lines = wrap(text, width.saturating_sub(space));
    let mut word = paint(style, word) + " ";
    let below = " ".repeat(space);
    let mut out = String::new();
    for line in lines {
        out += &format!("{word}{line}\n");
        word.clone_from(&below);
    }
    out
}
