//! A key more in a mapping, or another value under one.

use super::lines::Lines;
use super::path::{EntryAt, Found};
use super::{Splice, Yaml, list, write};
use crate::Network;
use crate::yaml::{Node, Value};

/// Adds a key to the mapping that was found. `None` where it is no mapping.
pub(super) fn add(
    lines: &Lines<'_>,
    found: &Found<'_, '_>,
    (key, value): (&str, &Yaml),
) -> Option<Vec<Splice>> {
    let node = found.node;
    match node.value() {
        // Nothing stands under the key yet, or an empty pair of brackets.
        Value::Null => {
            let entry = found.entry.clone()?;
            let value = Yaml::Map(vec![(key.to_owned(), value.clone())]);
            Some(if found.on_lines {
                replace_on_lines(lines, entry, &value)
            } else {
                let colon = lines.colon(entry.key.end);
                let text = format!(" {}", value.inline_text());
                vec![Splice {
                    range: colon..entry.value.end.max(colon),
                    text,
                }]
            })
        }
        Value::Mapping(entries) if entries.is_empty() && found.on_lines => {
            let value = Yaml::Map(vec![(key.to_owned(), value.clone())]);
            Some(replace_on_lines(lines, found.entry.clone()?, &value))
        }
        Value::Mapping(entries) if node.is_flow() => {
            let text = format!("{}: {}", write::word(key), value.inline_text());
            let Some((_, mark, last)) = entries.last() else {
                return Some(vec![Splice::insert(node.extent().start + 1, text)]);
            };
            let key_end = (mark.offset + mark.len) as usize;
            let end = Some(last.extent().end).filter(|&end| end > key_end);
            Some(vec![list::last(lines, node, end, text)])
        }
        Value::Mapping(entries) => {
            if found.top {
                return Some(section(lines, &entries, key, value));
            }
            let column = lines.column(node.extent().start);
            let end = lines.end(node.extent().end);
            Some(vec![Splice::insert(end, lines.entry(column, key, value))])
        }
        Value::Scalar { .. } | Value::Sequence(_) => None,
    }
}

/// Replaces the value of a key that has its line to itself. A comment on that line stays there.
pub(super) fn replace_on_lines(lines: &Lines<'_>, entry: EntryAt, value: &Yaml) -> Vec<Splice> {
    let colon = lines.colon(entry.key.end);
    let old_end = entry.value.end.max(colon);
    let column = lines.column(entry.key.start);
    match value {
        Yaml::List(_) | Yaml::Map(_) => vec![
            Splice {
                range: colon..old_end,
                text: String::new(),
            },
            Splice::insert(lines.end(old_end), lines.below(column, value)),
        ],
        Yaml::Word(_) | Yaml::Inline(_) => vec![Splice {
            range: colon..old_end,
            text: lines.value(column, value),
        }],
    }
}

/// A new section, where the documentation has it among the others.
fn section(
    lines: &Lines<'_>,
    entries: &[(&str, crate::Mark, Node<'_>)],
    key: &str,
    value: &Yaml,
) -> Vec<Splice> {
    let schema = Network::schema();
    let order: Vec<&str> = schema["$defs"]["network-file"]["properties"]
        .as_object()
        .map(|sections| sections.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let rank = |key: &str| order.iter().position(|known| *known == key);
    let before = entries.iter().filter(|(name, _, _)| rank(name) < rank(key));
    let ends = |(_, mark, child): &(&str, crate::Mark, Node<'_>)| {
        let key_end = (mark.offset + mark.len) as usize;
        child.extent().end.max(lines.colon(key_end))
    };
    let last = before
        .max_by_key(|(_, mark, _)| mark.offset)
        .or(entries.last());
    let at = last.map_or(0, |last| lines.end(ends(last)));
    let gap = if lines.airy { lines.end } else { "" };
    let text = format!("{gap}{}", lines.entry(0, key, value));
    // Where lines follow at once, the gap is wanted on that side too.
    let follows = lines.text.get(at..).unwrap_or("");
    let next = follows.strip_prefix(lines.end).unwrap_or("");
    let close = !next.is_empty() && !next.starts_with(lines.end);
    let text = if close { text + gap } else { text };
    vec![Splice::insert(at, text)]
}
