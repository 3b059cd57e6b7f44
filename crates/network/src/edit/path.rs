//! Places in a network file.

use crate::yaml::{Node, Value};
use std::fmt;
use std::ops::Range;

/// Where something stands in a network file: keys and positions from the top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

impl Path {
    /// Keys from the top.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// What stands under a key there.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Step::Key(key.into()));
        self
    }

    /// An item of the list there, from 0.
    #[must_use]
    pub fn item(mut self, position: usize) -> Self {
        self.0.push(Step::Item(position));
        self
    }

    /// Follows the path as far as it goes.
    pub(super) fn find<'t>(&self, root: Node<'t>) -> Found<'t, '_> {
        let mut found = Found {
            node: root,
            entry: None,
            missing: &self.0,
            on_lines: !root.is_flow(),
            shared: false,
            top: true,
        };
        while let Some((step, rest)) = found.missing.split_first() {
            let Some(Child { node, entry, own }) = child(found.node, step, rest.is_empty()) else {
                break;
            };
            found = Found {
                node,
                missing: rest,
                on_lines: entry.is_some() && !found.node.is_flow() && own,
                entry,
                shared: found.shared || !own,
                top: false,
            };
        }
        found
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { ": " };
            match step {
                Step::Key(key) => write!(f, "{dot}{key}")?,
                Step::Item(position) => write!(f, "{dot}{}", position + 1)?,
            }
        }
        Ok(())
    }
}

/// How far a path goes.
pub(super) struct Found<'t, 'p> {
    /// The last node that is there.
    pub(super) node: Node<'t>,
    /// Where it stands in the mapping that holds it.
    pub(super) entry: Option<EntryAt>,
    /// The steps that lead on from there to nothing.
    pub(super) missing: &'p [Step],
    /// Whether the node is the value of a key that has its line to itself.
    pub(super) on_lines: bool,
    /// Whether an alias or a merge key was passed.
    pub(super) shared: bool,
    /// Whether the node is the whole document.
    pub(super) top: bool,
}

/// Bytes of a key and of its value.
#[derive(Debug, Clone)]
pub(super) struct EntryAt {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// What a step leads to.
struct Child<'t> {
    node: Node<'t>,
    /// In a mapping, where it stands.
    entry: Option<EntryAt>,
    /// Whether it is written there, and not lent by an alias or a merge key.
    own: bool,
}

/// The child that a step leads to. A word that a merge key lends is not there to be set (`last`):
/// the mapping says it itself from then on.
fn child<'t>(node: Node<'t>, step: &Step, last: bool) -> Option<Child<'t>> {
    match (node.value(), step) {
        (Value::Mapping(entries), Step::Key(key)) => {
            let (_, mark, child) = entries.into_iter().find(|(name, _, _)| name == key)?;
            let at = mark.offset as usize..(mark.offset + mark.len) as usize;
            // What is lent was declared before.
            let merged = at.start < node.extent().start;
            let holds = matches!(child.value(), Value::Mapping(_) | Value::Sequence(_));
            if merged && last && !holds {
                return None;
            }
            let value = match child.extent() {
                nothing if nothing.is_empty() => at.end..at.end,
                value => value,
            };
            Some(Child {
                node: child,
                own: !merged && value.start >= at.end,
                entry: Some(EntryAt { key: at, value }),
            })
        }
        (Value::Sequence(items), Step::Item(position)) => Some(Child {
            node: *items.get(*position)?,
            entry: None,
            own: own_end(node, &items, *position).is_some(),
        }),
        _ => None,
    }
}

/// Where an item of a list ends, if it stands there and is not an alias: those repeat what was
/// declared before.
pub(super) fn own_end(list: Node<'_>, items: &[Node<'_>], position: usize) -> Option<usize> {
    let before = items.iter().take(position).map(|item| item.extent().end);
    let from = before.max().unwrap_or(0).max(list.extent().start);
    let own = items.get(position)?.extent();
    (own.start >= from).then_some(own.end)
}
