//! Which routes of one destination may stand beside each other.
//!
//! Equal-cost next hops of one kind: nat gateways, instances, havips and vpn
//! gateways, at most eight; nat gateways and instances also together. An `eip`
//! route may stand beside any other: it serves the cvms that have one.

use super::Lowering;
use crate::error::Kind;
use crate::{ExternalKind, Network, NextHop, Route};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// Most next hops of one kind for one destination.
const MOST: usize = 8;

impl Lowering<'_> {
    /// Reports the routes of a table that contradict each other.
    pub(super) fn equal_routes(&mut self, routes: &[Route]) {
        let mut by_destination: BTreeMap<Ipv4Net, Vec<&Route>> = BTreeMap::new();
        for route in routes.iter().filter(|route| route.enabled) {
            let beside = by_destination.entry(route.destination).or_default();
            let verdict = conflict(beside, route, &self.network);
            if let Some((kind, first)) = verdict {
                let error = self.errors.push(kind, route.mark, "the same destination");
                error.also(first.mark, "as here");
                continue;
            }
            beside.push(route);
        }
    }
}

/// Why `route` cannot stand beside earlier routes of its destination.
fn conflict<'r>(
    beside: &[&'r Route],
    route: &'r Route,
    network: &Network,
) -> Option<(Kind, &'r Route)> {
    let destination = route.destination;
    let by = by(route, network);
    if let Some(same) = beside.iter().find(|r| r.next_hop == route.next_hop) {
        return Some((Kind::DuplicateRoute { destination }, same));
    }
    if route.next_hop == NextHop::Eip {
        return None;
    }
    let others: Vec<&Route> = beside
        .iter()
        .copied()
        .filter(|r| r.next_hop != NextHop::Eip)
        .collect();
    for first in others.iter().copied() {
        let one = self::by(first, network);
        let mixed = matches!((one, by), ("nat", "instance") | ("instance", "nat"));
        let shared = matches!(by, "nat" | "instance" | "havip" | "vpn");
        let hint = match (one == by, shared) {
            (true, true) => continue,
            _ if mixed => continue,
            (true, false) => {
                "next hops of this kind do not share a destination: remove or disable one of the two"
            }
            (false, _) => {
                "only nat gateways and instances share a destination across kinds: remove or disable one of the two"
            }
        };
        let kind = Kind::RoutesConflict {
            destination,
            one,
            other: by,
            hint,
        };
        return Some((kind, first));
    }
    let same_kind = others.iter().filter(|r| self::by(r, network) == by);
    if same_kind.count() >= MOST {
        let kind = Kind::TooManyEqualRoutes {
            destination,
            by,
            most: MOST,
        };
        return others.first().map(|first| (kind, *first));
    }
    None
}

/// The word for a route's kind of next hop.
fn by(route: &Route, network: &Network) -> &'static str {
    match route.next_hop {
        NextHop::Peering(_) => "peering",
        NextHop::NatGateway(_) => "nat",
        NextHop::Eip => "eip",
        NextHop::Cvm(_) => "cvm",
        NextHop::Instance(_) => "instance",
        NextHop::Havip(_) => "havip",
        NextHop::External(id) => network
            .externals
            .get(id.index())
            .map_or("external", |e| e.kind.word()),
    }
}

impl ExternalKind {
    /// The word for it, as the network file writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vpn => "vpn",
            Self::SslVpn => "sslvpn",
            Self::DirectConnect => "direct-connect",
            Self::Ccn => "ccn",
            Self::Intranat => "intranat",
            Self::LocalGateway => "local-gateway",
            Self::GwlbEndpoint => "gwlb-endpoint",
        }
    }
}
