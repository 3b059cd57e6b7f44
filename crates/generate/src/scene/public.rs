//! Conversations with the internet by public addresses.

use super::cast::Player;
use super::take::{Distance, Take};
use crate::dialogue::filler;
use std::net::Ipv4Addr;
use vpcsim_network::{Bandwidth, EipId, EipMode, NatGatewayId, NextHop, RuleProtocol, SnatSource};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, TcpFlags, build};

/// Somebody on the internet and the eip of a host: visits, scans, a question to a closed port.
pub(super) fn eip(take: &mut Take<'_, '_>, id: EipId) -> Option<()> {
    let cast = take.cast;
    let inside = cast.inside_of(id)?;
    let far = cast.stranger(&mut take.random)?;
    let player = cast.player_of(id);
    match take.random.below(12) {
        0 => {
            for port in [22, 23, 80, 443, 445, 3306, 3389, 8080] {
                let from = (far, take.random.port());
                take.say(build::tcp(from, (inside, port), TcpFlags::SYN).ttl(51));
                take.wait(1_500);
            }
            Some(())
        }
        1 => {
            let question = build::udp((far, 40_000), (inside, 161), filler(40)).ttl(49);
            let bytes = question.bytes();
            take.bytes(bytes.clone());
            take.wait(300);
            refuse(take, &bytes, inside)
        }
        2 => take.ping(far, inside, Distance::Far, true),
        _ => {
            let port = player.map_or(80, |player| cast.tcp_port(&player, &mut take.random));
            take.tcp(far, (inside, port), Distance::Far)
        }
    }
}

/// "Port unreachable" from whoever got the packet.
fn refuse(take: &mut Take<'_, '_>, bytes: &[u8], from: Ipv4Addr) -> Option<()> {
    let headers = Headers::parse(bytes).ok()?;
    let error = icmp::error(bytes, &headers, from, IcmpError::PortUnreachable)?;
    take.bytes(error);
    Some(())
}

/// Datagrams at once, more than fit into 10 ms of an eip of at most two megabits.
pub(super) fn burst(take: &mut Take<'_, '_>, id: EipId) -> Option<()> {
    let eip = take.cast.network.eip(id);
    let Bandwidth::Mbps(mbps @ ..=2) = eip.bandwidth else {
        return None;
    };
    if eip.mode == EipMode::Direct {
        return None;
    }
    let inside = take.cast.inside_of(id)?;
    let far = take.cast.stranger(&mut take.random)?;
    let port = take.random.port();
    for _ in 0..mbps + 5 {
        take.say(build::udp((inside, port), (far, 4500), filler(1200)));
        take.wait(5);
    }
    Some(())
}

/// From the internet by a dnat rule, as it is seen inside: to the private address and port.
pub(super) fn dnat(take: &mut Take<'_, '_>, id: NatGatewayId, rule: u32) -> Option<()> {
    let rule = take.cast.network.nat_gateway(id).dnat.get(rule as usize)?;
    let far = take.cast.stranger(&mut take.random)?;
    let server = (rule.to, rule.to_port);
    match rule.protocol {
        RuleProtocol::Udp => take.udp(far, server, Distance::Far),
        _ => take.tcp(far, server, Distance::Far),
    }
}

/// From the internet to the gateway's own addresses: pings, and ports that lead nowhere.
pub(super) fn gateway(take: &mut Take<'_, '_>, id: NatGatewayId) -> Option<()> {
    let eips = &take.cast.network.nat_gateway(id).eips;
    let eip = *take.random.pick(eips)?;
    let public = take.cast.network.eip(eip).address;
    let far = take.cast.stranger(&mut take.random)?;
    take.ping(far, public, Distance::Far, false)?;
    for port in [25, 135, 1433] {
        let from = (far, take.random.port());
        take.say(build::tcp(from, (public, port), TcpFlags::SYN).ttl(47));
        take.wait(900);
    }
    Some(())
}

/// More connections than a gateway takes, where that is a handful.
pub(super) fn crowd(take: &mut Take<'_, '_>, id: NatGatewayId) -> Option<()> {
    let cast = take.cast;
    let gateway = cast.network.nat_gateway(id);
    if gateway.max_connections > 32 || !gateway.enabled {
        return None;
    }
    let served = |p: &Player| {
        !gateway.strict_snat
            || gateway.snat.iter().any(|rule| match rule.source {
                SnatSource::Cvm(cvm) => cast.network.nic(p.nic).cvm == cvm,
                SnatSource::Subnet(subnet) => p.subnet == subnet,
            })
    };
    let client = cast.player(&mut take.random, |p| {
        let table = cast.network.route_table(cast.table_of(p));
        let leads = |hop| hop == NextHop::NatGateway(id);
        served(p) && table.routes.iter().any(|r| r.enabled && leads(r.next_hop))
    })?;
    let far = cast.stranger(&mut take.random)?;
    let port = take.random.port();
    for number in 0..gateway.max_connections as u16 + 4 {
        let from = (client.address, port.wrapping_add(number));
        take.say(build::udp(from, (far, 53), filler(30)));
        take.wait(20);
    }
    Some(())
}

/// To an eip that is bound to nothing, from the internet and from inside.
pub(super) fn unbound(take: &mut Take<'_, '_>, id: EipId) -> Option<()> {
    let public = take.cast.network.eip(id).address;
    let far = take.cast.stranger(&mut take.random)?;
    take.unanswered(far, (public, 443))?;
    let cast = take.cast;
    if let Some(client) = cast.player(&mut take.random, |p| cast.is_online(p)) {
        take.unanswered(client.address, (public, 443))?;
    }
    Some(())
}

/// From the internet to private addresses without a public side, and between strangers.
pub(super) fn stray(take: &mut Take<'_, '_>) -> Option<()> {
    let cast = take.cast;
    let far = cast.stranger(&mut take.random)?;
    let other = cast.stranger(&mut take.random)?;
    let public = |address| {
        (0..cast.network.eips.len() as u32).any(|id| cast.inside_of(EipId(id)) == Some(address))
    };
    if let Some(inside) = cast.player(&mut take.random, |p| !public(p.address)) {
        let from = (far, take.random.port());
        take.say(build::tcp(from, (inside.address, 3389), TcpFlags::SYN).ttl(52));
        take.wait(5_000);
    }
    take.say(build::udp((far, 123), (other, 123), filler(48)).ttl(50));
    Some(())
}
