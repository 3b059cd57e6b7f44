//! Cvms, nics, addresses, hosts, havips.

use crate::{CVMS, VPCS, after};

fn cvm(cvm: &str) -> String {
    after(CVMS, &format!("  x: {cvm}\n"))
}

/// A cvm with eth0 in web and eth1 in app, and something more.
fn dual(more: &str) -> String {
    cvm(&format!(
        "{{nics: {{eth0: {{subnet: web, address: 10.0.1.20}}, eth1: {{subnet: app, address: 10.0.2.20}}}}, {more}}}"
    ))
}

refused! {
    outside_its_subnet: cvm("{subnet: web, address: 10.0.2.11}") => [("address-outside-subnet", "10.0.2.11")];
    the_gateway: cvm("{subnet: web, address: 10.0.1.1}") => [("reserved-address", "10.0.1.1")];
    the_network: cvm("{subnet: web, address: 10.0.1.0}") => [("reserved-address", "10.0.1.0")];
    the_broadcast: cvm("{subnet: web, address: 10.0.1.255}") => [("reserved-address", "10.0.1.255")];
    taken: cvm("{subnet: web, address: 10.0.1.10}") => [("address-taken", "10.0.1.10")];
    taken_by_itself: cvm("{subnet: web, addresses: [10.0.1.11, {address: 10.0.1.11}]}") => [("address-taken", "10.0.1.11")];
    captured_as_twice: after(CVMS, "  x: {subnet: web, address: 10.0.1.11, captured_as: [10.7.0.1]}\n  y: {subnet: web, address: 10.0.1.12, captured_as: [10.7.0.1]}\n")
        => [("address-taken", "10.7.0.1")];
    not_an_address: cvm("{subnet: web, address: 10.0.1.300}") => [("bad-address", "10.0.1.300")];
    an_address_with_a_prefix: cvm("{subnet: web, address: 10.0.1.11/24}") => [("bad-address", "10.0.1.11/24")];
    no_address: cvm("{subnet: web}") => [("missing-key", "x")];
    no_addresses: cvm("{subnet: web, addresses: []}") => [("no-address", "addresses")];
    no_subnet: cvm("{address: 10.0.1.11}") => [("missing-key", "x")];
    no_nic: cvm("{running: true}") => [("no-nic", "x")];
    empty_nics: cvm("{nics: {}}") => [("no-nic", "x")];
    address_and_addresses: cvm("{subnet: web, address: 10.0.1.11, addresses: [10.0.1.12]}") => [("conflicting-keys", "10.0.1.11")];
    both_forms: cvm("{subnet: web, nics: {eth0: {subnet: web, address: 10.0.1.11}}}") => [("conflicting-keys", "x")];
    an_unknown_subnet: cvm("{subnet: wep, address: 10.0.1.11}") => [("unknown-reference", "wep")];
    an_unknown_group: cvm("{subnet: web, address: 10.0.1.11, security_groups: [wep]}") => [("unknown-reference", "wep")];
    a_group_twice: after(CVMS, "  x: {subnet: web, address: 10.0.1.11, security_groups: [g, g]}\nsecurity_groups: {g: {}}\n") => [("listed-twice", "g")];
    nics_in_two_vpcs: cvm("{nics: {eth0: {subnet: web, address: 10.0.1.11}, eth1: {subnet: api, address: 10.9.1.11}}}")
        => [("nic-in-other-vpc", "eth1")];
    nics_in_two_zones: "\
regions: {r: {zones: [z-1, z-2]}}
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {a: {cidr: 10.0.1.0/24}, b: {cidr: 10.0.2.0/24, zone: z-2}}}}
cvms: {x: {nics: {eth0: {subnet: a, address: 10.0.1.11}, eth1: {subnet: b, address: 10.0.2.11}}}}
" => [("nic-in-other-zone", "eth1")];
    a_nic_called_all: cvm("{nics: {all: {subnet: web, address: 10.0.1.11}}}") => [("bad-name", "all")];
    a_switch_that_is_none: cvm("{subnet: web, address: 10.0.1.11, ip_forward: 1}") => [("unknown-value", "1")];
    an_unknown_sysctl: dual("sysctl: {net.ipv4.conf.all.rp_filtre: 1}") => [("unknown-sysctl", "net.ipv4.conf.all.rp_filtre")];
    a_sysctl_of_no_nic: dual("sysctl: {net.ipv4.conf.eth2.rp_filter: 1}") => [("unknown-sysctl", "net.ipv4.conf.eth2.rp_filter")];
    an_rp_filter_of_three: dual("sysctl: {net.ipv4.conf.all.rp_filter: 3}") => [("out-of-range", "3")];
    an_accept_local_of_two: dual("sysctl: {net.ipv4.conf.eth1.accept_local: 2}") => [("out-of-range", "2")];
    ip_forward_both_ways: dual("ip_forward: true, sysctl: {net.ipv4.ip_forward: 0}") => [("conflicting-keys", "net.ipv4.ip_forward")];
    lo_of_another: cvm("{subnet: web, address: 10.0.1.11, lo: [10.0.1.10]}") => [("address-taken", "10.0.1.10")];
    lo_twice: cvm("{subnet: web, address: 10.0.1.11, lo: [10.0.1.50, 10.0.1.50]}") => [("listed-twice", "10.0.1.50")];
    lo_multicast: cvm("{subnet: web, address: 10.0.1.11, lo: [224.0.0.1]}") => [("address-not-unicast", "224.0.0.1")];
    a_router_off_link: dual("routes: [{to: 0.0.0.0/0, via: 10.0.3.1}]") => [("router-off-link", "10.0.3.1")];
    a_router_off_the_named_link: dual("routes: [{to: 0.0.0.0/0, via: 10.0.2.1, nic: eth0}]") => [("router-off-link", "10.0.2.1")];
    a_route_to_nowhere: dual("routes: [{to: 192.168.0.0/16}]") => [("missing-key", "{to: 192.168.0.0/16}")];
    a_route_by_no_nic: dual("routes: [{to: 192.168.0.0/16, nic: eth7}]") => [("unknown-reference", "eth7")];
    a_table_that_is_none: dual("rules: [{from: 10.0.2.20, table: local}]") => [("unknown-value", "local")];
    listening_without_protocol: cvm("{subnet: web, address: 10.0.1.11, listen: [80]}") => [("unknown-value", "80")];
    listening_on_icmp: cvm("{subnet: web, address: 10.0.1.11, listen: [icmp]}") => [("unknown-value", "icmp")];
    a_havip_outside: after(VPCS, "havips: {v: {subnet: web, address: 10.0.2.9}}\n") => [("address-outside-subnet", "10.0.2.9")];
    a_havip_on_a_nic: after(CVMS, "havips: {v: {subnet: web, address: 10.0.1.10}}\n") => [("address-taken", "10.0.1.10")];
    a_havip_on_the_gateway: after(CVMS, "havips: {v: {subnet: web, address: 10.0.1.1}}\n") => [("reserved-address", "10.0.1.1")];
    a_holder_elsewhere: after(CVMS, "havips: {v: {subnet: web, address: 10.0.1.9, holder: b}}\n") => [("holder-elsewhere", "b")];
    an_unknown_holder: after(CVMS, "havips: {v: {subnet: web, address: 10.0.1.9, holder: c}}\n") => [("unknown-reference", "c")];
}
