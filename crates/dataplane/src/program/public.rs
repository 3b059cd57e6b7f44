//! Public addresses: who is behind each, in both directions.

use super::owners::private;
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_network::{Eip, EipId, EipMode, EipTarget, NatGatewayId, Network, NicId, VpcId};
use vpcsim_packet::Protocol;

/// Where a DNAT rule leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DnatTarget {
    pub(crate) gateway: NatGatewayId,
    /// Position in the gateway's list, from 0.
    pub(crate) rule: u32,
}

/// A public address of ours.
#[derive(Debug, Clone, Copy)]
struct Public {
    eip: EipId,
    /// The nic that carries it itself (direct mode).
    direct: Option<NicId>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PublicAddresses {
    by_public: HashMap<u32, Public>,
    /// Eips in NAT mode by the private address they stand for, virtual addresses included.
    by_private: HashMap<u64, EipId>,
    /// By eip, protocol and public port.
    dnat: HashMap<u64, DnatTarget>,
    /// The first DNAT rule that leads to a private address, protocol and port.
    dnat_to: HashMap<(u64, u32), DnatTarget>,
}

/// A protocol and port in one number.
fn service(protocol: Protocol, port: u16) -> u32 {
    u32::from(protocol.0) << 16 | u32::from(port)
}

fn public_service(eip: EipId, protocol: Protocol, port: u16) -> u64 {
    u64::from(eip.0) << 32 | u64::from(service(protocol, port))
}

/// The private address that an eip is bound to, and its vpc.
pub(super) fn private_side(network: &Network, eip: &Eip) -> Option<(VpcId, Ipv4Addr)> {
    match eip.target? {
        EipTarget::Address(nic, address) => Some((network.vpc_of(nic), address)),
        EipTarget::Havip(havip) => {
            let havip = network.havip(havip);
            Some((network.subnet(havip.subnet).vpc, havip.address))
        }
        EipTarget::NatGateway(_) => None,
    }
}

impl PublicAddresses {
    pub(super) fn new(network: &Network) -> Self {
        let mut this = Self::default();
        for (id, eip) in (0..).map(EipId).zip(&network.eips) {
            let direct = match (eip.mode, eip.target) {
                (EipMode::Direct, Some(EipTarget::Address(nic, _))) => Some(nic),
                _ => None,
            };
            let public = Public { eip: id, direct };
            this.by_public.insert(eip.address.into(), public);
            if let (Some((vpc, address)), EipMode::Nat) = (private_side(network, eip), eip.mode) {
                this.by_private.insert(private(vpc, address), id);
            }
        }
        for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
            for (rule, dnat) in (0..).zip(&gateway.dnat) {
                let Some(number) = dnat.protocol.number() else {
                    continue;
                };
                let (protocol, target) = (Protocol(number), DnatTarget { gateway: id, rule });
                let from = public_service(dnat.eip, protocol, dnat.port);
                this.dnat.insert(from, target);
                let to = (
                    private(gateway.vpc, dnat.to),
                    service(protocol, dnat.to_port),
                );
                this.dnat_to.entry(to).or_insert(target);
            }
        }
        this
    }

    /// The eip with this public address.
    #[inline]
    pub(crate) fn by_public(&self, address: Ipv4Addr) -> Option<EipId> {
        Some(self.by_public.get(&u32::from(address))?.eip)
    }

    /// The eip in NAT mode that stands for a private address.
    pub(crate) fn by_private(&self, vpc: VpcId, address: Ipv4Addr) -> Option<EipId> {
        self.by_private.get(&private(vpc, address)).copied()
    }

    /// The nic that carries this public address itself (direct mode).
    #[inline]
    pub(crate) fn direct_nic(&self, address: Ipv4Addr) -> Option<NicId> {
        self.by_public.get(&u32::from(address))?.direct
    }

    /// The DNAT rule for a public address and port.
    #[inline]
    pub(crate) fn dnat(&self, eip: EipId, protocol: Protocol, port: u16) -> Option<DnatTarget> {
        self.dnat.get(&public_service(eip, protocol, port)).copied()
    }

    /// The first DNAT rule that leads to a private address and port.
    pub(crate) fn dnat_to(
        &self,
        vpc: VpcId,
        protocol: Protocol,
        address: Ipv4Addr,
        port: u16,
    ) -> Option<DnatTarget> {
        let to = (private(vpc, address), service(protocol, port));
        self.dnat_to.get(&to).copied()
    }
}
