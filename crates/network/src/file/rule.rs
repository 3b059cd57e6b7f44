//! Rules of security groups and acls: short strings or mappings.

use super::ports::ports_without_port_protocol;
use super::{AclPeer, OnePort, Peer, Ports};
use crate::decode::{Decode, Definitions, Field, Scalar, Spanned, keyword, keywords, record};
use crate::error::{Errors, Kind};
use crate::yaml::{Node, Text, Value, clip};
use crate::{Action, Mark, PortRange, RuleProtocol};
use serde_json::{Value as Json, json};
use std::marker::PhantomData;

keywords! {
    Action, "an action" {
        "accept" => Action::Accept,
        "drop" => Action::Drop,
    } else {
        "allow" => "accept", "permit" => "accept", "pass" => "accept",
        "deny" => "drop", "reject" => "drop", "refuse" => "drop",
    }
    RuleProtocol, "a protocol" {
        "all" => RuleProtocol::All,
        "tcp" => RuleProtocol::Tcp,
        "udp" => RuleProtocol::Udp,
        "icmp" => RuleProtocol::Icmp,
        "gre" => RuleProtocol::Gre,
    } else { "any" => "all", "*" => "all", "ip" => "all", "ping" => "icmp" }
    AclProtocol, "a protocol of acl rules" {
        "all" => AclProtocol(RuleProtocol::All),
        "tcp" => AclProtocol(RuleProtocol::Tcp),
        "udp" => AclProtocol(RuleProtocol::Udp),
        "icmp" => AclProtocol(RuleProtocol::Icmp),
    } else { "any" => "all", "*" => "all", "ip" => "all", "ping" => "icmp" }
}

/// A protocol an acl can tell apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AclProtocol(RuleProtocol);

/// The word for a protocol.
pub(crate) fn protocol_name(protocol: RuleProtocol) -> &'static str {
    match protocol {
        RuleProtocol::All => "all",
        RuleProtocol::Tcp => "tcp",
        RuleProtocol::Udp => "udp",
        RuleProtocol::Icmp => "icmp",
        RuleProtocol::Gre => "gre",
    }
}

record! {
    /// A security-group rule for what arrives.
    struct GroupIngress("a security group ingress rule") {
        /// `accept` or `drop`.
        required action: Spanned<Action>,
        /// `tcp`, `udp`, `icmp`, `gre` or `all`. Default: `all`.
        optional protocol: Spanned<RuleProtocol>,
        /// Destination ports, of tcp and udp: `all`, a port, a range, or several. Default: all.
        optional ports: Spanned<Ports>,
        /// A service template, instead of `protocol` and `ports`.
        optional services: Spanned<String>,
        /// The source: `any`, a prefix, an address, a security group or an address template.
        required from: Spanned<Peer>,
    }

    /// A security-group rule for what leaves.
    struct GroupEgress("a security group egress rule") {
        /// `accept` or `drop`.
        required action: Spanned<Action>,
        /// `tcp`, `udp`, `icmp`, `gre` or `all`. Default: `all`.
        optional protocol: Spanned<RuleProtocol>,
        /// Destination ports, of tcp and udp: `all`, a port, a range, or several. Default: all.
        optional ports: Spanned<Ports>,
        /// A service template, instead of `protocol` and `ports`.
        optional services: Spanned<String>,
        /// The destination: `any`, a prefix, an address, a security group or an address template.
        required to: Spanned<Peer>,
    }

    /// An acl rule for what enters a subnet.
    struct AclIngress("an acl ingress rule") {
        /// `accept` or `drop`.
        required action: Spanned<Action>,
        /// `tcp`, `udp`, `icmp` or `all`. Default: `all`.
        optional protocol: Spanned<AclProtocol>,
        /// Ports of tcp and udp, read by policy `acl_port`: `all`, a port or a range. Default: all.
        optional ports: Spanned<OnePort>,
        /// The source: `any`, a prefix or an address.
        required from: Spanned<AclPeer>,
    }

    /// An acl rule for what leaves a subnet.
    struct AclEgress("an acl egress rule") {
        /// `accept` or `drop`.
        required action: Spanned<Action>,
        /// `tcp`, `udp`, `icmp` or `all`. Default: `all`.
        optional protocol: Spanned<AclProtocol>,
        /// Ports of tcp and udp, read by policy `acl_port`: `all`, a port or a range. Default: all.
        optional ports: Spanned<OnePort>,
        /// The destination: `any`, a prefix or an address.
        required to: Spanned<AclPeer>,
    }
}

/// What a rule speaks of.
#[derive(Debug, Clone)]
pub(crate) enum Matches<P> {
    /// A protocol and its ports.
    Service(RuleProtocol, P),
    /// A service template.
    Template(Spanned<String>),
}

