//! Which packet answers the question: where it starts, its addresses and ports.

use super::{Question, TraceError};
use crate::Endpoint;
use crate::trace::follow::egress_nic;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Owner, Place, Program, Source};
use vpcsim_network::{Cvm, CvmId, EipMode, EipTarget, ExternalId, NicId, PortRange};
use vpcsim_packet::build::{Echo, icmp_echo, tcp, udp};
use vpcsim_packet::{Protocol, TcpFlags};

/// The port that requests are sent from, and the identifier of pings.
const SOURCE_PORT: u16 = 40_000;
/// RFC 5737: addresses for documentation. Somebody who asks, somebody who is asked.
const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Where nothing says otherwise.
const TCP_PORT: u16 = 80;
const UDP_PORT: u16 = 53;

/// The packet to send.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) source: Source,
    pub(super) protocol: Protocol,
    /// The port that the destination is to be asked at; the packet may carry another, that a
    /// dnat rule translates.
    pub(super) port: Option<u16>,
    pub(super) packet: Vec<u8>,
}

pub(super) fn choose(
    program: &Program,
    from: Endpoint,
    to: Endpoint,
    question: Question,
) -> Result<Chosen, TraceError> {
    let protocol = match (question.protocol, question.port) {
        (Some(Protocol::ICMP), Some(_)) => return Err(TraceError::PortOfIcmp),
        (Some(protocol @ (Protocol::TCP | Protocol::UDP | Protocol::ICMP)), _) => protocol,
        (Some(other), _) => return Err(TraceError::Protocol(other)),
        (None, Some(_)) => Protocol::TCP,
        (None, None) => Protocol::ICMP,
    };
    let port = match protocol {
        Protocol::ICMP => None,
        _ => Some(
            question
                .port
                .unwrap_or_else(|| port_of(program, to, protocol)),
        ),
    };
    let outside = matches!(start(program, from)?, Start::Internet(_));
    let (destination, destination_port) = destination(program, to, protocol, port, outside)?;
    let (source, address) = match start(program, from)? {
        Start::Cvm(cvm, address) => {
            // As Linux chooses: the address of the nic that the way there leads out of.
            let nic = egress_nic(program, cvm, destination);
            let chosen = nic.map(|nic| own_address(program, nic, destination));
            (
                Source::Cvm(cvm),
                address.or(chosen).unwrap_or(Ipv4Addr::UNSPECIFIED),
            )
        }
        Start::Nic(nic) => (Source::Nic(nic), own_address(program, nic, destination)),
        Start::Internet(address) => (Source::Internet, address),
        Start::External(external, address) => (Source::External(external), address),
    };
    let packet = packet(
        protocol,
        address,
        destination,
        destination_port.unwrap_or(0),
    );
    Ok(Chosen {
        source,
        protocol,
        port,
        packet,
    })
}

/// The address that a host sends from by a nic: the nic's own; towards strangers the eip that it
/// carries in direct mode, which nobody translates.
fn own_address(program: &Program, nic: NicId, destination: Ipv4Addr) -> Ipv4Addr {
    let network = program.network();
    let carried = network.eips.iter().find(|eip| {
        eip.mode == EipMode::Direct
            && matches!(eip.target, Some(EipTarget::Address(owner, _)) if owner == nic)
    });
    let outside = !program.is_private(destination) && program.external_of(destination).is_none();
    match carried {
        Some(eip) if outside => eip.address,
        _ => network.nic(nic).address(),
    }
}

fn packet(protocol: Protocol, from: Ipv4Addr, to: Ipv4Addr, port: u16) -> Vec<u8> {
    let (source, destination) = ((from, SOURCE_PORT), (to, port));
    match protocol {
        Protocol::TCP => tcp(source, destination, TcpFlags::SYN).sequence(1).bytes(),
        Protocol::UDP => udp(source, destination, b"question").bytes(),
        _ => icmp_echo(Echo::Request, from, to, SOURCE_PORT, 1, b"question").bytes(),
    }
}

/// Where a request can start.
enum Start {
    /// On a host, with this address or the one its routing chooses.
    Cvm(CvmId, Option<Ipv4Addr>),
    Nic(NicId),
    Internet(Ipv4Addr),
    External(ExternalId, Ipv4Addr),
}

