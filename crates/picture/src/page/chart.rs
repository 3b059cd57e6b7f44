//! What happened when: charts for who runs scripts, tables for everybody.

use super::markup::{Html, count};
use serde_json::{Value, json};
use vpcsim_replay::{Step, Timeline, rfc3339};

/// Rows of a timeline as a table.
const ROWS: usize = 40;

/// A verdict's name, and how many packets of a step have it.
type Verdict = (&'static str, fn(&Step) -> u64);

/// The verdicts, from the bottom of the stack to the top, as scripts and people name them.
const VERDICTS: [Verdict; 6] = [
    ("delivered", |step| step.verdicts.delivered),
    ("dropped", |step| step.verdicts.dropped),
    ("not IPv4", |step| step.verdicts.not_ipv4),
    ("malformed", |step| step.verdicts.malformed),
    ("unattributed", |step| step.verdicts.unattributed),
    ("held", |step| step.verdicts.held),
];

pub(super) fn timeline(html: &mut Html, timeline: &Timeline) {
    html.section("timeline", "Verdicts over time", |html| {
        if timeline.steps.is_empty() {
            html.line("<p>There was no packet.</p>");
            return;
        }
        html.line(&format!(
            "<p id=\"timeline-says\" role=\"status\">Packets in each step of {}, by what became of them</p>",
            duration(timeline.step)
        ));
        html.line("<div class=\"toggles scripted\" role=\"group\" aria-label=\"Verdicts to show\" id=\"verdicts\"></div>");
        html.line("<div class=\"chart scripted\" id=\"timeline-chart\" role=\"img\" aria-labelledby=\"timeline-says\"></div>");
        let shown: Vec<_> = VERDICTS.into_iter().filter(|verdict| occurs(timeline, verdict)).collect();
        let merged = timeline.steps.len().div_ceil(ROWS).max(1);
        let heads: Vec<&str> = std::iter::once("from (UTC)")
            .chain(shown.iter().map(|(name, _)| *name))
            .collect();
        html.line("<details>\n<summary>As a table</summary>");
        let caption = format!("Packets in each {}", duration(timeline.step * merged as u64));
        html.table("numbers", &caption, &heads, |html| {
            for (at, steps) in timeline.steps.chunks(merged).enumerate() {
                let cells = shown.iter().map(|(_, of)| {
                    let packets: u64 = steps.iter().map(of).sum();
                    format!("<td class=\"number\">{}</td>", count(packets))
                });
                let cells: String = cells.collect();
                let from = timeline.start + timeline.step * (at * merged) as u64;
                html.line(&format!(
                    "<tr><th scope=\"row\">{}</th>{cells}</tr>",
                    clock(from, timeline.step)
                ));
            }
        });
        html.line("</details>");
    });
}

fn occurs(timeline: &Timeline, (name, of): &Verdict) -> bool {
    *name == "delivered" || timeline.steps.iter().any(|step| of(step) > 0)
}

/// The chart of NAT sessions and connections.
pub(super) fn usage(html: &mut Html, timeline: &Timeline) {
    if timeline.steps.is_empty() {
        return;
    }
    html.section("usage", "Connections and NAT sessions over time", |html| {
        html.line(&format!(
            "<p id=\"usage-says\">How many were remembered at most in each step of {}. Those that had ended by timeout count until a later packet of their table comes by.</p>",
            duration(timeline.step)
        ));
        html.line("<div class=\"chart scripted\" id=\"usage-chart\" role=\"img\" aria-labelledby=\"usage-says\"></div>");
    });
}

/// What the scripts draw.
pub(super) fn data(timeline: &Timeline) -> Value {
    let steps = &timeline.steps;
    let series = VERDICTS
        .into_iter()
        .filter(|verdict| occurs(timeline, verdict));
    let series = series.map(|(name, of)| {
        let packets: Vec<u64> = steps.iter().map(of).collect();
        json!({"name": name, "packets": packets})
    });
    let series: Vec<Value> = series.collect();
    let drops = timeline.drops.iter().map(|drop| {
        let name = match drop.stage {
            "" => drop.reason.to_owned(),
            stage => format!("{} at {stage}, {}", drop.reason, drop.element),
        };
        json!({"name": name, "packets": drop.steps})
    });
    let drops: Vec<Value> = drops.collect();
    let of_usage = |of: &dyn Fn(&vpcsim_replay::Usage) -> u64| -> Vec<Option<u64>> {
        steps
            .iter()
            .map(|step| step.usage.as_ref().map(of))
            .collect()
    };
    let mut usage = vec![json!({
        "name": "flows at nics",
        "count": of_usage(&|usage| usage.connections),
    })];
    for (at, name) in timeline.gateways.iter().enumerate() {
        let sessions = of_usage(&|usage| usage.sessions.get(at).copied().unwrap_or(0));
        usage.push(json!({"name": format!("nat {name}"), "count": sessions}));
    }
    json!({
        // Seconds: what a chart's axis has.
        "start": timeline.start as f64 / 1e9,
        "step": timeline.step as f64 / 1e9,
        "length": duration(timeline.step),
        "verdicts": series,
        "drops": drops,
        "usage": usage,
    })
}

/// `2 ms`, `10 s`, `2 min`.
fn duration(nanos: u64) -> String {
    let units = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "µs"),
    ];
    let unit = units
        .into_iter()
        .find(|(unit, _)| nanos >= *unit && nanos.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "ns"));
    format!("{} {name}", nanos / unit)
}

/// Date and time, with as many digits as a step needs.
pub(super) fn clock(nanos: u64, step: u64) -> String {
    let digits = match step {
        step if step.is_multiple_of(1_000_000_000) => 0,
        step if step.is_multiple_of(1_000_000) => 4,
        _ => 7,
    };
    let text = rfc3339(nanos).replace('T', " ");
    text.get(..19 + digits).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_read_well() {
        for (nanos, text) in [
            (1_000, "1 µs"),
            (200_000_000, "200 ms"),
            (20_000_000_000, "20 s"),
            (120_000_000_000, "2 min"),
            (43_200_000_000_000, "12 h"),
            (604_800_000_000_000, "7 d"),
        ] {
            assert_eq!(duration(nanos), text);
        }
        let time = 1_767_225_723_004_005_006;
        assert_eq!(clock(time, 1_000), "2026-01-01 00:02:03.004005");
        assert_eq!(clock(time, 2_000_000), "2026-01-01 00:02:03.004");
        assert_eq!(clock(time, 2_000_000_000), "2026-01-01 00:02:03");
    }
}
