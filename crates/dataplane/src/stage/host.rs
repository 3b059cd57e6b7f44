//! SEMANTICS §10: the host is Linux. Reverse path filter, local or forward, and its own routing.

use crate::Place;
use crate::observe::{Observer, Outcome};
use crate::packet::Packet;
use crate::program::Host;
use crate::verdict::{Drop, DropReason, Element, ReversePath, Stage};
use crate::walk::{Approach, Onward, Step, Stopped, Walk};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, InterfaceSysctl, NicId};
use vpcsim_packet::icmp::{self, IcmpError};

const STAGE: Stage = Stage::Host;

impl<O: Observer> Walk<'_, O> {
    /// A host sends a packet of its own: its routing decides the nic, not the nic that owns the
    /// source address.
    pub(crate) fn send(&mut self, packet: &mut Packet<'_>, cvm: CvmId) -> Result<Onward, Stopped> {
        let host = self.program.host(cvm);
        let element = Element::Cvm(cvm);
        let drop = |reason| Drop::new(reason, Stage::HostEgress, element);
        if !host.running {
            return Err(drop(DropReason::CvmStopped).into());
        }
        let (source, destination) = (packet.key.source, packet.key.destination);
        if host.is_local(destination)
            && let Some(&nic) = self.program.network().cvm(cvm).nics.first()
        {
            // To itself, over lo: it never enters the network.
            return Ok(Step::End(Place::Nic(nic)).into());
        }
        let route = host.route(source, destination);
        let nic = route.ok_or_else(|| drop(DropReason::NoRoute))?;
        self.note(
            packet,
            Stage::HostEgress,
            Element::Nic(nic),
            Outcome::Forwarded,
        );
        Ok(Step::Leave(nic).into())
    }

    /// A packet is handed to the host by a nic.
    pub(crate) fn host(
        &mut self,
        packet: &mut Packet<'_>,
        approach: Approach,
    ) -> Result<Onward, Stopped> {
        let nic = approach.nic;
        let cvm = self.program.cvm_of(nic);
        let host = self.program.host(cvm);
        if !host.running {
            return Err(Drop::new(DropReason::CvmStopped, STAGE, Element::Cvm(cvm)).into());
        }
        self.reverse_path(packet, nic)?;
        if host.is_local(packet.key.destination) {
            return Ok(Step::End(Place::Nic(nic)).into());
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
    fn forward(&mut self, packet: &mut Packet<'_>, cvm: CvmId) -> Result<Onward, Stopped> {
        let element = Element::Cvm(cvm);
        let (source, destination) = (packet.key.source, packet.key.destination);
        let Some(nic) = self.program.host(cvm).route(source, destination) else {
            self.complain(packet, cvm, IcmpError::NetUnreachable);
            return Err(Drop::new(DropReason::NoRoute, STAGE, element).into());
        };
        if packet.headers.ttl <= 1 {
            self.complain(packet, cvm, IcmpError::TimeExceeded);
            return Err(Drop::new(DropReason::TtlExceeded, STAGE, element).into());
        }
        packet.decrement_ttl();
        self.note(packet, STAGE, Element::Nic(nic), Outcome::Forwarded);
        Ok(Step::Leave(nic).into())
    }

    /// The host sends an ICMP error back, from the address of the nic that it leaves by.
    fn complain(&mut self, packet: &Packet<'_>, cvm: CvmId, error: IcmpError) {
        let back = packet.key.source;
        let host = self.program.host(cvm);
        let from = if host.is_local(back) {
            // The way to an address of its own starts there.
            Some(back)
        } else {
            let route = host.route(Ipv4Addr::UNSPECIFIED, back);
            route.and_then(|nic| self.program.configured_address(nic))
        };
        let Some(from) = from else { return };
        let error = icmp::error(packet.bytes, packet.headers, from, error);
        self.generate(packet, error, Step::Send(cvm));
    }

    /// Linux `ip_route_input_slow` and `fib_validate_source` (net/ipv4/route.c, fib_frontend.c):
    /// martian sources, then rp_filter.
    fn reverse_path(&mut self, packet: &Packet<'_>, nic: NicId) -> Result<(), Drop> {
        let sysctl = self.program.sysctl(nic);
        let host = self.program.host(self.program.cvm_of(nic));
        let (source, destination) = (packet.key.source, packet.key.destination);
        let element = Element::Nic(nic);
        if is_martian(host, source, destination, sysctl) {
            return Err(Drop::new(DropReason::Martian, STAGE, element));
        }
        if sysctl.rp_filter == 0 {
            return Ok(());
        }
        // The way back: to the packet's source, from its destination, so that rules count. The
        // way to an address of its own (`accept_local`) is the nic that has it.
        let is_local = host.is_local(source);
        let reverse = if is_local {
            host.local_nic(source)
        } else {
            host.route(destination, source)
        };
        let routed = reverse.is_some() || is_local;
        let passes = match sysctl.rp_filter {
            1 => reverse == Some(nic),
            // A nic without an address of its own is no place to arrive at, unless the way back
            // leads out of it.
            _ => reverse == Some(nic) || (routed && self.program.configured_address(nic).is_some()),
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
}

/// Addresses that cannot be, whatever rp_filter says; a subnet's broadcast as a source only
/// where Linux looks the source up: under rp_filter or policy rules.
fn is_martian(
    host: &Host,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    sysctl: InterfaceSysctl,
) -> bool {
    let loopback = source.is_loopback() || destination.is_loopback();
    // Since Linux 5.3 the rest of 0/8 is like any address (`ipv4_is_zeronet`).
    let zero = source.is_unspecified() || destination.is_unspecified();
    let never = source.is_multicast() || source.is_broadcast() || zero;
    let rules = host.has_rules && !sysctl.accept_local;
    let looked_up = sysctl.rp_filter != 0 || rules;
    // Without a look-up only the address 127.0.0.1 is its own, not all of 127/8.
    let addressed = !source.is_loopback() || source == Ipv4Addr::LOCALHOST || looked_up;
    let own = || host.is_local(source) && !sysctl.accept_local && addressed;
    let broadcast = || looked_up && host.is_broadcast(source);
    never || (loopback && !sysctl.route_localnet) || own() || broadcast()
}
