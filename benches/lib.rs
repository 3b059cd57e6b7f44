//! Set-up that the benches share: a network with every stage on, and packets of live flows.
#![forbid(unsafe_code)]

use std::net::Ipv4Addr;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_packet::build;

/// A private host behind a NAT gateway, judged by a security group of `rules` rules of which the
/// last one matches, an acl of 20 and a route table of 50.
///
/// # Panics
/// Never: the text is a valid network.
pub fn nat_network(rules: usize) -> Program {
    let mut text = String::from(
        "vpcs:\n  shop:\n    cidr: 10.0.0.0/16\n    route_table: out\n    subnets:\n      app: {cidr: 10.0.0.0/17, acl: edge}\n",
    );
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line("security_groups:\n  app:\n    ingress: []\n    egress:");
    for rule in 1..rules {
        line(&format!(
            "      - drop tcp {} to 192.0.2.{}",
            1000 + rule,
            rule % 256
        ));
    }
    line("      - accept all to any");
    line("acls:\n  edge:\n    ingress:");
    for direction in ["from", "to"] {
        for rule in 1..20 {
            line(&format!(
                "      - drop tcp {} {direction} 192.0.2.0/24",
                2000 + rule
            ));
        }
        line(&format!("      - accept all {direction} any"));
        if direction == "from" {
            line("    egress:");
        }
    }
    line("route_tables:\n  out:\n    routes:");
    for route in 0..49 {
        line(&format!("      - {{to: 172.16.{route}.0/24, via: nat/gw}}"));
    }
    line("      - {to: 0.0.0.0/0, via: nat/gw}");
    line("eips:\n  gw: {address: 203.0.113.10, bandwidth: unlimited}");
    line("nat_gateways:\n  gw: {eips: [gw], spec: large, bandwidth: unlimited}");
    line("cvms:\n  app-1: {subnet: app, address: 10.0.0.10, security_groups: [app]}");
    match Network::from_yaml("bench", &text) {
        Ok(network) => Program::new(network),
        Err(errors) => panic!("{errors}"),
    }
}

/// The outbound UDP packet of flow number `flow`: 18 bytes of payload, a 64-byte frame.
pub fn outbound(flow: u32) -> Vec<u8> {
    let remote = Ipv4Addr::from(u32::from(Ipv4Addr::new(100, 64, 0, 0)) + flow / 16_384);
    let port = 20_000 + (flow % 16_384) as u16;
    build::udp((Ipv4Addr::new(10, 0, 0, 10), port), (remote, 443), &[0; 18]).bytes()
}
