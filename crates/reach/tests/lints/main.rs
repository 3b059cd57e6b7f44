//! The lints that look at every packet: what each fires at, and the near miss that it leaves
//! alone; and the page that explains all lints.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod page;

use vpcsim_dataplane::Program;
use vpcsim_network::{Finding, Levels, Network};
use vpcsim_reach::Reach;

/// What the lints find that look at declarations alone, and what those add that look at packets.
fn found(yaml: &str) -> (Vec<Finding>, Vec<Finding>) {
    let (network, mut findings) =
        Network::check("test.yaml", yaml).unwrap_or_else(|e| panic!("{e:?}\n{yaml}"));
    let known = findings.all().to_vec();
    let program = Program::new(network);
    let more = Reach::new(&program).findings(&known);
    findings.extend(more.clone());
    let judged = findings.judged(&Levels::default()).count();
    assert_eq!(judged, known.len() + more.len(), "something is said twice");
    (known, more)
}

/// Declares tests: a file, and the lint and underlined text of each finding that needs packets,
/// in file order.
macro_rules! finds {
    ($($name:ident: $yaml:expr => [$(($lint:literal, $text:literal)),* $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                let expected: Vec<(&str, &str)> = vec![$(($lint, $text)),*];
                check(&$yaml, &expected);
            }
        )*
    };
}

#[track_caller]
fn check(yaml: &str, expected: &[(&str, &str)]) {
    let (_, more) = found(yaml);
    let text = |finding: &Finding| {
        let start = finding.mark.offset as usize;
        &yaml[start..start + finding.mark.len as usize]
    };
    let found: Vec<(&str, &str)> = more
        .iter()
        .map(|finding| (finding.lint.name(), text(finding)))
        .collect();
    assert_eq!(found, expected, "{more:#?}\n{yaml}");
    for finding in more {
        assert!(finding.mark.line > 0 && !finding.help.is_empty() && !finding.why.0.is_empty());
    }
}

/// Two hosts of group `app` (and what else is bound) in subnet `web` of one vpc.
fn groups(groups: &str, bound: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
security_groups:
{groups}
cvms:
  a: {{subnet: web, address: 10.0.1.10, security_groups: {bound}}}
"
    )
}

const THREE: &str = "  app: {ingress: [accept tcp 1-100 from any, accept tcp 101-200 from any, drop tcp 50-150 from 10.9.0.0/16], egress: []}";
const TWO: &str = "  base: {ingress: [accept tcp all from 10.0.0.0/8], egress: []}\n  app: {ingress: [accept tcp 80 from 10.0.1.0/24], egress: []}";

finds! {
    rules_that_cover_one_together: groups(THREE, "[app]")
        => [("covered-rule", "drop tcp 50-150 from 10.9.0.0/16")];
    rules_that_leave_a_port: groups(&THREE.replace("101-200", "102-200"), "[app]") => [];
    // What one rule covers, the lint that compares pairs has said.
    a_rule_that_one_covers: groups(&THREE.replace("1-100", "1-150"), "[app]") => [];
    a_group_bound_before: groups(TWO, "[base, app]")
        => [("covered-rule", "accept tcp 80 from 10.0.1.0/24")];
    a_group_bound_after: groups(TWO, "[app, base]") => [];
    a_group_that_is_bound_alone_elsewhere:
        groups(TWO, "[base, app]") + "  b: {subnet: web, address: 10.0.1.11, security_groups: [app]}\n" => [];
    // Nobody is in it: that is another lint's to say.
    a_group_peer_without_members:
        groups("  empty: {}\n  app: {ingress: [accept tcp 80 from empty], egress: []}", "[app]") => [];
    a_group_peer_whose_members_are_covered:
        groups("  app: {ingress: [accept tcp 80 from 10.0.1.8/29, accept tcp 80 from app], egress: []}", "[app]")
        => [("covered-rule", "accept tcp 80 from app")];
    rules_of_an_acl_together: acl("ingress: [drop all from 10.0.0.0/9, drop all from 10.128.0.0/9, accept tcp 80 from 10.0.0.0/8, accept all from any], egress: []")
        => [("covered-rule", "accept tcp 80 from 10.0.0.0/8")];
    rules_of_an_acl_that_leave_some: acl("ingress: [drop all from 10.0.0.0/9, drop all from 10.128.0.0/10, accept tcp 80 from 10.0.0.0/8, accept all from any], egress: []")
        => [];
}

