//! Drops by rule, how full gateways were, the captures.

use super::markup::{Html, bytes, count, escaped, share};
use vpcsim_replay::{Report, TimelineDrop};

/// Rows of drops that are shown at once; the others are a click away.
const SHOWN: usize = 12;

pub(super) fn drops(html: &mut Html, report: &Report) {
    html.section("drops", "Drops by rule", |html| {
        let Some(timeline) = &report.timeline else {
            return;
        };
        if timeline.drops.is_empty() {
            html.line("<p>Nothing was dropped.</p>");
            return;
        }
        let heads = ["packets", "why", "where", "rule"];
        let caption = "Most packets first. Choose a row to see it alone on the timeline.";
        html.table("drops", caption, &heads, |html| {
            let most = timeline.drops.iter().map(|drop| drop.packets).max();
            for (at, drop) in timeline.drops.iter().enumerate() {
                let bar = drop.packets as f64 * 100.0 / most.unwrap_or(1) as f64;
                row(html, at, drop, (report.verdicts.dropped, bar));
            }
        });
        if timeline.drops.len() > SHOWN {
            html.line(&format!(
                "<p><button type=\"button\" id=\"more\" class=\"scripted\">Show all {}</button></p>",
                timeline.drops.len()
            ));
        }
    });
}

/// One kind of drop, of so many dropped packets, with a bar of so many percent.
fn row(html: &mut Html, at: usize, drop: &TimelineDrop, (dropped, bar): (u64, f64)) {
    let class = if at < SHOWN { "" } else { " class=\"rest\"" };
    let mut rule = drop.text.as_deref().map_or_else(String::new, |text| {
        format!("<code>{}</code> ", escaped(text))
    });
    for part in [drop.rule.as_deref(), drop.detail.as_deref()]
        .into_iter()
        .flatten()
    {
        rule.push_str(&format!("<span class=\"faint\">{}</span> ", escaped(part)));
    }
    if let Some(policy) = drop.policy {
        rule.push_str(&format!(
            "<span class=\"faint\">policy {}</span>",
            escaped(policy)
        ));
    }
    let place = match drop.stage {
        "" => "beyond the kinds that are told apart".to_owned(),
        stage => format!(
            "{}<br><span class=\"faint\">{}</span>",
            escaped(stage),
            escaped(&drop.element)
        ),
    };
    html.line(&format!(
        "<tr{class} data-drop=\"{at}\"><td class=\"number\">{}<span class=\"bar\" style=\"width:{bar:.2}%\"></span><span class=\"faint\">{}</span></td>\
         <th scope=\"row\"><button type=\"button\" aria-pressed=\"false\">{}</button></th><td>{place}</td><td>{rule}</td></tr>",
        count(drop.packets),
        share(drop.packets, dropped),
        escaped(drop.reason),
    ));
}

/// How full NAT gateways and connection tables were at the end and at most.
pub(super) fn usage(html: &mut Html, report: &Report) {
    let heads = ["", "at the end", "at the peak", "at most"];
    html.section("tables", "How full the tables were", |html| {
        html.table("numbers", "Connections and NAT sessions", &heads, |html| {
            let connections = &report.connections;
            html.line(&row_of(
                "flows remembered at nics",
                &[
                    count(connections.now),
                    count(connections.peak),
                    String::new(),
                ],
            ));
            for gateway in &report.nat {
                let numbers = [
                    count(gateway.sessions),
                    count(gateway.sessions_peak),
                    count(gateway.max_connections),
                ];
                let name = format!("nat {}", escaped(&gateway.gateway));
                html.line(&row_of(&name, &numbers));
                for eip in &gateway.eips {
                    let name = format!("… by eip {} {}", escaped(&eip.name), eip.address);
                    html.line(&row_of(
                        &name,
                        &[count(eip.sessions), String::new(), String::new()],
                    ));
                }
            }
        });
        if report.places.is_empty() {
            return;
        }
        let heads = ["place", "packets", "share", "bytes"];
        html.table("numbers", "Where packets arrived", &heads, |html| {
            for place in report.places.iter().take(SHOWN) {
                let numbers = [
                    count(place.packets),
                    share(place.packets, report.packets),
                    bytes(place.bytes),
                ];
                html.line(&row_of(&escaped(&place.name), &numbers));
            }
        });
        if report.places.len() > SHOWN {
            html.line(&format!(
                "<p class=\"faint\">and {} places more, in <code>--json</code></p>",
                report.places.len() - SHOWN
            ));
        }
    });
}

/// A row; its parts are HTML.
fn row_of(name: &str, numbers: &[String]) -> String {
    let numbers = numbers
        .iter()
        .map(|number| format!("<td class=\"number\">{number}</td>"));
    let numbers: String = numbers.collect();
    format!("<tr><th scope=\"row\">{name}</th>{numbers}</tr>")
}

pub(super) fn captures(html: &mut Html, report: &Report) {
    html.section("captures", "Captures", |html| {
        let heads = ["capture", "packets", "format"];
        html.table(
            "",
            "In the order in which they were replayed",
            &heads,
            |html| {
                for capture in &report.captures {
                    html.line(&format!(
                        "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td>{}</td></tr>",
                        escaped(&capture.name),
                        count(capture.packets),
                        escaped(&capture.format)
                    ));
                }
            },
        );
        if !report.warnings.is_empty() {
            html.line("<h3>What was odd</h3>\n<ul>");
            for warning in &report.warnings {
                html.line(&format!("<li>{}</li>", escaped(warning)));
            }
            html.line("</ul>");
        }
    });
}
