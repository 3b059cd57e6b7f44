//! What captures hold beside traffic: noise, broken packets, impossible sources.

use super::take::{Distance, Take};
use crate::dialogue::filler;
use crate::packet::{ARP, IPV6};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, EipId, SubnetId};
use vpcsim_packet::{TcpFlags, build};

/// From an address on a host's `lo`, which is no address of its nics.
pub(super) fn loopback(take: &mut Take<'_, '_>, id: CvmId) -> Option<()> {
    let cast = take.cast;
    let host = cast.network.cvm(id);
    let source = *take.random.pick(&host.lo)?;
    let own = *cast.players.iter().find(|p| host.nics.contains(&p.nic))?;
    let server = cast.player(&mut take.random, |p| {
        p.vpc == own.vpc && !host.nics.contains(&p.nic)
    })?;
    let port = cast.tcp_port(&server, &mut take.random);
    take.unanswered(source, (server.address, port))?;
    // And the other way round: packets to it find it only where somebody routes them.
    take.ping(server.address, source, Distance::Near, false)
}

/// To addresses of a subnet that nobody has, and from one of them.
pub(super) fn ghosts(take: &mut Take<'_, '_>, subnet: SubnetId) -> Option<()> {
    let cast = take.cast;
    let vpc = cast.network.subnet(subnet).vpc;
    let client = cast.player(&mut take.random, |p| p.vpc == vpc)?;
    let ghost = cast.nobody(subnet, &mut take.random)?;
    take.unanswered(client.address, (ghost, 80))?;
    take.say(build::udp((ghost, 68), (client.address, 7), filler(10)));
    Some(())
}

/// ARP requests and IPv6 router solicitations.
pub(super) fn noise(take: &mut Take<'_, '_>) -> Option<()> {
    let player = take.cast.player(&mut take.random, |_| true)?;
    let gateway = take.cast.network.subnet(player.subnet).gateway();
    // Ethernet, IPv4, request (RFC 826); the MAC is the one that the frame has.
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 0];
    arp.extend(player.address.octets());
    arp.extend(player.address.octets());
    arp.extend([0; 6]);
    arp.extend(gateway.octets());
    take.other(ARP, arp);
    take.wait(50_000);
    // A router solicitation to all routers (RFC 4861 §4.1), its checksum worked out for this
    // source, fe80::1.
    let mut solicitation = vec![0x60, 0, 0, 0, 0, 8, 58, 255];
    solicitation.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    solicitation.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    solicitation.extend([133, 0, 0x7d, 0x36, 0, 0, 0, 0]);
    take.other(IPV6, solicitation);
    Some(())
}

/// A packet of each kind of damage: header length, total length, TCP data offset, a cut one.
pub(super) fn malformed(take: &mut Take<'_, '_>) -> Option<()> {
    let player = take.cast.player(&mut take.random, |_| true)?;
    let far = take.cast.stranger(&mut take.random)?;
    let whole = build::tcp((player.address, 40_000), (far, 443), TcpFlags::SYN).bytes();
    let damaged = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        bytes
    };
    let cut = {
        let mut bytes = whole.clone();
        bytes.truncate(30);
        // It says itself that it ends there.
        bytes[3] = 30;
        bytes
    };
    for bytes in [damaged(0, 0x44), damaged(3, 10), damaged(32, 0x20), cut] {
        take.bytes(bytes);
        take.wait(8_000);
    }
    Some(())
}

/// Loopback and multicast sources that come from the internet.
pub(super) fn martians(take: &mut Take<'_, '_>) -> Option<()> {
    let cast = take.cast;
    let eips = 0..cast.network.eips.len() as u32;
    let insides: Vec<Ipv4Addr> = eips.filter_map(|id| cast.inside_of(EipId(id))).collect();
    let inside = *take.random.pick(&insides)?;
    for source in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(224, 0, 0, 251)] {
        take.say(build::tcp((source, 40_000), (inside, 443), TcpFlags::SYN).ttl(40));
        take.wait(20_000);
    }
    Some(())
}
