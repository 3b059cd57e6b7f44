//! `strict-rp-filter`, `forgotten-rp-filter`, `forwarding-loop`.

/// A host with a nic in each of two subnets.
fn dual(host: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{front: {{cidr: 10.0.1.0/24}}, back: {{cidr: 10.0.2.0/24}}}}}}}}
security_groups: {{wide: {{ingress: [accept all from any], egress: [accept all to any]}}}}
cvms:
  dual:
    nics:
      eth0: {{subnet: front, address: 10.0.1.10}}
      eth1: {{subnet: back, addresses: [10.0.2.10], security_groups: [wide]}}
    {host}
"
    )
}

fn sysctl(lines: &[&str]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("net.ipv4.conf.{line}"))
        .collect();
    dual(&format!("sysctl: {{{}}}", lines.join(", ")))
}

/// A forwarding host in subnet `gate`, clients in `app` with table `app`.
fn gate(app: &str, gate: &str, host: &str, rest: &str) -> String {
    format!(
        "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {{gate: {{cidr: 10.0.1.0/24, route_table: gate}}, app: {{cidr: 10.0.2.0/24, route_table: app}}, far: {{cidr: 10.0.3.0/24}}}}
security_groups: {{wide: {{ingress: [accept all from 10.0.0.0/8], egress: [accept all to any]}}}}
externals: {{dc: {{kind: vpn}}}}
route_tables: {{gate: {{routes: [{gate}]}}, app: {{routes: [{app}]}}}}
cvms:
  app-1: {{subnet: app, address: 10.0.2.10}}
  relay:
    ip_forward: true
    nics:
      eth0: {{subnet: gate, address: 10.0.1.9, security_groups: [wide]}}
      eth1: {{subnet: far, address: 10.0.3.9, security_groups: [wide]}}
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
    {host}
{rest}"
    )
}

const BY_RELAY: &str = "{to: 0.0.0.0/0, via: instance/relay}";

finds! {
    two_nics_as_shipped: dual("") => [("strict-rp-filter", "eth1")];
    strict_on_the_nic_alone: sysctl(&["all.rp_filter: 2", "eth1.rp_filter: 1"]) => [];
    loose: sysctl(&["all.rp_filter: 2"]) => [];
    everything_off: sysctl(&["all.rp_filter: 0"]) => [];
    a_rule_for_the_second: dual("rules: [{from: 10.0.2.10, table: 20}]") => [];
    // The second nic is for certain networks, and somebody has said which.
    a_route_by_the_second: dual("routes: [{to: 10.0.9.0/24, via: 10.0.2.1}]") => [];
    a_route_in_a_table_that_nothing_asks: dual("routes: [{to: 0.0.0.0/0, via: 10.0.2.1, table: 20}]")
        => [("strict-rp-filter", "eth1")];
    a_nic_that_the_guest_does_not_know: dual("").replace("[10.0.2.10]", "[{address: 10.0.2.10, configured: false}]") => [];
    one_nic: dual("").replace("      eth1: {subnet: back, addresses: [10.0.2.10], security_groups: [wide]}\n", "") => [];

    off_on_all_and_on_at_the_nic: sysctl(&["all.rp_filter: 0", "eth1.rp_filter: 1"])
        => [("forgotten-rp-filter", "net.ipv4.conf.eth1.rp_filter")];
    off_on_all_and_on_by_default: sysctl(&["all.rp_filter: 0", "default.rp_filter: 1"])
        => [("forgotten-rp-filter", "net.ipv4.conf.default.rp_filter")];
    loose_at_the_nic: sysctl(&["all.rp_filter: 0", "eth1.rp_filter: 2"]) => [];
    // The default route leads out of the first: strict does no harm there.
    on_at_the_first: sysctl(&["all.rp_filter: 0", "eth0.rp_filter: 1"]) => [];

    to_another_table: gate(BY_RELAY, "{to: 0.0.0.0/0, via: vpn/dc}", "", "") => [];
    to_the_same_table: gate(BY_RELAY, "", "", "").replace("route_table: gate", "route_table: app")
        => [("forwarding-loop", "0.0.0.0/0")];
    to_another_table_that_leads_back: gate(BY_RELAY, "{to: 192.168.0.0/16, via: instance/relay}", "", "")
        => [("forwarding-loop", "192.168.0.0/16"), ("forwarding-loop", "0.0.0.0/0")];
    out_of_the_other_nic: gate("{to: 172.31.0.0/16, via: instance/relay}", "", "routes: [{to: 172.31.0.0/16, via: 10.0.3.1}]", "")
        .replace("route_table: gate", "route_table: app") => [];
    // What no narrower host route takes comes back.
    a_part_out_of_the_other_nic: gate("{to: 172.31.0.0/16, via: instance/relay}", "", "routes: [{to: 172.31.1.0/24, via: 10.0.3.1}]", "")
        .replace("route_table: gate", "route_table: app") => [("forwarding-loop", "172.31.0.0/16")];
    a_narrower_route_takes_it_on: gate(&format!("{BY_RELAY}, {{to: 0.0.0.0/1, via: vpn/dc}}, {{to: 128.0.0.0/1, via: vpn/dc}}"), "", "", "")
        .replace("route_table: gate", "route_table: app") => [];
    a_host_that_does_not_forward: gate(BY_RELAY, "", "", "").replace("route_table: gate", "route_table: app")
        .replace("ip_forward: true", "ip_forward: false") => [];
    // Rules choose a table by the sender, and it may lead anywhere.
    a_host_with_rules: gate(BY_RELAY, "", "rules: [{from: 10.0.2.0/24, table: 20}]", "")
        .replace("route_table: gate", "route_table: app") => [];
    // A host that translates what it forwards leaves by its eip.
    a_nat_host_with_an_eip: gate(&format!("{BY_RELAY}, {{to: 0.0.0.0/0, via: eip}}"), "", "", "eips: {e: {address: 203.0.113.1, bind: relay}}\n")
        .replace("route_table: gate", "route_table: app") => [];
    an_eip_that_no_route_leads_to: gate(BY_RELAY, "", "", "eips: {e: {address: 203.0.113.1, bind: relay}}\n")
        .replace("route_table: gate", "route_table: app") => [("forwarding-loop", "0.0.0.0/0")];
    by_a_havip: gate("{to: 0.0.0.0/0, via: havip/v}", "", "", "havips: {v: {subnet: gate, address: 10.0.1.100, holder: relay}}\n")
        .replace("route_table: gate", "route_table: app") => [("forwarding-loop", "0.0.0.0/0")];
    a_table_of_no_subnet: gate("", "", "", "").replace("app: {routes: []}}", &format!("app: {{}}, idle: {{routes: [{BY_RELAY}]}}}}")) => [];
}
