//! What became of a packet, and why: SEMANTICS §12 and §13.

use crate::Place;
use std::fmt;
use std::net::Ipv4Addr;
use vpcsim_network as net;
use vpcsim_packet::Malformed;

/// What became of one packet. Every packet gets exactly one (SEMANTICS §12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered(Place),
    /// It was dropped.
    Dropped(Drop),
    /// It is not IPv4.
    NotIpv4,
    /// It is too broken to have a flow.
    Malformed(Malformed),
    /// Its source is nobody's.
    Unattributed,
    /// A fragment that waits for the first one of its datagram.
    Held,
}

/// Why and where a packet was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Drop {
    /// The reason.
    pub reason: DropReason,
    /// The stage of the walk.
    pub stage: Stage,
    /// The element that decided.
    pub element: Element,
    /// The rule that decided, where one did.
    pub rule: Option<Rule>,
    /// The policy that decided, where one did.
    pub policy: Option<Policy>,
    /// What rp_filter saw, for [`DropReason::RpFilter`].
    pub reverse_path: Option<ReversePath>,
}

impl Drop {
    /// A drop that no rule and no policy decided.
    pub fn new(reason: DropReason, stage: Stage, element: Element) -> Self {
        Self {
            reason,
            stage,
            element,
            rule: None,
            policy: None,
            reverse_path: None,
        }
    }

    /// The same drop, decided by `rule`.
    pub fn by_rule(self, rule: Rule) -> Self {
        Self {
            rule: Some(rule),
            ..self
        }
    }

    /// The same drop, decided by `policy`.
    pub fn by_policy(self, policy: Policy) -> Self {
        Self {
            policy: Some(policy),
            ..self
        }
    }
}

/// The reverse lookup that made rp_filter drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReversePath {
    /// Effective value: the larger of `all` and the nic.
    pub value: u8,
    /// The nic that the route to the source leads out of; none: no route.
    pub nic: Option<net::NicId>,
}

/// One rule, by its list and position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The list.
    pub list: RuleList,
    /// Position in the list, from 1; `None`: the implicit end of the list.
    pub position: Option<u32>,
    /// Line in the network file; 0 where no line declares it.
    pub line: u32,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "{} {position}", self.list.name()),
            None => write!(f, "{} implicit deny", self.list.name()),
        }
    }
}

/// The lists that rules stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleList {
    /// `ingress:` of a group or acl.
    Ingress,
    /// `egress:` of a group or acl.
    Egress,
    /// `routes:` of a route table.
    Routes,
    /// `snat:` of a NAT gateway.
    Snat,
    /// `dnat:` of a NAT gateway.
    Dnat,
}

impl RuleList {
    /// The list's key in the network file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::Routes => "routes",
            Self::Snat => "snat",
            Self::Dnat => "dnat",
        }
    }
}

/// The element of the network that a stop or a drop speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// A nic.
    Nic(net::NicId),
    /// A security group.
    SecurityGroup(net::SecurityGroupId),
    /// All groups bound to a nic: the end of their concatenated lists.
    SecurityGroupsOf(net::NicId),
    /// An acl.
    Acl(net::AclId),
    /// A route table.
    RouteTable(net::RouteTableId),
    /// A peering.
    Peering(net::PeeringId),
    /// An eip.
    Eip(net::EipId),
    /// A NAT gateway.
    NatGateway(net::NatGatewayId),
    /// A havip.
    Havip(net::HavipId),
    /// A host.
    Cvm(net::CvmId),
    /// A subnet.
    Subnet(net::SubnetId),
    /// A vpc.
    Vpc(net::VpcId),
    /// A gateway beyond which nothing is simulated.
    External(net::ExternalId),
    /// An address that nothing of ours has.
    Address(Ipv4Addr),
    /// The internet.
    Internet,
    /// The packet itself.
    Packet,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them, in this order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, as it is written in output.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// The stops of the walk, in the order a packet can meet them.
    Stage {
        /// The packet before the network: checksums, fragments.
        Packet = "packet",
        /// The sending host: its routing decides the nic.
        HostEgress = "host-egress",
        /// §2.1
        SourceCheck = "source-check",
        /// §2.2
        SecurityGroupEgress = "security-group-egress",
        /// §11, the link's size.
        Mtu = "mtu",
        /// §2.4
        AclEgress = "acl-egress",
        /// §2.5
        Route = "route",
        /// §2.6, §8
        Peering = "peering",
        /// §2.6, §3.1
        Eip = "eip",
        /// §3.2, §9
        NatGateway = "nat-gateway",
        /// §3, §12
        Internet = "internet",
        /// §2.6, a gateway at the edge of the simulated world.
        External = "external",
        /// §5.1
        AclIngress = "acl-ingress",
        /// §5.2
        SecurityGroupIngress = "security-group-ingress",
        /// §5.3, §10
        Host = "host",
    }
}

