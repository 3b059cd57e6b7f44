//! The graph for Graphviz.

use super::Graph;
use super::links::{Kind, arrows, links};
use super::text::Label;
use super::tree::{Boxes, Level, Shape, boxes};
use std::fmt::Write;

/// Boxes in boxes, the gateways of a vpc beside its subnets; made for the program `dot`.
pub(super) fn write(graph: &Graph<'_>) -> String {
    let mut dot = Dot {
        out: "digraph network {\n".to_owned(),
        depth: 1,
    };
    let title = quoted(&[graph.headline()]);
    dot.line(&format!(
        "graph [label={title}, labelloc=t, rankdir=LR, fontname=\"sans-serif\", fontsize=12, nodesep=0.15]"
    ));
    dot.line("node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=10]");
    dot.line("edge [fontname=\"sans-serif\", fontsize=9, dir=none, color=gray50]");
    boxes(graph, &mut dot);
    for (from, to, kind) in links(graph) {
        let look = match kind {
            Kind::Way => "",
            Kind::Peering => " [penwidth=2]",
            Kind::Inactive => " [style=dashed, label=\"not active\"]",
            Kind::Holds => " [style=dotted]",
            Kind::OneHost => " [style=dotted, label=\"one host\"]",
        };
        dot.line(&format!("{} -> {}{look}", from.id(), to.id()));
    }
    for arrow in graph.walk.iter().flat_map(arrows) {
        let (color, style) = match (arrow.leg, &arrow.to) {
            (0, Ok(_)) => ("blue", "solid"),
            (0, Err(_)) => ("red", "solid"),
            (_, Ok(_)) => ("purple", "dashed"),
            (_, Err(_)) => ("red", "dashed"),
        };
        let to = match arrow.to {
            Ok(spot) => spot.id(),
            Err(reason) => {
                let text = quoted(&[format!("✕ {reason}")]);
                dot.line(&format!(
                    "dropped [label={text}, shape=octagon, style=solid, color=red, fontcolor=red]"
                ));
                "dropped".to_owned()
            }
        };
        let (from, label) = (arrow.from.id(), quoted(&[arrow.numbers]));
        // What comes back does not turn the drawing around.
        let (from, to, dir) = match arrow.leg {
            0 => (from, to, "forward"),
            _ => (to, from, "back"),
        };
        dot.line(&format!(
            "{from} -> {to} [dir={dir}, color={color}, fontcolor={color}, penwidth=2, style={style}, label={label}]"
        ));
    }
    dot.out + "}\n"
}

struct Dot {
    out: String,
    depth: usize,
}

impl Dot {
    fn line(&mut self, text: &str) {
        // A String takes everything.
        let _ = writeln!(self.out, "{:1$}{text}", "", self.depth * 2);
    }
}

impl Boxes for Dot {
    fn open(&mut self, id: &str, label: &[String], level: Level) {
        // What is called `cluster…` is drawn as a box.
        self.line(&format!("subgraph cluster_{id} {{"));
        self.depth += 1;
        let label = quoted(label);
        let style = match level {
            Level::Region => "rounded",
            Level::Vpc => "bold",
            Level::Zone => "dashed",
            Level::Subnet => "filled",
        };
        self.line(&format!(
            "label={label}; labeljust=l; style={style}; fillcolor=gray96"
        ));
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn node(&mut self, id: &str, label: &Label, shape: Shape) {
        let look = match shape {
            Shape::Host => ", style=\"rounded,filled\", fillcolor=white",
            Shape::Address => ", style=\"rounded,dashed\"",
            Shape::Note => ", shape=plaintext",
            Shape::Gate => ", shape=component, style=solid",
            Shape::Outside => ", shape=oval, style=solid",
        };
        let text = quoted(&label.all());
        let tip = if label.tip.is_empty() {
            &label.head
        } else {
            &label.tip
        };
        let tip = quoted(&tip.lines().map(str::to_owned).collect::<Vec<_>>());
        self.line(&format!("{id} [label={text}, tooltip={tip}{look}]"));
    }
}

/// Lines as a string of the dot language: it reads quotes, backslashes and, in labels, entities.
fn quoted(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| {
        let plain: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        plain
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('&', "&amp;")
    });
    // `\l` ends a line that stands at the left.
    let lines: Vec<String> = lines.collect();
    match lines.as_slice() {
        [one] => format!("\"{one}\""),
        many => format!("\"{}\\l\"", many.join("\\l")),
    }
}
