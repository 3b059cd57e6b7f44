//! Parser events to a tree.

use super::tree::{Content, Entry, Item};
use super::{Source, Tree, Value, clip};
use crate::Mark;
use crate::error::{Errors, Kind};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use std::collections::HashMap;
use std::ops::Range;

/// Deepest nesting of lists and mappings. The format itself needs eight; the
/// limit keeps every recursive walk over the tree shallow.
const MAX_DEPTH: usize = 64;

/// How many nodes all aliases together may repeat. A decoder visits a node
/// once per alias, so this bounds its work.
const MAX_REPEATED: u64 = 100_000;

/// Bytes in a file: offsets are 32 bits.
const MAX_BYTES: usize = 1 << 30;

impl<'a> Tree<'a> {
    /// The tree of `text`; `None` where there is none, with the reasons in `errors`.
    pub(crate) fn parse(text: &'a str, errors: &mut Errors) -> Option<Self> {
        let mut builder = Builder::new(text);
        if text.len() > MAX_BYTES {
            errors.push(
                Kind::FileTooLarge { most: MAX_BYTES },
                builder.source.mark(0, 0),
                "this file",
            );
            return None;
        }
        let mut parser = Parser::new_from_str(text);
        loop {
            match parser.next_event() {
                None => break,
                Some(Ok((event, span))) => {
                    builder.event(event, span, errors)?;
                }
                Some(Err(error)) => {
                    builder.syntax(&error, errors);
                    return None;
                }
            }
        }
        let Builder {
            source,
            nodes,
            root,
            ..
        } = builder;
        let empty = source.mark(0, 0);
        let tree = root.map(|root| Self {
            source,
            nodes,
            root,
        });
        match tree {
            Some(tree) if !matches!(tree.root().value(), Value::Null) => Some(tree),
            _ => {
                errors.push(Kind::EmptyFile, empty, "nothing is declared");
                None
            }
        }
    }
}

/// A list or mapping whose end has not come yet.
enum Open {
    Sequence {
        items: Vec<usize>,
        mark: Mark,
        anchor: usize,
        /// Byte at which what it holds so far ends.
        end: usize,
    },
    Mapping {
        entries: Vec<Entry>,
        merged: Vec<Entry>,
        seen: HashMap<String, Mark>,
        /// The key whose value comes next.
        key: Option<(Option<String>, Mark)>,
        mark: Mark,
        anchor: usize,
        /// Byte at which what it holds so far ends.
        end: usize,
    },
}

