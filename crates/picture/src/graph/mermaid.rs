//! The graph for Mermaid.

use super::Graph;
use super::links::{Kind, arrows, links};
use super::text::Label;
use super::tree::{Boxes, Level, Shape, boxes};
use std::fmt::Write;

const REQUEST: &str = "stroke:#1f6feb,stroke-width:3px";
const REPLY: &str = "stroke:#8250df,stroke-width:3px,stroke-dasharray:6 4";
const DROPPED: &str = "stroke:#cf222e,stroke-width:3px";

/// A flowchart: subgraphs in subgraphs, the gateways of a vpc beside its subnets.
pub(super) fn write(graph: &Graph<'_>) -> String {
    // A JSON string is a YAML string too.
    let title = serde_json::Value::from(graph.headline());
    let mut chart = Chart {
        out: format!("---\ntitle: {title}\n---\nflowchart LR\n"),
        depth: 1,
    };
    boxes(graph, &mut chart);
    let links = links(graph);
    let mut number = links.len();
    for (from, to, kind) in links {
        let line = match kind {
            Kind::Way => "---",
            Kind::Peering => "===",
            Kind::Inactive => "-. not active .-",
            Kind::Holds => "-.-",
            Kind::OneHost => "-. one host .-",
        };
        chart.line(&format!("{} {line} {}", from.id(), to.id()));
    }
    for arrow in graph.walk.iter().flat_map(arrows) {
        let (to, style) = match arrow.to {
            Ok(spot) if arrow.leg == 0 => (spot.id(), REQUEST),
            Ok(spot) => (spot.id(), REPLY),
            Err(reason) => {
                let text = escaped(&format!("✕ {reason}"));
                chart.line(&format!("dropped{{{{\"{text}\"}}}}"));
                chart.line(&format!("style dropped {DROPPED},color:#cf222e"));
                ("dropped".to_owned(), DROPPED)
            }
        };
        let numbers = match arrow.numbers.as_str() {
            "" => String::new(),
            numbers => format!("|\"{}\"|", escaped(numbers)),
        };
        chart.line(&format!("{} -->{numbers} {to}", arrow.from.id()));
        chart.line(&format!("linkStyle {number} {style}"));
        number += 1;
    }
    chart.out
}

struct Chart {
    out: String,
    depth: usize,
}

impl Chart {
    fn line(&mut self, text: &str) {
        // A String takes everything.
        let _ = writeln!(self.out, "{:1$}{text}", "", self.depth * 2);
    }
}

impl Boxes for Chart {
    fn open(&mut self, id: &str, label: &[String], _: Level) {
        // Mermaid leaves room for one line above the boxes.
        let label = escaped(&label.join(", "));
        self.line(&format!("subgraph {id}[\"{label}\"]"));
        self.depth += 1;
        self.line("direction LR");
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("end");
    }

    fn node(&mut self, id: &str, label: &Label, shape: Shape) {
        let (open, close) = match shape {
            Shape::Host => ("[", "]"),
            Shape::Address => ("[/", "/]"),
            Shape::Note => ("[", "]"),
            Shape::Gate => ("[[", "]]"),
            Shape::Outside => ("([", "])"),
        };
        self.line(&format!("{id}{open}\"{}\"{close}", lines(&label.all())));
        if shape == Shape::Note {
            self.line(&format!("style {id} fill:none,stroke:none,text-align:left"));
        }
    }
}

fn lines(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    lines.join("<br/>")
}

/// Text within the quotes of a label: what Markdown, HTML or Mermaid would read becomes an entity
/// in Mermaid's spelling.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '&' | '<' | '>' | '#' | ';' | '`' | '*' | '_' | '\\' | '[' | ']' | '(' | ')'
            | '{' | '}' | '|' | '~' | '$' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
