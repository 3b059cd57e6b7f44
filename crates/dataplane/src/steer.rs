//! Which packets have to stay together: the steering key (DESIGN's fifth idea).
//!
//! Packets that may touch the same connection, session or port belong to one shard; packets of two
//! shards have nothing in common but limits. A shard is what no translation changes: the classes
//! of the two ports, which NAT keeps and which stand for the inside ports where a DNAT rule leads
//! there, and the hash of whichever address is foreign. An address of ours counts nothing, because
//! translations replace it.

use crate::intervals::{Intervals, Span};
use crate::nat::port_class;
use crate::{Program, Source};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, EipMode, EipTarget, Filtering, SourceCheck};
use vpcsim_packet::{FlowKey, Glance, Headers, IcmpBody, Protocol, Transport};

/// How many shards there are, whatever the number of workers.
pub const SHARDS: usize = 64;

/// What an address is: a stranger's, a public one of a NAT gateway, any other of ours.
const FOREIGN: u32 = 0;
const DOOR: u32 = 1;
const OURS: u32 = 2;

/// Finds the shards of a network's packets.
#[derive(Debug, Clone)]
pub(crate) struct Steering {
    /// The addresses that translations replace and are replaced by: those of vpcs, public ones of
    /// ours; and what hosts have on `lo`, which is as good as private.
    ours: Intervals,
    /// Whether there are DNAT rules.
    leads_in: bool,
    /// By cvm: whether a gateway may translate a source of its packets that is not its own.
    lends: Box<[bool]>,
    /// Whether the network can be cut into shards at all.
    divides: bool,
    /// Whether a packet may meet the same place again and again under other addresses.
    loops: bool,
}

impl Steering {
    pub(crate) fn new(program: &Program) -> Self {
        let network = program.network();
        let forwards = |cvm: CvmId| {
            let cvm = network.cvm(cvm);
            cvm.ip_forward && cvm.nics.iter().any(|&nic| network.nic(nic).forwarding)
        };
        let unchecked = network.policies.source_check == SourceCheck::Off;
        let translates = !network.nat_gateways.is_empty();
        let cvms = (0..network.cvms.len() as u32).map(CvmId);
        let lends = cvms.map(|cvm| translates && (unchecked || forwards(cvm)));
        let direct = network.eips.iter().any(|eip| eip.mode == EipMode::Direct);
        // What comes from the internet has a private destination inside, unless its eip is in
        // direct mode: that alone a host may send back to the internet.
        let loops = direct && network.cvms.iter().any(|cvm| cvm.ip_forward);
        Self {
            ours: ours(program),
            leads_in: network.nat_gateways.iter().any(|g| !g.dnat.is_empty()),
            lends: lends.collect(),
            // A mapping that every remote may use is shared by all of them; and a gateway may lend
            // its address to a remote whose packet a host sends back out.
            divides: !translates
                || (network.policies.filtering == Filtering::EndpointDependent && !loops),
            loops,
        }
    }

    /// Whether the network can be cut into shards at all.
    pub(crate) fn divides(&self) -> bool {
        self.divides
    }

    /// How many connections a packet may open at one place, and how often it may be counted
    /// against one limit.
    ///
    /// It meets a place by the addresses with which it set out and, after it was on the internet,
    /// by others. A second time it is there only where a host forwards what has a public
    /// destination still: then its time to live is the bound.
    pub(crate) fn most_meetings(&self) -> usize {
        if self.loops { 512 } else { 2 }
    }

    /// Whether a packet may be counted against one limit several times.
    pub(crate) fn loops(&self) -> bool {
        self.loops
    }

    /// The shard of a whole TCP or UDP packet; `None` where it may touch several.
    #[inline]
    pub(crate) fn of_glance(
        &self,
        program: &Program,
        source: Source,
        glance: &Glance,
    ) -> Option<u8> {
        let (from, to) = ((glance.addresses >> 32) as u32, glance.addresses as u32);
        if self.leads_in {
            let key = glance.key();
            let several = self.is_lent(source, from) || self.is_of_two_doors(program, &key);
            return (!several).then(|| self.of_flow(program, &key));
        }
        let ports = (glance.ports >> 16) as u16 ^ glance.ports as u16;
        let shard = self.spread(from) ^ self.spread(to) ^ port_class(ports) as u8;
        (!self.is_lent(source, from)).then_some(shard)
    }

