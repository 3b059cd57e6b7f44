//! Cvms and their nics.

use super::{Sysctl, TableRef};
use crate::decode::{
    Decode, Definitions, Destination, Field, Item, List, Named, Scalar, Spanned, record,
};
use crate::error::Errors;
use crate::file::ServiceItem;
use crate::yaml::{Node, Value};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;

record! {
    /// A host: Linux. With one nic, `eth0`, its keys stand here; with several, under `nics`.
    struct CvmDecl("a cvm") {
        /// Subnet of its only nic.
        optional subnet: Spanned<String>,
        /// Address of its only nic.
        optional address: AddressDecl,
        /// Addresses of its only nic, the primary first; instead of `address`.
        optional addresses: List<AddressDecl>,
        /// Groups of its only nic, in order. Default: the vpc's `default` group.
        optional security_groups: List<Spanned<String>>,
        /// Whether its only nic may send packets of other sources when the cvm forwards. Default: the cvm's `ip_forward`.
        optional forwarding: Spanned<bool>,
        /// Its nics by name, the primary first.
        optional nics: Named<NicDecl>,
        /// A stopped cvm takes no packets. Default: true.
        optional running: Spanned<bool>,
        /// `net.ipv4.ip_forward`. Default: false.
        optional ip_forward: Spanned<bool>,
        /// Addresses added on `lo`.
        optional lo: List<Spanned<Ipv4Addr>>,
        /// Linux sysctls by name. Default: `net.ipv4.conf.all.rp_filter: 1`, everything else 0.
        optional sysctl: Sysctl,
        /// Routes of the host, beside the connected ones and the default by the first nic's gateway.
        optional routes: List<Item<HostRouteDecl>>,
        /// Policy rules (`ip rule`), in order, before the main table.
        optional rules: List<HostRuleDecl>,
        /// Addresses that stand for it in captures, beside its own. Default: none.
        optional captured_as: List<Spanned<Ipv4Addr>>,
        /// Services it listens on, as `tcp:80,443`. Default: anything that arrives is answered.
        optional listen: List<Spanned<ServiceItem>>,
    }

    /// A network interface.
    struct NicDecl("a nic") {
        /// Its subnet: all nics of a cvm are in one vpc and one zone.
        required subnet: Spanned<String>,
        /// Its private address.
        optional address: AddressDecl,
        /// Its private addresses, the primary first; instead of `address`.
        optional addresses: List<AddressDecl>,
        /// Its groups, in order. Default: the vpc's `default` group on the primary nic; none on others, where everything passes.
        optional security_groups: List<Spanned<String>>,
        /// Whether it may send packets of other sources when the cvm forwards. Default: the cvm's `ip_forward`.
        optional forwarding: Spanned<bool>,
    }

    /// A private address of a nic.
    struct ConfiguredDecl("an address") {
        /// The address.
        required address: Spanned<Ipv4Addr>,
        /// Whether the guest has configured it; otherwise the platform delivers to it and the guest ignores it. Default: true.
        optional configured: Spanned<bool>,
    }

    /// A route of a host's table.
    struct HostRouteDecl("a host route") {
        /// Destinations it speaks of.
        required to: Spanned<Destination>,
        /// The next router, on the nic's link. Default: none, the destinations are on link.
        optional via: Spanned<Ipv4Addr>,
        /// The nic it leads out of. Default: the one whose subnet contains `via`.
        optional nic: Spanned<String>,
        /// The table: a number or `main`. Default: `main`.
        optional table: Spanned<TableRef>,
    }

    /// `ip rule add from FROM table TABLE`.
    struct HostRuleDecl("a host rule") {
        /// Sources it speaks of.
        required from: Spanned<Destination>,
        /// The table they use: a number or `main`.
        required table: Spanned<TableRef>,
    }
}

/// An address, written bare or with whether the guest has configured it.
#[derive(Debug, Clone)]
pub(crate) struct AddressDecl {
    pub(crate) address: Spanned<Ipv4Addr>,
    pub(crate) configured: bool,
}

impl Decode for AddressDecl {
    fn decode(node: Node<'_>, errors: &mut Errors) -> Option<Self> {
        if let Value::Mapping(_) = node.value() {
            let decl = ConfiguredDecl::decode(node, errors)?;
            return match (decl.address, decl.configured) {
                (_, Field::Broken) => None,
                (Field::Given(address), configured) => Some(Self {
                    address,
                    configured: configured.or(true),
                }),
                _ => None,
            };
        }
        Some(Self {
            address: Spanned::decode(node, errors)?,
            configured: true,
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "anyOf": [<Ipv4Addr as Scalar>::schema(), ConfiguredDecl::schema(definitions)] })
    }
}