fn start(program: &Program, from: Endpoint) -> Result<Start, TraceError> {
    match from {
        Endpoint::Cvm(cvm) => Ok(Start::Cvm(cvm, None)),
        Endpoint::Nic(nic) => Ok(Start::Nic(nic)),
        Endpoint::Internet => Ok(Start::Internet(stranger(program, CLIENT))),
        Endpoint::External(external) => {
            let address = behind(program, external)?;
            Ok(Start::External(external, address))
        }
        Endpoint::Address(address) => start_at(program, address),
    }
}

fn start_at(program: &Program, address: Ipv4Addr) -> Result<Start, TraceError> {
    let network = program.network();
    if let Some(cvm) = program.sender(address) {
        return Ok(Start::Cvm(cvm, Some(address)));
    }
    if let Some(eip) = program.eip_of_public(address) {
        // Who has this public address sends from the private one that it stands for.
        let private = match network.eip(eip).target {
            Some(EipTarget::Address(nic, private)) => Some((network.nic(nic).cvm, private)),
            Some(EipTarget::Havip(havip)) => {
                let havip = network.havip(havip);
                let holder = havip.holder.map(|nic| network.nic(nic).cvm);
                holder.map(|cvm| (cvm, havip.address))
            }
            Some(EipTarget::NatGateway(_)) | None => None,
        };
        let (cvm, private) = private.ok_or(TraceError::GatewayAddress(address))?;
        return Ok(Start::Cvm(cvm, Some(private)));
    }
    if let Some(external) = program.external_of(address) {
        return Ok(Start::External(external, address));
    }
    if program.is_private(address) {
        return Err(TraceError::NobodyHas(address));
    }
    let first = address.octets()[0];
    if first == 0 || first == 127 || first >= 224 {
        return Err(TraceError::NotAHost(address));
    }
    Ok(Start::Internet(address))
}

/// The destination as the request carries it.
fn destination(
    program: &Program,
    to: Endpoint,
    protocol: Protocol,
    port: Option<u16>,
    outside: bool,
) -> Result<(Ipv4Addr, Option<u16>), TraceError> {
    let network = program.network();
    let nics: &[NicId] = match &to {
        Endpoint::Cvm(cvm) => &network.cvm(*cvm).nics,
        Endpoint::Nic(nic) => std::slice::from_ref(nic),
        Endpoint::Internet => return Ok((stranger(program, SERVER), port)),
        Endpoint::External(external) => return Ok((behind(program, *external)?, port)),
        Endpoint::Address(address) => {
            let owned = match program.owner_anywhere(*address) {
                Some((_, Owner::Nic(nic))) => Some(nic),
                Some((_, Owner::Havip(_))) | None => None,
            };
            let public = owned
                .filter(|_| outside)
                .and_then(|nic| public_path(program, &[nic], Some(*address), protocol, port));
            return Ok(public.unwrap_or((*address, port)));
        }
    };
    if outside && let Some(public) = public_path(program, nics, None, protocol, port) {
        return Ok(public);
    }
    // From outside this is a private address without a public side, and the walk says so.
    let first = nics.first().map(|&nic| network.nic(nic).address());
    Ok((first.unwrap_or(Ipv4Addr::UNSPECIFIED), port))
}