    /// The shard of any packet whose flow is known: a later fragment has that of its datagram's
    /// first. `None` where it may touch several.
    pub(crate) fn of_packet(
        &self,
        program: &Program,
        source: Source,
        headers: &Headers,
        key: &FlowKey,
    ) -> Option<u8> {
        if let Transport::Icmp(icmp) = headers.transport
            && let IcmpBody::Error(quoted) = icmp.body
        {
            // It belongs to the flow of what it quotes, or to nothing. It opens nothing.
            return Some(self.of_flow(program, &quoted.key));
        }
        let from = key.source.to_bits();
        let several = self.is_lent(source, from) || self.is_of_two_doors(program, key);
        (!several).then(|| self.of_flow(program, key))
    }

    /// The shard of a flow: the same for both its directions, and on both sides of every
    /// translation.
    pub(crate) fn of_flow(&self, program: &Program, key: &FlowKey) -> u8 {
        let ports = if key.protocol == Protocol::ICMP {
            // The other one is type and code.
            key.source_port
        } else {
            let source = self.inside_port(program, key.protocol, key.source, key.source_port);
            let destination =
                self.inside_port(program, key.protocol, key.destination, key.destination_port);
            source ^ destination
        };
        let addresses = self.spread(key.source.to_bits()) ^ self.spread(key.destination.to_bits());
        // The class of two ports is that of both together: folding loses no bit.
        addresses ^ port_class(ports) as u8
    }

    /// Whether a gateway may put its address in the place of this source, which is a stranger's or
    /// a gateway's: then the two sides of the translation differ in more than an address of ours.
    #[inline]
    fn is_lent(&self, source: Source, from: u32) -> bool {
        match source {
            Source::Internet | Source::External(_) => false,
            Source::Cvm(cvm) => self.lends[cvm.index()] && self.ours.find(from) != OURS,
            Source::Nic(_) => self.lends.contains(&true) && self.ours.find(from) != OURS,
        }
    }

    /// Whether it says that it comes from a public port that a DNAT rule leads in from, and goes to
    /// an address of ours. Where two such flows would look the same inside, the second one's remote
    /// has another port there, which no rule knows.
    fn is_of_two_doors(&self, program: &Program, key: &FlowKey) -> bool {
        let led = self.led_port(program, key.protocol, key.source, key.source_port);
        led.is_some() && self.ours.find(key.destination.to_bits()) != FOREIGN
    }

    /// The hash of a foreign address; one of ours counts nothing.
    #[inline]
    fn spread(&self, address: u32) -> u8 {
        // The golden ratio's 32 bits; six of the product are a shard.
        let hash = (address.wrapping_mul(0x9e37_79b9) >> 26) as u8;
        if self.ours.find(address) == FOREIGN {
            hash
        } else {
            0
        }
    }

    /// The port inside: another one where a DNAT rule leads in from a public address and port.
    fn inside_port(
        &self,
        program: &Program,
        protocol: Protocol,
        address: Ipv4Addr,
        port: u16,
    ) -> u16 {
        self.led_port(program, protocol, address, port)
            .unwrap_or(port)
    }

    /// Where a DNAT rule leads from a public address and port.
    fn led_port(
        &self,
        program: &Program,
        protocol: Protocol,
        address: Ipv4Addr,
        port: u16,
    ) -> Option<u16> {
        let inside = || {
            let eip = program.eip_of_public(address)?;
            let target = program.public().dnat(eip, protocol, port)?;
            let gateway = program.network().nat_gateway(target.gateway);
            Some(gateway.dnat[target.rule as usize].to_port)
        };
        self.leads_in.then(inside).flatten()
    }
}

fn ours(program: &Program) -> Intervals {
    let network = program.network();
    let one = |address: Ipv4Addr| Span::new(address, address);
    let cidrs = network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
    let cidrs = cidrs.map(|net| Span::new(net.network(), net.broadcast()));
    let on_lo = network.cvms.iter().flat_map(|cvm| &cvm.lo);
    let on_lo = on_lo.map(|&address| one(address));
    let inside = cidrs.chain(on_lo).map(|span| (span, OURS));
    let public = network.eips.iter().map(|eip| match eip.target {
        Some(EipTarget::NatGateway(_)) => (one(eip.address), DOOR),
        _ => (one(eip.address), OURS),
    });
    let all = public
        .chain(inside)
        .filter_map(|(span, what)| Some((span?, what)));
    let all: Vec<_> = all.collect();
    Intervals::first_of(&all, FOREIGN)
}
