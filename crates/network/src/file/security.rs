//! Security groups, templates, acls.

use super::{AclEgress, AclIngress, GroupEgress, GroupIngress, Rule, ServiceItem};
use crate::AddressRange;
use crate::decode::{List, Scalar, Spanned, address_pattern, cidr_of, cidr_pattern, record};
use crate::error::{Errors, Kind};
use crate::yaml::{Text, clip};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

record! {
    /// An ordered, stateful rule list. The first match wins; nothing matched: deny.
    struct GroupDecl("a security group") {
        /// Rules for what arrives: `accept tcp 80,443 from any`, or a mapping.
        optional ingress: List<Rule<GroupIngress>>,
        /// Rules for what leaves: `accept all to any`, or a mapping.
        optional egress: List<Rule<GroupEgress>>,
    }

    /// An ordered, stateless rule list at the edge of subnets of one vpc. The first match wins; nothing matched: deny.
    struct AclDecl("an acl") {
        /// The vpc it belongs to. May be left out where there is one.
        optional vpc: Spanned<String>,
        /// Rules for what enters a subnet: `accept tcp 80 from any`, or a mapping.
        optional ingress: List<Rule<AclIngress>>,
        /// Rules for what leaves a subnet: `accept tcp 1024-65535 to any`, or a mapping.
        optional egress: List<Rule<AclEgress>>,
    }
}

/// Members of an address template.
pub(crate) type AddressTemplateDecl = List<Spanned<AddressItem>>;
/// Members of a service template.
pub(crate) type ServiceTemplateDecl = List<Spanned<ServiceItem>>;

/// An address, a prefix, or a range `FIRST-LAST`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressItem(pub(crate) AddressRange);

impl Scalar for AddressItem {
    const WANTED: &'static str = "an address, a prefix or a range";
    const EXAMPLE: &'static str = "192.0.2.10-192.0.2.20";

    fn parse(text: &Text<'_>, plain: bool, errors: &mut Errors) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let (from, to) = (first.trim(), last.trim());
            let first = Ipv4Addr::parse(&from, plain, errors);
            let last = Ipv4Addr::parse(&to, plain, errors);
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
            return Some(Self(AddressRange { first, last }));
        }
        if text.as_str().contains('/') {
            return cidr_of(text, errors).map(|net| Self(net.into()));
        }
        let address = Ipv4Addr::parse(text, plain, errors)?;
        Some(Self(AddressRange {
            first: address,
            last: address,
        }))
    }

    fn schema() -> Json {
        let (address, cidr) = (address_pattern(), cidr_pattern());
        json!({
            "type": "string",
            "pattern": format!("^({cidr}|{address}|{address} *- *{address})$"),
        })
    }
}
