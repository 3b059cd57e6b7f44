//! A new mapping: which public address, which port (§9).

use super::{Found, Sessions, ports};
use crate::Owner;
use crate::hash::{share, spread};
use crate::program::Program;
use crate::state::Flows;
use crate::verdict::{Drop, DropReason, Element, Rule, RuleList, Stage};
use std::net::Ipv4Addr;
use vpcsim_network::{EipId, NatGateway, NatGatewayId, SnatSource};
use vpcsim_packet::FlowKey;

/// A mapping that is free to take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewMapping {
    pub(crate) eip: EipId,
    pub(crate) port: u16,
    /// Where its port was found free.
    pub(crate) destination: Found,
    /// It is what was tried first: the first address, and the flow's own port.
    pub(crate) at_once: bool,
    /// The SNAT rule that chose the pool.
    pub(crate) rule: Option<Rule>,
}

impl NewMapping {
    /// What the flow looks like outside.
    // Made where it stays: what is written field by field is not to be copied a moment later.
    #[inline(always)]
    pub(crate) fn outside(&self, program: &Program, inside: &FlowKey) -> FlowKey {
        outside(program, self.eip, inside, self.port)
    }
}

/// Finds a public address and port for a flow that leaves by a gateway.
///
/// # Errors
/// The drop: no rule under `strict_snat`, or no free port.
pub(crate) fn map_source(
    program: &Program,
    (flows, sessions): (&Flows, &Sessions),
    id: NatGatewayId,
    inside: &FlowKey,
) -> Result<NewMapping, Drop> {
    let gateway = program.network().nat_gateway(id);
    let refused = |reason| Drop::new(reason, Stage::NatGateway, Element::NatGateway(id));
    let rule = snat_rule(program, gateway, inside.source);
    if rule.is_none() && gateway.strict_snat {
        return Err(refused(DropReason::SnatNoRule));
    }
    let pool = pool(gateway, rule);
    let rule = rule.map(|(_, rule)| rule);
    let start = first_of(pool, gateway, inside);
    // With affinity one address is all that an inside host may use towards this destination.
    let tries = if gateway.affinity {
        1.min(pool.len())
    } else {
        pool.len()
    };
    let (before, from) = pool.split_at(start.min(pool.len()));
    for (number, &eip) in from.iter().chain(before).take(tries).enumerate() {
        let destination = sessions.destination(eip, inside);
        if let Some(port) = free_port(program, (flows, sessions), (id, eip, destination), inside) {
            return Ok(NewMapping {
                eip,
                port,
                destination,
                at_once: number == 0 && port == inside.source_port,
                rule,
            });
        }
    }
    let drop = refused(DropReason::NatPortsExhausted);
    Err(rule.map_or(drop, |rule| drop.by_rule(rule)))
}

/// What a flow looks like outside with this address and port.
#[inline(always)]
fn outside(program: &Program, eip: EipId, inside: &FlowKey, port: u16) -> FlowKey {
    FlowKey {
        source: program.network().eip(eip).address,
        source_port: port,
        ..*inside
    }
}

/// The addresses that a rule lets a flow have; all without one.
fn pool(gateway: &NatGateway, rule: Option<(usize, Rule)>) -> &[EipId] {
    match rule {
        Some((index, _)) => &gateway.snat[index].eips,
        None => &gateway.eips,
    }
}

/// Which of them is tried first.
fn first_of(pool: &[EipId], gateway: &NatGateway, inside: &FlowKey) -> usize {
    if gateway.affinity {
        let addresses = [inside.source, inside.destination].map(|end| u64::from(end.to_bits()));
        spread(addresses[0] << 32 | addresses[1], 0, pool.len())
    } else {
        share(inside, pool.len())
    }
}

/// What a new flow will most likely look like outside, with its eip.
pub(crate) fn likely_outside(
    program: &Program,
    id: NatGatewayId,
    inside: &FlowKey,
) -> Option<(EipId, FlowKey)> {
    let gateway = program.network().nat_gateway(id);
    let pool = pool(gateway, snat_rule(program, gateway, inside.source));
    let &eip = pool.get(first_of(pool, gateway, inside))?;
    let outside = outside(program, eip, inside, inside.source_port);
    Some((eip, outside))
}

/// The rule for a source: by cvm first, then by subnet.
fn snat_rule(program: &Program, gateway: &NatGateway, source: Ipv4Addr) -> Option<(usize, Rule)> {
    if gateway.snat.is_empty() {
        return None;
    }
    let network = program.network();
    let cvm = match program.owner(gateway.vpc, source) {
        Some(Owner::Nic(nic)) => Some(network.nic(nic).cvm),
        Some(Owner::Havip(havip)) => network.havip(havip).holder.map(|nic| network.nic(nic).cvm),
        None => None,
    };
    let by_cvm = gateway
        .snat
        .iter()
        .position(|rule| matches!(rule.source, SnatSource::Cvm(id) if Some(id) == cvm));
    let by_subnet = || {
        gateway.snat.iter().position(|rule| match rule.source {
            SnatSource::Subnet(subnet) => network.subnet(subnet).cidr.contains(&source),
            SnatSource::Cvm(_) => false,
        })
    };
    let index = by_cvm.or_else(by_subnet)?;
    let line = gateway.snat[index].mark.line;
    Some((
        index,
        Rule {
            list: RuleList::Snat,
            position: Some(index as u32 + 1),
            line,
        },
    ))
}

/// The original port if it is free towards this destination, else the next free one of its class.
fn free_port(
    program: &Program,
    (flows, sessions): (&Flows, &Sessions),
    (gateway, eip, destination): (NatGatewayId, EipId, Found),
    inside: &FlowKey,
) -> Option<u16> {
    let is_free = |port| {
        // What comes back may be another session's already: of one that came in by a rule or beside a
        // mapping, or that a forwarding host opened with a stranger's address (`nf_nat_used_tuple`).
        let is_held = || {
            let back = outside(program, eip, inside, port).reversed();
            flows.at_gateway(gateway, &back).is_some()
        };
        let is_reserved = program.public().dnat(eip, inside.protocol, port).is_some();
        !is_reserved && !is_held()
    };
    let wanted = inside.source_port;
    if sessions.is_free(destination, wanted) && is_free(wanted) {
        return Some(wanted);
    }
    let mut free = sessions.free_ports(destination, wanted);
    free.find(|&port| is_free(port))
}

/// A flow towards an inside host as that host will see it: as it is, or, where a live session
/// already looks like that inside (two public ports of one client that lead to one private
/// port), with another port of the remote's; its address stays. The kernel does the same when
/// DNAT makes two flows collide (`nf_nat_setup_info`).
pub(crate) fn free_remote_port(
    flows: &Flows,
    gateway: NatGatewayId,
    inside: &FlowKey,
) -> Option<FlowKey> {
    let towards = |port| FlowKey {
        destination_port: port,
        ..*inside
    };
    let wanted = inside.destination_port;
    [wanted]
        .into_iter()
        .chain(ports::of_same_class(wanted))
        .map(towards)
        .find(|key| flows.at_gateway(gateway, key).is_none())
}
