//! Policies.

use super::Seconds;
use crate::decode::{Int, Spanned, keywords, record};
use crate::{
    AclPort, Filtering, MidStream, Mtu, OnRuleChange, SgAcrossPeering, SourceCheck, TcpWindow,
};

record! {
    /// Choices that the platform's documentation leaves open.
    struct PoliciesDecl("the policies section") {
        /// Whose addresses a nic may send from: any of the `cvm`'s, the `nic`'s own, or `off`: anything. Default: `cvm`.
        optional source_check: Spanned<SourceCheck>,
        /// Which port an acl rule means. Default: `destination`.
        optional acl_port: Spanned<AclPort>,
        /// Whether a security group named as a peer matches members in a peer vpc. Default: `none`.
        optional sg_across_peering: Spanned<SgAcrossPeering>,
        /// Packets that open no connection and belong to none are judged by the rules as if first, or dropped. Default: `judge`.
        optional mid_stream: Spanned<MidStream>,
        /// What a rule change does to live flows. Default: `keep`.
        optional on_rule_change: Spanned<OnRuleChange>,
        /// Whether TCP sequence numbers are judged. Default: `ignore`.
        optional tcp_window: Spanned<TcpWindow>,
        /// Whether a nat gateway serves its own eips from inside. Default: false.
        optional hairpin: Spanned<bool>,
        /// Which remotes may use a nat mapping. Default: `endpoint-dependent`.
        optional filtering: Spanned<Filtering>,
        /// TTL taken by each vpc hop. Default: 0.
        optional fabric_ttl: Spanned<Int<0, 1>>,
        /// Packets larger than the link: not judged, dropped or fragmented with an ICMP answer, or without one. Default: `ignore`.
        optional mtu: Spanned<Mtu>,
        /// Connection tracking of security groups.
        optional conntrack: ConntrackDecl,
    }

    /// Connection tracking of security groups: timeouts in seconds, by the kernel's sysctl names without `nf_conntrack_` and `_timeout`.
    struct ConntrackDecl("the conntrack section") {
        /// Most flows remembered at one nic. Default: 1048576.
        optional max: Spanned<Int<1, { u32::MAX }>>,
        /// TCP after a SYN. Default: 120.
        optional tcp_syn_sent: Seconds,
        /// TCP after a SYN-ACK. Default: 60.
        optional tcp_syn_recv: Seconds,
        /// TCP established. Default: 432000.
        optional tcp_established: Seconds,
        /// TCP after the first FIN. Default: 120.
        optional tcp_fin_wait: Seconds,
        /// TCP after the first FIN was acknowledged. Default: 60.
        optional tcp_close_wait: Seconds,
        /// TCP after the second FIN. Default: 30.
        optional tcp_last_ack: Seconds,
        /// TCP after the last acknowledgement. Default: 120.
        optional tcp_time_wait: Seconds,
        /// TCP after a RST. Default: 10.
        optional tcp_close: Seconds,
        /// TCP with unanswered retransmissions. Default: 300.
        optional tcp_max_retrans: Seconds,
        /// TCP with unacknowledged data. Default: 300.
        optional tcp_unacknowledged: Seconds,
        /// UDP seen in one direction. Default: 30.
        optional udp: Seconds,
        /// UDP seen in both directions. Default: 120.
        optional udp_stream: Seconds,
        /// ICMP. Default: 30.
        optional icmp: Seconds,
        /// GRE seen in one direction. Default: 30.
        optional gre: Seconds,
        /// GRE seen in both directions. Default: 180.
        optional gre_stream: Seconds,
        /// Any other protocol. Default: 600.
        optional generic: Seconds,
    }
}

keywords! {
    SourceCheck, "a source check" {
        "cvm" => SourceCheck::Cvm,
        "nic" => SourceCheck::Nic,
        "off" => SourceCheck::Off,
    } else { "none" => "off", "false" => "off" }
    AclPort, "a meaning of acl ports" {
        "destination" => AclPort::Destination,
        "source" => AclPort::Source,
        "either" => AclPort::Either,
    } else { "dst" => "destination", "src" => "source", "both" => "either" }
    SgAcrossPeering, "`none` or `match`" {
        "none" => SgAcrossPeering::None,
        "match" => SgAcrossPeering::Match,
    }
    MidStream, "`judge` or `drop`" {
        "judge" => MidStream::Judge,
        "drop" => MidStream::Drop,
    }
    OnRuleChange, "`keep` or `reevaluate`" {
        "keep" => OnRuleChange::Keep,
        "reevaluate" => OnRuleChange::Reevaluate,
    }
    TcpWindow, "`ignore` or `track`" {
        "ignore" => TcpWindow::Ignore,
        "track" => TcpWindow::Track,
    }
    Filtering, "a filtering behaviour" {
        "endpoint-dependent" => Filtering::EndpointDependent,
        "endpoint-independent" => Filtering::EndpointIndependent,
    } else { "dependent" => "endpoint-dependent", "independent" => "endpoint-independent" }
    Mtu, "`ignore`, `icmp` or `silent`" {
        "ignore" => Mtu::Ignore,
        "icmp" => Mtu::Icmp,
        "silent" => Mtu::Silent,
    }
}
