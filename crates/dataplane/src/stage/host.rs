//! SEMANTICS §10: the host is Linux. Reverse path filter, local or forward, and its own routing.

use crate::Place;
use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::verdict::{Drop, DropReason, Element, ReversePath, Stage};
use crate::walk::{Approach, Step, Stopped, Walk};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, InterfaceSysctl, NicId};
use vpcsim_packet::icmp::{self, IcmpError};

const STAGE: Stage = Stage::Host;

impl<O: Observer> Walk<'_, O> {
    /// A host sends a packet of its own: its routing decides the nic, not the nic that owns the
    /// source address.
    pub(crate) fn send(&mut self, packet: &mut Packet<'_>, cvm: CvmId) -> Result<Step, Stopped> {
        let host = self.program.network().cvm(cvm);
        let element = Element::Cvm(cvm);
        let drop = |reason| Drop::new(reason, Stage::HostEgress, element);
        if !host.running {
            return Err(drop(DropReason::CvmStopped).into());
        }
        let (source, destination) = (packet.key.source, packet.key.destination);
        if self.program.is_local(cvm, destination)
            && let Some(&nic) = host.nics.first()
        {
            // To itself, over lo: it never enters the network.
            return Ok(Step::End(Place::Nic(nic)));
        }
        let route = self.program.host_route(cvm, source, destination);
        let route = route.ok_or_else(|| drop(DropReason::NoRoute))?;
        self.note(
            packet,
            Stage::HostEgress,
            Element::Nic(route.nic),
            Outcome::Forwarded,
        );
        Ok(Step::Leave(route.nic))
    }

    /// A packet is handed to the host by a nic.
    pub(crate) fn host(
        &mut self,
        packet: &mut Packet<'_>,
        approach: Approach,
    ) -> Result<Step, Stopped> {
        let network = self.program.network();
        let nic = approach.nic;
        let cvm = network.nic(nic).cvm;
        let host = network.cvm(cvm);
        if !host.running {
            return Err(Drop::new(DropReason::CvmStopped, STAGE, Element::Cvm(cvm)).into());
        }
        self.reverse_path(packet, nic)?;
        if self.program.is_local(cvm, packet.key.destination) {
            return Ok(Step::End(Place::Nic(nic)));
        }
        if !host.ip_forward {
            let reason = if approach.next_hop {
                DropReason::HostNotForwarding
            } else {
                DropReason::NotLocal
            };
            return Err(Drop::new(reason, STAGE, Element::Cvm(cvm)).into());
        }
        self.forward(packet, cvm)
    }

    /// The host passes a packet on (RFC 1812 §5.2). As in Linux the route is looked up before the
    /// time to live is: without a route the sender hears of that.
    fn forward(&mut self, packet: &mut Packet<'_>, cvm: CvmId) -> Result<Step, Stopped> {
        let element = Element::Cvm(cvm);
        let (source, destination) = (packet.key.source, packet.key.destination);
        let Some(route) = self.program.host_route(cvm, source, destination) else {
            self.complain(packet, cvm, IcmpError::NetUnreachable);
            return Err(Drop::new(DropReason::NoRoute, STAGE, element).into());
        };
        if packet.headers.ttl <= 1 {
            self.complain(packet, cvm, IcmpError::TimeExceeded);
            return Err(Drop::new(DropReason::TtlExceeded, STAGE, element).into());
        }
        packet.decrement_ttl();
        self.note(packet, STAGE, Element::Nic(route.nic), Outcome::Forwarded);
        Ok(Step::Leave(route.nic))
    }

    /// The host sends an ICMP error back, from the address of the nic that it leaves by.
    fn complain(&mut self, packet: &Packet<'_>, cvm: CvmId, error: IcmpError) {
        let back = packet.key.source;
        let from = if self.program.is_local(cvm, back) {
            // The way to an address of its own starts there.
            Some(back)
        } else {
            let route = self.program.host_route(cvm, Ipv4Addr::UNSPECIFIED, back);
            route.and_then(|route| self.configured_address(route.nic))
        };
        let Some(from) = from else { return };
        let error = icmp::error(packet.bytes, &packet.headers, from, error);
        self.generate(packet, error, Step::Send(cvm));
    }

    /// Linux `ip_route_input_slow` and `fib_validate_source` (net/ipv4/route.c, fib_frontend.c):
    /// martian sources, then rp_filter.
    fn reverse_path(&mut self, packet: &Packet<'_>, nic: NicId) -> Result<(), Drop> {
        let sysctl = self.sysctl(nic);
        let cvm = self.program.network().nic(nic).cvm;
        let (source, destination) = (packet.key.source, packet.key.destination);
        let element = Element::Nic(nic);
        if self.is_martian(cvm, source, destination, sysctl) {
            return Err(Drop::new(DropReason::Martian, STAGE, element));
        }
        if sysctl.rp_filter == 0 {
            return Ok(());
        }
        // The way back: to the packet's source, from its destination, so that rules count. The
        // way to an address of its own (`accept_local`) is the nic that has it.
        let reverse = if self.program.is_local(cvm, source) {
            self.program.local_nic(cvm, source)
        } else {
            let route = self.program.host_route(cvm, destination, source);
            route.map(|route| route.nic)
        };
        let routed = reverse.is_some() || self.program.is_local(cvm, source);
        let passes = match sysctl.rp_filter {
            1 => reverse == Some(nic),
            // A nic without an address of its own is no place to arrive at, unless the way back
            // leads out of it.
            _ => reverse == Some(nic) || (routed && self.configured_address(nic).is_some()),
        };
        if passes {
            return Ok(());
        }
        let reverse_path = Some(ReversePath {
            value: sysctl.rp_filter,
            nic: reverse,
        });
        Err(Drop {
            reverse_path,
            ..Drop::new(DropReason::RpFilter, STAGE, element)
        })
    }

    /// Addresses that cannot be, whatever rp_filter says; a subnet's broadcast as a source only
    /// where Linux looks the source up: under rp_filter or policy rules.
    fn is_martian(
        &self,
        cvm: CvmId,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        sysctl: InterfaceSysctl,
    ) -> bool {
        let loopback = source.is_loopback() || destination.is_loopback();
        // Since Linux 5.3 the rest of 0/8 is like any address (`ipv4_is_zeronet`).
        let zero = source.is_unspecified() || destination.is_unspecified();
        let never = source.is_multicast() || source.is_broadcast() || zero;
        let network = self.program.network();
        let host = network.cvm(cvm);
        let rules = !host.rules.is_empty() && !sysctl.accept_local;
        let looked_up = sysctl.rp_filter != 0 || rules;
        // Without a look-up only the address 127.0.0.1 is its own, not all of 127/8.
        let addressed = !source.is_loopback() || source == Ipv4Addr::LOCALHOST || looked_up;
        let own = self.program.is_local(cvm, source) && !sysctl.accept_local && addressed;
        let broadcast = || {
            let mut links = host.nics.iter();
            links.any(|&nic| {
                let cidr = network.subnet(self.program.subnet_of(nic)).cidr;
                cidr.broadcast() == source && self.configured_address(nic).is_some()
            })
        };
        never || (loopback && !sysctl.route_localnet) || own || (looked_up && broadcast())
    }

    /// The address that the guest uses on a nic: the first that it has configured.
    fn configured_address(&self, nic: NicId) -> Option<Ipv4Addr> {
        let addresses = &self.program.network().nic(nic).addresses;
        let own = addresses.iter().find(|address| address.configured)?;
        Some(own.address)
    }

    fn sysctl(&self, nic: NicId) -> InterfaceSysctl {
        let network = self.program.network();
        let nic = network.nic(nic);
        InterfaceSysctl::effective(network.cvm(nic.cvm).sysctl_all, nic.sysctl)
    }
}
