//! What can be wrong with a network file, where, and how to mend it.

mod kind;
mod one_line;
mod report;
mod suggest;

pub use kind::NetworkErrorKind;
pub(crate) use kind::NetworkErrorKind as Kind;
pub use report::{ErrorView, NetworkErrors};
pub(crate) use suggest::{nearest, suggest};

use crate::Mark;
use miette::{Diagnostic, LabeledSpan};
use one_line::OneLine;
use std::fmt;

/// One mistake in a network file. Whatever words of the file it quotes, its message and its hint are
/// one line each.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkError {
    /// What is wrong.
    pub kind: NetworkErrorKind,
    /// The offending text.
    pub mark: Mark,
    /// A word beside the underlined text.
    pub label: String,
    /// Other places that have to do with it.
    pub related: Vec<(Mark, String)>,
}

impl NetworkError {
    /// Adds another place to point at.
    pub(crate) fn also(&mut self, mark: Mark, label: impl Into<String>) -> &mut Self {
        self.related.push((mark, label.into()));
        self
    }

    /// The kind's name, in kebab-case.
    pub fn name(&self) -> String {
        self.kind.code().map_or_else(String::new, |c| c.to_string())
    }

    /// How to mend it.
    pub fn hint(&self) -> String {
        self.help().map_or_else(String::new, |h| h.to_string())
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(&self.kind).fmt(f)
    }
}

impl std::error::Error for NetworkError {}

impl Diagnostic for NetworkError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.kind.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.kind.help()?;
        Some(Box::new(OneLine(help)))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = |mark: &Mark| (mark.offset as usize, mark.len as usize);
        let text = |label: &str| Some(OneLine(label).to_string());
        let first = LabeledSpan::new_primary_with_span(text(&self.label), span(&self.mark));
        let others = self
            .related
            .iter()
            .map(move |(mark, label)| LabeledSpan::new_with_span(text(label), span(mark)));
        Some(Box::new(std::iter::once(first).chain(others)))
    }
}

/// How many mistakes of one place are compared for being the same.
const MOST_COMPARED: usize = 64;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    list: Vec<NetworkError>,
}

impl Errors {
    /// Notes a mistake.
    pub(crate) fn push(
        &mut self,
        kind: NetworkErrorKind,
        mark: Mark,
        label: impl Into<String>,
    ) -> &mut NetworkError {
        let at = self.list.len();
        self.list.push(NetworkError {
            kind,
            mark,
            label: label.into(),
            related: Vec::new(),
        });
        &mut self.list[at]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In file order, each once: text behind an alias is read once per alias.
    pub(crate) fn into_sorted(mut self) -> Vec<NetworkError> {
        self.list.sort_by_key(|e| (e.mark.offset, e.mark.len));
        let mut kept: Vec<NetworkError> = Vec::new();
        for error in self.list {
            let twice = kept
                .iter()
                .rev()
                .take_while(|k| k.mark.offset == error.mark.offset)
                // Thousands of aliases may complain of one place, each in its
                // own words: those are worth keeping, comparing all is not.
                .take(MOST_COMPARED)
                .any(|k| k.mark == error.mark && k.kind == error.kind);
            if !twice {
                kept.push(error);
            }
        }
        kept
    }
}