/// A rule of list `F`. Its parts are read one by one, so that a broken port
/// does not hide an unknown peer.
#[derive(Debug, Clone)]
pub(crate) struct Rule<F: Form> {
    pub(crate) mark: Mark,
    pub(crate) action: Option<Action>,
    pub(crate) matches: Option<Matches<F::Ports>>,
    pub(crate) peer: Option<Spanned<F::Peer>>,
    form: PhantomData<F>,
}

/// The parts of a rule written as a mapping.
pub(crate) struct Parts<F: Form> {
    action: Field<Spanned<Action>>,
    protocol: Field<Spanned<F::Protocol>>,
    ports: Field<Spanned<F::Ports>>,
    services: Field<Spanned<String>>,
    peer: Field<Spanned<F::Peer>>,
}

/// One of the four kinds of rule list.
pub(crate) trait Form: Decode {
    type Ports: PortsForm;
    type Protocol: Copy + Scalar + crate::decode::Keyword;
    type Peer: Scalar;
    /// The word before the peer.
    const WORD: &'static str;
    /// A whole rule, for hints.
    const EXAMPLE: &'static str;

    fn parts(self) -> Parts<Self>
    where
        Self: Sized;
    fn protocol(protocol: Self::Protocol) -> RuleProtocol;
}

/// How a kind of rule writes its ports.
pub(crate) trait PortsForm: Sized {
    fn read(text: &Text<'_>, errors: &mut Errors) -> Option<Self>;
    fn every() -> Self;
    /// Whether they are written as `all`.
    fn all(&self) -> bool;
}

impl PortsForm for Ports {
    fn read(text: &Text<'_>, errors: &mut Errors) -> Option<Self> {
        Self::parse(text, errors)
    }

    fn every() -> Self {
        Ports::every()
    }

    fn all(&self) -> bool {
        self.all
    }
}

impl PortsForm for OnePort {
    fn read(text: &Text<'_>, errors: &mut Errors) -> Option<Self> {
        <Self as Scalar>::parse(text, true, errors)
    }

    fn every() -> Self {
        Self {
            range: PortRange::ALL,
            all: true,
        }
    }

    fn all(&self) -> bool {
        self.all
    }
}

macro_rules! forms {
    ($($form:ident: $ports:ty, $protocol:ty, $peer:ty, $word:ident, $example:literal, $services:expr, $unwrap:expr;)*) => {
        $(
            impl Form for $form {
                type Ports = $ports;
                type Protocol = $protocol;
                type Peer = $peer;
                const WORD: &'static str = stringify!($word);
                const EXAMPLE: &'static str = $example;

                fn parts(self) -> Parts<Self> {
                    Parts {
                        services: $services(&self),
                        action: self.action,
                        protocol: self.protocol,
                        ports: self.ports,
                        peer: self.$word,
                    }
                }

                fn protocol(protocol: $protocol) -> RuleProtocol {
                    $unwrap(protocol)
                }
            }
        )*
    };
}

forms! {
    GroupIngress: Ports, RuleProtocol, Peer, from, "accept tcp 80,443 from any",
        |r: &GroupIngress| r.services.clone(), |p| p;
    GroupEgress: Ports, RuleProtocol, Peer, to, "accept all to any",
        |r: &GroupEgress| r.services.clone(), |p| p;
    AclIngress: OnePort, AclProtocol, AclPeer, from, "accept tcp 80 from any",
        |_: &AclIngress| Field::Absent, |p: AclProtocol| p.0;
    AclEgress: OnePort, AclProtocol, AclPeer, to, "accept tcp 1024-65535 to any",
        |_: &AclEgress| Field::Absent, |p: AclProtocol| p.0;
}

impl<F: Form> Decode for Rule<F> {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => {
                let parts = F::decode(node, errors)?.parts();
                Some(Self::from_parts(parts, node.title(), errors))
            }
            Value::Scalar { text, .. } => Some(Self::from_words(&text, errors)),
            _ => {
                let hint = format!("write, for example, `{}`", F::EXAMPLE);
                crate::decode::wrong_type(node, "a rule", hint, errors);
                None
            }
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let word = F::WORD;
        json!({ "anyOf": [
            {
                "type": "string",
                "pattern": format!("^(accept|drop) +[a-z]+( +[0-9a-z, -]+)? +{word} +[^ ]+$"),
                "examples": [F::EXAMPLE],
            },
            F::schema(definitions),
        ] })
    }
}

impl<F: Form> Rule<F> {
    fn new(mark: Mark) -> Self {
        Self {
            mark,
            action: None,
            matches: None,
            peer: None,
            form: PhantomData,
        }
    }

