//! Conversations by the routes of tables.

use super::cast::Player;
use super::take::{Distance, Take};
use std::net::Ipv4Addr;
use vpcsim_network::{ExternalId, NextHop, PeeringId, Route, RouteTableId};
use vpcsim_packet::build::{self, Echo};

/// By one route of a table.
pub(super) fn route(take: &mut Take<'_, '_>, table: RouteTableId, index: u32) -> Option<()> {
    let cast = take.cast;
    let route = cast.network.route_table(table).routes.get(index as usize)?;
    let has_eip = |player: &Player| {
        let eips = cast.network.eips.iter().zip(0..);
        eips.map(|(_, id)| vpcsim_network::EipId(id))
            .any(|id| cast.inside_of(id) == Some(player.address))
    };
    let client = cast.player(&mut take.random, |p| {
        cast.table_of(p) == table && (route.next_hop != NextHop::Eip || has_eip(p))
    })?;
    match route.next_hop {
        NextHop::Peering(peering) => across_peering(take, client, peering, route),
        NextHop::NatGateway(_) | NextHop::Eip => outbound(take, client, route),
        NextHop::External(_) => {
            let far = cast.beyond(client.vpc, route.destination, &mut take.random)?;
            take.tcp(client.address, (far, 443), Distance::Far)
        }
        NextHop::Cvm(nic) | NextHop::Instance(nic) => {
            let host = cast.network.nic(nic).cvm;
            let from_itself = cast.network.nic(client.nic).cvm == host;
            if from_itself {
                return None;
            }
            by_host(take, client, route)
        }
        NextHop::Havip(_) => by_host(take, client, route),
    }
}

/// To the internet: web mostly, names, pings.
fn outbound(take: &mut Take<'_, '_>, client: Player, route: &Route) -> Option<()> {
    let far = take
        .cast
        .beyond(client.vpc, route.destination, &mut take.random)?;
    match take.random.below(10) {
        0 => take.ping(client.address, far, Distance::Far, true),
        1..4 => take.udp(client.address, (far, 53), Distance::Far),
        4 => take.tcp(client.address, (far, 80), Distance::Far),
        _ => take.tcp(client.address, (far, 443), Distance::Far),
    }
}

/// To somebody in the peer vpc; and, where the route says more than the peer has, past it.
fn across_peering(
    take: &mut Take<'_, '_>,
    client: Player,
    id: PeeringId,
    route: &Route,
) -> Option<()> {
    let cast = take.cast;
    let peer = cast.network.peering(id).other(client.vpc)?;
    let server = cast.player(&mut take.random, |p| {
        p.vpc == peer && route.destination.contains(&p.address)
    });
    if let Some(server) = server {
        let port = cast.tcp_port(&server, &mut take.random);
        take.tcp(client.address, (server.address, port), Distance::Near)?;
    }
    let peer = cast.network.vpc(peer);
    let inside = |net: &ipnet::Ipv4Net| net.contains(&route.destination);
    if server.is_none() || !peer.cidrs.iter().any(inside) {
        let past = (0..32).find_map(|_| {
            cast.beyond(client.vpc, route.destination, &mut take.random)
                .filter(|&address| !peer.contains(address))
        });
        let past = past.or_else(|| cast.beyond(client.vpc, route.destination, &mut take.random))?;
        take.unanswered(client.address, (past, 443))?;
    }
    Some(())
}

/// By a host that may or may not forward; and a ping whose time to live ends there.
fn by_host(take: &mut Take<'_, '_>, client: Player, route: &Route) -> Option<()> {
    let far = take
        .cast
        .beyond(client.vpc, route.destination, &mut take.random)?;
    take.unanswered(client.address, (far, 443))?;
    let identifier = take.random.port();
    for (sequence, ttl) in [(1, 1), (2, 2)] {
        let echo = build::icmp_echo(
            Echo::Request,
            client.address,
            far,
            identifier,
            sequence,
            &[],
        );
        take.say(echo.ttl(ttl));
        take.wait(2_000);
    }
    Some(())
}

/// To the internet by a table that has no default route.
pub(super) fn nowhere(take: &mut Take<'_, '_>, table: RouteTableId) -> Option<()> {
    let cast = take.cast;
    let routes = &cast.network.route_table(table).routes;
    if routes
        .iter()
        .any(|r| r.enabled && r.destination.prefix_len() == 0)
    {
        return None;
    }
    let client = cast.player(&mut take.random, |p| cast.table_of(p) == table)?;
    let far = cast.stranger(&mut take.random)?;
    take.unanswered(client.address, (far, 443))
}

/// From behind a gateway of another kind to somebody in its vpc.
pub(super) fn external(take: &mut Take<'_, '_>, id: ExternalId) -> Option<()> {
    let cast = take.cast;
    let external = cast.network.external(id);
    let pool = crate::address::Pool::new(&external.networks);
    let client: Ipv4Addr = pool.any(&mut take.random)?;
    let server = cast.player(&mut take.random, |p| p.vpc == external.vpc)?;
    let port = cast.tcp_port(&server, &mut take.random);
    take.tcp(client, (server.address, port), Distance::Far)
}