struct Builder<'a> {
    source: Source<'a>,
    nodes: Vec<Item>,
    open: Vec<Open>,
    anchors: HashMap<usize, Option<usize>>,
    repeated: u64,
    documents: usize,
    root: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            source: Source::new(text),
            nodes: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            repeated: 0,
            documents: 0,
            root: None,
        }
    }

    fn mark(&self, span: Span) -> Mark {
        let start = self.source.byte_of_char(span.start.index());
        let end = self.source.byte_of_char(span.end.index());
        self.source.mark(start, end)
    }

    /// Takes one event; `None` ends the reading.
    fn event(&mut self, event: Event<'_>, span: Span, errors: &mut Errors) -> Option<()> {
        let mark = self.mark(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    errors.push(
                        Kind::SeveralDocuments,
                        mark,
                        "a second document starts here",
                    );
                    return None;
                }
            }
            Event::Alias(anchor) => return self.alias(anchor, mark, errors),
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(
                    tag.as_deref(),
                    &["str", "int", "bool", "float", "null"],
                    mark,
                    errors,
                );
                let item = self.scalar(text.into_owned(), style, mark);
                let index = self.add(item);
                self.anchor(anchor, Some(index));
                self.place(index, mark, errors);
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), &["seq"], mark, errors);
                self.anchor(anchor, None);
                self.open.push(Open::Sequence {
                    items: Vec::new(),
                    mark,
                    anchor,
                    end: 0,
                });
                return self.check_depth(mark, errors);
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), &["map"], mark, errors);
                self.anchor(anchor, None);
                self.open.push(Open::Mapping {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                    mark,
                    anchor,
                    end: 0,
                });
                return self.check_depth(mark, errors);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(mark, errors),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn scalar(&self, text: String, style: ScalarStyle, mark: Mark) -> Item {
        let start = mark.offset as usize;
        let end = start + mark.len as usize;
        let (mark, at, plain) = match style {
            ScalarStyle::Plain if text.is_empty() => {
                (self.source.mark(start, start), Some(start), true)
            }
            // An anchor or tag before the word is part of its span.
            ScalarStyle::Plain => match self.source.slice(start, end).strip_suffix(text.as_str()) {
                Some(before) => {
                    let at = start + before.len();
                    (self.source.mark(at, end), Some(at), true)
                }
                None => (mark, None, true),
            },
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let inner = self.source.slice(start, end.saturating_sub(1));
                let at = inner.strip_suffix(text.as_str()).map(|s| start + s.len());
                (mark, at, false)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let trimmed = self.source.slice(start, end).trim_end().len();
                (self.source.mark(start, start + trimmed), None, false)
            }
        };
        let text_len = text.len();
        Item {
            mark,
            extent: mark.offset as usize..(mark.offset + mark.len) as usize,
            flow: false,
            content: Content::Scalar { text, plain, at },
            // A long word costs its reader more than a short one.
            weight: 1 + text_len as u64 / 64,
        }
    }

    fn add(&mut self, item: Item) -> usize {
        self.nodes.push(item);
        self.nodes.len() - 1
    }

    fn anchor(&mut self, anchor: usize, node: Option<usize>) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    fn alias(&mut self, anchor: usize, mark: Mark, errors: &mut Errors) -> Option<()> {
        let Some(Some(target)) = self.anchors.get(&anchor).copied() else {
            errors.push(
                Kind::RecursiveAlias,
                mark,
                "it stands inside what it repeats",
            );
            return None;
        };
        let weight = self.nodes.get(target).map_or(1, |item| item.weight);
        self.repeated = self.repeated.saturating_add(weight);
        if self.repeated > MAX_REPEATED {
            errors.push(
                Kind::AliasesTooLarge { most: MAX_REPEATED },
                mark,
                "this alias is one too many",
            );
            return None;
        }
        self.place(target, mark, errors);
        Some(())
    }

    fn tag(&self, tag: Option<&Tag>, fitting: &[&str], mark: Mark, errors: &mut Errors) {
        let Some(tag) = tag else { return };
        if !(tag.is_yaml_core_schema() && fitting.contains(&tag.suffix.as_str())) {
            errors.push(
                Kind::UnexpectedTag {
                    tag: clip(&tag.to_string()),
                },
                mark,
                "a tag means nothing here",
            );
        }
    }

    fn check_depth(&self, mark: Mark, errors: &mut Errors) -> Option<()> {
        if self.open.len() > MAX_DEPTH {
            errors.push(
                Kind::NestedTooDeep { most: MAX_DEPTH },
                mark,
                "one level too deep",
            );
            return None;
        }
        Some(())
    }

    fn close(&mut self, end: Mark, errors: &mut Errors) {
        let Some(open) = self.open.pop() else { return };
        let (anchor, item) = match open {
            Open::Sequence {
                items,
                mark,
                anchor,
                end: held,
            } => {
                let weight = items
                    .iter()
                    .map(|&i| self.weight(i))
                    .fold(1, u64::saturating_add);
                let content = Content::Sequence(items);
                let (extent, flow) = self.extent(mark, held, end);
                (
                    anchor,
                    Item {
                        mark: self.first_line(mark, end),
                        extent,
                        flow,
                        content,
                        weight,
                    },
                )
            }
            Open::Mapping {
                mut entries,
                merged,
                mut seen,
                mark,
                anchor,
                end: held,
                ..
            } => {
                let (extent, flow) = self.extent(mark, held, end);
                // A merge key lends what the mapping does not say itself.
                for entry in merged {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.mark);
                        entries.push(entry);
                    }
                }
                let weight = entries
                    .iter()
                    .map(|e| self.weight(e.value))
                    .fold(1, u64::saturating_add);
                let mark = match entries.first() {
                    Some(first) if mark.len == 0 => first.mark,
                    _ => self.first_line(mark, end),
                };
                (
                    anchor,
                    Item {
                        mark,
                        extent,
                        flow,
                        content: Content::Mapping(entries),
                        weight,
                    },
                )
            }
        };
        let (from, to) = (item.extent.start, item.extent.end);
        let index = self.add(item);
        self.anchor(anchor, Some(index));
        self.place(index, self.source.mark(from, to), errors);
    }

    fn weight(&self, index: usize) -> u64 {
        self.nodes.get(index).map_or(1, |item| item.weight)
    }

    /// The mark of a collection: all of it where it fits a line, else its start.
    fn first_line(&self, start: Mark, end: Mark) -> Mark {
        let from = start.offset as usize;
        let to = (end.offset as usize) + (end.len as usize);
        let whole = self.source.slice(from, to).trim_end();
        let first = whole.lines().next().unwrap_or("").trim_end();
        self.source.mark(from, from + first.len())
    }

    /// All bytes of a collection, and whether it stands between brackets. `held`: where what it
    /// holds ends; the event that ends a collection without brackets is at the next token.
    fn extent(&self, start: Mark, held: usize, end: Mark) -> (Range<usize>, bool) {
        let (from, to) = (start.offset as usize, (start.offset + start.len) as usize);
        // An anchor or tag before it is part of its span, and space after the bracket.
        let mut opening = self.source.slice(from, to);
        while opening.starts_with(['&', '!']) {
            let end = opening.find(char::is_whitespace).unwrap_or(opening.len());
            opening = opening.get(end..).unwrap_or("").trim_start();
        }
        if opening.starts_with(['[', '{']) {
            let ended = end.offset as usize;
            // After a trailing comma a mapping is said to end there.
            let rest = self.source.slice(ended, self.source.text().len());
            let bracket = rest.find(['}', ']']).map_or(ended, |at| ended + at);
            (to - opening.len()..bracket + 1, true)
        } else {
            (to..held.max(to), false)
        }
    }

    /// Puts a finished node where it belongs: into the innermost open
    /// collection, or at the root. `at`: where the file has it, for an alias that of the alias.
    fn place(&mut self, index: usize, at: Mark, errors: &mut Errors) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(index);
            return;
        };
        let (Open::Sequence { end, .. } | Open::Mapping { end, .. }) = open;
        *end = (*end).max((at.offset + at.len) as usize);
        match open {
            Open::Sequence { items, .. } => items.push(index),
            Open::Mapping {
                entries,
                merged,
                seen,
                key,
                ..
            } => match key.take() {
                None => {
                    let Some(item) = self.nodes.get(index) else {
                        return;
                    };
                    *key = Some(match &item.content {
                        Content::Scalar { text, .. } => (Some(text.clone()), item.mark),
                        _ => {
                            errors.push(Kind::KeyNotAWord, item.mark, "a list or mapping as a key");
                            (None, item.mark)
                        }
                    });
                }
                Some((None, _)) => {}
                Some((Some(key), mark)) if key == "<<" => match merge_sources(&self.nodes, index) {
                    Some(lent) => {
                        merged.extend(lent);
                    }
                    None => {
                        errors.push(Kind::BadMerge, mark, "this merges something else");
                    }
                },
                Some((Some(key), mark)) => {
                    if let Some(&first) = seen.get(&key) {
                        errors
                            .push(Kind::DuplicateKey { key: clip(&key) }, mark, "given again")
                            .also(first, "first given here");
                    } else {
                        seen.insert(key.clone(), mark);
                        entries.push(Entry {
                            key,
                            mark,
                            value: index,
                        });
                    }
                }
            },
        }
    }

    fn syntax(&self, error: &ScanError, errors: &mut Errors) {
        let at = self.source.byte_of_char(error.marker().index());
        let rest = self.source.slice(at, self.source.text().len());
        let len = rest
            .chars()
            .next()
            .filter(|c| *c != '\n')
            .map_or(0, char::len_utf8);
        // The parser's own limit comes first where brackets open one another.
        if error.info().contains("recursion limit") {
            let mark = self.source.mark(at, at + len);
            errors.push(Kind::NestedTooDeep { most: MAX_DEPTH }, mark, "too deep");
            return;
        }
        let help = if error.info().contains("tab") {
            "YAML is indented with spaces: put spaces where the tab is"
        } else if error.info().contains("anchor") {
            "declare it before with `&NAME`, or quote the word if no alias is meant"
        } else if error.info().contains("quoted") {
            "close the quotes that open here"
        } else if error.info().contains("mapping values") {
            "look for a missing line break or indentation before this `:`, or quote the text that contains it"
        } else {
            "look for a bracket, quote or colon that is missing just before, and check that keys of one mapping start in one column"
        };
        errors.push(
            Kind::Syntax {
                what: error.info().to_owned(),
                help,
            },
            self.source.mark(at, at + len),
            "here",
        );
    }
}

/// The entries that `<<: *base` or `<<: [*a, *b]` lends; earlier ones win.
fn merge_sources(nodes: &[Item], index: usize) -> Option<Vec<Entry>> {
    match &nodes.get(index)?.content {
        Content::Mapping(entries) => Some(entries.clone()),
        Content::Sequence(items) => {
            let mut lent = Vec::new();
            for &item in items {
                match &nodes.get(item)?.content {
                    Content::Mapping(entries) => lent.extend(entries.iter().cloned()),
                    _ => return None,
                }
            }
            Some(lent)
        }
        Content::Scalar { .. } => None,
    }
}
