//! Words inside a scalar, each with its own place in the file.

use super::Source;
use crate::Mark;
use std::ops::Range;

/// A piece of a scalar's text.
///
/// Where the scalar stands in the file letter for letter, so does every piece
/// of it; where it does not (escapes, folded lines), a piece is marked by the
/// whole scalar.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    source: &'a Source<'a>,
    scalar: &'a str,
    /// Which part of `scalar` this is.
    range: Range<usize>,
    /// Byte of the file at which `scalar` stands verbatim.
    at: Option<usize>,
    whole: Mark,
}

impl<'a> Text<'a> {
    pub(crate) fn new(
        source: &'a Source<'a>,
        scalar: &'a str,
        at: Option<usize>,
        whole: Mark,
    ) -> Self {
        Self {
            source,
            scalar,
            range: 0..scalar.len(),
            at,
            whole,
        }
    }

    pub(crate) fn as_str(&self) -> &'a str {
        self.scalar.get(self.range.clone()).unwrap_or("")
    }

    /// Where it stands.
    pub(crate) fn mark(&self) -> Mark {
        match self.at {
            Some(at) => self.source.mark(at + self.range.start, at + self.range.end),
            None => self.whole,
        }
    }

    /// The piece between two bytes of this text.
    fn piece(&self, start: usize, end: usize) -> Self {
        Self {
            range: self.range.start + start..self.range.start + end,
            ..self.clone()
        }
    }

    /// Without the white space around it.
    pub(crate) fn trim(&self) -> Self {
        let text = self.as_str();
        let start = text.len() - text.trim_start().len();
        self.piece(start, start + text.trim().len())
    }

    /// The words between white space.
    pub(crate) fn words(&self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut rest = self.trim();
        while !rest.as_str().is_empty() {
            let text = rest.as_str();
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            words.push(rest.piece(0, end));
            rest = rest.piece(end, text.len()).trim();
        }
        words
    }

    /// From the start of this piece to the end of `last`, a later piece of the same scalar.
    pub(crate) fn through(&self, last: &Self) -> Self {
        Self {
            range: self.range.start..last.range.end.max(self.range.start),
            ..self.clone()
        }
    }

    /// The trimmed pieces between separators.
    pub(crate) fn split(&self, separator: char) -> Vec<Self> {
        let text = self.as_str();
        let mut pieces = Vec::new();
        let mut start = 0;
        for (at, found) in text.match_indices(separator) {
            pieces.push(self.piece(start, at).trim());
            start = at + found.len();
        }
        pieces.push(self.piece(start, text.len()).trim());
        pieces
    }

    /// The pieces before and after the first `separator`.
    pub(crate) fn split_once(&self, separator: char) -> Option<(Self, Self)> {
        let text = self.as_str();
        let at = text.find(separator)?;
        Some((
            self.piece(0, at),
            self.piece(at + separator.len_utf8(), text.len()),
        ))
    }
}
