//! Networks, valid by construction.

use super::render;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A network file that is valid: one to five vpcs with subnets, hosts (some with two nics, some
/// forwarding, some stopped), groups, acls, route tables, peerings, eips, NAT gateways, virtual
/// addresses and policies.
pub fn networks() -> impl Strategy<Value = String> {
    sketch().prop_map(|sketch| render::yaml(&sketch))
}

/// What a network file is made from. Numbers stand for one of what there is, modulo how many
/// there are, so that every sketch makes a valid file.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) groups: Vec<Group>,
    /// By pair of vpcs in order: whether they peer, and whether the other side accepted.
    pub(super) peerings: Vec<(bool, bool)>,
    pub(super) policies: [u8; 9],
}

#[derive(Debug, Clone)]
pub(super) struct Vpc {
    pub(super) own_account: bool,
    pub(super) second_cidr: bool,
    pub(super) subnets: Vec<Subnet>,
    pub(super) acls: Vec<Group>,
    pub(super) gateway: Option<Gateway>,
    /// Whether its table has a route to each peer.
    pub(super) peer_routes: [bool; 5],
    pub(super) eip_route: bool,
    pub(super) external: bool,
    pub(super) havip: Option<Option<u8>>,
}

/// Rules by number, in and out.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) ingress: Vec<u8>,
    pub(super) egress: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(super) struct Subnet {
    pub(super) acl: Option<u8>,
    pub(super) empty_table: bool,
    pub(super) hosts: Vec<Host>,
}

#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) running: bool,
    pub(super) forwards: bool,
    pub(super) groups: Vec<u8>,
    pub(super) second_nic: bool,
    pub(super) second_address: Option<bool>,
    pub(super) lo: bool,
    pub(super) rp_filter: Option<(u8, u8)>,
    pub(super) rules: bool,
    /// Whether it has an eip, and whether that is in direct mode.
    pub(super) eip: Option<bool>,
}

#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub(super) two_eips: bool,
    pub(super) strict: bool,
    pub(super) enabled: bool,
    pub(super) subnet_rule: bool,
    pub(super) few_connections: bool,
    /// Whether ports 8443 and 5353 lead to the first host.
    pub(super) dnat: bool,
}

fn often() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.85)
}

fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

fn sketch() -> impl Strategy<Value = Sketch> {
    (
        vec(vpc(), 1..=5),
        vec(group(), 1..=4),
        vec((often(), often()), 10),
        any::<[u8; 9]>(),
    )
        .prop_map(|(vpcs, groups, peerings, policies)| Sketch {
            vpcs,
            groups,
            peerings,
            policies,
        })
}

fn group() -> impl Strategy<Value = Group> {
    (vec(any::<u8>(), 0..5), vec(any::<u8>(), 0..5))
        .prop_map(|(ingress, egress)| Group { ingress, egress })
}

fn vpc() -> impl Strategy<Value = Vpc> {
    (
        seldom(),
        seldom(),
        vec(subnet(), 1..=3),
        vec(group(), 0..=2),
        option::weighted(0.7, gateway()),
        prop::array::uniform5(often()),
        any::<bool>(),
        seldom(),
        option::weighted(0.3, option::weighted(0.8, any::<u8>())),
    )
        .prop_map(
            |(
                own_account,
                second_cidr,
                subnets,
                acls,
                gateway,
                peer_routes,
                eip_route,
                external,
                havip,
            )| Vpc {
                own_account,
                second_cidr,
                subnets,
                acls,
                gateway,
                peer_routes,
                eip_route,
                external,
                havip,
            },
        )
}

fn gateway() -> impl Strategy<Value = Gateway> {
    (often(), seldom(), often(), any::<bool>(), seldom(), often()).prop_map(
        |(two_eips, strict, enabled, subnet_rule, few_connections, dnat)| Gateway {
            two_eips,
            strict,
            enabled,
            subnet_rule,
            few_connections,
            dnat,
        },
    )
}

fn subnet() -> impl Strategy<Value = Subnet> {
    (
        option::weighted(0.4, any::<u8>()),
        seldom(),
        vec(host(), 1..=3),
    )
        .prop_map(|(acl, empty_table, hosts)| Subnet {
            acl,
            empty_table,
            hosts,
        })
}

fn host() -> impl Strategy<Value = Host> {
    (
        prop::bool::weighted(0.95),
        seldom(),
        vec(any::<u8>(), 0..=2),
        prop::bool::weighted(0.3),
        option::weighted(0.2, any::<bool>()),
        seldom(),
        option::weighted(0.5, (0_u8..=2, 0_u8..=2)),
        any::<bool>(),
        option::weighted(0.3, seldom()),
    )
        .prop_map(
            |(running, forwards, groups, second_nic, second_address, lo, rp_filter, rules, eip)| {
                Host {
                    running,
                    forwards,
                    groups,
                    second_nic,
                    second_address,
                    lo,
                    rp_filter,
                    rules,
                    eip,
                }
            },
        )
}
