//! Conversations within vpcs.

use super::take::{Distance, Take};
use std::net::Ipv4Addr;
use vpcsim_network::{CvmId, HavipId, NicId, SubnetId, VpcId};

/// Two hosts of one subnet.
pub(super) fn neighbours(take: &mut Take<'_, '_>, subnet: SubnetId) -> Option<()> {
    let cast = take.cast;
    let client = cast.player(&mut take.random, |p| p.subnet == subnet)?;
    let host = |nic| cast.network.nic(nic).cvm;
    let server = cast.player(&mut take.random, |p| {
        p.subnet == subnet && host(p.nic) != host(client.nic)
    })?;
    talk(take, client.address, server.address, Some(server.nic))
}

/// To another subnet of the vpc.
pub(super) fn across(take: &mut Take<'_, '_>, subnet: SubnetId) -> Option<()> {
    let cast = take.cast;
    let client = cast.player(&mut take.random, |p| p.subnet == subnet)?;
    let host = |nic| cast.network.nic(nic).cvm;
    let server = cast.player(&mut take.random, |p| {
        p.vpc == client.vpc && p.subnet != subnet && host(p.nic) != host(client.nic)
    })?;
    talk(take, client.address, server.address, Some(server.nic))
}

/// Mostly TCP to where the server listens, sometimes a ping or a name lookup.
fn talk(
    take: &mut Take<'_, '_>,
    client: Ipv4Addr,
    server: Ipv4Addr,
    nic: Option<NicId>,
) -> Option<()> {
    match take.random.below(10) {
        0 => take.ping(client, server, Distance::Near, true),
        1 => take.udp(client, (server, 53), Distance::Near),
        _ => {
            let cast = take.cast;
            let player = cast.players.iter().find(|player| Some(player.nic) == nic);
            let port = player.map_or(80, |player| cast.tcp_port(player, &mut take.random));
            take.tcp(client, (server, port), Distance::Near)
        }
    }
}

/// Somebody of a vpc who does not live in `subnet`, or, failing that, anybody of the vpc but
/// `not`.
fn caller(take: &mut Take<'_, '_>, vpc: VpcId, subnet: SubnetId, not: CvmId) -> Option<Ipv4Addr> {
    let cast = take.cast;
    let other = |nic| cast.network.nic(nic).cvm != not;
    let caller = cast
        .player(&mut take.random, |p| {
            p.vpc == vpc && p.subnet != subnet && other(p.nic)
        })
        .or_else(|| cast.player(&mut take.random, |p| p.vpc == vpc && other(p.nic)))?;
    Some(caller.address)
}

/// From another subnet to a nic that is not its host's first: what rp_filter judges.
pub(super) fn second_nic(take: &mut Take<'_, '_>, id: NicId) -> Option<()> {
    let cast = take.cast;
    let nic = cast.network.nic(id);
    let player = *cast.players.iter().find(|player| player.nic == id)?;
    if nic.primary || !player.running {
        return None;
    }
    let client = caller(take, player.vpc, player.subnet, nic.cvm)?;
    talk(take, client, player.address, Some(id))
}

/// One host of every subnet of the vpc tries to reach an address and hears nothing.
fn everybody(
    take: &mut Take<'_, '_>,
    vpc: VpcId,
    server: (Ipv4Addr, u16),
    not: CvmId,
) -> Option<()> {
    let cast = take.cast;
    let subnets = (0..cast.network.subnets.len() as u32).map(SubnetId);
    let mut anybody = None;
    for subnet in subnets.filter(|&subnet| cast.network.subnet(subnet).vpc == vpc) {
        let client = cast.player(&mut take.random, |p| {
            p.subnet == subnet && cast.network.nic(p.nic).cvm != not
        });
        if let Some(client) = client {
            anybody = take.unanswered(client.address, server);
        }
    }
    anybody
}

/// To an address that belongs to a nic but that its guest has not configured.
pub(super) fn unconfigured(take: &mut Take<'_, '_>, id: NicId) -> Option<()> {
    let network = take.cast.network;
    let nic = network.nic(id);
    let address = nic.addresses.iter().find(|address| !address.configured)?;
    let vpc = network.subnet(nic.subnet).vpc;
    everybody(take, vpc, (address.address, 80), nic.cvm)
}

/// To a host that is stopped.
pub(super) fn stopped(take: &mut Take<'_, '_>, id: CvmId) -> Option<()> {
    let cast = take.cast;
    let host = cast.network.cvm(id);
    if host.running {
        return None;
    }
    let player = *cast.players.iter().find(|p| host.nics.contains(&p.nic))?;
    let port = cast.tcp_port(&player, &mut take.random);
    everybody(take, player.vpc, (player.address, port), id)
}

/// To a virtual address, whoever holds it.
pub(super) fn havip(take: &mut Take<'_, '_>, id: HavipId) -> Option<()> {
    let cast = take.cast;
    let havip = cast.network.havip(id);
    let vpc = cast.network.subnet(havip.subnet).vpc;
    let Some(holder) = havip.holder else {
        let client = cast.player(&mut take.random, |p| p.vpc == vpc)?;
        return take.unanswered(client.address, (havip.address, 80));
    };
    let client = caller(take, vpc, havip.subnet, cast.network.nic(holder).cvm)?;
    talk(take, client, havip.address, Some(holder))
}
