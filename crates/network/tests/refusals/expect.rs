//! Expectations.

use crate::{CVMS, after};

fn expect(line: &str) -> String {
    after(
        CVMS,
        &format!(
            "\
havips: {{v: {{subnet: web, address: 10.0.1.100}}}}
eips: {{free: {{address: 203.0.113.1}}, gw: {{address: 203.0.113.2}}, vip: {{address: 203.0.113.3, bind: havip/v}}}}
nat_gateways: {{gw: {{vpc: shop, eips: [gw]}}}}
externals: {{dc: {{kind: vpn, vpc: shop}}, far: {{kind: ccn, vpc: shop, networks: [192.168.0.0/16]}}}}
expect: [{{{line}}}]
"
        ),
    )
}

fn from(from: &str) -> String {
    expect(&format!("from: {from}, to: b, is: reachable"))
}

refused! {
    from_nobody: from("c") => [("unknown-reference", "c")];
    from_nearly_the_internet: from("internett") => [("unknown-reference", "internett")];
    from_no_nic: from("a/eth1") => [("unknown-reference", "eth1")];
    from_no_external: from("external:nowhere") => [("unknown-reference", "nowhere")];
    from_an_external_without_networks: from("external:dc") => [("nothing-behind", "external:dc")];
    to_an_external_without_networks: expect("from: a, to: external:dc, is: blocked") => [("nothing-behind", "external:dc")];
    from_nobodys_address: from("10.0.1.99") => [("nothing-starts-there", "10.0.1.99")];
    from_a_havip_of_nobody: from("10.0.1.100") => [("nothing-starts-there", "10.0.1.100")];
    from_a_gateways_address: from("203.0.113.2") => [("nothing-starts-there", "203.0.113.2")];
    from_an_unbound_eip: from("203.0.113.1") => [("nothing-starts-there", "203.0.113.1")];
    from_the_eip_of_a_havip_of_nobody: from("203.0.113.3") => [("nothing-starts-there", "203.0.113.3")];
    from_no_host: from("127.0.0.1") => [("nothing-starts-there", "127.0.0.1")];
    from_a_prefix_of_nobody: from("10.0.3.0/24") => [("nobody-there", "10.0.3.0/24")];
    from_a_prefix_of_no_hosts: from("224.0.0.0/8") => [("nobody-there", "224.0.0.0/8")];
    from_a_prefix_with_host_bits: from("10.0.1.5/24") => [("host-bits", "10.0.1.5/24")];
    from_too_long_a_prefix: from("10.0.1.0/33") => [("bad-cidr", "10.0.1.0/33")];
    from_an_empty_subnet: expect("from: a, to: subnet:idle, is: blocked").replace("web: {cidr", "idle: {cidr: 10.0.7.0/24}, web: {cidr")
        => [("nobody-there", "subnet:idle")];
    from_a_group_without_members: expect("from: group:empty, to: b, is: blocked") + "security_groups: {empty: {}}\n"
        => [("nobody-there", "group:empty")];
    from_no_group: from("group:nowhere") => [("unknown-reference", "nowhere")];
    from_no_vpc: from("vpc:shopp") => [("unknown-reference", "shopp")];
    from_no_such_kind: from("sg:web") => [("bad-reference", "sg")];
    from_a_list_with_a_mistake: from("[a, c, 'vpc:x']") => [("unknown-reference", "c"), ("unknown-reference", "x")];
    from_an_empty_list: from("[]") => [("wrong-type", "[]")];
    from_a_mapping: from("{a: b}") => [("wrong-type", "{a: b}")];
    backward_ports: expect("from: a, to: b, port: 90-80, is: blocked") => [("empty-range", "90-80")];
    no_such_port: expect("from: a, to: b, port: http, is: blocked") => [("bad-port", "http")];
    ports_of_all_protocols: expect("from: a, to: b, protocol: all, port: 80, is: blocked") => [("ports-without-port-protocol", "80")];
    many_with_a_stage: expect("from: any, to: b, port: 80-90, is: reachable, because: route") => [("reachable-because", "route")];
    without_an_answer: expect("from: a, to: b") => [("missing-key", "{from: a, to: b}")];
    an_unknown_answer: expect("from: a, to: b, is: open") => [("unknown-value", "open")];
    an_unknown_stage: expect("from: a, to: b, is: blocked, because: acl") => [("unknown-value", "acl")];
    reachable_because: expect("from: a, to: b, is: reachable, because: route") => [("reachable-because", "route")];
    a_port_of_icmp: expect("from: a, to: b, protocol: icmp, port: 80, is: reachable") => [("ports-without-port-protocol", "80")];
    another_protocol: expect("from: a, to: b, protocol: gre, is: reachable") => [("unknown-value", "gre")];
    no_port: expect("from: a, to: b, port: 0, is: reachable") => [("out-of-range", "0")];
    // Who is where is not known where something is broken.
    beside_another_mistake: expect("from: 10.0.1.99, to: b, is: blocked").replace("subnet: app, address", "subnet: ap, address")
        => [("unknown-reference", "ap")];
}
