//! Route tables and externals.

use crate::{CVMS, after};

fn routes(routes: &str) -> String {
    after(
        CVMS,
        &format!(
            "\
eips: {{e1: {{address: 203.0.113.1}}, e2: {{address: 203.0.113.2}}, e3: {{address: 203.0.113.3}}}}
nat_gateways:
  gw: {{vpc: shop, eips: [e1]}}
  gw-2: {{vpc: shop, eips: [e2]}}
  foreign: {{vpc: partner, eips: [e3]}}
peerings: {{link: {{vpcs: [shop, partner]}}}}
havips: {{vip: {{subnet: web, address: 10.0.1.100}}, far: {{subnet: api, address: 10.9.1.100}}}}
externals: {{dc: {{kind: direct-connect, vpc: shop}}, office: {{kind: vpn, vpc: partner}}}}
route_tables:
  t:
    vpc: shop
    routes: [{routes}]
"
        ),
    )
}

refused! {
    inside_the_vpc: routes("{to: 10.0.1.0/24, via: nat/gw}") => [("route-inside-vpc", "10.0.1.0/24")];
    the_vpc_itself: routes("{to: 10.0.0.0/16, via: nat/gw}") => [("route-inside-vpc", "10.0.0.0/16")];
    no_kind: routes("{to: 0.0.0.0/0, via: gw}") => [("bad-reference", "gw")];
    an_unknown_kind: routes("{to: 0.0.0.0/0, via: nta/gw}") => [("unknown-value", "nta")];
    an_unknown_gateway: routes("{to: 0.0.0.0/0, via: nat/wg}") => [("unknown-reference", "wg")];
    an_unknown_cvm: routes("{to: 1.0.0.0/8, via: cvm/x}") => [("unknown-reference", "x")];
    an_unknown_nic: routes("{to: 1.0.0.0/8, via: instance/a/eth1}") => [("unknown-reference", "eth1")];
    an_unknown_external: routes("{to: 1.0.0.0/8, via: external/x}") => [("unknown-reference", "x")];
    an_external_of_another_kind: routes("{to: 1.0.0.0/8, via: vpn/dc}") => [("wrong-external-kind", "dc")];
    a_gateway_of_another_vpc: routes("{to: 1.0.0.0/8, via: nat/foreign}") => [("other-vpc", "foreign")];
    a_cvm_of_another_vpc: routes("{to: 1.0.0.0/8, via: instance/p}") => [("other-vpc", "p")];
    a_havip_of_another_vpc: routes("{to: 1.0.0.0/8, via: havip/far}") => [("other-vpc", "far")];
    an_external_of_another_vpc: routes("{to: 1.0.0.0/8, via: vpn/office}") => [("other-vpc", "office")];
    a_peering_of_other_vpcs: after(CVMS, "  z: {subnet: z, address: 10.5.1.9}\n").replace("vpcs:\n", "vpcs:\n  z: {cidr: 10.5.0.0/16, subnets: {z: {cidr: 10.5.1.0/24}}}\n")
        + "peerings: {link: {vpcs: [shop, partner]}}\nroute_tables: {t: {vpc: z, routes: [{to: 10.9.0.0/16, via: peering/link}]}}\n"
        => [("other-vpc", "link")];
    two_peerings_of_one_destination: routes("{to: 1.0.0.0/8, via: peering/link}, {to: 1.0.0.0/8, via: nat/gw}")
        => [("routes-conflict", "{to: 1.0.0.0/8, via: nat/gw}")];
    two_public_gateways: routes("{to: 1.0.0.0/8, via: cvm/a}, {to: 1.0.0.0/8, via: cvm/b}")
        => [("routes-conflict", "{to: 1.0.0.0/8, via: cvm/b}")];
    the_same_route_twice: routes("{to: 1.0.0.0/8, via: nat/gw}, {to: 1.0.0.0/8, via: nat/gw}")
        => [("duplicate-route", "{to: 1.0.0.0/8, via: nat/gw}")];
    eip_twice: routes("{to: 1.0.0.0/8, via: eip}, {to: 1.0.0.0/8, via: eip}")
        => [("duplicate-route", "{to: 1.0.0.0/8, via: eip}")];
    nine_instances: after(CVMS, &nine()) => [("too-many-equal-routes", "{to: 1.0.0.0/8, via: instance/i8}")];
    an_unknown_kind_of_external: after(CVMS, "externals: {x: {kind: dcg, vpc: shop}}\n") => [("unknown-value", "dcg")];
}

fn nine() -> String {
    let mut yaml = String::new();
    for i in 0..9 {
        yaml += &format!("  i{i}: {{subnet: web, address: 10.0.1.{}}}\n", 20 + i);
    }
    let routes: Vec<String> = (0..9)
        .map(|i| format!("{{to: 1.0.0.0/8, via: instance/i{i}}}"))
        .collect();
    yaml + &format!(
        "route_tables: {{t: {{vpc: shop, routes: [{}]}}}}\n",
        routes.join(", ")
    )
}

/// What may stand beside each other does.
#[test]
fn equal_routes_that_are_allowed() {
    for allowed in [
        "{to: 1.0.0.0/8, via: nat/gw}, {to: 1.0.0.0/8, via: nat/gw-2}, {to: 1.0.0.0/8, via: eip}",
        "{to: 1.0.0.0/8, via: instance/a}, {to: 1.0.0.0/8, via: instance/b}, {to: 1.0.0.0/8, via: nat/gw}",
        "{to: 1.0.0.0/8, via: eip}, {to: 1.0.0.0/8, via: peering/link}",
        "{to: 1.0.0.0/8, via: cvm/a}, {to: 1.0.0.0/8, via: cvm/b, enabled: false}",
        "{to: 10.0.0.0/8, via: nat/gw}, {to: 1.0.0.0/8, via: direct-connect/dc}",
    ] {
        let yaml = routes(allowed);
        let network = vpcsim_network::Network::from_yaml("test.yaml", &yaml);
        assert!(network.is_ok(), "{allowed}: {:?}", network.err());
    }
}
