//! The graph as a drawing.

mod draw;
mod layout;
mod measure;
mod roads;
mod walk;

use super::Graph;
use super::links::{Kind, links};
use draw::Drawing;
use layout::layout;
use measure::{HEAD, wrap};

const STYLE: &str = include_str!("style.css");
/// Space above the drawing, and the height of a line of heading.
const TOP: i32 = 14;
const HEADING: i32 = 20;
/// Where headings and legends begin.
const LEFT: i32 = 16;
/// The narrowest drawing, for its heading and legend.
const NARROWEST: i32 = 640;

/// Draws with boxes in boxes, dark where the reader wants it dark.
pub(super) fn write(graph: &Graph<'_>) -> String {
    // Once to know how wide it becomes: the heading is as wide.
    let width = layout(graph, 0).width.max(NARROWEST);
    let heading = wrap(&graph.headline(), width - 2 * LEFT, HEAD + 2.0, true);
    let top = TOP + HEADING * heading.len() as i32 + 6;
    let plan = layout(graph, top);
    let mut drawing = Drawing::default();
    let (title, answer) = match &graph.walk {
        None => (graph.title.as_str(), ""),
        Some(walk) if walk.trace.reachable => (graph.title.as_str(), " v-good"),
        Some(_) => (graph.title.as_str(), " v-bad"),
    };
    for (at, line) in (0..).zip(&heading) {
        let y = TOP + HEADING * at + 12;
        drawing.text(&format!("v-title{answer}"), (LEFT, y), line);
    }
    for (frame, rect, label) in &plan.frames {
        drawing.frame(*frame, *rect, label);
    }
    for (from, to, kind) in links(graph) {
        if layout::is_drawn(kind, from) {
            let class = match kind {
                Kind::Way | Kind::Holds => "v-link",
                Kind::Peering => "v-link v-peering",
                Kind::Inactive => "v-link v-peering v-dashed",
                Kind::OneHost => "v-link v-dotted",
            };
            drawing.road(class, &plan.road(from, to), 0);
        }
    }
    drawing.internet(plan.internet);
    for leaf in &plan.leaves {
        drawing.leaf(leaf);
    }
    let mut bottom = plan.bottom;
    if let Some(walk) = &graph.walk {
        walk::draw(&mut drawing, &plan, walk);
        bottom = walk::legend(&mut drawing, walk, width, bottom);
    }
    drawing.document(title, &graph.headline(), (width, bottom), STYLE)
}
