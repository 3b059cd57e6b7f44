//! What lints say, for people.

use super::number::counted;
use super::snippet::{File, Snippet};
use super::style::{BAD, ODD, paint};
use crate::output::Look;
use miette::Severity;
use vpcsim_network::{Findings, Level, Levels};

/// Every finding, underlined, and how many there are; nothing where there is none.
pub(crate) fn text(findings: &Findings, levels: &Levels, look: &Look) -> String {
    let mut text = String::new();
    let (mut errors, mut warnings) = (0, 0);
    for (level, finding) in findings.judged(levels) {
        let severity = match level {
            Level::Deny => Severity::Error,
            Level::Warn | Level::Allow => Severity::Warning,
        };
        let snippet = Snippet {
            message: format!("{}: {finding}", finding.lint),
            severity,
            about: finding,
            source: File(findings.source_text()),
        };
        text.push('\n');
        text += &snippet.text(look);
        match severity {
            Severity::Error => errors += 1,
            _ => warnings += 1,
        }
    }
    let counts = [(errors, BAD, "error"), (warnings, ODD, "warning")];
    let counts: Vec<_> = counts
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, style, word)| paint(style, counted(count, word)))
        .collect();
    if counts.is_empty() {
        text
    } else {
        format!("{text}\n{}\n", counts.join(", "))
    }
}
