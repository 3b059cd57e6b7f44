//! Scans, traceroutes, fragments, tunnels, and what belongs to no flow.

use super::cast::Player;
use super::take::Take;
use crate::dialogue::filler;
use std::net::Ipv4Addr;
use vpcsim_network::SubnetId;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, Protocol, TcpFlags};

/// Somebody elsewhere in the vpc tries the ports of a host in this subnet.
pub(super) fn scan(take: &mut Take<'_, '_>, subnet: SubnetId) -> Option<()> {
    let cast = take.cast;
    let target = cast.player(&mut take.random, |p| p.subnet == subnet)?;
    let client = cast.player(&mut take.random, |p| {
        p.vpc == target.vpc && p.subnet != subnet
    })?;
    for port in [21, 22, 80, 443, 3306, 5432, 6379, 9200] {
        let from = (client.address, take.random.port());
        take.say(build::tcp(from, (target.address, port), TcpFlags::SYN));
        take.wait(400);
    }
    take.say(build::udp(
        (client.address, 50_000),
        (target.address, 161),
        filler(24),
    ));
    Some(())
}

fn online(take: &mut Take<'_, '_>) -> Option<Player> {
    let cast = take.cast;
    cast.player(&mut take.random, |p| cast.is_online(p))
}

/// UDP probes with a growing time to live. Routers answer "time exceeded", the target "port
/// unreachable"; the packets that they quote are as they are inside.
pub(super) fn traceroute(take: &mut Take<'_, '_>) -> Option<()> {
    let client = online(take)?;
    let target = take.cast.stranger(&mut take.random)?;
    let hops = take.random.between(3, 7) as u8;
    let port = take.random.port();
    for ttl in 1..=hops {
        let probe = build::udp(
            (client.address, port),
            (target, 33_433 + u16::from(ttl)),
            filler(32),
        );
        let probe = take.number(probe.ttl(ttl));
        take.bytes(probe.bytes());
        take.wait(2_000 * u64::from(ttl));
        let (router, error) = if ttl == hops {
            (target, IcmpError::PortUnreachable)
        } else {
            (
                take.cast.stranger(&mut take.random)?,
                IcmpError::TimeExceeded,
            )
        };
        answer(take, &probe.ttl(1).bytes(), router, error)?;
        take.wait(500);
    }
    Some(())
}

fn answer(
    take: &mut Take<'_, '_>,
    offending: &[u8],
    from: Ipv4Addr,
    error: IcmpError,
) -> Option<()> {
    let headers = Headers::parse(offending).ok()?;
    take.bytes(icmp::error(offending, &headers, from, error)?);
    Some(())
}

/// Datagrams in pieces: in order, the first piece last, and without it.
pub(super) fn fragments(take: &mut Take<'_, '_>) -> Option<()> {
    const MTU: usize = 576;
    let client = online(take).or_else(|| take.cast.player(&mut take.random, |_| true))?;
    let far = take.cast.stranger(&mut take.random)?;
    let ping = |id| build::icmp_echo(Echo::Request, client.address, far, id, 1, filler(1200));
    for turn in 0..3 {
        let from = (client.address, take.random.port());
        let packet = match turn {
            0 => build::udp(from, (far, 4500), filler(1200)),
            _ => ping(from.1),
        };
        let mut pieces = take.number(packet).fragments(MTU);
        match turn {
            1 => pieces.rotate_left(1),
            2 => pieces = pieces.split_off(1),
            _ => {}
        }
        for piece in pieces {
            take.bytes(piece);
            take.wait(10);
        }
        take.wait(1_000);
    }
    Some(())
}

/// Packets larger than any link: a TCP segment that may not be cut, and a datagram that may.
pub(super) fn offload(take: &mut Take<'_, '_>) -> Option<()> {
    let client = online(take)?;
    let far = take.cast.stranger(&mut take.random)?;
    let from = (client.address, take.random.port());
    take.say(build::tcp(from, (far, 443), TcpFlags::SYN).dont_fragment(true));
    take.wait(15_000);
    let segment = build::tcp(from, (far, 443), TcpFlags::PSH | TcpFlags::ACK)
        .sequence(1)
        .acknowledgment(1)
        .dont_fragment(true);
    take.say(segment.payload(filler(2_600)));
    take.wait(15_000);
    take.say(build::udp(from, (far, 443), filler(1_900)));
    Some(())
}

/// GRE and ESP to the internet, and GRE to a neighbour.
pub(super) fn tunnels(take: &mut Take<'_, '_>) -> Option<()> {
    let client = online(take).or_else(|| take.cast.player(&mut take.random, |_| true))?;
    let far = take.cast.stranger(&mut take.random)?;
    // GRE without options, carrying IPv4 (RFC 2784); ESP is an index, a number, and noise.
    let mut gre = vec![0, 0, 8, 0];
    gre.extend(build::udp(([172, 31, 0, 1], 9), ([172, 31, 0, 2], 9), filler(20)).bytes());
    let mut esp = vec![0, 0, 0x12, 0x34, 0, 0, 0, 1];
    esp.extend((0..8).flat_map(|_| take.random.next().to_be_bytes()));
    take.say(build::raw(Protocol::GRE, client.address, far, &gre));
    take.wait(700);
    take.say(build::raw(Protocol::ESP, client.address, far, &esp));
    take.wait(700);
    let cast = take.cast;
    if let Some(peer) = cast.player(&mut take.random, |p| {
        p.vpc == client.vpc && p.nic != client.nic
    }) {
        take.say(build::raw(
            Protocol::GRE,
            client.address,
            peer.address,
            &gre,
        ));
    }
    Some(())
}

/// Segments, replies and errors of flows that never were.
pub(super) fn orphans(take: &mut Take<'_, '_>) -> Option<()> {
    let client = online(take)?;
    let far = take.cast.stranger(&mut take.random)?;
    let (from, to) = ((client.address, take.random.port()), (far, 443));
    for flags in [TcpFlags::RST, TcpFlags::SYN | TcpFlags::ACK, TcpFlags::ACK] {
        let sequence = take.random.next() as u32;
        take.say(build::tcp(from, to, flags).sequence(sequence));
        take.wait(3_000);
    }
    take.say(build::icmp_echo(
        Echo::Reply,
        client.address,
        far,
        7,
        7,
        filler(32),
    ));
    take.wait(3_000);
    let never = build::udp((client.address, 1), (far, 9), filler(16)).bytes();
    answer(take, &never, far, IcmpError::HostUnreachable)
}
