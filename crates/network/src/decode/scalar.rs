//! Single words.

use super::{Decode, Definitions, Spanned};
use crate::error::{Errors, Kind};
use crate::yaml::{Node, Text, Value};
use serde_json::{Value as Json, json};

/// What can be read from one word of the file.
pub(crate) trait Scalar: Sized {
    /// What an error says was expected.
    const WANTED: &'static str;
    /// A right one, for hints.
    const EXAMPLE: &'static str;

    /// Reads it; `plain` if it stands without quotes.
    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self>;

    /// Its JSON Schema.
    fn schema() -> Json;
}

impl<T: Scalar> Decode for Spanned<T> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        match node.value() {
            Value::Scalar { text, plain } => {
                let value = T::parse(&text, plain, errors)?;
                Some(Spanned::new(value, text.mark()))
            }
            _ => {
                wrong_type(
                    node,
                    T::WANTED,
                    format!("write, for example, `{}`", T::EXAMPLE),
                    errors,
                );
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        T::schema()
    }
}

/// Reports that `node` is not what was wanted.
pub(crate) fn wrong_type(node: Node<'_>, wanted: &'static str, hint: String, errors: &mut Errors) {
    let mark = match node.value() {
        Value::Null => node.title(),
        _ => node.mark(),
    };
    let found = node.describe();
    errors.push(
        Kind::WrongType {
            wanted,
            found,
            hint,
        },
        mark,
        format!("expected {wanted}"),
    );
}

impl Scalar for String {
    const WANTED: &'static str = "a name";
    const EXAMPLE: &'static str = "web";

    fn parse(text: &Text<'_>, _: bool, _: &mut Errors) -> Option<Self> {
        Some(text.as_str().to_owned())
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}

impl Scalar for bool {
    const WANTED: &'static str = "true or false";
    const EXAMPLE: &'static str = "true";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        let hint = match text.as_str() {
            "true" if plain => return Some(true),
            "false" if plain => return Some(false),
            "true" | "false" => "remove the quotes",
            "yes" | "on" | "1" | "True" | "TRUE" => "write `true`",
            "no" | "off" | "0" | "False" | "FALSE" => "write `false`",
            _ => "write `true` or `false`",
        };
        errors.push(
            Kind::UnknownValue {
                what: Self::WANTED,
                value: crate::yaml::clip(text.as_str()),
                hint: hint.to_owned(),
            },
            text.mark(),
            "expected true or false",
        );
        None
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}
