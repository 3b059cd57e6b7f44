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
        html.line(
            "<p>By the rules of the network, for every packet at once: what arrives and is answered. \
             Hosts that nothing tells apart share a row.</p>\n\
             <p class=\"key\"><span class=\"cell open1\">ping</span> ICMP alone \
             <span class=\"cell open2\">:443</span> one port \
             <span class=\"cell open2\">×3</span> as many ports, at most eight \
             <span class=\"cell open3\">×99</span> at most 1024 \
             <span class=\"cell open4\">many</span> more \
             <span class=\"cell open5\">all</span> everything</p>",
        );
        let compact = names.len() > WORDS;
        let heads = (1..).zip(&names).map(|(at, name)| match compact {
            true => format!("<span title=\"{}\">{at}</span>", escaped(name)),
            false => turned(name),
        });
        let heads: Vec<String> = heads.collect();
        let heads: Vec<&str> = std::iter::once("from \\ to")
            .chain(heads.iter().map(String::as_str))
            .collect();
        let class = if compact { "matrix compact" } else { "matrix" };
        let caption = "Services by which each class of hosts reaches each other one";
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
    let (class, text) = openness(services, &rules);
    let rules: Vec<String> = rules.iter().map(Rule::to_string).collect();
    let told = escaped(&format!("{from} to {to}: {}", rules.join("; ")));
    let text = if compact { String::new() } else { text };
    format!(
        "<td><button type=\"button\" class=\"cell {class}\" data-told=\"{told}\" title=\"{told}\">{text}</button></td>"
    )
}

/// How wide a door is: its class, and what stands in the cell.
fn openness(services: &Set, rules: &[Rule]) -> (&'static str, String) {
    let ported = [Protocol::TCP, Protocol::UDP];
    let whole = ported
        .into_iter()
        .all(|protocol| services.covers(&opening(protocol)));
    if whole {
        return ("open5", "all".to_owned());
    }
    let ports: Vec<&Rule> = rules.iter().filter(|rule| has_ports(rule)).collect();
    let number: u64 = ports.iter().map(|rule| ports_of(rule)).sum();
    match (number, ports.as_slice()) {
        (0, _) => ("open1", "ping".to_owned()),
        (1, [rule]) => {
            let port = rule.ports.first().map_or(0, |span| span.first);
            ("open2", format!(":{port}"))
        }
        (2..=8, _) => ("open2", format!("×{number}")),
        (9..=1024, _) => ("open3", format!("×{number}")),
        _ => ("open4", "many".to_owned()),
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
