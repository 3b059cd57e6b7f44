//! Addresses and prefixes.

use super::Scalar;
use crate::error::{Errors, Kind};
use crate::yaml::{Text, clip};
use ipnet::Ipv4Net;
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

const OCTET: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

/// The pattern of a dotted quad.
pub(crate) fn address_pattern() -> String {
    format!("{OCTET}(\\.{OCTET}){{3}}")
}

/// The pattern of an address and a prefix length.
pub(crate) fn cidr_pattern() -> String {
    format!("{}/([12]?[0-9]|3[0-2])", address_pattern())
}

impl Scalar for Ipv4Addr {
    const WANTED: &'static str = "an IPv4 address";
    const EXAMPLE: &'static str = "10.0.1.10";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        let word = text.as_str();
        if let Ok(address) = word.parse() {
            return Some(address);
        }
        let hint = if word.contains(':') {
            "vpcsim speaks IPv4 only: write four numbers from 0 to 255 with dots between them"
        } else if word.contains('/') {
            "write the address alone, without the prefix length"
        } else {
            "write four numbers from 0 to 255 with dots between them"
        };
        errors.push(
            Kind::BadAddress {
                text: clip(word),
                hint,
            },
            text.mark(),
            "expected an IPv4 address",
        );
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": format!("^{}$", address_pattern()) })
    }
}

/// A prefix without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr(pub(crate) Ipv4Net);

/// The prefix that `text` says.
pub(crate) fn cidr_of(text: &Text<'_>, errors: &mut Errors) -> Option<Ipv4Net> {
    let word = text.as_str();
    match word.parse::<Ipv4Net>() {
        Ok(net) if net == net.trunc() => Some(net),
        Ok(net) => {
            errors.push(
                Kind::HostBits {
                    text: clip(word),
                    network: net.trunc(),
                },
                text.mark(),
                "not a network address",
            );
            None
        }
        Err(_) => {
            let hint = match word.parse::<Ipv4Addr>() {
                Ok(address) => format!("add a prefix length: `{address}/32` is this address alone"),
                Err(_) if word.contains(':') => "vpcsim speaks IPv4 only".to_owned(),
                Err(_) => {
                    "write an address, `/` and a length from 0 to 32: `10.0.0.0/16`".to_owned()
                }
            };
            errors.push(
                Kind::BadCidr {
                    text: clip(word),
                    hint,
                },
                text.mark(),
                "expected an IPv4 prefix",
            );
            None
        }
    }
}

impl Scalar for Cidr {
    const WANTED: &'static str = "an IPv4 prefix";
    const EXAMPLE: &'static str = "10.0.0.0/16";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        cidr_of(text, errors).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": format!("^{}$", cidr_pattern()) })
    }
}

/// A prefix, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Destination(pub(crate) Ipv4Net);

impl Scalar for Destination {
    const WANTED: &'static str = "an IPv4 prefix or address";
    const EXAMPLE: &'static str = "10.0.2.0/24";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        match text.as_str().parse::<Ipv4Addr>() {
            Ok(address) => Some(Self(address.into())),
            Err(_) => cidr_of(text, errors).map(Self),
        }
    }

    fn schema() -> Json {
        let (address, cidr) = (address_pattern(), cidr_pattern());
        json!({ "type": "string", "pattern": format!("^({cidr}|{address})$") })
    }
}
