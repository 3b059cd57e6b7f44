//! Comments that silence a lint at one place: `# vpcsim: allow unused-eip`.

use super::Lint;
use crate::error::{Errors, Kind, suggest};
use crate::yaml::{Source, clip};
use std::collections::HashMap;

/// What such a comment begins with, after `#`.
const MARKER: &str = "vpcsim:";
/// The only thing that it can say.
const ALLOW: &str = "allow";

/// The lints that comments silence, by line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silences {
    lines: HashMap<u32, Vec<Lint>>,
}

impl Silences {
    /// Reads the comments of a file. One that stands on a line of its own speaks of the next line
    /// that has something else.
    pub(crate) fn read(text: &str, errors: &mut Errors) -> Self {
        let mut silences = Self::default();
        if !text.contains(MARKER) {
            return silences;
        }
        let source = Source::new(text);
        let (mut offset, mut waiting) = (0, Vec::new());
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let found = comment(line)
                .map(|at| lints(&source, offset + at, &line[at..], errors))
                .unwrap_or_default();
            waiting.extend(found);
            let words = line.trim();
            if !words.starts_with('#') && !words.is_empty() && !waiting.is_empty() {
                silences.lines.insert(number, std::mem::take(&mut waiting));
            }
            offset += line.len();
        }
        silences
    }

    /// Whether a lint says nothing about a line.
    pub(super) fn covers(&self, lint: Lint, line: u32) -> bool {
        let lints = self.lines.get(&line);
        lints.is_some_and(|lints| lints.contains(&lint))
    }
}

/// Where the words after the marker begin, if the line has one where a comment can begin.
fn comment(line: &str) -> Option<usize> {
    let at = line.find(MARKER)?;
    let before = line.get(..at)?.trim_end().strip_suffix('#')?;
    let begins = before.is_empty() || before.ends_with(char::is_whitespace);
    begins.then_some(at + MARKER.len())
}

/// The lints that a comment names: after `allow`, with commas between them; what follows the last
/// is for people. `start` is where the comment's words begin in the file.
fn lints(source: &Source<'_>, start: usize, comment: &str, errors: &mut Errors) -> Vec<Lint> {
    let mut wrong = |(at, word): (usize, &str), what: &'static str, hint: String| {
        let mark = source.mark(start + at, start + at + word.len());
        let value = clip(word);
        let kind = Kind::UnknownValue { what, value, hint };
        errors.push(kind, mark, format!("expected {what}"));
    };
    let first = word(comment, 0);
    if first.1 != ALLOW {
        let hint = format!("write `# {MARKER} {ALLOW} LINT`");
        wrong(first, "`allow`", hint);
        return Vec::new();
    }
    let (mut found, mut from) = (Vec::new(), first.0 + ALLOW.len());
    loop {
        let name = word(comment, from);
        match Lint::find(name.1) {
            Some(lint) => found.push(lint),
            None => {
                let names = Lint::ALL.iter().map(|lint| lint.name());
                wrong(name, "a lint", suggest(name.1, names, ""));
            }
        }
        from = name.0 + name.1.len();
        let rest = comment.get(from..).unwrap_or("");
        if !rest.starts_with(',') {
            return found;
        }
        from += 1;
    }
}

/// The word from a byte on: letters, digits and `-`; with where it begins.
fn word(text: &str, from: usize) -> (usize, &str) {
    let rest = text.get(from..).unwrap_or("");
    let words = rest.trim_start();
    let at = from + rest.len() - words.len();
    let end = words.find(|c: char| !c.is_alphanumeric() && c != '-');
    (at, words.get(..end.unwrap_or(words.len())).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str, line: u32) -> Vec<Lint> {
        let mut errors = Errors::default();
        let silences = Silences::read(text, &mut errors);
        assert!(errors.is_empty());
        let all = Lint::ALL.iter().copied();
        all.filter(|lint| silences.covers(*lint, line)).collect()
    }

    #[test]
    fn a_comment_speaks_of_its_line_or_of_the_next() {
        let text = "\
eips: # vpcsim: allow unused-eip, open-nic: kept for later
  # vpcsim: allow zero-prefix

  # and why
  a: {} #vpcsim: allow unused-eip
  b: {}
";
        assert_eq!(covered(text, 1), [Lint::OpenNic, Lint::UnusedEip]);
        assert_eq!(covered(text, 5), [Lint::UnusedEip, Lint::ZeroPrefix]);
        assert_eq!(covered(text, 6), []);
    }

    #[test]
    fn what_is_no_comment_says_nothing() {
        assert_eq!(covered("a: b#vpcsim: allow unused-eip\n", 1), []);
        assert_eq!(covered("a: vpcsim: allow unused-eip\n", 1), []);
    }
}
