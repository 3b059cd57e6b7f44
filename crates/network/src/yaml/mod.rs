//! YAML as a tree whose every word knows where it stands in the file.

mod builder;
mod source;
mod text;
mod tree;

pub(crate) use source::Source;
pub(crate) use text::Text;
pub(crate) use tree::{Node, Tree, Value, clip};
