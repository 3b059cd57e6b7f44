//! What fares otherwise in another network, for people: the answer first.

use super::number::{bytes, count, counted, share};
use super::report::{MOST_ROWS, head, warnings};
use super::style::{BAD, FAINT, GOOD, NAME, ODD, PLAIN, paint};
use super::table::{Cell, Column, Table, together, wrap};
use vpcsim_replay::diff::{
    Arrival, Change, ChangeReport, Decided, DiffReport, Differs, FlowRow, Reason,
};

/// The whole answer; `most`: rows of one table.
pub(crate) fn text(report: &DiffReport, most: usize, width: usize) -> String {
    let mut text = answer(report, width);
    for (name, side) in [("old", &report.old), ("new", &report.new)] {
        text += &format!("{}  {}\n", paint(FAINT, name), paint(NAME, &side.network));
    }
    text += &head(
        &report.captures,
        (report.packets, report.bytes),
        &report.timing,
        width,
    );
    let mut tables = vec![verdicts(report), changes(report)];
    for change in Change::ALL {
        let rows = report.change(change);
        tables.push(causes(change, rows, most.max(MOST_ROWS)));
        tables.push(flows(change, rows, most.max(MOST_ROWS)));
    }
    tables.push(senders(report, most));
    for table in tables.iter().filter(|table| !table.is_empty()) {
        text.push('\n');
        text += &table.render(width);
    }
    text + &warnings(&odd(report), width)
}

/// Whether the change can go live, in one line.
fn answer(report: &DiffReport, width: usize) -> String {
    let [lost, allowed, moved] = Change::ALL.map(|change| report.change(change).total);
    let (style, first) = if lost.packets > 0 {
        let packets = counted(lost.packets, "packet");
        (
            BAD,
            format!("{} lost ({packets})", counted(lost.flows, "flow")),
        )
    } else {
        (GOOD, "nothing lost".to_owned())
    };
    let mut rest = Vec::new();
    if allowed.packets > 0 {
        rest.push(format!("{} newly allowed", counted(allowed.flows, "flow")));
    }
    if moved.packets > 0 {
        rest.push(format!("{} on another way", counted(moved.flows, "flow")));
    }
    if rest.is_empty() && lost.packets == 0 {
        rest.push(format!("{} fare alike", counted(report.flows, "flow")));
    } else {
        rest.push(format!("{} in all", counted(report.flows, "flow")));
    }
    let rest = wrap(&format!("{first}; {}", rest.join(", ")), width).join("\n");
    format!("{}{}\n\n", paint(style, &first), &rest[first.len()..])
}

fn verdicts(report: &DiffReport) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Verdicts"),
        (Column::Right, "old"),
        (Column::Right, "new"),
        (Column::Right, "difference"),
    ]);
    let [old, new] = [&report.old.verdicts, &report.new.verdicts];
    let rows = [
        ("  delivered", [old.delivered, new.delivered], GOOD, true),
        ("  dropped", [old.dropped, new.dropped], BAD, true),
        ("  not IPv4", [old.not_ipv4, new.not_ipv4], ODD, false),
        ("  malformed", [old.malformed, new.malformed], ODD, false),
        (
            "  unattributed",
            [old.unattributed, new.unattributed],
            ODD,
            false,
        ),
        ("  held", [old.held, new.held], ODD, false),
    ];
    for (name, packets, style, always) in rows {
        if always || packets != [0, 0] {
            let style = if packets == [0, 0] { PLAIN } else { style };
            let [old, new] = packets;
            table.row([
                Cell::new(style, name),
                count(old).into(),
                count(new).into(),
                difference(old, new).into(),
            ]);
        }
    }
    table
}

/// `+7`, `-1,000`; nothing where there is none.
fn difference(old: u64, new: u64) -> String {
    match new.cmp(&old) {
        std::cmp::Ordering::Equal => String::new(),
        std::cmp::Ordering::Greater => format!("+{}", count(new - old)),
        std::cmp::Ordering::Less => format!("-{}", count(old - new)),
    }
}