named! {
    /// Why a packet was dropped: SEMANTICS §13's closed list. Each name is explained in
    /// docs/drop-reasons.md.
    DropReason {
        /// §2.1: the source address is not the sender's.
        SourceNotOwned = "source-not-owned",
        /// §6: a rule, or the end of the list, denies it.
        SecurityGroupDeny = "security-group-deny",
        /// §6, §9: it opens no connection and belongs to none.
        InvalidState = "invalid-state",
        /// §6: the nic's connection table is full.
        ConntrackFull = "conntrack-full",
        /// §7: a rule, or the end of the list, denies it.
        AclDeny = "acl-deny",
        /// §2.5, §10: no route leads there.
        NoRoute = "no-route",
        /// §2.6: nobody in the vpc has that address.
        NoSuchHost = "no-such-host",
        /// §2.6: a destination beyond the peer vpc.
        PeeringNotTransitive = "peering-not-transitive",
        /// §2.6: the other account has not accepted.
        PeeringInactive = "peering-inactive",
        /// §2.6: the next hop's host does not forward.
        HostNotForwarding = "host-not-forwarding",
        /// §2.6: nobody holds the virtual address.
        HavipUnheld = "havip-unheld",
        /// §2.6: the gateway is gone or disabled.
        NextHopUnavailable = "next-hop-unavailable",
        /// §3: a NAT gateway knows no session and no rule for it.
        NoNatSession = "no-nat-session",
        /// §3: no such public address in this cloud.
        NoSuchPublicAddress = "no-such-public-address",
        /// §3: an eip that is bound to nothing.
        PublicAddressUnbound = "public-address-unbound",
        /// §12: it came from the internet to an address without a public side.
        NoPublicPath = "no-public-path",
        /// §9: neither TCP nor UDP nor ICMP.
        NatProtocol = "nat-protocol",
        /// §9: no SNAT rule names the source, and the gateway is strict.
        SnatNoRule = "snat-no-rule",
        /// §9: all ports towards this destination are taken.
        NatPortsExhausted = "nat-ports-exhausted",
        /// §9: the gateway's connection ceiling.
        NatConnectionsExhausted = "nat-connections-exhausted",
        /// §9: beyond the bandwidth of a gateway or an eip.
        BandwidthExceeded = "bandwidth-exceeded",
        /// §10: the reverse path leads elsewhere, or nowhere.
        RpFilter = "rp-filter",
        /// §10: a source that cannot come from there.
        Martian = "martian",
        /// §10: not this host's address, and it does not forward.
        NotLocal = "not-local",
        /// §10: time to live ran out.
        TtlExceeded = "ttl-exceeded",
        /// §10: the host is stopped.
        CvmStopped = "cvm-stopped",
        /// §11: its first fragment did not come, or too many came before it.
        FragmentTimeout = "fragment-timeout",
        /// §11: larger than the link, with DF.
        TooBig = "too-big",
        /// §11: a wrong checksum, under `--verify-checksums`.
        BadChecksum = "bad-checksum",
    }
}

named! {
    /// The policies of the network file, for verdicts that one of them decided.
    Policy {
        /// §2.1
        SourceCheck = "source_check",
        /// §7
        AclPort = "acl_port",
        /// §8
        SgAcrossPeering = "sg_across_peering",
        /// §6, §9
        MidStream = "mid_stream",
        /// §6
        OnRuleChange = "on_rule_change",
        /// §6
        TcpWindow = "tcp_window",
        /// §9
        Hairpin = "hairpin",
        /// §9
        Filtering = "filtering",
        /// §11
        FabricTtl = "fabric_ttl",
        /// §11
        Mtu = "mtu",
        /// §6
        Conntrack = "conntrack",
    }
}
