//! Expectations.

use super::CvmRef;
use crate::RuleProtocol;
use crate::decode::{Int, Scalar, Spanned, keywords, record};
use crate::error::{Errors, Kind};
use crate::yaml::{Text, clip};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

record! {
    /// What the network has to do: `vpcsim check` tries it, with the reply.
    struct ExpectDecl("an expectation") {
        /// Where the request starts: `CVM`, `CVM/NIC`, an address, `external:NAME` or `internet`.
        required from: Spanned<EndRef>,
        /// Where it goes: `CVM`, `CVM/NIC`, an address, `external:NAME` or `internet`.
        required to: Spanned<EndRef>,
        /// `tcp`, `udp` or `icmp`. Default: `tcp` where a port is given, else `icmp`.
        optional protocol: Spanned<AskedProtocol>,
        /// The destination port, of tcp and udp. Default: the first that the destination listens on, else 80 for tcp, 53 for udp.
        optional port: Spanned<Int<1, 65535>>,
        /// `reachable`: the request arrives, and the answer to it comes back; or `blocked`.
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
    } else { "ping" => "icmp" }
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

/// One end of an expectation.
#[derive(Debug, Clone)]
pub(crate) enum EndRef {
    Internet,
    Address(Ipv4Addr),
    External(Spanned<String>),
    Cvm(CvmRef),
}

impl Scalar for EndRef {
    const WANTED: &'static str = "a cvm, an address, `external:NAME` or `internet`";
    const EXAMPLE: &'static str = "web-1";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        let word = text.as_str();
        if word == "internet" {
            return Some(Self::Internet);
        }
        if let Ok(address) = word.parse() {
            return Some(Self::Address(address));
        }
        match text.split_once(':') {
            Some((scope, name)) if scope.as_str() == "external" => {
                return Some(Self::External(Spanned::of(&name)));
            }
            _ => {}
        }
        if word.parse::<ipnet::Ipv4Net>().is_ok() {
            errors.push(
                Kind::BadReference {
                    text: clip(word),
                    fault: "names many hosts",
                    hint: "name one: a cvm, one of its addresses, or `internet`".to_owned(),
                },
                text.mark(),
                "expected one end",
            );
            return None;
        }
        CvmRef::parse(text, plain, errors).map(Self::Cvm)
    }

    fn schema() -> Json {
        json!({
            "type": ["string", "integer"],
            "examples": ["web-1", "web-1/eth1", "10.0.1.10", "external:office", "internet"],
        })
    }
}
