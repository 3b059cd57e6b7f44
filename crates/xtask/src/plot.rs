//! `cargo xtask plot`: docs/performance.svg, from the lines that `vpcsim bench --json` made.

use crate::cargo::program;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::process::{Command, ExitCode};

const MEASURED: &str = "docs/performance.jsonl";
const FILE: &str = "docs/performance.svg";

/// Live flows at which is measured.
const FLOWS: [u32; 9] = [
    1, 32, 1_024, 8_192, 65_536, 262_144, 1_048_576, 4_194_304, 10_000_000,
];

/// The whole picture, and where the plot stands in it, in pixels.
const SIZE: (f64, f64) = (760.0, 420.0);
const LEFT: f64 = 64.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 360.0;

/// Draws; with `measure`, after measuring.
pub(crate) fn run(what: Option<&str>) -> ExitCode {
    let done = match what {
        None => draw(),
        Some("measure") => measure().and_then(|()| draw()),
        Some(other) => Err(format!(
            "`{other}` is not `measure`, and nothing else is known"
        )),
    };
    match done {
        Ok(()) => {
            println!("written: {FILE}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Has `vpcsim bench` measure each number of flows, one line each.
fn measure() -> Result<(), String> {
    let mut lines = String::new();
    for flows in FLOWS {
        let output = Command::new(program())
            .args(["run", "--quiet", "--release", "--package", "vpcsim", "--"])
            .args(["bench", "--json", "--flows", &flows.to_string()])
            .output()
            .map_err(|error| format!("cannot run the bench: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let measured: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the bench prints no JSON: {error}"))?;
        println!("{measured}");
        let _ = writeln!(lines, "{measured}");
    }
    fs::write(MEASURED, lines).map_err(|error| format!("cannot write {MEASURED}: {error}"))
}

fn draw() -> Result<(), String> {
    let text =
        fs::read_to_string(MEASURED).map_err(|error| format!("cannot read {MEASURED}: {error}"))?;
    let points: Result<Vec<_>, _> = text.lines().map(Point::read).collect();
    let points = points.map_err(|error| format!("{MEASURED}: {error}"))?;
    if points.len() < 2 {
        return Err(format!("{MEASURED} has too few lines for a plot"));
    }
    fs::write(FILE, svg(&points)).map_err(|error| format!("cannot write {FILE}: {error}"))
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    flows: f64,
    ns: f64,
    floor: f64,
    /// What a packet may cost at the target.
    budget: f64,
}

impl Point {
    fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |key: &str| {
            let number = value[key].as_f64().filter(|number| *number > 0.0);
            number.ok_or_else(|| format!("no `{key}` in {line}"))
        };
        Ok(Self {
            flows: number("flows")?,
            ns: number("ns_per_packet")?,
            floor: number("floor_ns")?,
            budget: number("ns_per_packet")? * number("times_target")?,
        })
    }
}

/// From flows and nanoseconds to pixels.
struct Scale {
    decades: f64,
    most: f64,
}

impl Scale {
    fn of(points: &[Point]) -> Self {
        let flows = points.iter().map(|point| point.flows).fold(10.0, f64::max);
        let ns = points
            .iter()
            .map(|point| point.ns.max(2.0 * point.floor).max(point.budget))
            .fold(0.0, f64::max);
        let step = step(ns);
        Self {
            decades: flows.log10().ceil(),
            most: (ns / step).ceil() * step,
        }
    }

    fn x(&self, flows: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * flows.log10() / self.decades
    }

    fn y(&self, ns: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * ns / self.most
    }
}

/// A round distance between marks: the smallest that makes ten of them at most.
fn step(most: f64) -> f64 {
    let decade = 10_f64.powf(most.log10().floor());
    let wide = [0.1, 0.2, 0.5, 1.0].map(|part| part * decade);
    wide.into_iter()
        .find(|step| most / step <= 10.0)
        .unwrap_or(decade)
}

/// Colours for light and for dark surroundings.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.faint { fill: #59636e; }
.grid { stroke: #d1d9e0; }
path { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.ours { stroke: #0969da; } circle.ours, text.ours { fill: #0969da; stroke: none; }
.floor { stroke: #59636e; } circle.floor, text.floor { fill: #59636e; stroke: none; }
.twice { stroke: #59636e; stroke-dasharray: 5 5; stroke-width: 1.5; }
.budget { stroke: #bc4c00; stroke-dasharray: 2 4; } text.budget { fill: #bc4c00; stroke: none; }
text.ours { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .faint { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .ours { stroke: #4493f8; } circle.ours, text.ours { fill: #4493f8; }
  .floor { stroke: #9198a1; } circle.floor, text.floor { fill: #9198a1; }
  .twice { stroke: #9198a1; }
  .budget { stroke: #f0883e; } text.budget { fill: #f0883e; }
}
";

fn svg(points: &[Point]) -> String {
    let scale = Scale::of(points);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {:.0}\" role=\"img\">\n\
         <title>Nanoseconds per packet against live flows: vpcsim, the bare loop, the budget</title>\n\
         <style>\n{STYLE}</style>\n",
        SIZE.0, SIZE.1
    );
    axes(&mut svg, &scale);
    let budget = points[0].budget;
    let level = scale.y(budget);
    let _ = writeln!(
        svg,
        "<path class=\"budget\" d=\"M{LEFT:.1} {level:.1} H{RIGHT:.1}\"/>"
    );
    line(&mut svg, &scale, points, "twice", |point| 2.0 * point.floor);
    line(&mut svg, &scale, points, "floor", |point| point.floor);
    line(&mut svg, &scale, points, "ours", |point| point.ns);
    for point in points {
        for (class, ns) in [("floor", point.floor), ("ours", point.ns)] {
            let (x, y) = (scale.x(point.flows), scale.y(ns));
            let _ = writeln!(
                svg,
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
            );
        }
    }
    labels(&mut svg, &scale, points, budget);
    svg + "</svg>\n"
}

fn axes(svg: &mut String, scale: &Scale) {
    let step = step(scale.most);
    let marks = (scale.most / step).round() as u32;
    for mark in 0..=marks {
        let ns = f64::from(mark) * step;
        let y = scale.y(ns);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT:.1}\" x2=\"{RIGHT:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"faint\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{ns:.0}</text>",
            LEFT - 10.0,
            y + 4.5
        );
    }
    let names = ["1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M"];
    for (decade, name) in (0..=scale.decades as usize).zip(names) {
        let x = scale.x(10_f64.powi(decade as i32));
        let _ = writeln!(
            svg,
            "<text class=\"faint\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            BOTTOM + 22.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT:.1}\" y=\"{:.1}\">nanoseconds per packet</text>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">live flows</text>",
        TOP - 18.0,
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 46.0
    );
}

fn line(svg: &mut String, scale: &Scale, points: &[Point], class: &str, ns: fn(&Point) -> f64) {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        let begins = if index == 0 { 'M' } else { 'L' };
        let (x, y) = (scale.x(point.flows), scale.y(ns(point)));
        let _ = write!(path, "{begins}{x:.1} {y:.1} ");
    }
    let _ = writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", path.trim_end());
}

/// Space between two labels, in pixels.
const APART: f64 = 17.0;

/// The name of each line beside its end, pushed apart where the ends are too near each other.
fn labels(svg: &mut String, scale: &Scale, points: &[Point], budget: f64) {
    let Some(last) = points.last() else { return };
    let mut labels = [
        (last.ns, "ours", "vpcsim"),
        (last.floor, "floor", "bare loop"),
        (2.0 * last.floor, "faint", "twice that"),
        (budget, "budget", "5 Gbit/s of 64 bytes"),
    ];
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut above = f64::INFINITY;
    for (ns, class, name) in labels {
        let y = scale.y(ns).min(above - APART);
        above = y;
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            RIGHT + 12.0,
            y + 4.5
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for (most, wanted) in [(100.0, 10.0), (134.4, 20.0), (250.0, 50.0), (999.0, 100.0)] {
            assert!((step(most) - wanted).abs() < 1e-9, "{most}: {}", step(most));
        }
    }

    #[test]
    fn a_line_of_json_is_a_point() {
        let line = r#"{"flows":1024,"ns_per_packet":40.0,"floor_ns":20.0,"times_target":3.36}"#;
        let point = Point::read(line).unwrap();
        assert_eq!((point.flows, point.ns, point.floor), (1024.0, 40.0, 20.0));
        assert!((point.budget - 134.4).abs() < 1e-9);
        assert!(Point::read("{}").unwrap_err().contains("flows"));
    }
}
