//! Eips, nat gateways, havips.

use super::{Bind, CvmRef, DnatTarget, SnatFrom};
use crate::decode::{Int, Item, List, Rate, Spanned, keywords, record};
use crate::{EipMode, NatSpec, RuleProtocol};
use std::net::Ipv4Addr;

/// Longest timeout, in seconds: a year.
pub(crate) const MAX_TIMEOUT: u32 = 31_536_000;
/// A timeout in seconds.
pub(crate) type Seconds = Spanned<Int<1, MAX_TIMEOUT>>;

record! {
    /// An elastic public address.
    struct EipDecl("an eip") {
        /// The public address.
        required address: Spanned<Ipv4Addr>,
        /// Outbound cap in Mbps, or `unlimited`; the inbound one is this or 10, whichever is more. Default: 100.
        optional bandwidth: Spanned<Rate>,
        /// What it is bound to: `CVM` (primary address of the primary nic), `CVM/NIC`, `CVM/ADDRESS`, a private address, or `havip/NAME`. A nat gateway lists its eips itself. Default: nothing.
        optional bind: Spanned<Bind>,
        /// `nat`: the platform translates, the guest sees its private address. `direct`: the guest carries the public address. Default: `nat`.
        optional mode: Spanned<EipMode>,
    }

    /// A gateway that lends public addresses to a vpc and forwards ports into it.
    struct NatGatewayDecl("a nat gateway") {
        /// The vpc it serves. May be left out where there is one.
        optional vpc: Spanned<String>,
        /// Its size: 1, 3 or 10 million connections. Default: `small`.
        optional spec: Spanned<NatSpec>,
        /// Ceiling of concurrent connections. Default: the spec's.
        optional max_connections: Spanned<Int<1, 10_000_000>>,
        /// Outbound cap in Mbps, or `unlimited`. Default: 100.
        optional bandwidth: Spanned<Rate>,
        /// Its public addresses, at least one.
        required eips: List<Spanned<String>>,
        /// Drop sources that no snat rule names, instead of using all eips. Default: false.
        optional strict_snat: Spanned<bool>,
        /// One inside host keeps one eip per destination address. Default: true.
        optional affinity: Spanned<bool>,
        /// Answer pings to its eips itself. Default: true.
        optional icmp_proxy: Spanned<bool>,
        /// A disabled gateway forwards nothing. Default: true.
        optional enabled: Spanned<bool>,
        /// Session timeouts.
        optional timeouts: NatTimeoutsDecl,
        /// Which source uses which eip; sources that no rule names use all.
        optional snat: List<Item<SnatDecl>>,
        /// Which public port leads where.
        optional dnat: List<Item<DnatDecl>>,
    }

    /// Session timeouts of a nat gateway, in seconds.
    struct NatTimeoutsDecl("the timeouts section") {
        /// TCP, both directions seen. Default: 10800.
        optional tcp_established: Seconds,
        /// TCP after FIN or RST. Default: 120.
        optional tcp_closing: Seconds,
        /// TCP before the answer. Default: 120.
        optional tcp_half_open: Seconds,
        /// UDP. Default: 180.
        optional udp: Seconds,
        /// ICMP. Default: 30.
        optional icmp: Seconds,
    }

    /// Sources and the eips they share. A rule for a cvm comes before one for its subnet.
    struct SnatDecl("a snat rule") {
        /// The sources: `cvm/NAME` or `subnet/NAME`.
        required from: Spanned<SnatFrom>,
        /// Their eips, out of the gateway's.
        required eips: List<Spanned<String>>,
    }

    /// A public port that leads to a private one.
    struct DnatDecl("a dnat rule") {
        /// The public address: one of the gateway's eips.
        required eip: Spanned<String>,
        /// `tcp` or `udp`.
        required protocol: Spanned<PortProtocol>,
        /// The public port.
        required port: Spanned<Int<1, 65535>>,
        /// Where it leads: a private address of the vpc, `CVM` or `CVM/NIC`.
        required to: Spanned<DnatTarget>,
        /// The private port. Default: the same as `port`.
        optional to_port: Spanned<Int<1, 65535>>,
    }

    /// A virtual address that moves between cvms of one subnet.
    struct HavipDecl("a havip") {
        /// Its subnet.
        required subnet: Spanned<String>,
        /// Its private address.
        required address: Spanned<Ipv4Addr>,
        /// The cvm that holds it now: `CVM` or `CVM/NIC`. Default: nobody.
        optional holder: Spanned<CvmRef>,
    }
}

/// A protocol that has ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortProtocol(pub(crate) RuleProtocol);

keywords! {
    EipMode, "an eip mode" {
        "nat" => EipMode::Nat,
        "direct" => EipMode::Direct,
    }
    NatSpec, "a size of nat gateway" {
        "small" => NatSpec::Small,
        "medium" => NatSpec::Medium,
        "large" => NatSpec::Large,
    }
    PortProtocol, "a protocol with ports" {
        "tcp" => PortProtocol(RuleProtocol::Tcp),
        "udp" => PortProtocol(RuleProtocol::Udp),
    }
}
