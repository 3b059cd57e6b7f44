//! Changes to the text of a network file that leave the rest of it as it is: comments, order,
//! spelling.
//!
//! A [`Change`] says what is to stand where; [`apply`] writes it the way the file is written
//! already: on lines of its own where the file uses lines, between brackets where it uses those.
//! Whether the result is a valid network is for [`Network::from_yaml`](crate::Network::from_yaml)
//! to say.

mod lines;
mod list;
mod map;
mod path;
mod write;

pub use path::Path;
pub use write::Yaml;

use crate::error::Errors;
use crate::yaml::{Node, Tree, Value};
use lines::Lines;
use path::{Found, Step};
use std::ops::Range;

/// One change to a network file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// An item more in a list, which is made where there is none.
    Insert {
        /// The list.
        list: Path,
        /// The position, from 0, of the item that it comes before; none: at the end.
        before: Option<usize>,
        /// The item.
        item: Yaml,
    },
    /// A value under a key or at a position of a list, instead of the one that stands there.
    Set {
        /// The place of the value. What is missing above it is made.
        path: Path,
        /// The value.
        value: Yaml,
    },
    /// Another name for a key; what it holds stays.
    Rename {
        /// The place of the key.
        path: Path,
        /// Its new name.
        key: String,
    },
}

/// A network file after changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// Whether text was changed that aliases or merge keys repeat elsewhere in the file.
    pub shared: bool,
}

/// Why a file cannot be changed that way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is no YAML document.
    #[error("the text cannot be read as YAML")]
    Unreadable,
    /// Nothing stands at a path, and nothing can be put there.
    #[error("there is no place for `{0}`")]
    NoPlace(Path),
}

/// Makes changes, one after the other, each to what the ones before it left.
///
/// # Errors
/// When the text is no YAML, or a change names a place that cannot be.
pub fn apply(text: &str, changes: &[Change]) -> Result<Edited, EditError> {
    let mut edited = Edited {
        text: text.to_owned(),
        shared: false,
    };
    for change in changes {
        let (splices, shared) = splices(&edited.text, change)?;
        edited.text = spliced(&edited.text, splices);
        edited.shared |= shared;
    }
    Ok(edited)
}

/// Whether a file has something at a path.
pub fn holds(text: &str, path: &Path) -> bool {
    let tree = Tree::parse(text, &mut Errors::default());
    tree.is_some_and(|tree| path.find(tree.root()).missing.is_empty())
}

/// Text for a range of the file.
#[derive(Debug)]
struct Splice {
    range: Range<usize>,
    text: String,
}

impl Splice {
    fn insert(at: usize, text: String) -> Self {
        Self {
            range: at..at,
            text,
        }
    }
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let (mut out, mut at) = (String::with_capacity(text.len() + 64), 0);
    for Splice { range, text: new } in splices {
        out += text.get(at..range.start).unwrap_or("");
        out += &new;
        at = range.end;
    }
    out + text.get(at..).unwrap_or("")
}

fn splices(text: &str, change: &Change) -> Result<(Vec<Splice>, bool), EditError> {
    let tree = Tree::parse(text, &mut Errors::default()).ok_or(EditError::Unreadable)?;
    let editor = Editor {
        root: tree.root(),
        lines: Lines::new(text, tree.root()),
    };
    let (path, splices) = match change {
        Change::Insert { list, before, item } => (list, editor.insert(list, *before, item)),
        Change::Set { path, value } => (path, editor.set(path, value)),
        Change::Rename { path, key } => (path, editor.rename(path, key)),
    };
    let splices = splices.ok_or_else(|| EditError::NoPlace(path.clone()))?;
    Ok((splices, path.find(tree.root()).shared))
}

/// The file at hand.
struct Editor<'t> {
    root: Node<'t>,
    lines: Lines<'t>,
}

impl Editor<'_> {
    fn insert(&self, path: &Path, before: Option<usize>, item: &Yaml) -> Option<Vec<Splice>> {
        let found = path.find(self.root);
        let whole = || self.set(path, &Yaml::List(vec![item.clone()]));
        if !found.missing.is_empty() {
            return whole();
        }
        match found.node.value() {
            Value::Null => whole(),
            Value::Sequence(items) if items.is_empty() && found.on_lines => whole(),
            Value::Sequence(items) => list::insert(&self.lines, found.node, &items, before, item),
            Value::Scalar { .. } | Value::Mapping(_) => None,
        }
    }

    fn set(&self, path: &Path, value: &Yaml) -> Option<Vec<Splice>> {
        let found = path.find(self.root);
        let Found { node, missing, .. } = found;
        let Some((first, rest)) = missing.split_first() else {
            return match found.entry {
                Some(entry) if found.on_lines => {
                    Some(map::replace_on_lines(&self.lines, entry, value))
                }
                _ => Some(vec![Splice {
                    range: node.extent(),
                    text: value.inline_text(),
                }]),
            };
        };
        let mut value = value.clone();
        for step in rest.iter().rev() {
            value = match step {
                Step::Key(key) => Yaml::Map(vec![(key.clone(), value)]),
                Step::Item(_) => return None,
            };
        }
        let Step::Key(key) = first else { return None };
        map::add(&self.lines, &found, (key, &value))
    }

    fn rename(&self, path: &Path, key: &str) -> Option<Vec<Splice>> {
        let found = path.find(self.root);
        let entry = found.entry.filter(|_| found.missing.is_empty())?;
        Some(vec![Splice {
            range: entry.key,
            text: write::word(key),
        }])
    }
}
