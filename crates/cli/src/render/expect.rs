//! Expectations that do not hold, for people.

use super::number::count;
use super::snippet::{File, Snippet};
use super::style::{BAD, GOOD, paint};
use super::trace;
use crate::output::Look;
use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};
use std::fmt;
use vpcsim_network::Mark;
use vpcsim_replay::Expected;

/// Rules of what fails that are shown.
const MOST_RULES: usize = 8;

/// Every expectation that does not hold, where it stands and with its trace. `marks` are theirs,
/// in the same order.
pub(crate) fn text(
    expected: &[Expected],
    marks: &[Mark],
    source: &dyn SourceCode,
    look: &Look,
) -> String {
    let mut text = String::new();
    for (expected, mark) in expected.iter().zip(marks).filter(|(e, _)| !e.holds) {
        let failed = Failed {
            expected,
            mark: *mark,
        };
        let snippet = Snippet {
            message: format!("this does not hold: {expected}"),
            severity: Severity::Error,
            about: &failed,
            source: File(source),
        };
        text += &format!("\n{}", snippet.text(look));
        if let Some(trace) = &expected.trace {
            text += &format!("\n{}", trace::text(trace, look.width));
        }
        text += &fails(expected);
    }
    text
}

/// Of what one sender sends, everything that does otherwise.
pub(crate) fn fails(expected: &Expected) -> String {
    let Some(trace) = &expected.trace else {
        return String::new();
    };
    let rules = &expected.fails;
    if rules.is_empty() {
        return String::new();
    }
    let mut text = format!("\nEverything from {} that does otherwise:\n", trace.from);
    for rule in rules.iter().take(MOST_RULES) {
        text += &format!("  {rule}\n");
    }
    match rules.len().saturating_sub(MOST_RULES) {
        0 => {}
        more => text += &format!("  and {} rules more\n", count(more as u64)),
    }
    text
}

/// How many hold; nothing where none is declared.
pub(crate) fn summary(expected: &[Expected]) -> String {
    let failed = expected.iter().filter(|expected| !expected.holds).count() as u64;
    let all = expected.len() as u64;
    match (all, failed) {
        (0, _) => String::new(),
        (1, 0) => format!("{}\n", paint(GOOD, "the expectation holds")),
        (_, 0) => format!(
            "{}\n",
            paint(GOOD, format!("all {} expectations hold", count(all)))
        ),
        (1, _) => format!("\n{}\n", paint(BAD, "the expectation does not hold")),
        _ => {
            let (failed, all) = (count(failed), count(all));
            let text = format!("{failed} of {all} expectations do not hold");
            format!("\n{}\n", paint(BAD, text))
        }
    }
}

/// An expectation that does not hold.
#[derive(Debug)]
struct Failed<'a> {
    expected: &'a Expected,
    mark: Mark,
}

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expected.fmt(f)
    }
}

impl std::error::Error for Failed<'_> {}

impl Diagnostic for Failed<'_> {
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = (self.mark.offset as usize, self.mark.len as usize);
        let label = LabeledSpan::new_primary_with_span(label(self.expected), span);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Beside the line: why, with the drop's reason instead of the cause in words, for which there is
/// no room. The trace below has it.
fn label(expected: &Expected) -> Option<String> {
    let why = expected.why.as_deref()?;
    let last = expected.trace.as_ref().and_then(|trace| trace.legs.last());
    let short = last.and_then(|leg| {
        let (stage, reason) = (leg.verdict.stage.as_ref()?, leg.verdict.reason.as_ref()?);
        let dropped = format!("is dropped at {stage}: ");
        let (before, _) = why.split_once(&dropped)?;
        Some(format!("{before}{dropped}{reason}"))
    });
    Some(short.unwrap_or_else(|| why.to_owned()))
}
