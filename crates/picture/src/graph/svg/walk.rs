//! A trace over the drawing, and what its numbers stand for.

use super::super::legend;
use super::super::walk::{Spot, Walk, Way};
use super::draw::Drawing;
use super::layout::{Layout, Rect};
use super::measure::{HEAD, LINE, fit, width};
use super::roads::Point;
use super::{HEADING, LEFT};
use std::collections::BTreeMap;

/// How far request and reply go beside the middle of the road.
const ASIDE: i32 = 3;
const PILL: i32 = 16;

pub(super) fn draw(drawing: &mut Drawing, plan: &Layout, walk: &Walk) {
    for (leg, way) in walk.ways.iter().enumerate() {
        ways(drawing, plan, leg, way);
    }
    // Numbers stand on the lines; what is at one place stands side by side.
    let mut used: BTreeMap<Spot, i32> = BTreeMap::new();
    for (leg, way) in walk.ways.iter().enumerate() {
        let dropped = way.dropped.is_some();
        let last = way.spots.len().saturating_sub(1);
        for (at, (&spot, stops)) in way.spots.iter().zip(&way.stops).enumerate() {
            let numbers = legend::numbers(leg, stops);
            let lost = dropped && at == last;
            let text = match (&way.dropped, lost) {
                (Some(reason), true) => format!("{numbers} ✕ {reason}").trim().to_owned(),
                _ => numbers,
            };
            if text.is_empty() {
                continue;
            }
            let wide = width(&text, 10.0, true) + 10;
            let taken = used.entry(spot).or_default();
            let Some(rect) = pill_place(plan, way, at, wide, *taken) else {
                continue;
            };
            *taken += if matches!(spot, Spot::Door(_)) {
                PILL + 2
            } else {
                wide + 3
            };
            let class = match (lost, leg) {
                (true, _) => "v-pill v-pill-drop",
                (false, 0) => "v-pill v-pill-request",
                (false, _) => "v-pill v-pill-reply",
            };
            drawing.rect(class, rect, PILL / 2);
            drawing.centered("v-on", (rect.x + rect.w / 2, rect.y + 12), &text);
        }
    }
}

/// Where the numbers of a stop stand.
fn pill_place(plan: &Layout, way: &Way, at: usize, wide: i32, taken: i32) -> Option<Rect> {
    let spot = way.spots[at];
    let (x, y) = match spot {
        Spot::Door(_) => {
            let (x, y) = plan.point(spot)?;
            (x - wide / 2, y - PILL + taken)
        }
        Spot::Internet => {
            // Beside the line that leads there.
            let gate = [at.checked_sub(1), at.checked_add(1)];
            let mut gates = gate
                .into_iter()
                .flatten()
                .filter_map(|at| way.spots.get(at));
            let y = gates
                .find_map(|gate| plan.places.get(gate))
                .map(|rect| rect.middle());
            let (x, top) = plan.point(spot)?;
            (x - wide - 6 - taken, y.unwrap_or(top) - PILL - 6)
        }
        _ => {
            let rect = plan.places.get(&spot)?;
            (rect.right() - 4 - wide - taken, rect.y - PILL + 4)
        }
    };
    Some(Rect {
        x,
        y,
        w: wide,
        h: PILL,
    })
}

fn ways(drawing: &mut Drawing, plan: &Layout, leg: usize, way: &Way) {
    let (class, tip, aside) = match leg {
        0 => ("v-way v-request", "v-tip-request", -ASIDE),
        _ => ("v-way v-reply", "v-tip-reply", ASIDE),
    };
    let mut whole: Vec<Vec<Point>> = Vec::new();
    for pair in way.spots.windows(2) {
        let road = plan.road(pair[0], pair[1]);
        // Into a door and out of it is one line; into a gateway and out of it are two.
        match whole.last_mut() {
            Some(line) if line.last() == road.first() => line.extend(road.into_iter().skip(1)),
            _ if road.len() > 1 => whole.push(road),
            _ => {}
        }
    }
    for line in &whole {
        drawing.road("v-halo", line, aside);
    }
    for line in &whole {
        drawing.road(class, line, aside);
        if let [.., before, end] = line.as_slice() {
            drawing.shape(tip, &arrow(*before, *end, aside));
        }
    }
    if way.dropped.is_some()
        && let Some(&last) = way.spots.last()
    {
        ring(drawing, plan, last);
    }
}

/// Around what dropped it.
fn ring(drawing: &mut Drawing, plan: &Layout, spot: Spot) {
    let around = |rect: Rect| Rect {
        x: rect.x - 3,
        y: rect.y - 3,
        w: rect.w + 6,
        h: rect.h + 6,
    };
    if let Some(&rect) = plan.places.get(&spot) {
        drawing.rect("v-ring", around(rect), 7);
    }
}

/// A head for a line that ends there.
fn arrow(before: Point, end: Point, aside: i32) -> [Point; 3] {
    let (x, y) = (end.0 + aside, end.1 + aside);
    let along = ((end.0 - before.0).signum(), (end.1 - before.1).signum());
    let (dx, dy) = along;
    [
        (x + 2 * dx, y + 2 * dy),
        (x - 8 * dx - 5 * dy, y - 8 * dy - 5 * dx),
        (x - 8 * dx + 5 * dy, y - 8 * dy + 5 * dx),
    ]
}

/// The stops, line by line; gives where they end.
pub(super) fn legend(drawing: &mut Drawing, walk: &Walk, wide: i32, top: i32) -> i32 {
    let columns = [0, 40, 200, 480];
    let mut y = top + 4;
    for line in legend::lines(walk) {
        y += HEADING - 2;
        if line.heading {
            y += 8;
            let class = if line.leg == 0 {
                "v-way v-request"
            } else {
                "v-way v-reply"
            };
            drawing.road(class, &[(LEFT, y - 4), (LEFT + 30, y - 4)], 0);
            let text = format!("{}  {}", line.cells[1], line.cells[2]);
            let text = fit(&text, wide - LEFT - 40 - LEFT, HEAD, true);
            drawing.text("v-head", (LEFT + 40, y), &text);
            continue;
        }
        let class = if line.dropped { "v-bad" } else { "" };
        for (at, cell) in line.cells.iter().enumerate() {
            let end = columns.get(at + 1).map_or(wide - 2 * LEFT, |next| next - 8);
            let text = fit(cell, end - columns[at], LINE, false);
            if !text.is_empty() {
                drawing.text(class, (LEFT + columns[at], y), &text);
            }
        }
    }
    y + 16
}
