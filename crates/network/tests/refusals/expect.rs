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
    from_a_network: from("10.0.1.0/24") => [("bad-reference", "10.0.1.0/24")];
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
