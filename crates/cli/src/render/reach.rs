//! Who reaches whom, as text.

use super::style::{BAD, FAINT, GOOD, NAME, ODD, paint};
use super::table::{Cell, Column, Table, wrap};
use vpcsim_reach::{Rule, Set, Span};

/// What one end reaches of another.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The addresses that the sender has.
    pub(crate) senders: Vec<Span>,
    /// What arrives whichever way it takes.
    pub(crate) always: Set,
    /// What arrives on some of the ways that it may take.
    pub(crate) sometimes: Set,
}

/// What changed between two ends.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) gained: Set,
    pub(crate) lost: Set,
}

/// Each pair with its rules below it.
pub(crate) fn pairs(pairs: &[Pair], assumed_away: &[&str], width: usize) -> String {
    let mut text = String::new();
    for pair in pairs {
        text += &heading(&pair.from, &pair.to);
        for rule in pair.always.rules() {
            text += &format!("  {}\n", of_sender(&rule, pair));
        }
        for rule in pair.sometimes.rules() {
            let rule = of_sender(&rule, pair);
            let sometimes = paint(ODD, "by some of equal ways:");
            text += &format!("  {sometimes} {rule}\n");
        }
    }
    if pairs.is_empty() {
        text += &format!("{}\n", paint(BAD, "nothing"));
    }
    text + &footnote(assumed_away, width)
}

/// A row for each sender and receiver that have anything.
pub(crate) fn table(
    classes: &[Vec<String>],
    cells: &[(usize, usize, Set)],
    assumed_away: &[&str],
    width: usize,
) -> String {
    let heads = [
        (Column::Wrap, "from"),
        (Column::Wrap, "to"),
        (Column::Wrap, "reaches on"),
    ];
    let mut table = Table::new(&heads);
    let mut last = None;
    for (from, to, services) in cells {
        let sender = if last == Some(from) {
            String::new()
        } else {
            members(&classes[*from])
        };
        last = Some(from);
        let services = services
            .rules()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        table.row([
            Cell::new(NAME, sender),
            Cell::new(NAME, members(&classes[*to])),
            Cell::from(services.join("; ")),
        ]);
    }
    if table.is_empty() {
        return format!("{}\n", paint(BAD, "nobody reaches anybody"))
            + &footnote(assumed_away, width);
    }
    table.render(width) + &footnote(assumed_away, width)
}

/// What became reachable with `+`, what was lost with `-`.
pub(crate) fn changes(changes: &[Changed], assumed_away: &[&str], width: usize) -> String {
    let mut text = String::new();
    for change in changes {
        text += &heading(&change.from, &change.to);
        for (sign, style, set) in [("+", GOOD, &change.gained), ("-", BAD, &change.lost)] {
            for rule in set.rules() {
                text += &format!("  {} {rule}\n", paint(style, sign));
            }
        }
    }
    if changes.is_empty() {
        text += "nothing became reachable, nothing was lost\n";
    }
    text + &footnote(assumed_away, width)
}

/// The rule without exceptions for addresses that the sender has not; a host with one address is
/// told with it.
fn of_sender(rule: &Rule, pair: &Pair) -> Rule {
    match pair.senders.as_slice() {
        [one] if one.first == one.last => rule.clone(),
        senders => rule.clone().told_of(senders),
    }
}

fn heading(from: &str, to: &str) -> String {
    format!("{} to {}\n", paint(NAME, from), paint(NAME, to))
}

/// At most three names.
fn members(names: &[String]) -> String {
    match names {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", names.len() - 3),
        few => few.join(", "),
    }
}

/// What an exact answer does not look at; nothing where there is none.
pub(crate) fn footnote(assumed_away: &[&str], width: usize) -> String {
    if assumed_away.is_empty() {
        return String::new();
    }
    let note = format!("assumed away: {}", assumed_away.join(", "));
    let lines = wrap(&note, width).into_iter();
    lines
        .map(|line| format!("{}\n", paint(FAINT, line)))
        .collect()
}
