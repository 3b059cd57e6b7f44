//! The stops of a trace as lines below the picture.

use super::walk::Walk;
use vpcsim_replay::trace::{Leg, StopView};

/// One line: cells from left to right.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) cells: [String; 4],
    pub(super) dropped: bool,
    /// The heading of a leg, not a stop.
    pub(super) heading: bool,
    /// Which leg.
    pub(super) leg: usize,
}

pub(super) fn lines(walk: &Walk) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, leg) in walk.trace.legs.iter().enumerate() {
        lines.push(Line {
            cells: [
                String::new(),
                format!("{} from {}", leg.name, leg.start),
                leg.packet.clone(),
                String::new(),
            ],
            dropped: false,
            heading: true,
            leg: at,
        });
        let stops = leg.stops.iter().enumerate();
        lines.extend(stops.map(|(number, stop)| line(at, leg, number, stop)));
    }
    lines
}

fn line(at: usize, leg: &Leg, number: usize, stop: &StopView) -> Line {
    let rule = if stop.dropped {
        leg.verdict.rule.as_ref().or(stop.rule.as_ref())
    } else {
        stop.rule.as_ref()
    };
    let rule = rule.map(|rule| {
        let text = rule.text.clone().unwrap_or_else(|| match rule.position {
            Some(position) => format!("{} {position}", rule.list),
            None => format!("end of {}", rule.list),
        });
        match rule.line {
            Some(line) => format!("{text} (line {line})"),
            None => text,
        }
    });
    let changes = stop.changes.iter();
    let changes = changes.map(|change| format!("{} {} → {}", change.field, change.old, change.new));
    let what: Vec<String> = rule.into_iter().chain(changes).collect();
    let decision = if stop.dropped {
        format!("✕ {}", stop.decision)
    } else {
        stop.decision.clone()
    };
    Line {
        cells: [
            number_of(at, number + 1),
            stop.stage.clone(),
            format!("{}: {decision}", element(stop)),
            what.join("; "),
        ],
        dropped: stop.dropped,
        heading: false,
        leg: at,
    }
}

fn element(stop: &StopView) -> String {
    let (kind, name) = (&stop.element.kind, &stop.element.name);
    if kind == name {
        name.clone()
    } else {
        format!("{kind} {name}")
    }
}

/// A stop's number: `3`, and `r3` on the way back.
pub(super) fn number_of(leg: usize, stop: usize) -> String {
    let prefix = if leg == 0 { "" } else { "r" };
    format!("{prefix}{stop}")
}

/// Numbers of stops, those in a row as a range: `1–3, 9`.
pub(super) fn numbers(leg: usize, stops: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &stop in stops {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == stop => *last = stop,
            _ => ranges.push((stop, stop)),
        }
    }
    let ranges = ranges.iter().map(|&(first, last)| match first == last {
        true => number_of(leg, first),
        false => format!("{}–{last}", number_of(leg, first)),
    });
    ranges.collect::<Vec<_>>().join(", ")
}
