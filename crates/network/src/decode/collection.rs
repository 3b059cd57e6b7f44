//! Lists, and mappings whose keys are names.

use super::{Decode, Definitions, Spanned, wrong_type};
use crate::Mark;
use crate::error::Errors;
use crate::yaml::{Node, Value};
use serde_json::{Value as Json, json};

/// A list; broken items are kept as `None` so that positions and counts stay right.
#[derive(Debug, Clone)]
pub(crate) struct List<T> {
    /// The key it stands under.
    pub(crate) mark: Mark,
    pub(crate) items: Vec<Option<T>>,
}

impl<T> List<T> {
    /// The items that could be read.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().flatten()
    }
}

impl<T: Decode> Decode for List<T> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let items = match node.value() {
            Value::Null => Vec::new(),
            Value::Sequence(items) => items.into_iter().map(|n| T::decode(n, errors)).collect(),
            _ => {
                wrong_type(
                    node,
                    "a list",
                    "write `[ONE, OTHER]`, or one item a line, each after `- `".to_owned(),
                    errors,
                );
                return None;
            }
        };
        Some(Self {
            mark: node.title(),
            items,
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": ["array", "null"], "items": T::schema(definitions) })
    }
}

/// A record of a list, with where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Item<T> {
    pub(crate) mark: Mark,
    pub(crate) value: T,
}

impl<T: Decode> Decode for Item<T> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        Some(Self {
            mark: node.title(),
            value: T::decode(node, errors)?,
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

/// Elements by name, in file order.
#[derive(Debug, Clone)]
pub(crate) struct Named<T> {
    pub(crate) entries: Vec<Entry<T>>,
}

/// An element; `None` where it could not be read, so that its name stays known.
#[derive(Debug, Clone)]
pub(crate) struct Entry<T> {
    pub(crate) name: Spanned<String>,
    pub(crate) value: Option<T>,
}

impl<T: Decode> Decode for Named<T> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let entries = match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries
                .into_iter()
                .map(|(name, mark, node)| Entry {
                    name: Spanned::new(name.to_owned(), mark),
                    value: T::decode(node, errors),
                })
                .collect(),
            _ => {
                wrong_type(
                    node,
                    "a mapping of names",
                    "write one `NAME: …` a line".to_owned(),
                    errors,
                );
                return None;
            }
        };
        Some(Self { entries })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema(definitions) })
    }
}
