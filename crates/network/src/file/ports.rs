//! Ports and services.

use crate::decode::{Decode, Definitions, Scalar, Spanned, keyword, keywords, wrong_type};
use crate::error::{Errors, Kind};
use crate::yaml::{Node, Text, Value, clip};
use crate::{PortRange, RuleProtocol, Service};
use serde_json::{Value as Json, json};

const BOUNDS: &str = "a port is a number from 0 to 65535";

fn port(text: &Text<'_>, errors: &mut Errors) -> Option<u16> {
    let word = text.as_str();
    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { word.parse().ok() } else { None };
    if parsed.is_none() {
        let hint = if digits {
            BOUNDS
        } else {
            "write `all`, a port, a range `80-90`, or several with commas: `80,443,8000-8010`"
        };
        let what = if word.is_empty() {
            "a port is missing".to_owned()
        } else {
            format!("`{}` is not a port", clip(word))
        };
        errors.push(Kind::BadPort { what, hint }, text.mark(), "expected a port");
    }
    parsed
}

/// One port, or a range `FIRST-LAST`.
fn range(text: &Text<'_>, errors: &mut Errors) -> Option<PortRange> {
    let Some((first, last)) = text.split_once('-') else {
        let port = port(text, errors)?;
        return Some(PortRange {
            first: port,
            last: port,
        });
    };
    let (first, last) = (port(&first.trim(), errors), port(&last.trim(), errors));
    let (first, last) = (first?, last?);
    if last < first {
        errors.push(
            Kind::EmptyRange {
                text: clip(text.as_str()),
                mended: format!("{last}-{first}"),
            },
            text.mark(),
            "nothing lies in it",
        );
        return None;
    }
    Some(PortRange { first, last })
}

/// Ports of a security-group rule: `all`, or ports and ranges with commas.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    pub(crate) ranges: Vec<PortRange>,
    /// Whether they are written as `all`.
    pub(crate) all: bool,
}

impl Ports {
    pub(crate) fn parse(text: &Text<'_>, errors: &mut Errors) -> Option<Self> {
        if text.as_str().trim() == "all" {
            return Some(Self::every());
        }
        let pieces: Vec<_> = text.split(',').iter().map(|p| range(p, errors)).collect();
        let ranges = pieces.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { ranges, all: false })
    }

    pub(crate) fn every() -> Self {
        Self {
            ranges: vec![PortRange::ALL],
            all: true,
        }
    }
}

impl Decode for Spanned<Ports> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        match node.value() {
            Value::Scalar { text, .. } => {
                Some(Spanned::new(Ports::parse(&text, errors)?, text.mark()))
            }
            Value::Sequence(items) if !items.is_empty() => {
                let mut ranges = Vec::new();
                let mut broken = false;
                for item in items {
                    match item.value() {
                        Value::Scalar { text, .. } => match range(&text, errors) {
                            Some(range) => ranges.push(range),
                            None => broken = true,
                        },
                        _ => {
                            wrong_type(item, "a port", BOUNDS.to_owned(), errors);
                            broken = true;
                        }
                    }
                }
                (!broken).then(|| Spanned::new(Ports { ranges, all: false }, node.mark()))
            }
            _ => {
                let hint = "write, for example, `ports: 22` or `ports: \"80,443\"`";
                wrong_type(node, "ports", hint.to_owned(), errors);
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        let one = json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 65535 },
            { "type": "string", "pattern": "^(all|[0-9]+( *- *[0-9]+)?( *, *[0-9]+( *- *[0-9]+)?)*)$" },
        ] });
        json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
    }
}

/// Ports of an acl rule: `all`, one port or one range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnePort {
    pub(crate) range: PortRange,
    pub(crate) all: bool,
}

impl Scalar for OnePort {
    const WANTED: &'static str = "a port or a range";
    const EXAMPLE: &'static str = "1024-65535";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        if text.as_str() == "all" {
            return Some(Self {
                range: PortRange::ALL,
                all: true,
            });
        }
        if text.as_str().contains(',') {
            errors.push(
                Kind::BadPort {
                    what: format!("`{}` is a list of ports", clip(text.as_str())),
                    hint: "an acl rule takes one port or one range: write a rule for each",
                },
                text.mark(),
                "a list of ports",
            );
            return None;
        }
        let range = range(text, errors)?;
        Some(Self { range, all: false })
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 65535 },
            { "type": "string", "pattern": "^(all|[0-9]+( *- *[0-9]+)?)$" },
        ] })
    }
}

/// A protocol and its ports: `tcp:80,443`, `udp:all`, `icmp`.
#[derive(Debug, Clone)]
pub(crate) struct ServiceItem(pub(crate) Service);

#[derive(Debug, Clone, Copy)]
struct ServiceProtocol(RuleProtocol);

keywords! {
    ServiceProtocol, "a protocol of a service" {
        "tcp" => ServiceProtocol(RuleProtocol::Tcp),
        "udp" => ServiceProtocol(RuleProtocol::Udp),
        "icmp" => ServiceProtocol(RuleProtocol::Icmp),
        "gre" => ServiceProtocol(RuleProtocol::Gre),
    }
}

impl Scalar for ServiceItem {
    const WANTED: &'static str = "a service";
    const EXAMPLE: &'static str = "tcp:80,443";

    fn parse(text: &Text<'_>, _: bool, errors: &mut Errors) -> Option<Self> {
        let (protocol, ports) = match text.split_once(':') {
            Some((protocol, ports)) => (protocol.trim(), Some(ports.trim())),
            None => (text.clone(), None),
        };
        if ports.is_none() && text.as_str().starts_with(|c: char| c.is_ascii_digit()) {
            let word = clip(text.as_str());
            let kind = Kind::UnknownValue {
                what: Self::WANTED,
                hint: format!("put the protocol before it: `tcp:{word}`"),
                value: word,
            };
            errors.push(kind, text.mark(), "of which protocol?");
            return None;
        }
        let parsed = keyword::<ServiceProtocol>(&protocol, errors);
        let given = match &ports {
            Some(ports) => Some((Ports::parse(ports, errors)?, ports.mark())),
            None => None,
        };
        let ServiceProtocol(protocol) = parsed?;
        let has_ports = matches!(protocol, RuleProtocol::Tcp | RuleProtocol::Udp);
        let ports = match given {
            Some((ports, mark)) if !has_ports && !ports.all => {
                ports_without_port_protocol(protocol, mark, errors);
                return None;
            }
            Some((ports, _)) => ports,
            None => Ports::every(),
        };
        Some(Self(Service {
            protocol,
            ports: ports.ranges,
        }))
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "pattern": "^((tcp|udp)(:(all|[0-9]+( *- *[0-9]+)?( *, *[0-9]+( *- *[0-9]+)?)*))?|(icmp|gre)(:all)?)$",
        })
    }
}

/// Reports ports where the protocol has none.
pub(crate) fn ports_without_port_protocol(
    protocol: RuleProtocol,
    mark: crate::Mark,
    errors: &mut Errors,
) {
    let protocol = super::protocol_name(protocol);
    errors.push(
        Kind::PortsWithoutPortProtocol { protocol },
        mark,
        format!("{protocol} has no ports"),
    );
}
