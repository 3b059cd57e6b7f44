//! `cargo xtask picture`: docs/report.svg, from what `vpcsim demo` prints.

use crate::cargo::program;
use std::fmt::Write;
use std::fs;
use std::process::{Command, ExitCode};

const FILE: &str = "docs/report.svg";
/// A picture of more lines is not read; what follows are flows, places, NAT.
const LINES: usize = 44;

/// One character cell, and the space around all of them, in pixels.
const CELL: (f64, f64) = (7.8, 17.0);
const MARGIN: f64 = 16.0;

/// Runs the demo and draws the top of its report.
pub(crate) fn run() -> ExitCode {
    let output = Command::new(program())
        .args(["run", "--quiet", "--release", "--package", "vpcsim", "--"])
        .args(["demo", "--color", "always"])
        .output();
    let text = match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        Ok(output) => {
            eprintln!("error: {}", String::from_utf8_lossy(&output.stderr));
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("error: cannot run the demo: {error}");
            return ExitCode::FAILURE;
        }
    };
    match fs::write(FILE, svg(&text)) {
        Ok(()) => {
            println!("written: {FILE}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: cannot write {FILE}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn svg(text: &str) -> String {
    let mut lines = vec!["\x1b[1m$ vpcsim demo\x1b[0m".to_owned()];
    lines.extend(text.lines().take(LINES).map(str::to_owned));
    let left = text.lines().count().saturating_sub(LINES);
    if left > 0 {
        lines.push(format!(
            "\x1b[2m… {left} lines more: flows, places, NAT, what was odd\x1b[0m"
        ));
    }
    let columns = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let size = (
        columns as f64 * CELL.0 + 2.0 * MARGIN,
        lines.len() as f64 * CELL.1 + 2.0 * MARGIN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {:.0}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16191d\"/>\n",
        size.0, size.1
    );
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + (row as f64 + 0.75) * CELL.1;
        for span in spans(line) {
            let x = MARGIN + span.column as f64 * CELL.0;
            // The length holds the columns together whatever font there is.
            let length = span.text.trim_end().chars().count() as f64 * CELL.0;
            let weight = if span.bold {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" fill=\"{}\"{weight}>{}</text>",
                span.fill,
                escaped(&span.text)
            );
        }
    }
    svg + "</svg>\n"
}

/// Characters of one look.
struct Span {
    column: usize,
    text: String,
    fill: &'static str,
    bold: bool,
}

/// The pieces of a line between spaces and changes of colour.
fn spans(line: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut fill, mut bold, mut column) = (PLAIN, false, 0);
    let mut open = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\x1b[") {
            let (numbers, after) = code.split_once('m').unwrap_or((code, ""));
            for number in numbers.split(';') {
                match number {
                    "1" => bold = true,
                    "2" => fill = "#7d8590",
                    "31" => fill = "#ff7b72",
                    "32" => fill = "#57cc6c",
                    "33" => fill = "#e3b341",
                    "36" => fill = "#56d4dd",
                    _ => (fill, bold) = (PLAIN, false),
                }
            }
            (rest, open) = (after, false);
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let gap = c == ' ' && rest.starts_with(' ');
        match spans.last_mut() {
            Some(span) if open && !gap => span.text.push(c),
            _ if c != ' ' => {
                let text = c.to_string();
                spans.push(Span {
                    column,
                    text,
                    fill,
                    bold,
                });
                open = true;
            }
            _ => open = false,
        }
        column += 1;
    }
    spans
}

const PLAIN: &str = "#d7dce2";

fn width(line: &str) -> usize {
    let spans = spans(line);
    let last = spans.last();
    last.map_or(0, |span| span.column + span.text.chars().count())
}

fn escaped(text: &str) -> String {
    text.trim_end()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
