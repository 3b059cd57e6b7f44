//! The network that is measured: every stage has something to decide.

use std::net::Ipv4Addr;
use vpcsim_network::{Network, NetworkErrors};

/// Inside hosts behind the gateway.
pub(crate) const HOSTS: u32 = 16;
/// Remote hosts that they talk to.
pub(crate) const REMOTES: u32 = 8192;
/// Public addresses of the gateway.
pub(crate) const EIPS: u32 = 8;

/// Rules of the acl in each direction, and routes of the table; the last one matches.
const ACL_RULES: u32 = 20;
const ROUTES: u32 = 50;

/// The port that remote hosts listen on.
pub(crate) const REMOTE_PORT: u16 = 443;

/// The address of an inside host.
pub(crate) fn host(number: u32) -> Ipv4Addr {
    after(Ipv4Addr::new(10, 0, 0, 10), number)
}

/// The address of a remote host: in the prefix that RFC 2544 sets apart for benchmarks.
pub(crate) fn remote(number: u32) -> Ipv4Addr {
    after(Ipv4Addr::new(198, 18, 0, 0), number)
}

/// A public address of the gateway.
pub(crate) fn eip(number: u32) -> Ipv4Addr {
    after(Ipv4Addr::new(203, 0, 113, 10), number)
}

fn after(first: Ipv4Addr, number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(first.to_bits().wrapping_add(number))
}

/// Sixteen hosts in one subnet behind a NAT gateway with eight eips: source check, a security
/// group of so many egress rules, an acl of 20 rules each way and 50 routes, of all of which only
/// the last one matches. Nothing is limited but by what the largest gateway holds, 10 000 000
/// connections; timeouts and policies are the defaults.
///
/// # Errors
/// None for any number of rules that fits into memory.
pub fn network(rules: u32) -> Result<Network, Box<NetworkErrors>> {
    Network::from_yaml("bench", &yaml(rules)).map_err(Box::new)
}

/// The same, as a network file.
pub fn yaml(rules: u32) -> String {
    // One host may hold every flow that there is.
    text(rules, &Gateway::default())
}

/// The gateway of a network, and what is behind it beside the sixteen hosts.
#[derive(Debug, Clone, Copy)]
struct Gateway {
    spec: &'static str,
    /// Flows that a nic remembers at most.
    most_at_a_nic: u32,
    /// Whether a server is there that the internet reaches.
    serves: bool,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            spec: "large",
            most_at_a_nic: 10_000_000,
            serves: false,
        }
    }
}

/// Flows that a nic remembers at most, in the network of [`open_yaml`].
pub(crate) const MOST_AT_A_NIC: u32 = 131_072;
/// Connections that its gateway, a small one, holds at most (SEMANTICS §9).
pub(crate) const MOST_AT_THE_GATEWAY: u32 = 1_000_000;

/// The same hosts behind a small gateway, whose first eip leads everybody on the internet to port
/// 443 of one more host; and nics that remember [`MOST_AT_A_NIC`] flows.
pub(crate) fn open_yaml(rules: u32) -> String {
    let gateway = Gateway {
        spec: "small",
        most_at_a_nic: MOST_AT_A_NIC,
        serves: true,
    };
    text(rules, &gateway)
}

fn text(rules: u32, gateway: &Gateway) -> String {
    let mut text = String::from(
        "vpcs:\n  \
           bench:\n    \
             cidr: 10.0.0.0/16\n    \
             route_table: out\n    \
             subnets:\n      \
               app: {cidr: 10.0.0.0/24, acl: edge}\n",
    );
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line("security_groups:\n  app:\n    ingress: []\n    egress:".into());
    for number in 1..rules {
        line(format!("      - {}", unmatched_rule(number)));
    }
    line("      - accept all to any".into());
    if gateway.serves {
        line("  open:\n    ingress: [accept all from any]\n    egress: [accept all to any]".into());
    }
    line("acls:\n  edge:".into());
    for (list, preposition) in [("ingress", "from"), ("egress", "to")] {
        line(format!("    {list}:"));
        for number in 1..ACL_RULES {
            let protocol = ["tcp", "udp"][number as usize % 2];
            line(format!(
                "      - drop {protocol} {} {preposition} 192.0.2.0/24",
                2000 + number
            ));
        }
        line(format!("      - accept all {preposition} any"));
    }
    line("route_tables:\n  out:\n    routes:".into());
    for number in 1..ROUTES {
        line(format!("      - {{to: 172.16.{number}.0/24, via: nat/gw}}"));
    }
    line("      - {to: 0.0.0.0/0, via: nat/gw}".into());
    line("eips:".into());
    for number in 0..EIPS {
        let address = eip(number);
        line(format!(
            "  gw-{number}: {{address: {address}, bandwidth: unlimited}}"
        ));
    }
    let eips: Vec<_> = (0..EIPS).map(|number| format!("gw-{number}")).collect();
    let Gateway {
        spec,
        most_at_a_nic,
        serves,
    } = gateway;
    let dnat = if *serves {
        format!(", dnat: [{{eip: gw-0, protocol: tcp, port: {REMOTE_PORT}, to: server}}]")
    } else {
        String::new()
    };
    line(format!(
        "nat_gateways:\n  gw: {{eips: [{}], spec: {spec}, bandwidth: unlimited{dnat}}}",
        eips.join(", ")
    ));
    line("cvms:".into());
    for number in 0..HOSTS {
        let address = host(number);
        line(format!(
            "  app-{number}: {{subnet: app, address: {address}, security_groups: [app]}}"
        ));
    }
    if *serves {
        line("  server: {subnet: app, address: 10.0.0.200, security_groups: [open]}".into());
    }
    line(format!("policies:\n  conntrack: {{max: {most_at_a_nic}}}"));
    text
}

/// A rule that matches no flow: some by protocol, some by port, all by address.
fn unmatched_rule(number: u32) -> String {
    let low = number % 256;
    let ports = match number % 4 {
        0 => REMOTE_PORT.to_string(),
        1 => format!("{}-{}", 1000 + number % 30_000, 1010 + number % 30_000),
        _ => (1000 + number % 60_000).to_string(),
    };
    let protocol = ["tcp", "udp"][number as usize % 2];
    match number % 5 {
        0 => format!("drop all to 172.20.{low}.0/24"),
        1 => format!("drop {protocol} {ports} to 198.51.100.{low}"),
        2 => format!("drop {protocol} {ports} to 172.21.{low}.0/24"),
        _ => format!("drop {protocol} {ports} to 192.0.2.{low}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_has_as_many_rules_as_asked_for() {
        for rules in [1, 2, 100, 2_000] {
            let network = network(rules).unwrap();
            let summary = network.summary();
            assert_eq!(summary.security_group_rules, rules as usize, "{rules}");
            assert_eq!(summary.acl_rules, 2 * ACL_RULES as usize);
            assert_eq!(summary.routes, ROUTES as usize);
        }
    }
}
