//! Regions, vpcs, subnets, peerings.

use crate::{VPCS, after};

fn vpc(rest: &str) -> String {
    format!("vpcs:\n  shop: {{{rest}}}\n")
}

const REGIONS: &str = "regions: {north: {zones: [n-1, n-2]}, south: {zones: [s-1]}}\n";

const THREE: &str = "\
vpcs:
  hub: {cidr: 10.0.0.0/16}
  one: {cidrs: [10.1.0.0/16, 172.16.0.0/16]}
  two: {cidrs: [10.2.0.0/16, 172.16.0.0/24]}
  far: {cidr: 10.0.128.0/20}
peerings:
";

refused! {
    a_zone_nowhere: vpc("cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24, zone: n-1}}")
        => [("unknown-reference", "n-1")];
    a_zone_of_another_region: after(REGIONS, "vpcs: {shop: {region: north, cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24, zone: s-1}}}}\n")
        => [("other-region", "s-1")];
    which_region: after(REGIONS, "vpcs: {shop: {cidr: 10.0.0.0/16}}\n") => [("missing-key", "shop")];
    an_unknown_region: after(REGIONS, "vpcs: {shop: {region: nroth, cidr: 10.0.0.0/16}}\n")
        => [("unknown-reference", "nroth")];
    a_region_without_zones: "regions: {north: {zones: []}}\nvpcs: {shop: {cidr: 10.0.0.0/16}}\n" => [("no-zones", "north")];
    a_zone_in_two_regions: "regions: {north: {zones: [a]}, south: {zones: [a]}}\nvpcs: {}\n" => [("duplicate-name", "a")];
    no_ranges: vpc("cidrs: []") => [("no-cidr", "cidrs")];
    a_public_range: vpc("cidr: 8.8.0.0/16") => [("vpc-cidr-not-private", "8.8.0.0/16")];
    a_range_too_large: vpc("cidr: 10.0.0.0/8") => [("cidr-size", "10.0.0.0/8")];
    a_range_beyond_its_home: vpc("cidr: 172.0.0.0/8") => [("vpc-cidr-not-private", "172.0.0.0/8")];
    a_range_too_small: vpc("cidr: 10.0.0.0/29") => [("cidr-size", "10.0.0.0/29")];
    a_range_too_large_in_192_168: vpc("cidr: 192.168.0.0/15") => [("cidr-size", "192.168.0.0/15")];
    overlapping_ranges: vpc("cidrs: [10.0.0.0/16, 10.0.8.0/24]") => [("vpc-cidrs-overlap", "10.0.8.0/24")];
    no_prefix: vpc("cidr: 10.0.0.0") => [("bad-cidr", "10.0.0.0")];
    a_subnet_outside: vpc("cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.1.0.0/24}}") => [("subnet-outside-vpc", "10.1.0.0/24")];
    a_subnet_larger_than_its_vpc: vpc("cidr: 10.0.0.0/20, subnets: {web: {cidr: 10.0.0.0/16}}") => [("subnet-outside-vpc", "10.0.0.0/16")];
    a_subnet_too_large: vpc("cidr: 10.0.0.0/12, subnets: {web: {cidr: 10.0.0.0/15}}") => [("cidr-size", "10.0.0.0/15")];
    a_subnet_too_small: vpc("cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.0.0/30}}") => [("cidr-size", "10.0.0.0/30")];
    overlapping_subnets: vpc("cidr: 10.0.0.0/16, subnets: {a: {cidr: 10.0.1.128/25}, b: {cidr: 10.0.1.0/24}, c: {cidr: 10.0.1.0/28}}")
        => [("subnets-overlap", "10.0.1.0/24"), ("subnets-overlap", "10.0.1.0/28")];
    a_subnet_name_twice: "vpcs:\n  a: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}\n  b: {cidr: 10.1.0.0/16, subnets: {web: {cidr: 10.1.1.0/24}}}\n"
        => [("duplicate-name", "web")];
    no_such_table: vpc("cidr: 10.0.0.0/16, route_table: main, subnets: {web: {cidr: 10.0.1.0/24, route_table: wbe, acl: edge}}")
        => [("unknown-reference", "main"), ("unknown-reference", "wbe"), ("unknown-reference", "edge")];
    a_table_of_another_vpc: "vpcs:\n  a: {cidr: 10.0.0.0/16, subnets: {x: {cidr: 10.0.1.0/24, route_table: t}}}\n  b: {cidr: 10.1.0.0/16, route_table: t}\nroute_tables: {t: {vpc: b}}\n"
        => [("other-vpc", "t")];
    a_default_table_of_another_vpc: "vpcs:\n  a: {cidr: 10.0.0.0/16, route_table: t}\n  b: {cidr: 10.1.0.0/16}\nroute_tables: {t: {vpc: b}}\n"
        => [("other-vpc", "t")];
    an_acl_of_another_vpc: "vpcs:\n  a: {cidr: 10.0.0.0/16, subnets: {x: {cidr: 10.0.1.0/24, acl: edge}}}\n  b: {cidr: 10.1.0.0/16}\nacls: {edge: {vpc: b}}\n"
        => [("other-vpc", "edge")];
    which_vpc: after(VPCS, "acls: {edge: {}}\n") => [("missing-key", "edge")];
    peering_with_one_end: after(VPCS, "peerings: {p: {vpcs: [shop]}}\n") => [("peering-ends", "vpcs")];
    peering_with_three_ends: after(VPCS, "peerings: {p: {vpcs: [shop, partner, shop]}}\n") => [("peering-ends", "vpcs")];
    peering_with_itself: after(VPCS, "peerings: {p: {vpcs: [shop, shop]}}\n") => [("peering-with-itself", "shop")];
    peering_with_nobody: after(VPCS, "peerings: {p: {vpcs: [shop, partners]}}\n") => [("unknown-reference", "partners")];
    overlapping_ends: after(THREE, "  p: {vpcs: [one, two]}\n") => [("peers-overlap", "p")];
    overlapping_ends_by_size: after(THREE, "  p: {vpcs: [hub, far]}\n") => [("peers-overlap", "p")];
    two_overlapping_peers: after(THREE, "  p: {vpcs: [hub, one]}\n  q: {vpcs: [two, hub]}\n") => [("two-peers-overlap", "q")];
    a_second_peering: after(THREE, "  p: {vpcs: [hub, one]}\n  q: {vpcs: [one, hub]}\n") => [("duplicate-peering", "q")];
}
