//! Named choices where the platform's documentation is silent (SEMANTICS, marks [U]).

/// All policies, each with SEMANTICS' default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policies {
    /// Whose addresses a nic may send from (§2.1).
    pub source_check: SourceCheck,
    /// Which port an acl rule means (§7).
    pub acl_port: AclPort,
    /// Whether group peers match across a peering (§8).
    pub sg_across_peering: SgAcrossPeering,
    /// What becomes of packets that open no connection and belong to none (§6).
    pub mid_stream: MidStream,
    /// What a rule change does to live flows (§6).
    pub on_rule_change: OnRuleChange,
    /// Whether sequence numbers are judged (§6).
    pub tcp_window: TcpWindow,
    /// Whether a nat gateway serves its own addresses from inside (§9).
    pub hairpin: bool,
    /// Which remotes may use a mapping (§9).
    pub filtering: Filtering,
    /// TTL taken by each vpc hop: 0 or 1 (§11).
    pub fabric_ttl: u8,
    /// What becomes of packets larger than the link (§11).
    pub mtu: Mtu,
    /// Connection tracking of security groups.
    pub conntrack: Conntrack,
}

/// §2.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum SourceCheck {
    /// Any address of the cvm in this vpc.
    #[default]
    Cvm,
    /// Addresses of the sending nic only.
    Nic,
    /// Anything.
    Off,
}

/// §7
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum AclPort {
    /// The packet's destination port.
    #[default]
    Destination,
    /// The packet's source port.
    Source,
    /// Either port.
    Either,
}

/// §8
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum SgAcrossPeering {
    /// Members in another vpc never match.
    #[default]
    None,
    /// Members in a peer vpc match.
    Match,
}

/// §6, §9
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum MidStream {
    /// Judged by the rules as if it were first.
    #[default]
    Judge,
    /// Dropped as `invalid-state`.
    Drop,
}

/// §6
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum OnRuleChange {
    /// Live flows pass as before.
    #[default]
    Keep,
    /// Live flows are judged by the new rules at their next packet.
    Reevaluate,
}

/// §6
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum TcpWindow {
    /// Sequence numbers are not judged (the kernel's `tcp_be_liberal`).
    #[default]
    Ignore,
    /// Judged as the kernel does.
    Track,
}

/// §9
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Filtering {
    /// Only the remote address and port of the session.
    #[default]
    EndpointDependent,
    /// Any remote may send to a mapped port.
    EndpointIndependent,
}

/// §11
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Mtu {
    /// Size is not judged: captures contain offloaded super-packets.
    #[default]
    Ignore,
    /// With DF dropped and answered with ICMP fragmentation-needed; without DF fragmented.
    Icmp,
    /// As `icmp`, but nobody is told.
    Silent,
}

/// Connection tracking of security groups: ceiling and timeouts in seconds.
///
/// The defaults are the kernel's (`net/netfilter/nf_conntrack_proto_*.c`,
/// `Documentation/networking/nf_conntrack-sysctl.rst`); the keys are its
/// sysctl names without `nf_conntrack_` and `_timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Conntrack {
    /// Most flows remembered at one nic; beyond it new ones drop with `conntrack-full`.
    pub max: u32,
    pub tcp_syn_sent: u32,
    pub tcp_syn_recv: u32,
    pub tcp_established: u32,
    pub tcp_fin_wait: u32,
    pub tcp_close_wait: u32,
    pub tcp_last_ack: u32,
    pub tcp_time_wait: u32,
    pub tcp_close: u32,
    pub tcp_max_retrans: u32,
    pub tcp_unacknowledged: u32,
    pub udp: u32,
    pub udp_stream: u32,
    pub icmp: u32,
    pub gre: u32,
    pub gre_stream: u32,
    pub generic: u32,
}

impl Default for Conntrack {
    fn default() -> Self {
        Self {
            max: 1_048_576,
            tcp_syn_sent: 120,
            tcp_syn_recv: 60,
            tcp_established: 432_000,
            tcp_fin_wait: 120,
            tcp_close_wait: 60,
            tcp_last_ack: 30,
            tcp_time_wait: 120,
            tcp_close: 10,
            tcp_max_retrans: 300,
            tcp_unacknowledged: 300,
            udp: 30,
            udp_stream: 120,
            icmp: 30,
            gre: 30,
            gre_stream: 180,
            generic: 600,
        }
    }
}
