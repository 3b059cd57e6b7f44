//! Expectations.

use super::{CvmRef, Ports};
use crate::RuleProtocol;
use crate::decode::{Decode, Definitions, Scalar, Spanned, cidr_of, keywords, record, wrong_type};
use crate::error::{Errors, Kind};
use crate::yaml::{Node, Text, Value, clip};
use ipnet::Ipv4Net;
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

record! {
    /// What the network has to do: `vpcsim check` tries it with the reply, or decides it for all packets where it names many.
    struct ExpectDecl("an expectation") {
        /// Where requests start: `CVM`, `CVM/NIC`, an address, `external:NAME`; for all of many: a prefix, `group:NAME`, `subnet:NAME`, `vpc:NAME`, `internet`, `any`, or a list.
        required from: EndRefs,
        /// Where they go: as `from`.
        required to: EndRefs,
        /// `tcp`, `udp`, `icmp` (pings) or `all`. Default: `tcp` where a port is given, else `icmp`; for what is blocked for many, `all`.
        optional protocol: Spanned<AskedProtocol>,
        /// The destination port, of tcp and udp, or ports: a range, several, `all`. Default: for one request the first that the destination listens on, else 80 for tcp, 53 for udp; for many, all.
        optional port: AskedPorts,
        /// `reachable`: every request arrives, and the answer to it comes back; or `blocked`: none does.
        required is: Spanned<WantedWord>,
        /// The stage that blocks it. Default: any, or nothing answers.
        optional because: Spanned<StageName>,
    }
}

/// A protocol that a request can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedProtocol(pub(crate) RuleProtocol);

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedWord {
    Reachable,
    Blocked,
}

/// A stage that can drop a packet, by its name in output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StageName(pub(crate) &'static str);

keywords! {
    AskedProtocol, "a protocol to ask by" {
        "tcp" => AskedProtocol(RuleProtocol::Tcp),
        "udp" => AskedProtocol(RuleProtocol::Udp),
        "icmp" => AskedProtocol(RuleProtocol::Icmp),
        "all" => AskedProtocol(RuleProtocol::All),
    } else { "ping" => "icmp", "any" => "all" }
    WantedWord, "`reachable` or `blocked`" {
        "reachable" => WantedWord::Reachable,
        "blocked" => WantedWord::Blocked,
    } else {
        "allowed" => "reachable", "open" => "reachable", "accepted" => "reachable",
        "unreachable" => "blocked", "denied" => "blocked", "dropped" => "blocked", "closed" => "blocked",
    }
    StageName, "a stage" {
        "packet" => StageName("packet"),
        "host-egress" => StageName("host-egress"),
        "source-check" => StageName("source-check"),
        "security-group-egress" => StageName("security-group-egress"),
        "mtu" => StageName("mtu"),
        "acl-egress" => StageName("acl-egress"),
        "route" => StageName("route"),
        "peering" => StageName("peering"),
        "eip" => StageName("eip"),
        "nat-gateway" => StageName("nat-gateway"),
        "internet" => StageName("internet"),
        "external" => StageName("external"),
        "acl-ingress" => StageName("acl-ingress"),
        "security-group-ingress" => StageName("security-group-ingress"),
        "host" => StageName("host"),
    }
}

/// Ports that are asked for.
#[derive(Debug, Clone)]
pub(crate) struct AskedPorts(pub(crate) Spanned<Ports>);

impl Decode for AskedPorts {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let ports = Spanned::<Ports>::decode(node, errors)?;
        // In a range, 0 is as good a number as any; alone it is a mistake.
        if ports.value.ranges.iter().any(|range| range.last == 0) {
            errors.push(
                Kind::OutOfRange {
                    value: "0".to_owned(),
                    least: 1,
                    most: 65_535,
                },
                ports.mark,
                "expected 1 to 65535",
            );
            return None;
        }
        Some(Self(ports))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Spanned::<Ports>::schema(definitions)
    }
}

/// The ends of an expectation on one side: one, or several.
#[derive(Debug, Clone)]
pub(crate) struct EndRefs {
    pub(crate) list: Vec<Spanned<EndRef>>,
    /// As they are written, with commas.
    pub(crate) text: String,
}

impl Decode for EndRefs {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let nodes = match node.value() {
            Value::Sequence(items) if !items.is_empty() => items,
            Value::Scalar { .. } => vec![node],
            _ => {
                let hint = format!("write, for example, `{}`", EndRef::EXAMPLE);
                wrong_type(node, EndRef::WANTED, hint, errors);
                return None;
            }
        };
        let word = |node: &Node<'_>| match node.value() {
            Value::Scalar { text, .. } => text.as_str().to_owned(),
            _ => String::new(),
        };
        let text: Vec<String> = nodes.iter().map(word).collect();
        let read: Vec<_> = nodes
            .into_iter()
            .map(|node| Spanned::<EndRef>::decode(node, errors))
            .collect();
        let list = read.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self {
            list,
            text: text.join(", "),
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        let one = EndRef::schema();
        json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
    }
}

/// One end of an expectation.
#[derive(Debug, Clone)]
pub(crate) enum EndRef {
    Internet,
    Any,
    Address(Ipv4Addr),
    Prefix(Ipv4Net),
    External(Spanned<String>),
    Group(Spanned<String>),
    Subnet(Spanned<String>),
    Vpc(Spanned<String>),
    Cvm(CvmRef),
}

impl Scalar for EndRef {
    const WANTED: &'static str = "a cvm, an address, a prefix, `group:NAME`, `subnet:NAME`, `vpc:NAME`, `external:NAME`, `internet` or `any`";
    const EXAMPLE: &'static str = "web-1";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        let word = text.as_str();
        match word {
            "internet" => return Some(Self::Internet),
            "any" => return Some(Self::Any),
            _ => {}
        }
        if let Ok(address) = word.parse() {
            return Some(Self::Address(address));
        }
        if let Some((scope, name)) = text.split_once(':') {
            let of: fn(Spanned<String>) -> Self = match scope.as_str() {
                "external" => Self::External,
                "group" => Self::Group,
                "subnet" => Self::Subnet,
                "vpc" => Self::Vpc,
                _ => {
                    errors.push(
                        Kind::BadReference {
                            text: clip(word),
                            fault: "names nobody",
                            hint: "write `group:NAME`, `subnet:NAME`, `vpc:NAME` or `external:NAME`; a cvm has no word before its name".to_owned(),
                        },
                        scope.mark(),
                        "of which kind?",
                    );
                    return None;
                }
            };
            return Some(of(Spanned::of(&name.trim())));
        }
        let prefix = word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('/');
        if prefix
            && word
                .split('/')
                .next()
                .is_some_and(|w| w.parse::<Ipv4Addr>().is_ok())
        {
            return cidr_of(text, errors).map(|net| match net.prefix_len() {
                0 => Self::Any,
                32 => Self::Address(net.addr()),
                _ => Self::Prefix(net),
            });
        }
        CvmRef::parse(text, plain, errors).map(Self::Cvm)
    }

    fn schema() -> Json {
        json!({
            "type": ["string", "integer"],
            "examples": [
                "web-1", "web-1/eth1", "10.0.1.10", "10.0.1.0/24", "group:web", "subnet:data",
                "vpc:shop", "external:office", "internet", "any",
            ],
        })
    }
}