fn acl(rules: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24, acl: edge}}, app: {{cidr: 10.0.2.0/24}}}}}}}}
acls: {{edge: {{{rules}}}}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10}}
  app-1: {{subnet: app, address: 10.0.2.10}}
"
    )
}

const ANSWERS: &str =
    "accept tcp 1024-65535 from any, accept udp 1024-65535 from any, accept icmp from any";

finds! {
    // Linux asks from 32768 to 60999.
    an_acl_that_drops_some_answers:
        acl("ingress: [accept tcp 1024-40000 from any, accept udp 1024-65535 from any, accept icmp from any], egress: [accept all to any]")
        => [("lost-replies", "edge")];
    an_acl_that_drops_answers_of_name_servers:
        acl("ingress: [accept tcp 1024-65535 from any, accept icmp from any], egress: [accept all to any]")
        => [("lost-replies", "edge")];
    an_acl_that_lets_all_answers_in:
        acl(&format!("ingress: [{ANSWERS}], egress: [accept all to any]")) => [];
    // What is let out to high ports is meant to be answers.
    an_acl_that_lets_answers_out: acl("ingress: [accept tcp 80 from any], egress: [accept tcp 1024-65535 to any]") => [];
    an_acl_that_lets_requests_out_to_who_listens:
        acl("ingress: [accept tcp 80 from any], egress: [accept tcp 1024-65535 to any]")
            .replace("address: 10.0.2.10", "address: 10.0.2.10, listen: [\"tcp:8080\"]")
        => [("lost-replies", "edge")];
    an_acl_that_lets_nothing_out: acl(&format!("ingress: [{ANSWERS}], egress: []")) => [];
    // The other lint has said it.
    an_acl_that_drops_all_answers: acl("ingress: [accept tcp 80 from any], egress: [accept icmp to any]") => [];
    // Nobody listens: no answer is lost.
    an_acl_that_drops_what_nobody_sends:
        acl("ingress: [accept tcp 1024-65535 from any, accept icmp from any], egress: [accept all to any]")
            .replace("address: 10.0.2.10", "address: 10.0.2.10, listen: [\"tcp:80\"]") => [];
}

/// Subnet `web` uses table `out`, by which nat gateway `gw` is reached.
fn routes(routes: &str, more: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24, route_table: out}}}}}}}}
route_tables: {{out: {{routes: [{routes}]}}}}
eips: {{pool: {{address: 203.0.113.1}}, front: {{address: 203.0.113.2}}}}
nat_gateways: {{gw: {{eips: [pool]}}}}
cvms: {{a: {{subnet: web, address: 10.0.1.10}}}}
{more}"
    )
}

const HALVES: &str = "{to: 198.51.100.0/24, via: nat/gw}, {to: 198.51.100.0/25, via: nat/gw}, {to: 198.51.100.128/25, via: nat/gw}";

