//! `one-way-peering`, `route-outside-peer`.

/// Two peers, `shop` and `office`, with a table each.
fn peers(shop: &str, office: &str, rest: &str) -> String {
    format!(
        "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: shop
    subnets: {{web: {{cidr: 10.0.1.0/24}}, app: {{cidr: 10.0.2.0/24, route_table: app}}}}
  office:
    cidrs: [172.16.0.0/17, 172.16.128.0/17]
    route_table: office
    subnets: {{desks: {{cidr: 172.16.1.0/24}}}}
peerings: {{link: {{vpcs: [shop, office]}}}}
route_tables:
  shop: {{vpc: shop, routes: [{shop}]}}
  app: {{vpc: shop, routes: [{{to: 172.16.1.0/24, via: peering/link}}]}}
  office: {{vpc: office, routes: [{office}]}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10}}
  app-1: {{subnet: app, address: 10.0.2.10}}
  desk-1: {{subnet: desks, address: 172.16.1.10}}
{rest}"
    )
}

const THERE: &str = "{to: 172.16.0.0/16, via: peering/link}";
const BACK: &str = "{to: 10.0.0.0/16, via: peering/link}";

fn hop(to: &str, via: &str) -> String {
    format!("{{to: {to}, via: {via}}}")
}

finds! {
    both_ways: peers(THERE, BACK, "") => [];
    // Once for the whole side, whichever of its tables lead there.
    no_way_back: peers(THERE, "", "") => [("one-way-peering", "172.16.0.0/16")];
    a_disabled_way_back: peers(THERE, "{to: 10.0.0.0/16, via: peering/link, enabled: false}", "")
        => [("one-way-peering", "172.16.0.0/16")];
    a_way_back_to_one_subnet_of_two: peers(THERE, "{to: 10.0.2.0/24, via: peering/link}", "")
        => [("one-way-peering", "172.16.0.0/16")];
    a_way_back_by_pieces: peers(
        THERE,
        "{to: 10.0.1.0/24, via: peering/link}, {to: 10.0.2.0/24, via: peering/link}",
        "",
    ) => [];
    // The default route takes the answers to the internet.
    a_way_back_that_a_narrower_route_takes: peers(THERE, &format!("{BACK}, {}", hop("10.0.1.0/24", "nat/gw")), "\
eips: {e: {address: 203.0.113.1}}
nat_gateways: {gw: {vpc: office, eips: [e]}}
") => [("one-way-peering", "172.16.0.0/16")];
    // What becomes of the answers beyond a gateway at the edge is not known.
    a_way_back_by_an_external: peers(THERE, &format!("{BACK}, {}", hop("10.0.1.0/24", "vpn/v")),
        "externals: {v: {kind: vpn, vpc: office}}\n") => [];
    nobody_in_the_subnet_without_a_way_back: peers(THERE, "{to: 10.0.2.0/24, via: peering/link}", "")
        .replace("  web-1: {subnet: web, address: 10.0.1.10}\n", "") => [];
    // The host is asked at its second nic, and answers by its first.
    an_answer_by_another_table: peers(THERE, BACK, "  two: {nics: {eth0: {subnet: desks, address: 172.16.1.20}, eth1: {subnet: racks, address: 172.16.2.20, security_groups: [any-one]}}, sysctl: {net.ipv4.conf.all.rp_filter: 0}}
").replace("cvms:", "security_groups: {any-one: {ingress: [accept all from any]}}\ncvms:").replace("desks: {cidr: 172.16.1.0/24}", "desks: {cidr: 172.16.1.0/24}, racks: {cidr: 172.16.2.0/24, route_table: none}")
        .replace("  office: {vpc: office, r", "  none: {vpc: office}\n  office: {vpc: office, r") => [];
    a_host_in_a_subnet_without_a_way_back: peers(THERE, BACK, "  rack-1: {subnet: racks, address: 172.16.2.20}\n")
        .replace("desks: {cidr: 172.16.1.0/24}", "desks: {cidr: 172.16.1.0/24}, racks: {cidr: 172.16.2.0/24, route_table: none}")
        .replace("  office: {vpc: office, r", "  none: {vpc: office}\n  office: {vpc: office, r") => [("one-way-peering", "172.16.0.0/16")];
    not_accepted_yet: peers(THERE, "", "")
        .replace("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    account: other") => [];
    // Both ranges of the peer together are what the route says.
    the_peers_ranges_together: peers(THERE, BACK, "") => [];
    a_part_of_the_peer: peers(&hop("172.16.1.0/24", "peering/link"), BACK, "") => [];
    nothing_of_the_peer: peers(&hop("172.17.0.0/16", "peering/link"), BACK, "")
        => [("route-outside-peer", "172.17.0.0/16"), ("one-way-peering", "10.0.0.0/16")];
    more_than_the_peer: peers(&hop("172.16.0.0/15", "peering/link"), BACK, "")
        => [("route-outside-peer", "172.16.0.0/15")];
    disabled: peers(&format!("{THERE}, {{to: 172.17.0.0/16, via: peering/link, enabled: false}}"), BACK, "") => [];
    // The rest is the sender's own, or a narrower route's.
    more_but_taken: peers(
        &format!("{}, {}", hop("172.16.0.0/15", "peering/link"), hop("172.17.0.0/16", "vpn/v")),
        &format!("{BACK}, {}", hop("10.0.0.0/15", "peering/link")),
        "externals: {v: {kind: vpn, vpc: shop}}\n",
    ) => [("route-outside-peer", "10.0.0.0/15")];
}
