//! Words that name other elements: `nat/gw`, `web-1/eth1`, `havip/vip`.

use crate::decode::{Scalar, Spanned};
use crate::error::{Errors, Kind, nearest, suggest};
use crate::yaml::{Text, clip};
use crate::{ExternalKind, HostTable};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

/// `CVM` or `CVM/NIC`.
#[derive(Debug, Clone)]
pub(crate) struct CvmRef {
    pub(crate) cvm: Spanned<String>,
    pub(crate) nic: Option<Spanned<String>>,
}

impl CvmRef {
    fn of(text: &Text<'_>) -> Self {
        match text.split_once('/') {
            Some((cvm, nic)) => Self {
                cvm: Spanned::of(&cvm),
                nic: Some(Spanned::of(&nic)),
            },
            None => Self {
                cvm: Spanned::of(text),
                nic: None,
            },
        }
    }
}

impl Scalar for CvmRef {
    const WANTED: &'static str = "a cvm, or `CVM/NIC`";
    const EXAMPLE: &'static str = "web-1/eth0";

    fn parse(text: &Text<'_>, _: bool, _: &mut Errors) -> Option<Self> {
        Some(Self::of(text))
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}

/// The next hop of a route.
#[derive(Debug, Clone)]
pub(crate) enum Via {
    Eip,
    Nat(Spanned<String>),
    Peering(Spanned<String>),
    Cvm(CvmRef),
    Instance(CvmRef),
    Havip(Spanned<String>),
    /// An external; `external/NAME` says no kind.
    External(Option<ExternalKind>, Spanned<String>),
}

/// The words before the `/` of a next hop.
const VIA: [&str; 14] = [
    "nat",
    "peering",
    "eip",
    "instance",
    "cvm",
    "havip",
    "external",
    "vpn",
    "sslvpn",
    "direct-connect",
    "ccn",
    "intranat",
    "local-gateway",
    "gwlb-endpoint",
];

impl Scalar for Via {
    const WANTED: &'static str = "a next hop";
    const EXAMPLE: &'static str = "nat/gw";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        if text.as_str() == "eip" {
            return Some(Self::Eip);
        }
        let Some((kind, name)) = text.split_once('/') else {
            let written = "a next hop is written `KIND/NAME`, as `nat/gw`, or `eip`";
            let hint = match nearest(text.as_str(), VIA) {
                Some("eip") => "did you mean `eip`?".to_owned(),
                Some(kind) => format!("did you mean `{kind}/NAME`? {written}"),
                None => written.to_owned(),
            };
            errors.push(
                Kind::BadReference {
                    text: clip(text.as_str()),
                    fault: "does not say what kind of next hop it is",
                    hint,
                },
                text.mark(),
                "expected `KIND/NAME`",
            );
            return None;
        };
        let spanned = Spanned::of(&name);
        let external = |kind| Some(Self::External(Some(kind), Spanned::of(&name)));
        match kind.as_str() {
            "nat" => Some(Self::Nat(spanned)),
            "peering" => Some(Self::Peering(spanned)),
            "cvm" => Some(Self::Cvm(CvmRef::of(&name))),
            "instance" => Some(Self::Instance(CvmRef::of(&name))),
            "havip" => Some(Self::Havip(spanned)),
            "external" => Some(Self::External(None, spanned)),
            "vpn" => external(ExternalKind::Vpn),
            "sslvpn" => external(ExternalKind::SslVpn),
            "direct-connect" => external(ExternalKind::DirectConnect),
            "ccn" => external(ExternalKind::Ccn),
            "intranat" => external(ExternalKind::Intranat),
            "local-gateway" => external(ExternalKind::LocalGateway),
            "gwlb-endpoint" => external(ExternalKind::GwlbEndpoint),
            other => {
                errors.push(
                    Kind::UnknownValue {
                        what: "a kind of next hop",
                        value: clip(other),
                        hint: suggest(other, VIA, ""),
                    },
                    kind.mark(),
                    "no such kind",
                );
                None
            }
        }
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "pattern": "^(eip|(instance|cvm)/[^/ ]+(/[^/ ]+)?|(nat|peering|havip|external|vpn|sslvpn|direct-connect|ccn|intranat|local-gateway|gwlb-endpoint)/[^/ ]+)$",
        })
    }
}

