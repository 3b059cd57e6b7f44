//! Words of a closed list.

use super::Scalar;
use crate::error::{Errors, Kind, suggest};
use crate::yaml::{Text, clip};
use serde_json::{Value as Json, json};

/// A choice among named values.
pub(crate) trait Keyword: Copy + 'static {
    /// What the choice is about: "an action".
    const WHAT: &'static str;
    /// The words and what they mean.
    const WORDS: &'static [(&'static str, Self)];
    /// Words people write instead, and the right one.
    const SYNONYMS: &'static [(&'static str, &'static str)];
}

/// Reads one word of `T`.
pub(crate) fn keyword<T: Keyword>(text: &Text<'_>, errors: &mut Errors) -> Option<T> {
    let word = text.as_str();
    if let Some((_, value)) = T::WORDS.iter().find(|(name, _)| *name == word) {
        return Some(*value);
    }
    let lower = word.to_lowercase();
    let hint = match T::SYNONYMS.iter().find(|(synonym, _)| *synonym == lower) {
        Some((_, right)) => format!("write `{right}`"),
        None => suggest(word, T::WORDS.iter().map(|(name, _)| *name), ""),
    };
    errors.push(
        Kind::UnknownValue {
            what: T::WHAT,
            value: clip(word),
            hint,
        },
        text.mark(),
        format!("expected {}", T::WHAT),
    );
    None
}

impl<T: Keyword> Scalar for T {
    const WANTED: &'static str = T::WHAT;
    const EXAMPLE: &'static str = match T::WORDS.first() {
        Some((word, _)) => word,
        None => "",
    };

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        keyword(text, errors)
    }

    fn schema() -> Json {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
        json!({ "enum": words })
    }
}

/// Declares what words a type is written as.
macro_rules! keywords {
    ($($ty:ty, $what:literal { $($word:literal => $value:expr),* $(,)? } $(else { $($synonym:literal => $right:literal),* $(,)? })?)*) => {
        $(
            impl $crate::decode::Keyword for $ty {
                const WHAT: &'static str = $what;
                const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),*];
                const SYNONYMS: &'static [(&'static str, &'static str)] = &[$($(($synonym, $right)),*)?];
            }
        )*
    };
}
pub(crate) use keywords;
