//! What a machine does, for people.

use super::number::{bytes, count, counted, rate};
use super::style::{BAD, FAINT, GOOD, NAME, PLAIN, TITLE, paint};
use super::table::{Cell, Column, Table, wrap};
use anstyle::Style;
use unicode_width::UnicodeWidthStr;
use vpcsim_bench::{Measurement, Size};

/// The numbers, with a chart of what a packet costs.
pub(crate) fn text(measured: &Measurement, size: Size, width: usize, unicode: bool) -> String {
    let what = format!(
        "{}, {}, {}, {}",
        counted(measured.flows.into(), "live flow"),
        frames(size),
        counted(measured.rules.into(), "rule"),
        counted(measured.workers.into(), "worker"),
    );
    let mut text: String = wrap(&what, width)
        .iter()
        .map(|line| format!("{}\n", paint(TITLE, line)))
        .collect();
    text += &numbers(measured).render(width);
    text += &format!("\n{}\n", paint(TITLE, "Nanoseconds per packet"));
    text + &chart(&bars(measured, size), width, unicode)
}

/// How many packets and connections a second, and in how much memory.
fn numbers(measured: &Measurement) -> Table {
    let mut table = Table::new(&[(Column::Left, ""), (Column::Wrap, "")]);
    let mut packets = format!(
        "{}, {:.1} Gbit/s on the wire, {}% of {} Gbit/s",
        per_second(measured.mpps * 1e6),
        measured.gbps_wire,
        count((measured.times_target * 100.0).round() as u64),
        measured.target_gbps,
    );
    if let Some(times) = measured.times_one_worker {
        packets += &format!(", {times:.2} times one worker");
    }
    let connections = per_second(measured.connections_per_second);
    let mut row = |name, value: String| table.row([Cell::new(NAME, name), value.into()]);
    row("Packets", packets);
    row("New connections", connections);
    if let Some(resident) = measured.rss_bytes {
        row("Memory", format!("{} with all flows live", bytes(resident)));
    }
    table
}

fn frames(size: Size) -> String {
    match size {
        Size::Least | Size::Middle => format!("{}-byte frames", size.name()),
        Size::Most => "1500-byte packets".to_owned(),
        Size::Imix => "frames of 64, 594 and 1518 bytes as 7 : 4 : 1".to_owned(),
    }
}

fn per_second(number: f64) -> String {
    rate(number.round() as u64, 1.0)
}

/// One bar of the chart.
struct Bar {
    name: String,
    ns: f64,
    note: String,
    style: Style,
}

fn bars(measured: &Measurement, size: Size) -> [Bar; 3] {
    let budget = size.mean_wire_bits() / measured.target_gbps;
    let ours = measured.ns_per_packet;
    [
        Bar {
            name: "bare loop".to_owned(),
            ns: measured.floor_ns,
            note: "what no NAT can leave out".to_owned(),
            style: FAINT,
        },
        Bar {
            name: "vpcsim".to_owned(),
            ns: ours,
            note: format!("{:.1} times the bare loop", measured.floor_ratio),
            style: if ours <= budget { GOOD } else { BAD },
        },
        Bar {
            name: format!("{} Gbit/s", measured.target_gbps),
            ns: budget,
            note: "what a packet may cost".to_owned(),
            style: PLAIN,
        },
    ]
}

/// Horizontal bars to one scale, with names and numbers before and notes after them.
fn chart(bars: &[Bar], width: usize, unicode: bool) -> String {
    let widest = |text: fn(&Bar) -> usize| bars.iter().map(text).max().unwrap_or(0);
    let names = widest(|bar| bar.name.width());
    let numbers = widest(|bar| number(bar.ns).len());
    let notes = widest(|bar| bar.note.width());
    let room = width.saturating_sub(2 + names + 2 + numbers + 2 + 2 + notes);
    let most = bars.iter().map(|bar| bar.ns).fold(0.0, f64::max);
    let mut text = String::new();
    for bar in bars {
        let drawn = blocks(bar.ns / most * room as f64, unicode);
        let name = " ".repeat(names - bar.name.width());
        text += &format!(
            "  {}{name}  {:>numbers$}  {}  {}\n",
            paint(NAME, &bar.name),
            number(bar.ns),
            paint(bar.style, drawn),
            paint(FAINT, &bar.note),
        );
    }
    text
}

fn number(ns: f64) -> String {
    format!("{ns:.1}")
}

/// A bar of so many columns, to the eighth where that can be shown; never nothing.
fn blocks(columns: f64, unicode: bool) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if !unicode {
        return "#".repeat((columns.round() as usize).max(1));
    }
    let eighths = ((columns * 8.0).round() as usize).max(1);
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(ns: f64) -> Measurement {
        Measurement {
            flows: 65_536,
            size: "64",
            rules: 100,
            workers: 1,
            mpps: 1000.0 / ns,
            gbps_wire: 672.0 / ns,
            ns_per_packet: ns,
            floor_ns: 20.0,
            floor_ratio: ns / 20.0,
            target_gbps: 5.0,
            times_target: 134.4 / ns,
            connections_per_second: 2_345_678.0,
            rss_bytes: Some(300 << 20),
            times_one_worker: None,
        }
    }

    fn plain(measured: &Measurement, width: usize, unicode: bool) -> String {
        let text = text(measured, Size::Least, width, unicode);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn bars_are_to_one_scale() {
        assert_eq!(
            plain(&measured(40.0), 80, false),
            "\
65,536 live flows, 64-byte frames, 100 rules, 1 worker

Packets          25.0 M/s, 16.8 Gbit/s on the wire, 336% of 5 Gbit/s
New connections  2.35 M/s
Memory           300.0 MiB with all flows live

Nanoseconds per packet
  bare loop   20.0  #####  what no NAT can leave out
  vpcsim      40.0  ##########  2.0 times the bare loop
  5 Gbit/s   134.4  #################################  what a packet may cost
"
        );
    }

    #[test]
    fn several_workers_are_compared_with_one() {
        let measured = Measurement {
            workers: 2,
            times_one_worker: Some(1.8449),
            ..measured(40.0)
        };
        let text = plain(&measured, 100, false);
        assert!(
            text.contains("% of 5 Gbit/s, 1.84 times one worker\n"),
            "{text}"
        );
    }

    #[test]
    fn a_bar_is_drawn_to_the_eighth() {
        assert_eq!(blocks(0.0, true), "▏");
        assert_eq!(blocks(1.0, true), "█");
        assert_eq!(blocks(2.51, true), "██▌");
        assert_eq!(blocks(0.2, false), "#");
        assert_eq!(blocks(3.4, false), "###");
    }

    #[test]
    fn no_line_is_too_wide() {
        for width in [60, 80, 120] {
            for unicode in [false, true] {
                let measured = Measurement {
                    times_one_worker: Some(1.8),
                    ..measured(12_345.6)
                };
                for line in plain(&measured, width, unicode).lines() {
                    assert!(line.width() <= width, "{width}: {line:?}");
                    assert_eq!(line, line.trim_end());
                }
            }
        }
    }
}
