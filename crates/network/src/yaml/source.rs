//! The file's text, and positions in it.

use crate::Mark;

/// The text of a file with what it takes to find line and column of a byte.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    text: &'a str,
    /// Byte offset at which each line starts.
    lines: Vec<usize>,
    /// Byte offset of each character: the parser counts characters. Left out
    /// where both counts are the same.
    chars: Option<Vec<usize>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let chars = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { text, lines, chars }
    }

    /// The byte at which character number `index` starts.
    pub(crate) fn byte_of_char(&self, index: usize) -> usize {
        match &self.chars {
            None => index.min(self.text.len()),
            Some(chars) => chars.get(index).copied().unwrap_or(self.text.len()),
        }
    }

    /// The mark of the bytes from `start` to `end`.
    pub(crate) fn mark(&self, start: usize, end: usize) -> Mark {
        let start = self.floor(start);
        let end = self.floor(end.max(start));
        let line = self.lines.partition_point(|&at| at <= start).max(1);
        let line_start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self
            .text
            .get(line_start..start)
            .map_or(0, |before| before.chars().count())
            + 1;
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Mark {
            line: narrow(line),
            column: narrow(column),
            offset: narrow(start),
            len: narrow(end - start),
        }
    }

    /// The text between two bytes; empty where they do not delimit one.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The nearest character boundary at or before `byte`.
    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}
