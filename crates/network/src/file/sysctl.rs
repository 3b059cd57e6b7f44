//! Linux sysctls, by their full names.

use crate::decode::{Decode, Definitions, wrong_type};
use crate::error::{Errors, Kind, suggest};
use crate::yaml::{Node, Value, clip};
use crate::{InterfaceSysctl, Mark};
use serde_json::{Value as Json, json};

const CONF: &str = "net.ipv4.conf.";
const IP_FORWARD: &str = "net.ipv4.ip_forward";
const NAMES: [&str; 3] = ["rp_filter", "accept_local", "route_localnet"];

/// The sysctls of a cvm, in file order.
#[derive(Debug, Clone)]
pub(crate) struct Sysctl {
    pub(crate) lines: Vec<SysctlLine>,
}

/// One sysctl.
#[derive(Debug, Clone)]
pub(crate) struct SysctlLine {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: SysctlValue,
}

/// What it sets.
#[derive(Debug, Clone)]
pub(crate) enum SysctlValue {
    IpForward(bool),
    /// On `all`, `default` or a nic.
    Interface(String, InterfaceValue),
}

/// One value of one interface.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InterfaceValue {
    RpFilter(u8),
    AcceptLocal(bool),
    RouteLocalnet(bool),
}

impl InterfaceValue {
    pub(crate) fn set(self, sysctl: &mut InterfaceSysctl) {
        match self {
            Self::RpFilter(value) => sysctl.rp_filter = value,
            Self::AcceptLocal(value) => sysctl.accept_local = value,
            Self::RouteLocalnet(value) => sysctl.route_localnet = value,
        }
    }
}

impl Decode for Sysctl {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let entries = match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries,
            _ => {
                let hint = "write `net.ipv4.conf.all.rp_filter: 1`, one a line";
                wrong_type(node, "a mapping of sysctls", hint.to_owned(), errors);
                return None;
            }
        };
        let mut lines = Vec::new();
        for (key, mark, node) in entries {
            if let Some(value) = line(key, mark, node, errors) {
                let key = key.to_owned();
                lines.push(SysctlLine { key, mark, value });
            }
        }
        Some(Self { lines })
    }

    fn schema(_: &mut Definitions) -> Json {
        let switch = json!({ "enum": [0, 1] });
        json!({
            "type": ["object", "null"],
            "additionalProperties": false,
            "properties": {
                (IP_FORWARD): switch,
                "net.ipv4.conf.all.rp_filter": { "enum": [0, 1, 2] },
                "net.ipv4.conf.default.rp_filter": { "enum": [0, 1, 2] },
            },
            "patternProperties": {
                "^net\\.ipv4\\.conf\\..+\\.rp_filter$": { "enum": [0, 1, 2] },
                "^net\\.ipv4\\.conf\\..+\\.(accept_local|route_localnet)$": switch,
            },
        })
    }
}

fn line(key: &str, mark: Mark, node: Node<'_>, errors: &mut Errors) -> Option<SysctlValue> {
    if key == IP_FORWARD {
        return number(node, 1, errors).map(|n| SysctlValue::IpForward(n == 1));
    }
    let parts = key
        .strip_prefix(CONF)
        .and_then(|rest| rest.rsplit_once('.'))
        .filter(|(_, name)| NAMES.contains(name));
    let Some((interface, name)) = parts else {
        let interface = key
            .strip_prefix(CONF)
            .and_then(|rest| rest.rsplit_once('.'))
            .map_or("all", |(interface, _)| interface);
        let known: Vec<String> = NAMES
            .iter()
            .map(|name| format!("{CONF}{interface}.{name}"))
            .chain([IP_FORWARD.to_owned()])
            .collect();
        errors.push(
            Kind::UnknownSysctl {
                key: clip(key),
                hint: suggest(key, known.iter().map(String::as_str), ""),
            },
            mark,
            "has no effect on a packet here",
        );
        return None;
    };
    let value = match name {
        "rp_filter" => InterfaceValue::RpFilter(number(node, 2, errors)?),
        "accept_local" => InterfaceValue::AcceptLocal(number(node, 1, errors)? == 1),
        _ => InterfaceValue::RouteLocalnet(number(node, 1, errors)? == 1),
    };
    Some(SysctlValue::Interface(interface.to_owned(), value))
}

/// A number from 0 to `most`.
fn number(node: Node<'_>, most: u8, errors: &mut Errors) -> Option<u8> {
    match node.value() {
        Value::Scalar { text, .. } => {
            let value = text.as_str().parse().ok().filter(|n| *n <= most);
            if value.is_none() {
                errors.push(
                    Kind::OutOfRange {
                        value: clip(text.as_str()),
                        least: 0,
                        most: most.into(),
                    },
                    text.mark(),
                    format!("expected 0 to {most}"),
                );
            }
            value
        }
        _ => {
            wrong_type(
                node,
                "a number",
                format!("give a number from 0 to {most}"),
                errors,
            );
            None
        }
    }
}
