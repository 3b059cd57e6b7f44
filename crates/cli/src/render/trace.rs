//! One packet and its reply, stop by stop, for people.

use super::style::{BAD, FAINT, GOOD, NAME, PLAIN, TITLE, paint};
use super::table::{Cell, Column, Table, together, wrap};
use vpcsim_replay::trace::{Change, ElementView, Leg, RuleView, StopView, Trace, VerdictView};

/// The question, the ways, and the answer.
pub(crate) fn text(trace: &Trace, width: usize) -> String {
    let port = trace
        .port
        .map_or_else(String::new, |port| format!(" {port}"));
    let mut text = format!(
        "{} {} {} {}\n",
        paint(NAME, &trace.from),
        paint(FAINT, "to"),
        paint(NAME, &trace.to),
        paint(FAINT, format!("by {}{port}", trace.protocol)),
    );
    for leg in &trace.legs {
        text.push('\n');
        text += &way(leg, width);
    }
    text.push('\n');
    text + &answer(trace, width)
}

fn way(leg: &Leg, width: usize) -> String {
    let mut text = format!(
        "{} {}  {}\n",
        paint(TITLE, capital(&leg.name)),
        paint(FAINT, format!("from {}", leg.start)),
        leg.packet,
    );
    let mut table = Table::new(&[
        (Column::Left, ""),
        (Column::Left, "stage"),
        (Column::Wrap, "at"),
        (Column::Left, "decision"),
        (Column::Wrap, "rule"),
        (Column::Wrap, "changes"),
    ]);
    for (number, stop) in (1..).zip(&leg.stops) {
        table.row(cells(number, stop));
    }
    text += &table.render(width);
    for line in wrap(&end(&leg.verdict), width - 2) {
        let arrived = leg.verdict.verdict == "delivered";
        text += &format!("  {}\n", paint(if arrived { GOOD } else { BAD }, line));
    }
    text
}

fn cells(number: usize, stop: &StopView) -> [Cell; 6] {
    let style = match stop.decision.as_str() {
        _ if stop.dropped => BAD,
        "delivered" => GOOD,
        _ => PLAIN,
    };
    [
        Cell::new(FAINT, format!("{number:>4}")),
        stop.stage.as_str().into(),
        Cell::new(NAME, at(stop)),
        Cell::new(style, stop.decision.as_str()),
        decided(stop.rule.as_ref(), stop.policy.as_deref()).into(),
        changes(&stop.changes).into(),
    ]
}

/// `delivered at web-1/eth0 as tcp …`, `dropped at acl-ingress: acl-deny by …`.
fn end(verdict: &VerdictView) -> String {
    let mut text = verdict.verdict.clone();
    if let Some(place) = &verdict.place {
        text += &format!(" at {place}");
    }
    if let Some(stage) = &verdict.stage {
        text += &format!(" at {stage}");
    }
    if let Some(reason) = &verdict.reason {
        text += &format!(": {reason}");
    }
    if let Some(by) = &verdict.element {
        text += &format!(" by {}", element(by));
    }
    let because = because(verdict.rule.as_ref(), verdict.policy.as_deref());
    for part in [Some(because), verdict.detail.clone()]
        .into_iter()
        .flatten()
    {
        if !part.is_empty() {
            text += &format!(", {part}");
        }
    }
    if verdict.place.is_some() {
        text += &format!(" as {}", verdict.packet);
    }
    text
}

fn answer(trace: &Trace, width: usize) -> String {
    let (from, to) = (&trace.from, &trace.to);
    if trace.reachable {
        return format!(
            "{} {from} reaches {to}, and the reply comes back\n",
            paint(GOOD, "yes:")
        );
    }
    let why = trace.why.as_deref().unwrap_or("it does not arrive");
    let mut text = String::new();
    for (i, line) in wrap(why, width - 4).into_iter().enumerate() {
        let lead = if i == 0 { "no:" } else { "   " };
        text += &format!("{} {line}\n", paint(BAD, lead));
    }
    text
}

/// The element of a stop, with its kind where the stage does not say it.
fn at(stop: &StopView) -> String {
    let kind = stop.element.kind.as_str();
    let said = match stop.stage.as_str() {
        "host-egress" | "source-check" | "host" => kind == "nic" || kind == "cvm",
        "security-group-egress" | "security-group-ingress" => kind.starts_with("security group"),
        "acl-egress" | "acl-ingress" => kind == "acl",
        "route" => kind == "route table",
        "nat-gateway" => kind == "nat gateway",
        stage => kind == stage,
    };
    if said {
        stop.element.name.clone()
    } else {
        element(&stop.element)
    }
}

fn element(element: &ElementView) -> String {
    if element.kind == element.name {
        element.name.clone()
    } else {
        format!("{} {}", element.kind, element.name)
    }
}

/// What decided at a stop: `accept all from any (line 41)`, `policy mid_stream`, both or nothing.
fn decided(rule: Option<&RuleView>, policy: Option<&str>) -> String {
    let words = rule.map(|rule| match &rule.text {
        Some(text) => format!("{text}{}", line(rule)),
        None => position(rule),
    });
    joined(words, policy)
}

/// The same by its place: `ingress 3 (line 41)`.
fn because(rule: Option<&RuleView>, policy: Option<&str>) -> String {
    joined(rule.map(position), policy)
}

fn joined(rule: Option<String>, policy: Option<&str>) -> String {
    let policy = policy.map(|policy| format!("policy {policy}"));
    let parts: Vec<_> = [rule, policy].into_iter().flatten().collect();
    parts.join(", ")
}

fn position(rule: &RuleView) -> String {
    let position = match rule.position {
        Some(position) => position.to_string(),
        None => "implicit deny".to_owned(),
    };
    format!("{} {position}{}", rule.list, line(rule))
}

fn line(rule: &RuleView) -> String {
    rule.line.map_or_else(String::new, |line| {
        format!(" {}", together(&format!("(line {line})")))
    })
}

/// `source 10.0.1.10:443 -> 203.0.113.10:8443, ttl 64 -> 63`: an address and its
/// port are one change to who reads it.
fn changes(changes: &[Change]) -> String {
    let port_of = |field: &str| {
        let port = format!("{field}_port");
        changes.iter().find(|change| change.field == port)
    };
    let mut parts = Vec::new();
    for change in changes {
        let Change { field, old, new } = change;
        let address = field.strip_suffix("_port");
        if address.is_some_and(|field| changes.iter().any(|change| change.field == field)) {
            continue;
        }
        parts.push(match port_of(field) {
            Some(port) => format!("{field} {old}:{} -> {new}:{}", port.old, port.new),
            None => format!("{} {old} -> {new}", field.replace('_', " ")),
        });
    }
    parts.join(", ")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_its_port_change_together() {
        let change = |field: &str, old: &str, new: &str| Change {
            field: field.into(),
            old: old.into(),
            new: new.into(),
        };
        let address = change("source", "10.0.0.1", "1.2.3.4");
        let port = change("source_port", "80", "8080");
        let ttl = change("ttl", "64", "63");
        let text =
            |list: &[&Change]| changes(&list.iter().map(|c| (*c).clone()).collect::<Vec<_>>());
        assert_eq!(
            text(&[&address, &port, &ttl]),
            "source 10.0.0.1:80 -> 1.2.3.4:8080, ttl 64 -> 63"
        );
        assert_eq!(text(&[&address]), "source 10.0.0.1 -> 1.2.3.4");
        assert_eq!(text(&[&port]), "source port 80 -> 8080");
        assert_eq!(text(&[]), "");
    }
}
