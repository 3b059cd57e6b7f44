//! Route tables and the gateways of the world outside.

use super::Via;
use crate::ExternalKind;
use crate::decode::{Cidr, Item, List, Spanned, keywords, record};

record! {
    /// Steers what leaves the subnets that use it. The vpc's own ranges are implied.
    struct RouteTableDecl("a route table") {
        /// The vpc it belongs to. May be left out where there is one.
        optional vpc: Spanned<String>,
        /// Its routes; the longest prefix wins.
        optional routes: List<Item<RouteDecl>>,
    }

    /// One entry of a route table.
    struct RouteDecl("a route") {
        /// Destinations it speaks of; not inside the vpc's own ranges.
        required to: Spanned<Cidr>,
        /// The next hop: `nat/NAME`, `peering/NAME`, `eip`, `instance/CVM[/NIC]`, `cvm/CVM[/NIC]`, `havip/NAME`, `external/NAME`, or an external by its kind, as `vpn/NAME`.
        required via: Spanned<Via>,
        /// A disabled route is kept and ignored. Default: true.
        optional enabled: Spanned<bool>,
    }

    /// A gateway where packets leave the simulated world.
    struct ExternalDecl("an external") {
        /// What it is.
        required kind: Spanned<ExternalKind>,
        /// The vpc it is attached to. May be left out where there is one.
        optional vpc: Spanned<String>,
        /// What lies behind it: captured packets from there enter by it.
        optional networks: List<Spanned<Cidr>>,
        /// A disabled gateway forwards nothing. Default: true.
        optional enabled: Spanned<bool>,
    }
}

keywords! {
    ExternalKind, "a kind of external" {
        "vpn" => ExternalKind::Vpn,
        "sslvpn" => ExternalKind::SslVpn,
        "direct-connect" => ExternalKind::DirectConnect,
        "ccn" => ExternalKind::Ccn,
        "intranat" => ExternalKind::Intranat,
        "local-gateway" => ExternalKind::LocalGateway,
        "gwlb-endpoint" => ExternalKind::GwlbEndpoint,
    } else {
        "dc" => "direct-connect",
        "dcg" => "direct-connect",
        "directconnect" => "direct-connect",
        "ssl-vpn" => "sslvpn",
        "user_ccn" => "ccn",
    }
}