/// What an eip is bound to.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    Nic(CvmRef),
    /// `CVM/ADDRESS`: tells apart equal addresses of two vpcs.
    CvmAddress(Spanned<String>, Spanned<Ipv4Addr>),
    Address(Ipv4Addr),
    Havip(Spanned<String>),
}

impl Scalar for Bind {
    const WANTED: &'static str = "what the eip is bound to";
    const EXAMPLE: &'static str = "web-1";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        if let Ok(address) = text.as_str().parse() {
            return Some(Self::Address(address));
        }
        let Some((first, second)) = text.split_once('/') else {
            return Some(Self::Nic(CvmRef::of(text)));
        };
        if first.as_str() == "havip" {
            return Some(Self::Havip(Spanned::of(&second)));
        }
        if first.as_str() == "nat" {
            errors.push(
                Kind::BadReference {
                    text: clip(text.as_str()),
                    fault: "cannot be named by an eip",
                    hint: "a nat gateway lists its eips itself: remove `bind` here and name the eip in the gateway's `eips`".to_owned(),
                },
                text.mark(),
                "not bound from here",
            );
            return None;
        }
        if let Ok(address) = second.as_str().parse() {
            let address = Spanned::new(address, second.mark());
            return Some(Self::CvmAddress(Spanned::of(&first), address));
        }
        Some(Self::Nic(CvmRef::of(text)))
    }

    fn schema() -> Json {
        json!({
            "type": ["string", "integer"],
            "examples": ["web-1", "web-1/eth1", "10.0.1.10", "havip/vip"],
        })
    }
}

/// The sources of a snat rule.
#[derive(Debug, Clone)]
pub(crate) enum SnatFrom {
    Cvm(Spanned<String>),
    Subnet(Spanned<String>),
}

impl Scalar for SnatFrom {
    const WANTED: &'static str = "`cvm/NAME` or `subnet/NAME`";
    const EXAMPLE: &'static str = "subnet/app";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        match text.split_once('/') {
            Some((kind, name)) if kind.as_str() == "cvm" => Some(Self::Cvm(Spanned::of(&name))),
            Some((kind, name)) if kind.as_str() == "subnet" => {
                Some(Self::Subnet(Spanned::of(&name)))
            }
            _ => {
                errors.push(
                    Kind::BadReference {
                        text: clip(text.as_str()),
                        fault: "does not say whose packets the rule is for",
                        hint: "write `cvm/NAME` or `subnet/NAME`".to_owned(),
                    },
                    text.mark(),
                    format!("expected {}", Self::WANTED),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(cvm|subnet)/[^/ ]+$" })
    }
}

/// Where a dnat rule leads.
#[derive(Debug, Clone)]
pub(crate) enum DnatTarget {
    Address(Ipv4Addr),
    Cvm(CvmRef),
}

impl Scalar for DnatTarget {
    const WANTED: &'static str = "a private address or a cvm";
    const EXAMPLE: &'static str = "10.0.2.10";

    fn parse(text: &Text<'_>, _: bool, _: &mut Errors) -> Option<Self> {
        Some(match text.as_str().parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Cvm(CvmRef::of(text)),
        })
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}

/// A routing table of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableRef(pub(crate) HostTable);

impl Scalar for TableRef {
    const WANTED: &'static str = "a table: a number or `main`";
    const EXAMPLE: &'static str = "20";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        // /etc/iproute2/rt_tables; 255 is `local`, which the kernel keeps itself.
        let number = match text.as_str() {
            "main" => Some(HostTable::MAIN.0),
            word if word.bytes().all(|b| b.is_ascii_digit()) => word.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if number != 0 && number != 255 => Some(Self(HostTable(number))),
            _ => {
                errors.push(
                    Kind::UnknownValue {
                        what: Self::WANTED,
                        value: clip(text.as_str()),
                        hint: "write `main` or a number from 1 to 4294967295 other than 255, which is the kernel's".to_owned(),
                    },
                    text.mark(),
                    "expected a table",
                );
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            { "const": "main" },
        ] })
    }
}