    fn from_parts(parts: Parts<F>, mark: Mark, errors: &mut Errors) -> Self {
        let mut rule = Self::new(mark);
        rule.action = parts.action.given().map(|a| a.value);
        if let Field::Given(peer) = parts.peer {
            rule.peer = Some(peer);
        }
        let protocol = match &parts.protocol {
            Field::Absent => Field::Absent,
            Field::Broken => Field::Broken,
            Field::Given(p) => Field::Given(Spanned::new(F::protocol(p.value), p.mark)),
        };
        match parts.services {
            Field::Broken => return rule,
            Field::Given(services) => {
                let other = match (&parts.protocol, &parts.ports) {
                    (Field::Absent, Field::Absent) => {
                        rule.matches = Some(Matches::Template(services));
                        return rule;
                    }
                    (Field::Absent, _) => "ports",
                    _ => "protocol",
                };
                errors.push(
                    Kind::ConflictingKeys {
                        one: "services",
                        other,
                        hint: "a service template says both protocol and ports: remove one or the other",
                    },
                    services.mark,
                    format!("beside `{other}`"),
                );
                return rule;
            }
            Field::Absent => {}
        }
        if protocol.is_absent() && parts.ports.given().is_some_and(|ports| !ports.value.all()) {
            errors.push(
                Kind::MissingKey {
                    record: "a rule with ports".to_owned(),
                    key: "protocol",
                    hint: "add `protocol: tcp` or `protocol: udp`".to_owned(),
                },
                mark,
                "ports of which protocol?",
            );
            return rule;
        }
        let protocol = match protocol {
            Field::Broken => return rule,
            Field::Absent => RuleProtocol::All,
            Field::Given(protocol) => protocol.value,
        };
        let ports = match parts.ports {
            Field::Broken => return rule,
            Field::Absent => None,
            Field::Given(ports) => Some((ports.value, ports.mark)),
        };
        rule.matches = service::<F>(protocol, ports, errors);
        rule
    }

    /// `ACTION PROTOCOL [PORTS] from|to PEER`
    fn from_words(text: &Text<'_>, errors: &mut Errors) -> Self {
        let mut rule = Self::new(text.mark());
        let words = text.words();
        let mut wrong = |what: String, at: &Text<'_>, label: &str| {
            errors.push(
                Kind::BadRule {
                    what,
                    hint: format!(
                        "write `ACTION PROTOCOL [PORTS] {} PEER`, as `{}`",
                        F::WORD,
                        F::EXAMPLE
                    ),
                },
                at.mark(),
                label,
            );
        };
        let Some(turn) = words
            .iter()
            .position(|w| matches!(w.as_str(), "from" | "to"))
        else {
            let what = format!("the rule does not say `{}` whom", F::WORD);
            wrong(what, text, "no peer");
            return rule;
        };
        let (before, after) = words.split_at(turn);
        let Some((word, after)) = after.split_first() else {
            return rule;
        };
        let mut broken = false;
        if word.as_str() != F::WORD {
            let what = match F::WORD {
                "from" => "an ingress rule names its source, after `from`",
                _ => "an egress rule names its destination, after `to`",
            };
            wrong(what.to_owned(), word, &format!("expected `{}`", F::WORD));
            broken = true;
        }
        match after {
            [] => {
                wrong(
                    format!("nothing follows `{}`", word.as_str()),
                    word,
                    "whom?",
                );
                broken = true;
            }
            [_] => {}
            [_, extra, ..] => {
                let what = format!("`{}` is one word too many", clip(extra.as_str()));
                wrong(what, extra, "nothing follows the peer");
                broken = true;
            }
        }
        if before.len() < 2 {
            let what = if before.is_empty() {
                "the rule lacks action and protocol"
            } else {
                "the rule lacks a protocol"
            };
            wrong(
                what.to_owned(),
                before.first().unwrap_or(word),
                "expected `ACTION PROTOCOL`",
            );
            broken = true;
        }
        rule.action = before.first().and_then(|w| keyword(w, errors));
        let protocol = before
            .get(1)
            .and_then(|w| keyword::<F::Protocol>(w, errors));
        let ports = match (before.get(2), before.last()) {
            (Some(first), Some(last)) => {
                let text = first.through(last);
                F::Ports::read(&text, errors).map(|ports| Some((ports, text.mark())))
            }
            _ => Some(None),
        };
        if let Some(peer) = after.first() {
            rule.peer = F::Peer::parse(peer, true, errors).map(|p| Spanned::new(p, peer.mark()));
        }
        if let (Some(protocol), Some(ports), false) = (protocol, ports, broken) {
            rule.matches = service::<F>(F::protocol(protocol), ports, errors);
        }
        rule
    }
}

/// A protocol with its ports, where it has any.
fn service<F: Form>(
    protocol: RuleProtocol,
    ports: Option<(F::Ports, Mark)>,
    errors: &mut Errors,
) -> Option<Matches<F::Ports>> {
    let ports = match ports {
        None => F::Ports::every(),
        Some((ports, mark)) => {
            let has_ports = matches!(protocol, RuleProtocol::Tcp | RuleProtocol::Udp);
            if !has_ports && !ports.all() {
                ports_without_port_protocol(protocol, mark, errors);
                return None;
            }
            ports
        }
    };
    Some(Matches::Service(protocol, ports))
}
