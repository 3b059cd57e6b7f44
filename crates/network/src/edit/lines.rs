//! The file's lines, and how it is indented.

use super::write::Yaml;
use crate::yaml::{Node, Value};

/// The text by lines.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    /// What ends a line.
    pub(super) end: &'static str,
    /// Columns by which what a key holds stands to the right of the key.
    step: usize,
    /// The same for the dashes of a list.
    dash: usize,
    /// Whether empty lines stand between sections.
    pub(super) airy: bool,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str, root: Node<'_>) -> Self {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines = Self {
            text,
            end,
            step: 2,
            dash: 2,
            airy: text.contains(&format!("{end}{end}")),
        };
        if let Value::Mapping(entries) = root.value() {
            let mut nested = entries.iter().map(|(_, _, child)| *child);
            let nested =
                nested.find(|child| matches!(child.value(), Value::Mapping(_)) && !child.is_flow());
            if let Some(child) = nested {
                lines.step = lines.column(child.extent().start).max(1);
                lines.dash = lines.step;
            }
        }
        if let Some(dash) = lines.first_dash(root) {
            lines.dash = dash;
        }
        lines
    }

    /// How far the dashes of the file's first list stand to the right of its key.
    fn first_dash(&self, node: Node<'_>) -> Option<usize> {
        let Value::Mapping(entries) = node.value() else {
            return None;
        };
        entries.into_iter().find_map(|(_, mark, child)| {
            if child.is_flow() {
                return None;
            }
            match child.value() {
                Value::Sequence(items) => {
                    let dash = self.dash_column(items.first()?.extent().start)?;
                    dash.checked_sub(self.column(mark.offset as usize))
                }
                _ => self.first_dash(child),
            }
        })
    }

    /// Where the line that has a byte begins.
    pub(super) fn start(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or("");
        before.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where that line ends, before what ends it.
    pub(super) fn end(&self, byte: usize) -> usize {
        let rest = self.text.get(byte..).unwrap_or("");
        let len = rest.find('\n').unwrap_or(rest.len());
        let line = rest.get(..len).unwrap_or("");
        byte + line.trim_end_matches('\r').len()
    }

    /// The column of a byte, from 0.
    pub(super) fn column(&self, byte: usize) -> usize {
        let line = self.text.get(self.start(byte)..byte).unwrap_or("");
        line.chars().count()
    }

    /// The column of the dash before an item that begins at a byte.
    pub(super) fn dash_column(&self, byte: usize) -> Option<usize> {
        let line = self.text.get(self.start(byte)..).unwrap_or("");
        let dash = line.find(|c| c != ' ')?;
        line.get(dash..)?.starts_with('-').then_some(dash)
    }

    /// Where the comments begin that stand right above a line, or the line itself.
    pub(super) fn above(&self, line_start: usize) -> usize {
        let mut at = line_start;
        while at > 0 {
            let before = self.start(at - 1);
            let line = self.text.get(before..at).unwrap_or("");
            if !line.trim_start().starts_with('#') {
                break;
            }
            at = before;
        }
        at
    }

    /// Where the value of a key may begin: after the colon.
    pub(super) fn colon(&self, key_end: usize) -> usize {
        let rest = self.text.get(key_end..).unwrap_or("");
        rest.find(':').map_or(key_end, |at| key_end + at + 1)
    }

    /// Lines for a key at a column, each with the end of line before it.
    pub(super) fn entry(&self, column: usize, key: &str, value: &Yaml) -> String {
        let Self { end, .. } = self;
        let indent = " ".repeat(column);
        let key = super::write::word(key);
        format!("{end}{indent}{key}:{}", self.value(column, value))
    }

    /// What follows the colon of a key at a column.
    pub(super) fn value(&self, column: usize, value: &Yaml) -> String {
        match value {
            Yaml::Word(_) | Yaml::Inline(_) => format!(" {}", value.line_text()),
            Yaml::List(_) | Yaml::Map(_) => self.below(column, value),
        }
    }

    /// The lines below a key at a column.
    pub(super) fn below(&self, column: usize, value: &Yaml) -> String {
        match value {
            Yaml::List(items) => {
                let items = items.iter().map(|item| self.item(column + self.dash, item));
                items.collect()
            }
            Yaml::Map(entries) => {
                let entries = entries.iter();
                let lines = entries.map(|(key, value)| self.entry(column + self.step, key, value));
                lines.collect()
            }
            Yaml::Word(_) | Yaml::Inline(_) => String::new(),
        }
    }

    /// The line of an item at a column.
    pub(super) fn item(&self, column: usize, item: &Yaml) -> String {
        let (end, indent) = (self.end, " ".repeat(column));
        format!("{end}{indent}- {}", item.line_text())
    }
}
