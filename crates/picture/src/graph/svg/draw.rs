//! Elements of SVG.

use super::super::text::{Label, escaped};
use super::layout::{Frame, Leaf, Look, Rect};
use super::measure::{HEAD, LINE, fit};
use super::roads::Point;
use std::fmt::Write;

/// What has been drawn so far.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    body: String,
}

/// Between the border of a box and its text.
const INSET: i32 = 8;

impl Drawing {
    /// A whole document.
    pub(super) fn document(
        self,
        title: &str,
        description: &str,
        (w, h): (i32, i32),
        style: &str,
    ) -> String {
        let (title, description) = (escaped(title), escaped(description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"v\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n<style>{style}</style>\n\
             <rect class=\"v-paper\" width=\"{w}\" height=\"{h}\"/>\n{}</svg>\n",
            self.body
        )
    }

    pub(super) fn text(&mut self, class: &str, (x, y): Point, text: &str) {
        let text = escaped(text);
        self.line(&format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        ));
    }

    /// Text in the middle of a point.
    pub(super) fn centered(&mut self, class: &str, (x, y): Point, text: &str) {
        let text = escaped(text);
        self.line(&format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>"
        ));
    }

    pub(super) fn frame(&mut self, frame: Frame, rect: Rect, label: &Label) {
        let (class, corner) = match frame {
            Frame::Region => ("v-region", 10),
            Frame::Vpc => ("v-vpc", 8),
            Frame::Zone => ("v-zone", 6),
            Frame::Subnet => ("v-subnet", 6),
        };
        self.open(&label.tip);
        self.rect(class, rect, corner);
        let room = rect.w - 2 * INSET;
        if matches!(frame, Frame::Region | Frame::Zone) {
            if !label.head.is_empty() {
                let head = fit(&label.head, room, LINE, false);
                self.text("v-faint", (rect.x + INSET, rect.y + 15), &head);
            }
        } else {
            self.words(label, rect);
        }
        self.close();
    }

    /// A heading and the lines below it.
    fn words(&mut self, label: &Label, rect: Rect) {
        let room = rect.w - 2 * INSET;
        let head = fit(&label.head, room, HEAD, true);
        self.text("v-head", (rect.x + INSET, rect.y + 17), &head);
        for (at, line) in (0..).zip(&label.lines) {
            let line = fit(line, room, LINE, false);
            let y = rect.y + 32 + 15 * at;
            self.text("v-faint", (rect.x + INSET, y), &line);
        }
    }

    pub(super) fn leaf(&mut self, leaf: &Leaf) {
        let (class, corner) = match leaf.look {
            Look::Host => ("v-host", 5),
            Look::Pale => ("v-pale", 5),
            Look::Gate => ("v-gate", 2),
            Look::Outside => ("v-outside", 12),
            Look::Note => ("v-note", 0),
        };
        self.open(&leaf.label.tip);
        self.rect(class, leaf.rect, corner);
        self.words(&leaf.label, leaf.rect);
        self.close();
    }

    pub(super) fn internet(&mut self, rect: Rect) {
        self.open("internet");
        self.rect("v-outside", rect, 12);
        let (x, y) = (rect.x + rect.w / 2 + 4, rect.middle());
        self.line(&format!(
            "<text class=\"v-head\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\">internet</text>"
        ));
        self.close();
    }

    pub(super) fn rect(&mut self, class: &str, rect: Rect, corner: i32) {
        let Rect { x, y, w, h } = rect;
        self.line(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{corner}\"/>"
        ));
    }

    /// A line through points, all moved by as much to the right and down.
    pub(super) fn road(&mut self, class: &str, points: &[Point], aside: i32) {
        let [first, rest @ ..] = points else {
            return;
        };
        let mut path = format!("M{} {}", first.0 + aside, first.1 + aside);
        for (x, y) in rest {
            let _ = write!(path, "L{} {}", x + aside, y + aside);
        }
        self.line(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    pub(super) fn shape(&mut self, class: &str, points: &[Point]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let points = points.join(" ");
        self.line(&format!("<polygon class=\"{class}\" points=\"{points}\"/>"));
    }

    pub(super) fn open(&mut self, tip: &str) {
        if tip.is_empty() {
            self.line("<g>");
        } else {
            let tip = escaped(tip);
            self.line(&format!("<g><title>{tip}</title>"));
        }
    }

    pub(super) fn close(&mut self) {
        self.line("</g>");
    }

    fn line(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }
}
