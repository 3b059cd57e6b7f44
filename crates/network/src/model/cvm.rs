//! Hosts and their nics.

use super::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A host: Linux, with nics in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cvm {
    /// Name in the file.
    pub name: String,
    /// Its zone: that of every nic's subnet.
    pub zone: ZoneId,
    /// Its nics, primary first; never empty, all in one vpc.
    pub nics: Vec<NicId>,
    /// A stopped cvm drops with `cvm-stopped`.
    pub running: bool,
    /// `net.ipv4.ip_forward`.
    pub ip_forward: bool,
    /// Addresses added on `lo`.
    pub lo: Vec<Ipv4Addr>,
    /// `net.ipv4.conf.all.*`.
    pub sysctl_all: InterfaceSysctl,
    /// Routes beyond the connected ones and the default by the first nic.
    pub routes: Vec<HostRoute>,
    /// Policy rules (`ip rule`), in order, consulted before the main table.
    pub rules: Vec<HostRule>,
    /// Addresses that stand for it in captures, beside its own.
    pub captured_as: Vec<Ipv4Addr>,
    /// Services it listens on. `None`: not declared, anything that arrives is answered.
    pub listen: Option<Vec<Service>>,
    /// Where it is declared.
    pub mark: Mark,
}

/// Per-interface sysctls, `net.ipv4.conf.IFACE.*`; effective values combine `all` and the nic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct InterfaceSysctl {
    /// 0 off, 1 strict, 2 loose; effective: the larger of `all` and the nic.
    pub rp_filter: u8,
    /// Accept packets that claim one of our addresses; effective: either.
    pub accept_local: bool,
    /// Accept 127/8 from outside; effective: either.
    pub route_localnet: bool,
}

impl InterfaceSysctl {
    /// The effective values on an interface: rp_filter by maximum, the others by either
    /// (Linux `IN_DEV_MAXCONF`, `IN_DEV_ORCONF`).
    pub fn effective(all: Self, nic: Self) -> Self {
        Self {
            rp_filter: all.rp_filter.max(nic.rp_filter),
            accept_local: all.accept_local || nic.accept_local,
            route_localnet: all.route_localnet || nic.route_localnet,
        }
    }
}

/// A network interface (ENI).
#[derive(Debug, Clone, PartialEq)]
pub struct Nic {
    /// Name inside the cvm: `eth0`, `eth1`, …
    pub name: String,
    /// The cvm it belongs to.
    pub cvm: CvmId,
    /// Whether it is the primary nic.
    pub primary: bool,
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its private addresses, primary first; never empty.
    pub addresses: Vec<NicAddress>,
    /// Bound groups in order; empty only on a secondary nic, where everything passes.
    pub security_groups: Vec<SecurityGroupId>,
    /// Whether the nic may send packets of other sources when the cvm forwards.
    pub forwarding: bool,
    /// `net.ipv4.conf.NIC.*`, seeded from `default`.
    pub sysctl: InterfaceSysctl,
    /// Where it is declared.
    pub mark: Mark,
}

/// A private address of a nic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NicAddress {
    /// The address.
    pub address: Ipv4Addr,
    /// Whether the guest has configured it; otherwise it is not local there.
    pub configured: bool,
}

impl Nic {
    /// The nic's primary private address.
    pub fn address(&self) -> Ipv4Addr {
        self.addresses
            .first()
            .map_or(Ipv4Addr::UNSPECIFIED, |a| a.address)
    }
}

/// A routing table of a host: `main` is 254 (`/etc/iproute2/rt_tables`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostTable(pub u32);

impl HostTable {
    /// The main table.
    pub const MAIN: Self = Self(254);
}

/// One route of a host's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostRoute {
    /// Destinations it speaks of.
    pub destination: Ipv4Net,
    /// The next router; none: on link.
    pub via: Option<Ipv4Addr>,
    /// The nic it leads out of.
    pub nic: NicId,
    /// The table it belongs to.
    pub table: HostTable,
}

/// `ip rule add from FROM table TABLE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostRule {
    /// Sources it speaks of.
    pub from: Ipv4Net,
    /// The table they use.
    pub table: HostTable,
}
