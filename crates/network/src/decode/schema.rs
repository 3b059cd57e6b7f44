//! Pieces of JSON Schema.

use serde_json::{Map, Value, json};

/// The records that the schema describes once and refers to by name.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    map: Map<String, Value>,
}

impl Definitions {
    /// A reference to the definition `name`, made by `make` when first asked for.
    pub(crate) fn refer(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        let name = ["a ", "an ", "the "]
            .iter()
            .find_map(|article| name.strip_prefix(article))
            .unwrap_or(name)
            .replace(' ', "-");
        if !self.map.contains_key(&name) {
            // Reserves the place: records may refer to each other.
            self.map.insert(name.clone(), Value::Null);
            let schema = make(self);
            self.map.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// A whole schema: `root` with the definitions it refers to.
    pub(crate) fn document(self, root: Value) -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "vpcsim network file",
            "$ref": root["$ref"],
            "$defs": self.map,
        })
    }
}

/// `schema` with a description, made of the lines of a doc comment.
pub(crate) fn describe(schema: Value, doc: &[&str]) -> Value {
    let text = doc
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ");
    match schema {
        Value::Object(mut map) => {
            map.insert("description".to_owned(), Value::String(text));
            Value::Object(map)
        }
        other => other,
    }
}
