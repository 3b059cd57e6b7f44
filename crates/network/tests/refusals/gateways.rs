//! Eips and nat gateways.

use crate::{CVMS, after};

fn eip(eip: &str) -> String {
    after(
        CVMS,
        &format!("havips: {{v: {{subnet: web, address: 10.0.1.100}}}}\neips:\n  e: {eip}\n"),
    )
}

fn bind(bind: &str) -> String {
    eip(&format!("{{address: 203.0.113.1, bind: {bind}}}"))
}

/// A gateway of shop with e1 and e2; e3 is free, e4 bound to a cvm.
fn gateway(gateway: &str) -> String {
    after(
        CVMS,
        &format!(
            "\
eips: {{e1: {{address: 203.0.113.1}}, e2: {{address: 203.0.113.2}}, e3: {{address: 203.0.113.3}}, e4: {{address: 203.0.113.4, bind: a}}, e5: {{address: 203.0.113.5, mode: direct}}}}
nat_gateways:
  gw: {{vpc: shop, {gateway}}}
"
        ),
    )
}

fn dnat(rule: &str) -> String {
    gateway(&format!("eips: [e1], dnat: [{{{rule}}}]"))
}

refused! {
    a_private_eip: eip("{address: 192.168.1.1}") => [("not-public", "192.168.1.1")];
    a_multicast_eip: eip("{address: 224.1.1.1}") => [("not-public", "224.1.1.1")];
    an_eip_inside_a_vpc: eip("{address: 10.9.1.1}") => [("eip-inside-vpc", "10.9.1.1")];
    an_eip_address_twice: eip("{address: 203.0.113.1}\n  f: {address: 203.0.113.1}") => [("address-taken", "203.0.113.1")];
    too_fast: eip("{address: 203.0.113.1, bandwidth: 5001}") => [("out-of-range", "5001")];
    a_rate_with_a_unit: eip("{address: 203.0.113.1, bandwidth: 5Mbps}") => [("wrong-type", "5Mbps")];
    bound_to_nobody: bind("c") => [("unknown-reference", "c")];
    bound_to_no_nic: bind("a/eth1") => [("unknown-reference", "eth1")];
    bound_to_nobodys_address: bind("10.0.1.99") => [("nobodys-bind-address", "10.0.1.99")];
    bound_to_anothers_address: bind("a/10.0.2.10") => [("nobodys-bind-address", "10.0.2.10")];
    bound_to_no_havip: bind("havip/w") => [("unknown-reference", "w")];
    bound_to_a_gateway: bind("nat/gw") => [("bad-reference", "nat/gw")];
    an_address_with_two_eips: bind("a}\n  f: {address: 203.0.113.2, bind: 10.0.1.10") => [("target-bound-twice", "10.0.1.10")];
    direct_on_a_havip: eip("{address: 203.0.113.1, bind: havip/v, mode: direct}") => [("direct-mode-target", "havip/v")];
    an_unknown_mode: eip("{address: 203.0.113.1, mode: transparent}") => [("unknown-value", "transparent")];
    an_ambiguous_address: "\
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {x: {cidr: 10.0.1.0/24}}}
  b: {cidr: 10.0.0.0/16, subnets: {y: {cidr: 10.0.1.0/24}}}
cvms: {x: {subnet: x, address: 10.0.1.9}, y: {subnet: y, address: 10.0.1.9}}
eips: {e: {address: 203.0.113.1, bind: 10.0.1.9}}
" => [("ambiguous-reference", "10.0.1.9")];

    no_eips: gateway("eips: []") => [("no-eips", "eips")];
    no_eips_key: gateway("spec: small") => [("missing-key", "gw")];
    an_unknown_eip: gateway("eips: [e9]") => [("unknown-reference", "e9")];
    an_eip_twice: gateway("eips: [e1, e1]") => [("listed-twice", "e1")];
    an_eip_bound_elsewhere: gateway("eips: [e1, e4]") => [("eip-bound-twice", "e4")];
    an_eip_of_two_gateways: gateway("eips: [e1]}\n  gw-2: {vpc: partner, eips: [e1]") => [("eip-bound-twice", "e1")];
    a_direct_eip: gateway("eips: [e5]") => [("direct-mode-target", "e5")];
    more_than_the_spec: gateway("eips: [e1], max_connections: 1000001") => [("above-spec", "1000001")];
    more_than_any_spec: gateway("eips: [e1], spec: large, max_connections: 10000001") => [("out-of-range", "10000001")];
    an_unknown_spec: gateway("eips: [e1], spec: tiny, max_connections: 2000000") => [("unknown-value", "tiny")];
    an_unknown_timeout: gateway("eips: [e1], timeouts: {tcp: 10}") => [("unknown-key", "tcp")];

    snat_of_nothing: gateway("eips: [e1], snat: [{from: app, eips: [e1]}]") => [("bad-reference", "app")];
    snat_of_nobody: gateway("eips: [e1], snat: [{from: subnet/apps, eips: [e1]}]") => [("unknown-reference", "apps")];
    snat_of_another_vpc: gateway("eips: [e1], snat: [{from: cvm/p, eips: [e1]}]") => [("other-vpc", "p")];
    snat_by_another_eip: gateway("eips: [e1], snat: [{from: cvm/a, eips: [e3]}]") => [("not-the-gateways-eip", "e3")];
    snat_by_none: gateway("eips: [e1], snat: [{from: cvm/a, eips: []}]") => [("no-rule-eips", "eips")];
    snat_twice: gateway("eips: [e1, e2], snat: [{from: cvm/a, eips: [e1]}, {from: cvm/a, eips: [e2]}]") => [("duplicate-snat", "cvm/a")];
    a_broken_eip_list_is_not_blamed_on_rules: gateway("eips: [e9], snat: [{from: cvm/a, eips: [e1]}]") => [("unknown-reference", "e9")];

    dnat_by_another_eip: dnat("eip: e3, protocol: tcp, port: 80, to: a") => [("not-the-gateways-eip", "e3")];
    dnat_of_icmp: dnat("eip: e1, protocol: icmp, port: 80, to: a") => [("unknown-value", "icmp")];
    dnat_of_port_zero: dnat("eip: e1, protocol: tcp, port: 0, to: a") => [("out-of-range", "0")];
    dnat_outside: dnat("eip: e1, protocol: tcp, port: 80, to: 10.9.1.10") => [("dnat-outside-vpc", "10.9.1.10")];
    dnat_to_another_vpc: dnat("eip: e1, protocol: tcp, port: 80, to: p") => [("other-vpc", "p")];
    dnat_to_nobody: dnat("eip: e1, protocol: tcp, port: 80, to: 10.0.1.99") => [("nobodys-address", "10.0.1.99")];
    dnat_to_no_cvm: dnat("eip: e1, protocol: tcp, port: 80, to: c") => [("unknown-reference", "c")];
    dnat_twice: gateway("eips: [e1], dnat: [{eip: e1, protocol: tcp, port: 80, to: a}, {eip: e1, protocol: tcp, port: 80, to: b}, {eip: e1, protocol: udp, port: 80, to: b}]")
        => [("duplicate-dnat", "80")];
}