finds! {
    a_route_that_narrower_ones_take: routes(HALVES, "")
        => [("unused-route", "{to: 198.51.100.0/24, via: nat/gw}")];
    a_route_of_which_something_is_left: routes(&HALVES.replace("128/25", "128/26"), "") => [];
    a_route_with_a_disabled_half: routes(&HALVES.replace("128/25, via: nat/gw", "128/25, via: nat/gw, enabled: false"), "") => [];
    an_eip_route_for_nobody: routes("{to: 0.0.0.0/0, via: eip}", "")
        => [("unused-route", "{to: 0.0.0.0/0, via: eip}")];
    an_eip_route_for_somebody: routes("{to: 0.0.0.0/0, via: eip}", "").replace("203.0.113.2", "203.0.113.2, bind: a") => [];
    a_route_beside_the_eip_of_all: routes("{to: 0.0.0.0/0, via: nat/gw}, {to: 0.0.0.0/0, via: eip}", "").replace("203.0.113.2", "203.0.113.2, bind: a")
        => [("unused-route", "{to: 0.0.0.0/0, via: nat/gw}")];
    a_route_beside_the_eip_of_some: routes("{to: 0.0.0.0/0, via: nat/gw}, {to: 0.0.0.0/0, via: eip}", "").replace("203.0.113.2", "203.0.113.2, bind: a")
        .replace("cvms: {", "cvms: {b: {subnet: web, address: 10.0.1.11}, ") => [];
    // Nobody is there yet: somebody may come with an eip, or without.
    a_route_of_an_empty_subnet: routes("{to: 0.0.0.0/0, via: nat/gw}, {to: 0.0.0.0/0, via: eip}", "").replace("web, address: 10.0.1", "other, address: 10.0.2")
        .replace("subnets: {", "subnets: {other: {cidr: 10.0.2.0/24}, ") => [];
    a_route_of_a_table_without_subnets: routes(HALVES, "").replace(", route_table: out", "") => [];
}

/// Vpcs `near` and `far` with a peering; the hosts of `far` answer by table `back`.
fn peers(back: &str, more: &str) -> String {
    format!(
        "\
vpcs:
  near: {{cidr: 10.0.0.0/16, route_table: there, subnets: {{a: {{cidr: 10.0.1.0/24}}}}}}
  far: {{cidr: 10.1.0.0/16, route_table: back, subnets: {{b: {{cidr: 10.1.1.0/24}}, idle: {{cidr: 10.1.2.0/24, route_table: right}}}}}}
peerings: {{p: {{vpcs: [near, far]}}}}
route_tables:
  there: {{vpc: near, routes: [{{to: 10.1.0.0/16, via: peering/p}}]}}
  back: {{vpc: far, routes: [{back}]}}
  right: {{vpc: far, routes: [{{to: 10.0.0.0/16, via: peering/p}}]}}
cvms:
  a: {{subnet: a, address: 10.0.1.10}}
  b: {{subnet: b, address: 10.1.1.10}}
{more}"
    )
}

const RELAY: &str = "  relay: {subnet: b, address: 10.1.1.9, security_groups: [none]}\nsecurity_groups: {none: {}}\n";

finds! {
    // The declared way back leads to a host, which may do anything: it does not forward.
    peers_whose_answers_a_host_swallows: peers("{to: 10.0.0.0/16, via: instance/relay}", RELAY)
        => [("one-way-peering", "p")];
    peers_that_answer: peers("{to: 10.0.0.0/16, via: peering/p}", "") => [];
    // The lint that looks at tables has said it.
    peers_without_a_route_back: peers("", "") => [];
}

/// `fw` forwards what table `out` leads to it, by a policy rule, out of its only nic in subnet
/// `edge`.
fn forwarder(edge: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24, route_table: out}}, edge: {{cidr: 10.0.2.0/24, route_table: {edge}}}}}}}}}
route_tables:
  out: {{routes: [{{to: 0.0.0.0/0, via: instance/fw}}]}}
  up: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}
eips: {{pool: {{address: 203.0.113.1}}}}
nat_gateways: {{gw: {{eips: [pool]}}}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10}}
  fw:
    ip_forward: true
    nics: {{eth0: {{subnet: edge, address: 10.0.2.9, forwarding: true}}}}
    rules: [{{from: 10.0.1.0/24, table: 100}}]
    routes: [{{to: 0.0.0.0/0, nic: eth0, table: 100}}]
"
    )
}

finds! {
    a_host_that_gets_back_what_it_forwards: forwarder("out") => [("forwarding-loop", "fw")];
    a_host_that_forwards_to_a_gateway: forwarder("up") => [];
}
