//! All mistakes of one file: for the terminal, for plain text, for machines.

use super::NetworkError;
use miette::{Diagnostic, NamedSource, SourceCode};
use serde::Serialize;
use std::fmt;

/// Everything that is wrong with a network file, in file order; never empty.
///
/// A [`miette::Diagnostic`] whose related diagnostics underline the offending
/// text of each mistake. `Display` is its headline; [`NetworkErrors::plain`]
/// has all of them without a terminal's graces.
pub struct NetworkErrors {
    source: NamedSource<String>,
    errors: Vec<NetworkError>,
}

/// One mistake as machines read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorView {
    /// Its kind, in kebab-case: stable.
    pub kind: String,
    /// What is wrong.
    pub message: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// The offending text.
    pub text: String,
    /// How to mend it.
    pub help: String,
}

impl NetworkErrors {
    pub(crate) fn new(name: &str, text: &str, errors: Vec<NetworkError>) -> Self {
        Self {
            source: NamedSource::new(name, text.to_owned()).with_language("yaml"),
            errors,
        }
    }

    /// The mistakes, in file order.
    pub fn errors(&self) -> &[NetworkError] {
        &self.errors
    }

    /// The file's name, as given.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// The file.
    pub fn source_text(&self) -> &dyn SourceCode {
        &self.source
    }

    /// The text that a mistake underlines.
    pub fn text_of(&self, error: &NetworkError) -> &str {
        let start = error.mark.offset as usize;
        self.source
            .inner()
            .get(start..start + error.mark.len as usize)
            .unwrap_or("")
    }

    /// Every mistake on a line of its own: `FILE:LINE:COLUMN: MESSAGE; HINT`.
    pub fn plain(&self) -> String {
        let lines: Vec<String> = self
            .errors
            .iter()
            .map(|error| {
                let (line, column) = (error.mark.line, error.mark.column);
                let hint = error.hint();
                format!("{}:{line}:{column}: {error}; {hint}", self.name())
            })
            .collect();
        lines.join("\n")
    }

    /// The mistakes as machines read them.
    pub fn views(&self) -> Vec<ErrorView> {
        self.errors
            .iter()
            .map(|error| ErrorView {
                kind: error.name(),
                message: error.to_string(),
                line: error.mark.line,
                column: error.mark.column,
                text: self.text_of(error).to_owned(),
                help: error.hint(),
            })
            .collect()
    }
}

impl fmt::Display for NetworkErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        let mistakes = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{} has {count} {mistakes}", self.name())
    }
}

impl fmt::Debug for NetworkErrors {
    /// All mistakes, so that an `unwrap` in a test says what is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}\n{}", self.plain())
    }
}

impl std::error::Error for NetworkErrors {}

impl Diagnostic for NetworkErrors {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|e| e as &dyn Diagnostic)))
    }
}
