//! `unused-eip`, `unused-nat-gateway`, `unused-snat-rule`.

/// A vpc whose subnet `app` uses table `out`, `web` the vpc's empty default; `relay` forwards.
fn shop(routes: &str, rest: &str) -> String {
    format!(
        "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {{web: {{cidr: 10.0.1.0/24}}, app: {{cidr: 10.0.2.0/24, route_table: out}}}}
route_tables:
  out: {{routes: [{routes}]}}
  idle: {{routes: [{{to: 0.0.0.0/0, via: nat/other}}]}}
eips: {{a: {{address: 203.0.113.1}}, b: {{address: 203.0.113.2}}}}
nat_gateways:
  other: {{eips: [b], enabled: false}}
cvms:
  relay: {{subnet: web, address: 10.0.1.9, ip_forward: true, sysctl: {{net.ipv4.conf.all.rp_filter: 2}}}}
  app-1: {{subnet: app, address: 10.0.2.10}}
  web-1: {{subnet: web, address: 10.0.1.10, listen: [\"tcp:80\"]}}
{rest}"
    )
}

fn gateway(routes: &str, gateway: &str) -> String {
    shop(routes, "").replace(
        "nat_gateways:\n",
        &format!("nat_gateways:\n  gw: {{eips: [a], {gateway}}}\n"),
    )
}

const OUT: &str = "{to: 0.0.0.0/0, via: nat/gw}";

finds! {
    an_eip_of_nobody: shop("", "") => [("unused-eip", "a")];
    a_bound_eip: shop("", "").replace("203.0.113.1}", "203.0.113.1, bind: web-1}") => [];
    // A havip that nobody holds may be taken over: the eip is in use.
    an_eip_of_an_unheld_havip: shop("", "havips: {v: {subnet: web, address: 10.0.1.99}}\n")
        .replace("203.0.113.1}", "203.0.113.1, bind: havip/v}") => [];
    a_gateway_that_routes_lead_to: gateway(OUT, "") => [];
    a_gateway_without_a_route: gateway("", "") => [("unused-nat-gateway", "gw")];
    a_gateway_whose_route_is_disabled: gateway("{to: 0.0.0.0/0, via: nat/gw, enabled: false}", "")
        => [("unused-nat-gateway", "gw")];
    a_gateway_whose_table_is_unused: gateway("", "").replace("idle: {routes: [", "idle: {routes: [{to: 198.51.100.0/24, via: nat/gw}, ")
        => [("unused-nat-gateway", "gw")];
    // Replies to forwarded ports leave by the gateway whatever the table says.
    a_gateway_that_forwards_ports: gateway("", "dnat: [{eip: a, protocol: tcp, port: 80, to: app-1}]") => [];
    a_gateway_that_is_switched_off: gateway("", "enabled: false") => [];
    rules_for_who_routes_there: gateway(OUT, "snat: [{from: subnet/app, eips: [a]}, {from: cvm/app-1, eips: [a]}]") => [];
    a_rule_for_another_subnet: gateway(OUT, "snat: [{from: subnet/web, eips: [a]}]")
        => [("unused-snat-rule", "{from: subnet/web, eips: [a]}")];
    a_rule_for_a_cvm_elsewhere: gateway(OUT, "snat: [{from: cvm/web-1, eips: [a]}]")
        => [("unused-snat-rule", "{from: cvm/web-1, eips: [a]}")];
    // The route leads to a host, which may well pass packets on to the gateway.
    a_rule_for_those_behind_a_host: gateway(
        "{to: 0.0.0.0/0, via: instance/relay}",
        "snat: [{from: subnet/app, eips: [a]}], dnat: [{eip: a, protocol: tcp, port: 80, to: app-1}]",
    ) => [];
}