fn changes(report: &DiffReport) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Changes"),
        (Column::Right, "flows"),
        (Column::Right, "share"),
        (Column::Right, "packets"),
        (Column::Right, "share"),
        (Column::Right, "bytes"),
    ]);
    for (change, style) in Change::ALL.into_iter().zip([BAD, GOOD, ODD]) {
        let total = report.change(change).total;
        let style = if total.packets > 0 { style } else { PLAIN };
        table.row([
            Cell::new(style, format!("  {}", name(change))),
            count(total.flows).into(),
            share(total.flows, report.flows).into(),
            count(total.packets).into(),
            share(total.packets, report.packets).into(),
            bytes(total.bytes).into(),
        ]);
    }
    table
}

fn name(change: Change) -> &'static str {
    match change {
        Change::Lost => "lost",
        Change::Allowed => "newly allowed",
        Change::Moved => "on another way",
    }
}

/// What made the difference in either network.
fn causes(change: Change, report: &ChangeReport, most: usize) -> Table {
    let title = format!("Why {}", name(change));
    let mut table = Table::new(&[
        (Column::Left, title.as_str()),
        (Column::Left, "differs"),
        (Column::Wrap, "in the old network"),
        (Column::Wrap, "in the new network"),
        (Column::Right, "flows"),
        (Column::Right, "packets"),
    ]);
    let (shown, rest) = report.causes.split_at(report.causes.len().min(most));
    for (number, row) in (1..).zip(shown) {
        table.row([
            format!("  {number}").into(),
            row.differs.map_or("", differs_name).into(),
            reason(&row.old).into(),
            reason(&row.new).into(),
            count(row.amount.flows).into(),
            count(row.amount.packets).into(),
        ]);
    }
    let beyond = report.causes_beyond.packets;
    let packets = rest.iter().map(|row| row.amount.packets).sum::<u64>() + beyond;
    if packets > 0 {
        let more = match beyond {
            0 => counted(rest.len() as u64, "more cause"),
            _ => "more causes".to_owned(),
        };
        table.row([
            "".into(),
            "".into(),
            Cell::new(FAINT, more),
            "".into(),
            "".into(),
            count(packets).into(),
        ]);
    }
    table
}

fn differs_name(differs: Differs) -> &'static str {
    match differs {
        Differs::Place => "place",
        Differs::Address => "address",
        Differs::Port => "port",
        Differs::Path => "path",
    }
}

fn reason(reason: &Reason) -> String {
    let mut parts = Vec::new();
    if let Some(start) = &reason.start {
        parts.push(format!("sent by {start}"));
    }
    match (reason.verdict, &reason.decided) {
        ("unattributed", _) if reason.start.is_none() => parts.push("sent by nobody".to_owned()),
        ("unattributed", _) => {}
        ("held", _) => parts.push("its first fragment does not come".to_owned()),
        (_, Some(by)) => parts.push(decided(by)),
        (verdict, None) if parts.is_empty() => parts.push(verdict.to_owned()),
        _ => {}
    }
    if let Some(dropped) = &reason.dropped {
        parts.push(decided(dropped));
    }
    parts.join("; ")
}

/// `acl-deny at acl-ingress: acl edge, ingress 3 (line 41) drop tcp 23 from any`.
fn decided(by: &Decided) -> String {
    let mut text = format!("{} at {}: {}", by.decision, by.stage, by.element);
    if let Some(rule) = &by.rule {
        let position = match rule.position {
            Some(position) => format!("{} {position}", rule.list),
            None => format!("{} implicit deny", rule.list),
        };
        text += &format!(", {}", together(&position));
        if let Some(line) = rule.line {
            text += &format!(" {}", together(&format!("(line {line})")));
        }
        if let Some(words) = &rule.text {
            text += &format!(" {words}");
        }
    }
    let policy = by.policy.map(|policy| format!("policy {policy}"));
    for part in policy.iter().chain(&by.detail) {
        text += &format!(", {part}");
    }
    text
}

