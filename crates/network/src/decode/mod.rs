//! From the YAML tree to declarations, keeping every mistake and every mark.
//!
//! Each type says in one place how it is read and how JSON Schema describes
//! it; a record's macro lists its keys once for both.

mod address;
mod collection;
mod keyword;
mod number;
mod record;
mod scalar;
mod schema;

pub(crate) use address::{Cidr, Destination, address_pattern, cidr_of, cidr_pattern};
pub(crate) use collection::{Entry, Item, List, Named};
pub(crate) use keyword::{Keyword, keyword, keywords};
pub(crate) use number::{Int, Rate};
pub(crate) use record::{Entries, record, record_schema};
pub(crate) use scalar::{Scalar, wrong_type};
pub(crate) use schema::{Definitions, describe};

use crate::Mark;
use crate::error::Errors;
use crate::yaml::{Node, Text};

/// What can be read from a node of the file.
pub(crate) trait Decode: Sized {
    /// Reads it; `None` where it is broken, with the reasons in `errors`.
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self>;

    /// The JSON Schema of what [`Decode::decode`] reads.
    fn schema(definitions: &mut Definitions) -> serde_json::Value;
}

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) mark: Mark,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, mark: Mark) -> Self {
        Self { value, mark }
    }
}

impl Spanned<String> {
    pub(crate) fn of(text: &Text<'_>) -> Self {
        Self::new(text.as_str().to_owned(), text.mark())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }
}

/// What became of a key. A broken value has been reported already: whatever
/// depends on it stays silent.
#[derive(Debug, Clone)]
pub(crate) enum Field<T> {
    /// Left out.
    Absent,
    /// Given, but not readable; or required and left out.
    Broken,
    /// Read.
    Given(T),
}

impl<T> Field<T> {
    /// The value, if it was given and read.
    pub(crate) fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Copy> Field<Spanned<T>> {
    /// The value, or `default` where none was read.
    pub(crate) fn or(&self, default: T) -> T {
        self.given().map_or(default, |s| s.value)
    }
}
