//! Mappings with known keys.

use super::{Decode, Field, describe, wrong_type};
use crate::Mark;
use crate::error::{Errors, Kind, nearest, suggest};
use crate::yaml::{Node, Value, clip};
use serde_json::{Map, Value as Json, json};

/// The lines of a mapping under their known keys.
pub(crate) struct Entries<'a> {
    record: &'static str,
    /// Where an error about the whole record points.
    title: Mark,
    given: Vec<(&'static str, Node<'a>)>,
}

impl<'a> Entries<'a> {
    /// Sorts the lines of `node` by `keys` and reports the ones that have none.
    ///
    /// A key that is nearly a known one is read as if it were: what depends on
    /// it would otherwise seem to be missing as well.
    pub(crate) fn read(
        record: &'static str,
        keys: &'static [&'static str],
        node: Node<'a>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let lines = match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(lines) => lines,
            _ => {
                let listed: Vec<String> = keys.iter().map(|k| format!("`{k}`")).collect();
                wrong_type(
                    node,
                    "a mapping",
                    format!("{record} has the keys {}", listed.join(", ")),
                    errors,
                );
                return None;
            }
        };
        let written: Vec<&str> = lines.iter().map(|(key, _, _)| *key).collect();
        let mut given: Vec<(&'static str, Node<'a>)> = Vec::new();
        for (key, mark, value) in lines {
            if let Some(known) = keys.iter().find(|known| **known == key) {
                given.push((known, value));
                continue;
            }
            let free = keys.iter().copied().filter(|k| !written.contains(k));
            let guess = opposite(key)
                .filter(|other| !written.contains(other))
                .or_else(|| nearest(key, free))
                .and_then(|near| keys.iter().find(|k| **k == near))
                .filter(|near| given.iter().all(|(k, _)| k != *near));
            let hint = match guess {
                Some(near) => {
                    given.push((near, value));
                    if opposite(key).is_some() {
                        format!("the direction of the rule wants `{near}` here")
                    } else {
                        format!("did you mean `{near}`?")
                    }
                }
                None if key.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                    "a comma separates keys here: quote the ports, `ports: \"80,443\"`".to_owned()
                }
                None => suggest(key, keys.iter().copied(), "remove it"),
            };
            errors.push(
                Kind::UnknownKey {
                    record,
                    key: clip(key),
                    hint,
                },
                mark,
                "no such key",
            );
        }
        Some(Self {
            record,
            title: node.title(),
            given,
        })
    }

    fn find(&self, key: &str) -> Option<Node<'a>> {
        self.given
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, node)| *node)
    }

    /// The value of a key that may be left out.
    pub(crate) fn optional<T: Decode>(&self, key: &'static str, errors: &mut Errors) -> Field<T> {
        match self.find(key).map(|node| T::decode(node, errors)) {
            None => Field::Absent,
            Some(None) => Field::Broken,
            Some(Some(value)) => Field::Given(value),
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn required<T: Decode>(&self, key: &'static str, errors: &mut Errors) -> Field<T> {
        let field = self.optional(key, errors);
        if !field.is_absent() {
            return field;
        }
        errors.push(
            Kind::MissingKey {
                record: self.record.to_owned(),
                key,
                hint: format!("add `{key}: …`"),
            },
            self.title,
            format!("needs `{key}`"),
        );
        Field::Broken
    }
}

/// A rule names its source in one direction and its destination in the other.
fn opposite(key: &str) -> Option<&'static str> {
    match key {
        "to" => Some("from"),
        "from" => Some("to"),
        _ => None,
    }
}

/// The schema of a record, from its fields.
pub(crate) fn record_schema(
    doc: &[&str],
    fields: Vec<(&'static str, &'static str, &[&str], Json)>,
) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (need, key, doc, schema) in fields {
        if need == "required" {
            required.push(key);
        }
        properties.insert(key.to_owned(), describe(schema, doc));
    }
    let mut schema = json!({
        "type": if required.is_empty() { json!(["object", "null"]) } else { json!("object") },
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    describe(schema, doc)
}

/// Declares records: the struct, how it is read, and its JSON Schema, all from
/// one list of keys. The doc comments are the schema's descriptions.
macro_rules! record {
    ($(
        $(#[doc = $doc:expr])+
        struct $name:ident($title:literal) {
            $( $(#[doc = $field_doc:expr])+ $need:ident $field:ident: $ty:ty, )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone)]
            pub(crate) struct $name {
                $( $(#[doc = $field_doc])+ pub(crate) $field: $crate::decode::Field<$ty>, )+
            }

            impl $crate::decode::Decode for $name {
                fn decode(
                    node: $crate::yaml::Node<'_>,
                    errors: &mut $crate::error::Errors,
                ) -> Option<Self> {
                    let entries = $crate::decode::Entries::read(
                        $title,
                        &[$(stringify!($field)),+],
                        node,
                        errors,
                    )?;
                    Some(Self {
                        $( $field: entries.$need(stringify!($field), errors), )+
                    })
                }

                fn schema(definitions: &mut $crate::decode::Definitions) -> serde_json::Value {
                    definitions.refer($title, |definitions| {
                        let fields = vec![
                            $( (
                                stringify!($need),
                                stringify!($field),
                                &[$($field_doc),+] as &[&str],
                                <$ty as $crate::decode::Decode>::schema(definitions),
                            ), )+
                        ];
                        $crate::decode::record_schema(&[$($doc),+], fields)
                    })
                }
            }
        )+
    };
}
pub(crate) use record;
