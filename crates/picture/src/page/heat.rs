//! Who can reach whom in the network, whatever was captured.

use super::markup::{Html, escaped};
use super::matrix::turned;
use vpcsim_dataplane::Program;
use vpcsim_packet::Protocol;
use vpcsim_reach::{Class, Reach, Rule, Set, Span, Trip};

/// More classes than that do not fit on a page that people read.
const MOST: usize = 120;
/// Up to so many there is room for words in the cells.
const WORDS: usize = 32;

pub(super) fn reach(html: &mut Html, program: &Program) {
    let reach = Reach::new(program);
    html.section("reach", "Who can reach whom", |html| {
        let classes = reach.classes();
        if classes.len() > MOST {
            html.line(&format!(
                "<p>{} classes of hosts are too many for a page: <code>vpcsim reach</code> tells.</p>",
                classes.len()
            ));
            return;
        }
        let matrix = reach.matrix(Trip::Both);
        let names: Vec<String> = matrix.classes.iter().map(|class| name(&reach, class)).collect();
        let compact = names.len() > WORDS;
        html.line(
            "<p>By the rules of the network, for every packet at once: what arrives and is answered. \
             Hosts that nothing tells apart share a row.</p>",
        );
        key(html, compact);
        let heads = (1..).zip(&names).map(|(at, name)| match compact {
            true => format!("<span title=\"{}\">{at}</span>", escaped(name)),
            false => turned(name),
        });
        let heads: Vec<String> = heads.collect();
        let heads: Vec<&str> = std::iter::once("from \\ to")
            .chain(heads.iter().map(String::as_str))
            .collect();
        let class = if compact { "matrix compact" } else { "matrix" };
        let caption = "Services from each row to each column";
        html.table(class, caption, &heads, |html| {
            for (from, name) in names.iter().enumerate() {
                let cells: String = (0..names.len())
                    .map(|to| {
                        let same = from == to && matrix.classes[from].members.len() == 1;
                        let services = matrix.services(from, to);
                        cell(&names[from], &names[to], services, same, compact)
                    })
                    .collect();
                let number = if compact {
                    format!("{} ", from + 1)
                } else {
                    String::new()
                };
                html.line(&format!(
                    "<tr><th scope=\"row\">{number}{}</th>{cells}</tr>",
                    escaped(name)
                ));
            }
        });
        html.line(
            "<p class=\"detail\" role=\"status\" id=\"services\">Choose a cell for its services.</p>\n\
             <p class=\"faint\">Assumed away: bandwidth, ceilings of connections, exhausted ports, timeouts, \
             the size of packets.</p>",
        );
    });
}

/// What cells look like, and what is written in them.
fn key(html: &mut Html, compact: bool) {
    let cells = [
        ("open1", "ping", "p", "ICMP alone"),
        ("open2", ":443", "1", "one port"),
        ("open2", "×3", "3", "as many ports, at most eight"),
        ("open3", "×99", "+", "at most 1024"),
        ("open4", "many", "m", "more"),
        ("open5", "all", "a", "everything"),
    ];
    let cells = cells.map(|(class, word, letter, what)| {
        let text = if compact { letter } else { word };
        format!("<span class=\"cell {class}\">{text}</span> {what} ")
    });
    html.line(&format!("<p class=\"key\">{}</p>", cells.concat()));
}

/// At most two names, and how many others.
fn name(reach: &Reach<'_>, class: &Class) -> String {
    let names: Vec<String> = class
        .members
        .iter()
        .map(|&end| reach.end_name(end))
        .collect();
    match names.as_slice() {
        [a, b, _, ..] => format!("{a}, {b} +{}", names.len() - 2),
        few => few.join(", "),
    }
}

fn cell(from: &str, to: &str, services: &Set, same: bool, compact: bool) -> String {
    if services.is_empty() {
        let mark = if same { "" } else { "·" };
        return format!("<td class=\"none\">{mark}</td>");
    }
    let rules = services.rules();
    let (class, text, letter) = openness(services, &rules);
    let rules: Vec<String> = rules.iter().map(Rule::to_string).collect();
    let told = escaped(&format!("{from} to {to}: {}", rules.join("; ")));
    let text = if compact { letter } else { text };
    format!(
        "<td><button type=\"button\" class=\"cell {class}\" data-told=\"{told}\" title=\"{told}\">{text}</button></td>"
    )
}

/// How wide a door is: its class, and what stands in the cell, as a word and as a letter.
fn openness(services: &Set, rules: &[Rule]) -> (&'static str, String, String) {
    let ported = [Protocol::TCP, Protocol::UDP];
    let whole = ported
        .into_iter()
        .all(|protocol| services.covers(&opening(protocol)));
    let words = |class, word: &str, letter: &str| (class, word.to_owned(), letter.to_owned());
    if whole {
        return words("open5", "all", "a");
    }
    let ports: Vec<&Rule> = rules.iter().filter(|rule| has_ports(rule)).collect();
    let number: u64 = ports.iter().map(|rule| ports_of(rule)).sum();
    match (number, ports.as_slice()) {
        (0, _) => words("open1", "ping", "p"),
        (1, [rule]) => {
            let port = rule.ports.first().map_or(0, |span| span.first);
            words("open2", &format!(":{port}"), "1")
        }
        (1..=8, _) => words("open2", &format!("×{number}"), &number.to_string()),
        (9..=1024, _) => words("open3", &format!("×{number}"), "+"),
        _ => words("open4", "many", "m"),
    }
}

/// Every first packet of a protocol with ports.
fn opening(protocol: Protocol) -> Set {
    match protocol {
        Protocol::TCP => vpcsim_reach::tcp(vpcsim_network::PortRange::ALL),
        _ => vpcsim_reach::udp(vpcsim_network::PortRange::ALL),
    }
}

fn numbers(spans: &[Span], all: u64) -> u64 {
    match spans {
        [] => all,
        spans => spans
            .iter()
            .map(|span| u64::from(span.last - span.first) + 1)
            .sum(),
    }
}

fn has_ports(rule: &Rule) -> bool {
    rule.protocols.is_empty() || ported_of(rule) > 0
}

/// How many of TCP and UDP it speaks of.
fn ported_of(rule: &Rule) -> u64 {
    let ported = [Protocol::TCP, Protocol::UDP].map(|protocol| u32::from(protocol.0));
    let among = |number: &u32| {
        let mut spans = rule.protocols.iter();
        rule.protocols.is_empty() || spans.any(|span| span.first <= *number && *number <= span.last)
    };
    ported.iter().filter(|number| among(number)).count() as u64
}

fn ports_of(rule: &Rule) -> u64 {
    numbers(&rule.ports, 65_536) * ported_of(rule)
}