/// The flows of which something changed. `causes`: so many are shown.
fn flows(change: Change, report: &ChangeReport, causes: usize) -> Table {
    let title = match change {
        Change::Lost => "Flows lost",
        Change::Allowed => "Flows newly allowed",
        Change::Moved => "Flows on another way",
    };
    let mut table = Table::new(&[
        (Column::Wrap, title),
        (Column::Right, "from packet"),
        (Column::Wrap, "old"),
        (Column::Wrap, "new"),
        (Column::Right, "why"),
        (Column::Right, "packets"),
    ]);
    for row in &report.flows {
        let [old, new] = ends(row);
        table.row([
            format!("  {}", row.flow).into(),
            count(row.first.number).into(),
            old.into(),
            new.into(),
            row.cause
                .filter(|&cause| cause <= causes)
                .map_or(String::new(), |cause| cause.to_string())
                .into(),
            count(row.packets).into(),
        ]);
    }
    if report.flows_beyond > 0 && !report.flows.is_empty() {
        let listed: u64 = report.flows.iter().map(|row| row.packets).sum();
        table.row([
            Cell::new(
                FAINT,
                format!(
                    "  {}; --top lists more",
                    counted(report.flows_beyond, "more flow")
                ),
            ),
            "".into(),
            "".into(),
            "".into(),
            "".into(),
            count(report.total.packets - listed).into(),
        ]);
    }
    table
}

/// Where the flow's first packet that fares otherwise ends in either network.
fn ends(row: &FlowRow) -> [String; 2] {
    let [old, new] = [&row.old, &row.new];
    let renamed = old.packet != new.packet && old.packet.is_some() && new.packet.is_some();
    [old, new].map(|end| match (&end.place, &end.packet) {
        (Some(place), Some(packet)) if renamed => format!("{place} as {packet}"),
        (Some(place), _) => place.clone(),
        (None, _) => not_arrived(end),
    })
}

fn not_arrived(end: &Arrival) -> String {
    let reason = &end.reason;
    let dropped = reason.dropped.as_ref().or(reason.decided.as_ref());
    match (reason.verdict, dropped) {
        ("unattributed", _) => "sent by nobody".to_owned(),
        ("held", _) => "held".to_owned(),
        (_, Some(by)) => format!("{}, {}", by.decision, by.element),
        (verdict, None) => verdict.to_owned(),
    }
}

/// Whose packets start elsewhere.
fn senders(report: &DiffReport, most: usize) -> Table {
    let mut table = Table::new(&[
        (Column::Left, "Sent by somebody else"),
        (Column::Left, "old"),
        (Column::Left, "new"),
        (Column::Right, "packets"),
    ]);
    let (shown, rest) = report.senders.split_at(report.senders.len().min(most));
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "nobody".to_owned());
    for row in shown {
        table.row([
            format!("  {}", row.address).into(),
            Cell::new(NAME, named(&row.old)),
            Cell::new(NAME, named(&row.new)),
            count(row.packets).into(),
        ]);
    }
    let packets = rest.iter().map(|row| row.packets).sum::<u64>() + report.senders_beyond;
    if packets > 0 {
        table.row([
            Cell::new(FAINT, "  more addresses"),
            "".into(),
            "".into(),
            count(packets).into(),
        ]);
    }
    table
}

/// What was odd, and what was forgotten.
fn odd(report: &DiffReport) -> Vec<String> {
    let forgotten = report.flows_forgotten;
    let forgotten = (forgotten > 0).then(|| {
        format!(
            "{} had been silent for so long that they were forgotten; those that came back were \
             counted anew",
            counted(forgotten, "flow")
        )
    });
    report.warnings.iter().cloned().chain(forgotten).collect()
}