/// How the internet reaches nics: an eip bound to one, else a dnat rule that leads to one.
fn public_path(
    program: &Program,
    nics: &[NicId],
    only: Option<Ipv4Addr>,
    protocol: Protocol,
    port: Option<u16>,
) -> Option<(Ipv4Addr, Option<u16>)> {
    let network = program.network();
    let wanted = |address: Ipv4Addr| only.is_none_or(|only| only == address);
    let has = |address: Ipv4Addr| {
        let addresses = |nic: &NicId| network.nic(*nic).addresses.iter();
        let own = nics.iter().flat_map(addresses);
        wanted(address) && own.into_iter().any(|own| own.address == address)
    };
    // Of several, the one of the first nic: there the host's default route leads out.
    let position = |wanted: NicId| nics.iter().position(|&nic| nic == wanted);
    let eips = network.eips.iter().filter_map(|eip| {
        let nic = match eip.target? {
            EipTarget::Address(nic, private) => wanted(private).then_some(nic),
            EipTarget::Havip(havip) => network.havip(havip).holder.filter(|_| only.is_none()),
            EipTarget::NatGateway(_) => None,
        };
        Some((position(nic?)?, eip.address))
    });
    if let Some((_, address)) = eips.min_by_key(|(position, _)| *position) {
        return Some((address, port));
    }
    let port = port?;
    let vpc = program.vpc_of(*nics.first()?);
    let gateways = network
        .nat_gateways
        .iter()
        .filter(|gateway| gateway.vpc == vpc);
    let mut rules = gateways.flat_map(|gateway| &gateway.dnat);
    let rule = rules.find(|rule| {
        rule.protocol.number() == Some(protocol.0) && rule.to_port == port && has(rule.to)
    })?;
    Some((network.eip(rule.eip).address, Some(rule.port)))
}

/// The first port that the destination listens on, or the usual one.
fn port_of(program: &Program, to: Endpoint, protocol: Protocol) -> u16 {
    let network = program.network();
    let cvm = match to {
        Endpoint::Cvm(cvm) => Some(cvm),
        Endpoint::Nic(nic) => Some(network.nic(nic).cvm),
        Endpoint::Address(address) => program.sender(address),
        Endpoint::External(_) | Endpoint::Internet => None,
    };
    let usual = match protocol {
        Protocol::UDP => UDP_PORT,
        _ => TCP_PORT,
    };
    let listening = cvm.and_then(|cvm| first_port(network.cvm(cvm), protocol));
    listening.unwrap_or(usual)
}

fn first_port(cvm: &Cvm, protocol: Protocol) -> Option<u16> {
    let services = cvm.listen.as_ref()?.iter();
    let mut ports = services
        .filter(|service| service.protocol.number() == Some(protocol.0))
        .flat_map(|service| &service.ports);
    // Everything is no port in particular.
    ports
        .find(|range| **range != PortRange::ALL)
        .map(|range| range.first)
}

/// The nearest address from `address` on that is nobody's of ours.
fn stranger(program: &Program, address: Ipv4Addr) -> Ipv4Addr {
    let ours = |address: Ipv4Addr| {
        program.eip_of_public(address).is_some()
            || program.is_private(address)
            || program.sender(address).is_some()
            || program.external_of(address).is_some()
    };
    (u32::from(address)..=u32::MAX)
        .map(Ipv4Addr::from)
        .find(|&address| !ours(address))
        .unwrap_or(address)
}

/// The first host of the first network behind an external.
fn behind(program: &Program, external: ExternalId) -> Result<Ipv4Addr, TraceError> {
    let external = program.network().external(external);
    let first = external.networks.first().and_then(|net| net.hosts().next());
    first.ok_or_else(|| TraceError::NothingBehind(external.name.clone()))
}

/// Whether a place is the one that was asked for. An address may be anywhere.
pub(super) fn is_at(program: &Program, to: Endpoint, place: Place) -> bool {
    let network = program.network();
    match (to, place) {
        (Endpoint::Cvm(cvm), Place::Nic(nic)) => network.nic(nic).cvm == cvm,
        (Endpoint::Nic(wanted), Place::Nic(nic)) => wanted == nic,
        (Endpoint::External(wanted), Place::External(external)) => wanted == external,
        (Endpoint::Internet, Place::Internet) | (Endpoint::Address(_), _) => true,
        _ => false,
    }
}

/// Whether a place is where a source is.
pub(super) fn is_origin(program: &Program, source: Source, place: Place) -> bool {
    let host = |nic| program.network().nic(nic).cvm;
    match (source, place) {
        (Source::Cvm(cvm), Place::Nic(nic)) => host(nic) == cvm,
        (Source::Nic(wanted), Place::Nic(nic)) => host(wanted) == host(nic),
        (Source::External(wanted), Place::External(external)) => wanted == external,
        (Source::Internet, Place::Internet) => true,
        _ => false,
    }
}
