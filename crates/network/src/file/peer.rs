//! The other ends that rules speak of.

use crate::decode::{Destination, Scalar, Spanned, cidr_of};
use crate::error::{Errors, Kind};
use crate::yaml::{Text, clip};
use ipnet::Ipv4Net;
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

/// The other end of a security-group rule.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    Any,
    Prefix(Ipv4Net),
    /// A group or a template, whichever is declared.
    Named(Spanned<String>),
    /// `group/NAME`
    Group(Spanned<String>),
    /// `template/NAME`
    Template(Spanned<String>),
}

/// The other end of an acl rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AclPeer(Ipv4Net);

/// Whether a word is meant as an address or prefix, right or wrong.
fn looks_numeric(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'/')
        && word.contains('.')
}

impl Scalar for Peer {
    const WANTED: &'static str = "a peer";
    const EXAMPLE: &'static str = "any";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        let word = text.as_str();
        if word == "any" {
            return Some(Self::Any);
        }
        if looks_numeric(word) || word.contains(':') {
            let net = numeric_peer(text, errors)?;
            // The platform reads 0.0.0.0 with any length as everything.
            let any = net.addr() == Ipv4Addr::UNSPECIFIED && word.contains('/');
            return Some(if any { Self::Any } else { Self::Prefix(net) });
        }
        match text.split_once('/') {
            Some((scope, name)) if scope.as_str() == "group" => {
                Some(Self::Group(Spanned::of(&name)))
            }
            Some((scope, name)) if scope.as_str() == "template" => {
                Some(Self::Template(Spanned::of(&name)))
            }
            _ => Some(Self::Named(Spanned::of(text))),
        }
    }

    fn schema() -> Json {
        json!({
            "type": ["string", "integer"],
            "examples": ["any", "10.0.0.0/8", "group/web", "template/office"],
        })
    }
}

fn numeric_peer(text: &Text<'_>, errors: &mut Errors) -> Option<Ipv4Net> {
    if text.as_str().contains('/') {
        cidr_of(text, errors)
    } else {
        Ipv4Addr::parse(text, true, errors).map(Ipv4Net::from)
    }
}

impl Scalar for AclPeer {
    const WANTED: &'static str = "`any`, a prefix or an address";
    const EXAMPLE: &'static str = "any";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        let word = text.as_str();
        if word == "any" {
            return Some(Self(Ipv4Net::default()));
        }
        if looks_numeric(word) || word.contains(':') {
            return numeric_peer(text, errors).map(Self);
        }
        errors.push(
            Kind::BadRule {
                what: format!("an acl rule cannot have `{}` as its peer", clip(word)),
                hint: "write `any`, a prefix or an address: acls know no groups or templates"
                    .to_owned(),
            },
            text.mark(),
            "expected `any`, a prefix or an address",
        );
        None
    }

    fn schema() -> Json {
        let destination = <Destination as Scalar>::schema();
        json!({ "anyOf": [{ "const": "any" }, destination] })
    }
}

impl AclPeer {
    pub(crate) fn prefix(self) -> Ipv4Net {
        self.0
    }
}
