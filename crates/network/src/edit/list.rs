//! An item more in a list.

use super::lines::Lines;
use super::path::own_end;
use super::{Splice, Yaml};
use crate::yaml::Node;

/// Inserts an item before a position, or at the end. `None` where the text has no room for it.
pub(super) fn insert(
    lines: &Lines<'_>,
    list: Node<'_>,
    items: &[Node<'_>],
    before: Option<usize>,
    item: &Yaml,
) -> Option<Vec<Splice>> {
    let before = before.filter(|&position| position < items.len());
    if list.is_flow() {
        return between_brackets(lines, list, items, before, item);
    }
    let column = lines.dash_column(items.first()?.extent().start)?;
    let splice = match before {
        None => {
            let end = lines.end(list.extent().end);
            Splice::insert(end, lines.item(column, item))
        }
        Some(position) => {
            let next = items.get(position)?;
            let line = lines.start(next.extent().start);
            lines.dash_column(next.extent().start)?;
            let text = lines.item(column, item);
            let text = text.trim_start_matches(['\r', '\n']).to_owned() + lines.end;
            Splice::insert(lines.above(line), text)
        }
    };
    Some(vec![splice])
}

fn between_brackets(
    lines: &Lines<'_>,
    list: Node<'_>,
    items: &[Node<'_>],
    before: Option<usize>,
    item: &Yaml,
) -> Option<Vec<Splice>> {
    let start = list.extent().start;
    let text = item.inline_text();
    let splice = match before {
        Some(0) => Splice::insert(start + 1, format!("{text}, ")),
        Some(position) => {
            let previous = own_end(list, items, position - 1)?;
            Splice::insert(previous, format!(", {text}"))
        }
        None if items.is_empty() => Splice::insert(start + 1, text),
        None => last(lines, list, own_end(list, items, items.len() - 1), text),
    };
    Some(vec![splice])
}

/// Text after the last of what stands between brackets. `end`: where that ends; none for an
/// alias.
pub(super) fn last(lines: &Lines<'_>, node: Node<'_>, end: Option<usize>, text: String) -> Splice {
    let extent = node.extent();
    let close = extent.end.saturating_sub(1);
    let inner = |from: usize| lines.text.get(from..close).unwrap_or("");
    let at = end.unwrap_or_else(|| extent.start + inner(extent.start).trim_end().len());
    match inner(at).trim_start().strip_prefix(',') {
        // A comma is there already.
        Some(rest) => Splice::insert(close - rest.len(), format!(" {text}")),
        None => Splice::insert(at, format!(", {text}")),
    }
}
