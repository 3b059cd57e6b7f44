//! What a replay found, as one HTML page that needs nothing but itself.

mod chart;
mod heat;
mod markup;
mod matrix;
mod safe;
mod tables;

use crate::graph::{Format, Graph};
use markup::{Html, count, share};
use safe::{json_script, policy};
use vpcsim_dataplane::Program;
use vpcsim_replay::Report;

const STYLE: &str = include_str!("../../assets/page.css");
const SCRIPT: &str = include_str!("../../assets/page.js");
const CHART_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const CHART_SCRIPT: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");

/// A graph of more hosts is a picture of its own: `vpcsim graph`.
const MOST_HOSTS: usize = 60;

/// The page of a replay: totals, a timeline, drops by rule, who talked to whom, how full NAT
/// gateways were, who can reach whom, and the network.
///
/// `network` is what the network is called. Timeline and matrix are there if the report has a
/// timeline ([`vpcsim_replay::Options::timeline`]). The page loads nothing and forbids to load
/// anything; the same input gives the same bytes.
pub fn page(program: &Program, network: &str, report: &Report) -> String {
    let mut html = Html::default();
    let timeline = report.timeline.as_deref();
    header(&mut html, network, report);
    html.line("<main>");
    totals(&mut html, report);
    if let Some(timeline) = timeline {
        chart::timeline(&mut html, timeline);
    }
    tables::drops(&mut html, report);
    if let Some(timeline) = timeline {
        matrix::talks(&mut html, &timeline.talks);
        chart::usage(&mut html, timeline);
    }
    tables::usage(&mut html, report);
    heat::reach(&mut html, program);
    if program.network().cvms.len() <= MOST_HOSTS {
        html.section("network", "The network", |html| {
            html.line("<div class=\"scroll graph\" tabindex=\"0\" role=\"group\" aria-label=\"The network as a graph\">");
            html.line(&Graph::new(program, network).write(Format::Svg));
            html.line("</div>");
        });
    }
    tables::captures(&mut html, report);
    html.line("</main>");
    document(network, &html.finish(), timeline.map(chart::data))
}

fn document(network: &str, body: &str, data: Option<serde_json::Value>) -> String {
    let title = markup::escaped(&format!("{network}: what a replay found"));
    let policy = policy(&[CHART_SCRIPT, SCRIPT]);
    let scripts = data.map_or_else(String::new, |data| {
        format!(
            "{}\n<script>{CHART_SCRIPT}</script>\n<script>{SCRIPT}</script>\n",
            json_script("data", &data)
        )
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{CHART_STYLE}</style>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n{body}{scripts}</body>\n</html>\n"
    )
}

fn header(html: &mut Html, network: &str, report: &Report) {
    html.line("<header>");
    html.line(&format!("<h1>{}</h1>", markup::escaped(network)));
    let names: Vec<String> = report
        .captures
        .iter()
        .map(|capture| markup::escaped(&capture.name))
        .collect();
    let when = match (&report.timing.capture_start, &report.timing.capture_end) {
        (Some(start), Some(end)) => {
            format!(", captured {} to {} UTC", readable(start), readable(end))
        }
        _ => String::new(),
    };
    html.line(&format!(
        "<p>{} packet{} of {}{when}, replayed by vpcsim</p>",
        count(report.packets),
        if report.packets == 1 { "" } else { "s" },
        names.join(", ")
    ));
    html.line("</header>");
}

/// `2026-01-02T03:04:05.123456789Z` as `2026-01-02 03:04:05.123`.
fn readable(time: &str) -> String {
    let time = time.trim_end_matches('Z').replace('T', " ");
    markup::escaped(time.get(..23).unwrap_or(&time))
}

/// The six verdicts, and what the network made itself.
fn totals(html: &mut Html, report: &Report) {
    let verdicts = &report.verdicts;
    let rows = [
        ("delivered", verdicts.delivered, "Arrived at a place."),
        ("dropped", verdicts.dropped, "Dropped at a stage."),
        ("not IPv4", verdicts.not_ipv4, "IPv6, ARP and the like."),
        (
            "malformed",
            verdicts.malformed,
            "Too broken to have a flow.",
        ),
        (
            "unattributed",
            verdicts.unattributed,
            "Their source is nobody's.",
        ),
        (
            "held",
            verdicts.held,
            "Fragments whose first one never came.",
        ),
    ];
    html.section("totals", "Verdicts", |html| {
        html.line("<dl class=\"cards\">");
        for (name, packets, what) in rows {
            // What there is none of is told by `--json`; the two that everybody asks for stay.
            if packets == 0 && !matches!(name, "delivered" | "dropped") {
                continue;
            }
            let class = name.replace(' ', "-");
            html.line(&format!(
                "<div class=\"card {class}\"><dt>{name}</dt><dd><b>{}</b> <span>{}</span><small>{what}</small></dd></div>",
                count(packets),
                share(packets, report.packets),
            ));
        }
        if report.generated.total > 0 {
            html.line(&format!(
                "<div class=\"card\"><dt>made by the network</dt><dd><b>{}</b><small>ICMP errors and echo replies, not among the packets.</small></dd></div>",
                count(report.generated.total)
            ));
        }
        html.line("</dl>");
    });
}
