//! `empty-group-peer`, `open-nic`, `covered-rule`, `zero-prefix`.

/// `a` in group `web`, `b` in `app`, `far` in `partner`'s group `guests`; `idle` has no members.
fn shop(web: &str, rest: &str) -> String {
    format!(
        "\
vpcs:
  shop: {{cidr: 10.0.0.0/16, subnets: {{front: {{cidr: 10.0.1.0/24}}, back: {{cidr: 10.0.2.0/24}}}}}}
  partner: {{cidr: 10.9.0.0/16, route_table: p, subnets: {{api: {{cidr: 10.9.1.0/24}}}}}}
route_tables: {{p: {{vpc: partner}}}}
address_templates: {{offices: [198.51.100.0/24, 203.0.113.4-203.0.113.7]}}
service_templates: {{web: [\"tcp:80,443\", \"udp:443\"]}}
security_groups:
  web: {{{web}}}
  app: {{ingress: [accept all from any], egress: [accept all to any]}}
  guests: {{ingress: [accept all from any], egress: [accept all to any]}}
  idle: {{ingress: [accept tcp 22 from idle]}}
cvms:
  a: {{subnet: front, address: 10.0.1.10, security_groups: [web]}}
  b: {{subnet: back, address: 10.0.2.10, security_groups: [app]}}
  far: {{subnet: api, address: 10.9.1.10, security_groups: [guests]}}
{rest}"
    )
}

fn ingress(rules: &[&str]) -> String {
    let lines: Vec<String> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
    shop(&format!("ingress: [{}]", lines.join(", ")), "")
}

fn acl(rules: &[&str]) -> String {
    let lines: Vec<String> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
    shop(
        "",
        &format!(
            "acls: {{edge: {{vpc: shop, egress: [{}]}}}}\n",
            lines.join(", ")
        ),
    )
}

const PEERING: &str = "peerings: {link: {vpcs: [shop, partner]}}\n";

finds! {
    a_peer_with_members: ingress(&["accept tcp 80 from app", "accept tcp 81 from web"]) => [];
    a_peer_without_members: ingress(&["accept tcp 80 from idle"])
        => [("empty-group-peer", "accept tcp 80 from idle")];
    // `idle` names itself, and nobody is in it to be hurt.
    the_rules_of_a_group_without_members: shop("", "") => [];
    // SEMANTICS §8: members in a peer vpc do not match, unless the policy says so.
    members_in_another_vpc: shop("ingress: [accept all from guests]", PEERING)
        => [("empty-group-peer", "accept all from guests")];
    members_in_a_peer_that_count: shop("ingress: [accept all from guests]",
        &format!("{PEERING}policies: {{sg_across_peering: match}}\n")) => [];
    members_in_no_peer: shop("ingress: [accept all from guests]",
        "policies: {sg_across_peering: match}\n") => [("empty-group-peer", "accept all from guests")];

    a_secondary_nic_without_a_group: shop("", "  two: {rules: [{from: 10.0.2.3, table: 2}], nics: {eth0: {subnet: front, address: 10.0.1.3}, eth1: {subnet: back, address: 10.0.2.3}}}\n")
        => [("open-nic", "eth1")];
    a_secondary_nic_with_one: shop("", "  two: {rules: [{from: 10.0.2.3, table: 2}], nics: {eth0: {subnet: front, address: 10.0.1.3}, eth1: {subnet: back, address: 10.0.2.3, security_groups: [web]}}}\n")
        => [];

    the_same_rule_twice: ingress(&["accept tcp 80 from any", "accept tcp 80 from any"])
        => [("covered-rule", "accept tcp 80 from any")];
    a_drop_that_comes_too_late: ingress(&["accept tcp 20-30 from any", "drop tcp 22 from 198.51.100.7"])
        => [("covered-rule", "drop tcp 22 from 198.51.100.7")];
    an_exception_before_the_rule: ingress(&["drop tcp 22 from 198.51.100.7", "accept tcp 20-30 from any"]) => [];
    another_port: ingress(&["accept tcp 20-30 from any", "accept tcp 30-31 from any"]) => [];
    another_protocol: ingress(&["accept tcp 53 from any", "accept udp 53 from any", "accept all from any"]) => [];
    any_protocol: ingress(&["accept all from any", "accept icmp from 10.0.0.0/8"])
        => [("covered-rule", "accept icmp from 10.0.0.0/8")];
    a_wider_prefix_later: ingress(&["accept tcp 80 from 10.0.0.0/16", "accept tcp 80 from 10.0.0.0/8"]) => [];
    a_template_within_a_prefix: ingress(&["accept all from 192.0.0.0/2", "accept tcp 80 from offices"])
        => [("covered-rule", "accept tcp 80 from offices")];
    a_template_beyond_a_prefix: ingress(&["accept all from 198.51.100.0/24", "accept tcp 80 from offices"]) => [];
    a_prefix_within_a_template: ingress(&["accept all from offices", "accept tcp 80 from 203.0.113.6/31"])
        => [("covered-rule", "accept tcp 80 from 203.0.113.6/31")];
    services_of_a_template: shop("ingress: [{action: accept, services: web, from: any}, accept tcp 443 from any, accept tcp 80-81 from any]", "")
        => [("covered-rule", "accept tcp 443 from any")];
    a_group_within_its_vpc: ingress(&["accept all from 10.0.0.0/16", "accept tcp 80 from app"])
        => [("covered-rule", "accept tcp 80 from app")];
    // Its members are there today; tomorrow one may be elsewhere.
    a_group_whose_members_happen_to_be_in_a_prefix: ingress(&["accept all from 10.0.2.0/24", "accept tcp 80 from app"]) => [];
    prefixes_that_cover_only_together: ingress(&["accept all from 10.0.0.0/9", "accept all from 10.128.0.0/9", "accept all from 10.0.0.0/8"]) => [];
    an_acl_rule: acl(&["drop udp 53 to 10.0.0.0/8", "accept all to 10.0.0.0/8", "drop tcp 22 to 10.9.0.0/16"])
        => [("covered-rule", "drop tcp 22 to 10.9.0.0/16")];

    // SEMANTICS §6: 0.0.0.0/n is any.
    a_length_that_counts_for_nothing: ingress(&["accept tcp 80 from 0.0.0.0/8"]) => [("zero-prefix", "0.0.0.0/8")];
    half_of_everything: ingress(&["accept tcp 80 from 0.0.0.0/1"]) => [("zero-prefix", "0.0.0.0/1")];
    everything_as_a_prefix: ingress(&["accept tcp 80 from 0.0.0.0/0"]) => [];
    everything_as_a_mapping: shop("ingress: [{action: accept, protocol: tcp, ports: 80, from: 0.0.0.0/32}]", "")
        => [("zero-prefix", "0.0.0.0/32")];
    an_acl_rule_for_nobody: acl(&["accept all to 0.0.0.0/8"]) => [("zero-prefix", "0.0.0.0/8")];
    an_acl_rule_for_a_half: acl(&["accept all to 0.0.0.0/1"]) => [];
    a_route_to_nobody: shop("", "externals: {v: {kind: vpn, vpc: partner}}\n").replace("{vpc: partner}}", "{vpc: partner, routes: [{to: 0.0.0.0/32, via: vpn/v}]}}")
        => [("zero-prefix", "0.0.0.0/32")];
    a_default_route_in_halves: shop("", "externals: {v: {kind: vpn, vpc: partner}}\n").replace("{vpc: partner}}", "{vpc: partner, routes: [{to: 0.0.0.0/1, via: vpn/v}, {to: 128.0.0.0/1, via: vpn/v}]}}")
        => [];
}
