//! What a lint found, and where.

use super::{Level, Levels, Lint, Silences};
use crate::Mark;
use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};
use serde::Serialize;
use std::fmt;

/// One thing that is valid and hurts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which lint found it.
    pub lint: Lint,
    /// What was found.
    pub message: String,
    /// Why it hurts.
    pub why: Why,
    /// How to mend it.
    pub help: String,
    /// The text it is about.
    pub mark: Mark,
    /// A word beside the underlined text.
    pub label: String,
    /// Other places that have to do with it.
    pub related: Vec<(Mark, String)>,
}

/// Why something hurts: as an error it is the cause of the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why(pub String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Why {}

impl Finding {
    /// Adds another place to point at; one that no line declares is left out.
    pub(super) fn also(&mut self, mark: Mark, label: impl Into<String>) -> &mut Self {
        if mark.line > 0 {
            self.related.push((mark, label.into()));
        }
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.why)
    }
}

impl Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.lint))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Warning)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = |mark: &Mark| (mark.offset as usize, mark.len as usize);
        let first = LabeledSpan::new_primary_with_span(Some(self.label.clone()), span(&self.mark));
        let others = self
            .related
            .iter()
            .map(move |(mark, label)| LabeledSpan::new_with_span(Some(label.clone()), span(mark)));
        Some(Box::new(std::iter::once(first).chain(others)))
    }
}

/// What the lints of one run have said so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    list: Vec<Finding>,
}

/// The words of a finding.
pub(super) struct Words {
    pub(super) message: String,
    pub(super) why: String,
    pub(super) help: String,
}

impl Found {
    /// Notes a finding.
    pub(super) fn push(
        &mut self,
        lint: Lint,
        mark: Mark,
        label: impl Into<String>,
        words: Words,
    ) -> &mut Finding {
        let Words { message, why, help } = words;
        let at = self.list.len();
        self.list.push(Finding {
            lint,
            message,
            why: Why(why),
            help,
            mark,
            label: label.into(),
            related: Vec::new(),
        });
        &mut self.list[at]
    }

    /// In file order, each once: text behind an alias is read once per alias.
    pub(super) fn into_sorted(mut self) -> Vec<Finding> {
        self.list
            .sort_by_key(|finding| (finding.mark.offset, finding.mark.len, finding.lint));
        self.list.dedup();
        self.list
    }
}

/// The findings of one file, in file order, with the file to show them in.
#[derive(Debug, Clone)]
pub struct Findings {
    source: NamedSource<String>,
    list: Vec<Finding>,
    levels: Levels,
    silences: Silences,
}

/// One finding as machines read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// The lint's name: stable.
    pub lint: &'static str,
    /// `warn` or `deny`.
    pub level: &'static str,
    /// What was found.
    pub message: String,
    /// Why it hurts.
    pub why: String,
    /// How to mend it.
    pub help: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// The text it is about.
    pub text: String,
}

impl Findings {
    /// `levels` and `silences`: what the file's own `lints` section and its comments say.
    pub(crate) fn new(
        name: &str,
        text: &str,
        list: Vec<Finding>,
        levels: Levels,
        silences: Silences,
    ) -> Self {
        Self {
            source: NamedSource::new(name, text.to_owned()).with_language("yaml"),
            list,
            levels,
            silences,
        }
    }

    /// All that was found, whatever its level, in file order.
    pub fn all(&self) -> &[Finding] {
        &self.list
    }

    /// Adds what was found by looking at packets.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Finding>) {
        self.list.extend(more);
        self.list = Found {
            list: std::mem::take(&mut self.list),
        }
        .into_sorted();
    }

    /// What was found, each with its level: `asked` stands before what the file says. What is
    /// allowed is left out.
    pub fn judged<'a>(
        &'a self,
        asked: &'a Levels,
    ) -> impl Iterator<Item = (Level, &'a Finding)> + 'a {
        self.list.iter().filter_map(|finding| {
            let silenced = self.silences.covers(finding.lint, finding.mark.line);
            let level = match self.level(finding.lint, asked) {
                // A comment says it of one place by name: only a name asked for is stronger.
                _ if silenced && !asked.names(finding.lint) => Level::Allow,
                level => level,
            };
            (level != Level::Allow).then_some((level, finding))
        })
    }

    /// The level of a lint: `asked` stands before what the file says.
    pub fn level(&self, lint: Lint, asked: &Levels) -> Level {
        asked.over(&self.levels, lint)
    }

    /// The text that a finding underlines.
    pub fn text_of(&self, finding: &Finding) -> &str {
        let start = finding.mark.offset as usize;
        self.source
            .inner()
            .get(start..start + finding.mark.len as usize)
            .unwrap_or("")
    }

    /// What was found, as machines read it.
    pub fn views(&self, asked: &Levels) -> Vec<FindingView> {
        self.judged(asked)
            .map(|(level, finding)| FindingView {
                lint: finding.lint.name(),
                level: level.name(),
                message: finding.message.clone(),
                why: finding.why.0.clone(),
                help: finding.help.clone(),
                line: finding.mark.line,
                column: finding.mark.column,
                text: self.text_of(finding).to_owned(),
            })
            .collect()
    }

    /// The file.
    pub fn source_text(&self) -> &dyn SourceCode {
        &self.source
    }

    /// The file's name, as given.
    pub fn name(&self) -> &str {
        self.source.name()
    }
}
