//! Numbers within bounds.

use super::Scalar;
use crate::Bandwidth;
use crate::error::{Errors, Kind};
use crate::yaml::{Text, clip};
use serde_json::{Value as Json, json};

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int<const MIN: u32, const MAX: u32>(pub(crate) u32);

fn parse(text: &Text<'_>, plain: bool, least: u32, most: u32, errors: &mut Errors) -> Option<u32> {
    let word = text.as_str();
    if plain && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        if let Some(n) = word.parse().ok().filter(|n| (least..=most).contains(n)) {
            return Some(n);
        }
        errors.push(
            Kind::OutOfRange {
                value: clip(word),
                least: least.into(),
                most: most.into(),
            },
            text.mark(),
            format!("expected {least} to {most}"),
        );
        return None;
    }
    let hint = if plain {
        format!("give a whole number from {least} to {most}")
    } else {
        "write the number without quotes".to_owned()
    };
    errors.push(
        Kind::WrongType {
            wanted: "a whole number",
            found: format!("`{}`", clip(word)),
            hint,
        },
        text.mark(),
        "expected a whole number",
    );
    None
}

impl<const MIN: u32, const MAX: u32> Scalar for Int<MIN, MAX> {
    const WANTED: &'static str = "a whole number";
    const EXAMPLE: &'static str = "100";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        parse(text, plain, MIN, MAX, errors).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A rate in Mbps up to the platform's largest, or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) Bandwidth);

impl Rate {
    const MOST: u32 = 5000;
}

impl Scalar for Rate {
    const WANTED: &'static str = "a rate in Mbps, or `unlimited`";
    const EXAMPLE: &'static str = "100";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        if text.as_str() == "unlimited" {
            return Some(Self(Bandwidth::Unlimited));
        }
        if plain && text.as_str().bytes().all(|b| b.is_ascii_digit()) {
            return parse(text, plain, 1, Self::MOST, errors).map(|n| Self(Bandwidth::Mbps(n)));
        }
        errors.push(
            Kind::WrongType {
                wanted: Self::WANTED,
                found: format!("`{}`", clip(text.as_str())),
                hint: format!(
                    "give a whole number of Mbps from 1 to {}, without a unit, or `unlimited`",
                    Self::MOST
                ),
            },
            text.mark(),
            "expected a rate",
        );
        None
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": Self::MOST },
            { "const": "unlimited" },
        ] })
    }
}
