//! What is asked of a nic with every packet.

use super::Program;
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, InterfaceSysctl, Network, Nic, NicId, SubnetId, VpcId};

/// A nic, as packets see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NicFacts {
    cvm: CvmId,
    subnet: SubnetId,
    vpc: VpcId,
    /// The address that the guest uses on it: the first that it has configured.
    address: Option<Ipv4Addr>,
    /// Effective values.
    sysctl: InterfaceSysctl,
}

impl NicFacts {
    pub(super) fn new(network: &Network, nic: &Nic) -> Self {
        let mut configured = nic.addresses.iter().filter(|own| own.configured);
        let all = network.cvm(nic.cvm).sysctl_all;
        Self {
            cvm: nic.cvm,
            subnet: nic.subnet,
            vpc: network.subnet(nic.subnet).vpc,
            address: configured.next().map(|own| own.address),
            sysctl: InterfaceSysctl::effective(all, nic.sysctl),
        }
    }
}

impl Program {
    /// The vpc of a nic.
    #[inline]
    pub fn vpc_of(&self, nic: NicId) -> VpcId {
        self.nics[nic.index()].vpc
    }

    /// The subnet of a nic.
    #[inline]
    pub(crate) fn subnet_of(&self, nic: NicId) -> SubnetId {
        self.nics[nic.index()].subnet
    }

    /// The cvm of a nic.
    #[inline]
    pub(crate) fn cvm_of(&self, nic: NicId) -> CvmId {
        self.nics[nic.index()].cvm
    }

    /// The address that the guest uses on a nic: the first that it has configured.
    #[inline]
    pub(crate) fn configured_address(&self, nic: NicId) -> Option<Ipv4Addr> {
        self.nics[nic.index()].address
    }

    /// The effective sysctls of a nic.
    #[inline]
    pub(crate) fn sysctl(&self, nic: NicId) -> InterfaceSysctl {
        self.nics[nic.index()].sysctl
    }
}
