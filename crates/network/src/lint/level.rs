//! What becomes of a finding: the `lints` section and the command line.

use super::Lint;
use crate::decode::{Keyword, List, Scalar, Spanned, keyword, record};
use crate::error::{Errors, Kind};
use crate::yaml::Text;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// What a finding of a lint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// It is not said.
    Allow,
    /// It is said.
    Warn,
    /// It is said, and the check fails.
    Deny,
}

impl Level {
    /// The level's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// Levels by lint, from one place: the file or the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    named: HashMap<Lint, Level>,
    all: Option<Level>,
}

impl Levels {
    /// Sets the level of a lint, or of all that are not named. `false`: it has another already.
    pub fn set(&mut self, lint: Option<Lint>, level: Level) -> bool {
        let before = match lint {
            Some(lint) => self.named.insert(lint, level),
            None => self.all.replace(level),
        };
        before.is_none_or(|before| before == level)
    }

    /// Whether a lint is named.
    pub(super) fn names(&self, lint: Lint) -> bool {
        self.named.contains_key(&lint)
    }

    /// The level of a lint where `self` stands before `other`: a name is stronger than `all`
    /// wherever it is said, so that what a file allows by name stays allowed under `--deny all`.
    pub(super) fn over(&self, other: &Self, lint: Lint) -> Level {
        let named = |levels: &Self| levels.named.get(&lint).copied();
        named(self)
            .or_else(|| named(other))
            .or(self.all)
            .or(other.all)
            .unwrap_or(Level::Warn)
    }
}

record! {
    /// What `vpcsim check` says beside mistakes. Each lint warns unless it is named here.
    struct LintsDecl("the lints section") {
        /// Lints that are not wanted: names, or `all`.
        optional allow: List<Spanned<LintName>>,
        /// Lints with which the check fails: names, or `all`.
        optional deny: List<Spanned<LintName>>,
    }
}

/// A lint, or `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LintName(Option<Lint>);

impl Scalar for LintName {
    const WANTED: &'static str = "a lint, or `all`";
    const EXAMPLE: &'static str = "unused-eip";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        if text.as_str() == "all" {
            return Some(Self(None));
        }
        keyword(text, errors).map(|lint| Self(Some(lint)))
    }

    fn schema() -> Json {
        let names = Lint::WORDS.iter().map(|(name, _)| *name);
        let words: Vec<&str> = names.chain(["all"]).collect();
        json!({ "enum": words })
    }
}

impl LintsDecl {
    /// The levels that the section sets; reports a lint that it names twice.
    pub(crate) fn levels(&self, errors: &mut Errors) -> Levels {
        let mut levels = Levels::default();
        let mut seen: Vec<(LintName, Level)> = Vec::new();
        for (list, level) in [(&self.allow, Level::Allow), (&self.deny, Level::Deny)] {
            for name in list.given().into_iter().flat_map(List::iter) {
                let word = name.value.0.map_or("all", Lint::name).to_owned();
                match seen.iter().find(|(lint, _)| *lint == name.value) {
                    Some((_, before)) if *before == level => {
                        errors.push(Kind::ListedTwice { name: word }, name.mark, "again");
                    }
                    Some(_) => {
                        let kind = Kind::AllowedAndDenied { lint: word };
                        errors.push(kind, name.mark, "allowed already");
                    }
                    None => {
                        seen.push((name.value, level));
                        levels.set(name.value.0, level);
                    }
                }
            }
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(said: &[(Option<Lint>, Level)]) -> Levels {
        let mut levels = Levels::default();
        for (lint, level) in said {
            levels.set(*lint, *level);
        }
        levels
    }

    #[test]
    fn a_name_is_stronger_than_all_and_the_command_line_than_the_file() {
        let eip = Some(Lint::UnusedEip);
        let nothing = Levels::default();
        let level = |asked: &Levels, file: &Levels| asked.over(file, Lint::UnusedEip);
        let file = levels(&[(eip, Level::Allow)]);
        assert_eq!(level(&nothing, &nothing), Level::Warn);
        assert_eq!(level(&nothing, &file), Level::Allow);
        assert_eq!(level(&levels(&[(None, Level::Deny)]), &file), Level::Allow);
        assert_eq!(level(&levels(&[(eip, Level::Deny)]), &file), Level::Deny);
        let file = levels(&[(None, Level::Deny)]);
        assert_eq!(level(&levels(&[(None, Level::Allow)]), &file), Level::Allow);
        assert_eq!(level(&nothing, &file), Level::Deny);
    }
}
