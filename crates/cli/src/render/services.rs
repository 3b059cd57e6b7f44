//! Everything that was asked of a target, for people.

use super::style::{BAD, FAINT, GOOD, NAME, PLAIN, TITLE, paint};
use super::table::{Cell, Column, Table, wrap};
use vpcsim_replay::fix::{All, ServiceAdvice};
use vpcsim_replay::trace::Because;

/// A line for each protocol and port, and what would let through what does not arrive.
pub(crate) fn text(all: &All, width: usize) -> String {
    let mut text = format!(
        "{} {} {}\n\n",
        paint(NAME, &all.from),
        paint(FAINT, "to"),
        paint(NAME, &all.to),
    );
    let mut table = Table::new(&[
        (Column::Left, "protocol"),
        (Column::Left, "ports"),
        (Column::Left, "because"),
        (Column::Left, "arrives"),
        (Column::Wrap, "why not"),
    ]);
    for service in &all.services {
        let trace = &service.advice.trace;
        let (style, word) = if trace.reachable {
            (GOOD, "yes")
        } else {
            (BAD, "no")
        };
        table.row([
            trace.protocol.as_str().into(),
            service.ports.as_deref().unwrap_or_default().into(),
            Cell::new(FAINT, because(&all.to, service.because)),
            Cell::new(style, word),
            Cell::new(PLAIN, trace.why.as_deref().unwrap_or_default()),
        ]);
    }
    text += &table.render(width);
    let lost = all
        .services
        .iter()
        .filter(|service| !service.advice.trace.reachable);
    let mut advice: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
    for service in lost {
        let (name, lines) = (name(service), changes(service));
        match advice.iter_mut().find(|(_, known)| *known == lines) {
            Some((names, _)) => names.push(name),
            None => advice.push((vec![name], lines)),
        }
    }
    for (names, lines) in advice.iter().filter(|(_, lines)| !lines.is_empty()) {
        let title = format!("What would let {} through", names.join(", "));
        text += &format!("\n{}\n", paint(TITLE, title));
        for line in lines
            .iter()
            .flat_map(|line| wrap(&format!("  {line}"), width))
        {
            text += &format!("{line}\n");
        }
    }
    text
}

fn because(to: &str, because: Because) -> String {
    match because {
        Because::Ping => "every host answers pings".to_owned(),
        Because::Listens => format!("{to} listens there"),
        Because::Rule => "a rule names it".to_owned(),
        Because::Usual => "usual".to_owned(),
    }
}

/// `tcp 80`, `icmp`.
fn name(service: &ServiceAdvice) -> String {
    let trace = &service.advice.trace;
    let port = trace
        .port
        .map_or_else(String::new, |port| format!(" {port}"));
    format!("{}{port}", trace.protocol)
}

/// The narrowest change for what does not arrive, or why there is none. The whole way and the diff
/// are for who asks for this port alone.
fn changes(service: &ServiceAdvice) -> Vec<&str> {
    let advice = &service.advice;
    match (advice.fixes.first(), &advice.no_fix) {
        (Some(fix), _) => fix.edits.iter().map(String::as_str).collect(),
        (None, Some(reason)) => vec![reason],
        (None, None) => Vec::new(),
    }
}
