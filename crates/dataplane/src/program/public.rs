//! Public addresses: who is behind each, in both directions.

use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_network::{EipId, EipMode, EipTarget, NatGatewayId, Network, NicId, VpcId};
use vpcsim_packet::Protocol;

/// Where a DNAT rule leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DnatTarget {
    pub(crate) gateway: NatGatewayId,
    /// Position in the gateway's list, from 0.
    pub(crate) rule: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct PublicAddresses {
    by_public: HashMap<Ipv4Addr, EipId>,
    /// Eips in NAT mode by the private address they stand for, virtual addresses included.
    by_private: HashMap<(VpcId, Ipv4Addr), EipId>,
    dnat: HashMap<(EipId, Protocol, u16), DnatTarget>,
    /// The first DNAT rule that leads to a private address and port.
    dnat_to: HashMap<(VpcId, Protocol, Ipv4Addr, u16), DnatTarget>,
}

impl PublicAddresses {
    pub(super) fn new(network: &Network) -> Self {
        let mut this = Self {
            by_public: HashMap::new(),
            by_private: HashMap::new(),
            dnat: HashMap::new(),
            dnat_to: HashMap::new(),
        };
        for (id, eip) in (0..).map(EipId).zip(&network.eips) {
            this.by_public.insert(eip.address, id);
            let private = match eip.target {
                Some(EipTarget::Address(nic, address)) => {
                    Some((network.subnet(network.nic(nic).subnet).vpc, address))
                }
                Some(EipTarget::Havip(havip)) => {
                    let havip = network.havip(havip);
                    Some((network.subnet(havip.subnet).vpc, havip.address))
                }
                Some(EipTarget::NatGateway(_)) | None => None,
            };
            if let (Some(private), EipMode::Nat) = (private, eip.mode) {
                this.by_private.insert(private, id);
            }
        }
        for (id, gateway) in (0..).map(NatGatewayId).zip(&network.nat_gateways) {
            for (rule, dnat) in (0..).zip(&gateway.dnat) {
                let Some(number) = dnat.protocol.number() else {
                    continue;
                };
                let (protocol, target) = (Protocol(number), DnatTarget { gateway: id, rule });
                this.dnat.insert((dnat.eip, protocol, dnat.port), target);
                let to = (gateway.vpc, protocol, dnat.to, dnat.to_port);
                this.dnat_to.entry(to).or_insert(target);
            }
        }
        this
    }

    /// The eip with this public address.
    pub(crate) fn by_public(&self, address: Ipv4Addr) -> Option<EipId> {
        self.by_public.get(&address).copied()
    }

    /// The eip in NAT mode that stands for a private address.
    pub(crate) fn by_private(&self, vpc: VpcId, address: Ipv4Addr) -> Option<EipId> {
        self.by_private.get(&(vpc, address)).copied()
    }

    /// The public side of a packet that leaves by a nic: the eip that stands for its source
    /// address, or the one that it is (direct mode). It has to be the cvm's own: a packet that
    /// it forwards for another does not leave by the other's eip.
    pub(crate) fn of_source(
        &self,
        network: &Network,
        nic: NicId,
        source: Ipv4Addr,
    ) -> Option<EipId> {
        let sender = network.nic(nic);
        let vpc = network.subnet(sender.subnet).vpc;
        let eip = match self.by_private(vpc, source) {
            Some(eip) => eip,
            None => self
                .direct_nic(network, source)
                .and(self.by_public(source))?,
        };
        let carrier = match network.eip(eip).target? {
            EipTarget::Address(carrier, _) => carrier,
            EipTarget::Havip(havip) => network.havip(havip).holder?,
            EipTarget::NatGateway(_) => return None,
        };
        (network.nic(carrier).cvm == sender.cvm).then_some(eip)
    }

    /// The nic that carries this public address itself (direct mode).
    pub(crate) fn direct_nic(&self, network: &Network, address: Ipv4Addr) -> Option<NicId> {
        let eip = network.eip(self.by_public(address)?);
        match (eip.mode, eip.target) {
            (EipMode::Direct, Some(EipTarget::Address(nic, _))) => Some(nic),
            _ => None,
        }
    }

    /// The DNAT rule for a public address and port.
    pub(crate) fn dnat(&self, eip: EipId, protocol: Protocol, port: u16) -> Option<DnatTarget> {
        self.dnat.get(&(eip, protocol, port)).copied()
    }

    /// The first DNAT rule that leads to a private address and port.
    pub(crate) fn dnat_to(
        &self,
        vpc: VpcId,
        protocol: Protocol,
        address: Ipv4Addr,
        port: u16,
    ) -> Option<DnatTarget> {
        self.dnat_to.get(&(vpc, protocol, address, port)).copied()
    }
}
