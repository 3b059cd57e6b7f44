//! The tree.
//!
//! Nodes live in one vector and refer to each other by index, so that an alias
//! costs one index however large what it repeats, and dropping a tree needs no
//! recursion.

use super::{Source, Text};
use crate::Mark;
use std::ops::Range;

#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(super) source: Source<'a>,
    pub(super) nodes: Vec<Item>,
    pub(super) root: usize,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) mark: Mark,
    /// All its bytes, without an anchor or tag before it.
    pub(super) extent: Range<usize>,
    /// Whether it is a collection between brackets.
    pub(super) flow: bool,
    pub(super) content: Content,
    /// How many nodes a walk over this one visits.
    pub(super) weight: u64,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar {
        text: String,
        plain: bool,
        /// Byte of the file at which the text stands verbatim.
        at: Option<usize>,
    },
    Sequence(Vec<usize>),
    Mapping(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) mark: Mark,
    pub(super) value: usize,
}

/// A node of the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    tree: &'a Tree<'a>,
    index: usize,
    /// The key it stands under: errors about the whole node point there.
    key: Option<Mark>,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    /// Nothing, `~` or `null`.
    Null,
    /// A word; `plain` if it is not quoted.
    Scalar { text: Text<'a>, plain: bool },
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// Keys with their marks, and what they hold.
    Mapping(Vec<(&'a str, Mark, Node<'a>)>),
}

impl<'a> Node<'a> {
    pub(crate) fn value(self) -> Value<'a> {
        let tree = self.tree;
        let item = &tree.nodes[self.index];
        match &item.content {
            Content::Scalar { text, plain, at } => {
                if *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
                    return Value::Null;
                }
                Value::Scalar {
                    text: Text::new(&tree.source, text, *at, item.mark),
                    plain: *plain,
                }
            }
            Content::Sequence(items) => Value::Sequence(
                items
                    .iter()
                    .map(|&index| Node {
                        tree,
                        index,
                        key: None,
                    })
                    .collect(),
            ),
            Content::Mapping(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|entry| {
                        let node = Node {
                            tree,
                            index: entry.value,
                            key: Some(entry.mark),
                        };
                        (entry.key.as_str(), entry.mark, node)
                    })
                    .collect(),
            ),
        }
    }

    /// Where the node itself stands.
    pub(crate) fn mark(self) -> Mark {
        self.tree.nodes[self.index].mark
    }

    /// All bytes of the node, without an anchor or tag before it.
    pub(crate) fn extent(self) -> Range<usize> {
        self.tree.nodes[self.index].extent.clone()
    }

    /// Whether it is a list or mapping between brackets.
    pub(crate) fn is_flow(self) -> bool {
        self.tree.nodes[self.index].flow
    }

    /// Where an error about the whole node points: at its key, if it has one.
    pub(crate) fn title(self) -> Mark {
        self.key.unwrap_or_else(|| self.mark())
    }

    /// In a few words, what the node is.
    pub(crate) fn describe(self) -> String {
        match self.value() {
            Value::Null => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("`{}`", clip(text.as_str())),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

/// At most a line's worth of a word that an error quotes. What breaks lines is escaped where the
/// error is shown.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().nth(MOST).is_some() {
        text.chars().take(MOST).chain("…".chars()).collect()
    } else {
        text.to_owned()
    }
}

impl Tree<'_> {
    pub(crate) fn root(&self) -> Node<'_> {
        Node {
            tree: self,
            index: self.root,
            key: None,
        }
    }
}
