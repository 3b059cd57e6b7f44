//! `refused-dnat`, `open-to-world`.

/// `app-1` in group `app` behind a gateway whose eip forwards `rule`.
fn dnat(rule: &str, host: &str, group: &str, rest: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{app: {{cidr: 10.0.1.0/24}}, other: {{cidr: 10.0.2.0/24}}}}}}}}
eips: {{gw: {{address: 203.0.113.1}}}}
nat_gateways: {{gw: {{eips: [gw], dnat: [{{eip: gw, protocol: tcp, {rule}}}]}}}}
security_groups:
  app: {{ingress: [{group}]}}
cvms:
  app-1: {{subnet: app, security_groups: [app], {host}}}
{rest}"
    )
}

const RULE: &str = "port: 80, to: 10.0.1.10, to_port: 8080";
const REFUSED: (&str, &str) = (
    "refused-dnat",
    "{eip: gw, protocol: tcp, port: 80, to: 10.0.1.10, to_port: 8080}",
);

fn host(host: &str) -> String {
    dnat(RULE, host, "accept tcp 8080 from any", "")
}

fn group(group: &str) -> String {
    dnat(
        RULE,
        "address: 10.0.1.10",
        group,
        "address_templates: {inside: [10.0.0.0/8], outside: [198.51.100.7]}\n",
    )
}

fn acl(rules: &str) -> String {
    format!(
        "{}acls: {{edge: {{ingress: [{rules}], egress: [accept all to any]}}}}\n",
        host("address: 10.0.1.10")
    )
    .replace("cidr: 10.0.1.0/24", "cidr: 10.0.1.0/24, acl: edge")
}

/// A cvm with an eip, and a group of its own.
fn open(cvm: &str, ingress: &str, rest: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
eips: {{web: {{address: 203.0.113.1, bind: web-1}}}}
security_groups:
  web: {{ingress: [{ingress}]}}
address_templates: {{office: [198.51.100.0/24]}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10, {cvm}}}
{rest}"
    )
}

fn rules(ingress: &str) -> String {
    open("security_groups: [web]", ingress, "")
}

macro_rules! expect {
    ($($name:ident: $yaml:expr => $expected:expr;)*) => {
        $(
            #[test]
            fn $name() {
                crate::check(&$yaml, &$expected);
            }
        )*
    };
}

expect! {
    taken: host("address: 10.0.1.10") => [];
    listened_to: host("address: 10.0.1.10, listen: [\"tcp:8000-8100\"]") => [];
    not_listened_to: host("address: 10.0.1.10, listen: [\"tcp:80\", \"udp:8080\"]") => [REFUSED];
    stopped: host("address: 10.0.1.10, running: false") => [REFUSED];
    not_configured: host("addresses: [10.0.1.11, {address: 10.0.1.10, configured: false}]") => [REFUSED];
    on_lo_instead: host("addresses: [10.0.1.11, {address: 10.0.1.10, configured: false}], lo: [10.0.1.10]") => [];
    forwarded_by_the_host: host("addresses: [10.0.1.11, {address: 10.0.1.10, configured: false}], ip_forward: true") => [];
    a_havip_of_nobody: dnat(RULE, "address: 10.0.1.11", "accept tcp 8080 from any", "havips: {v: {subnet: app, address: 10.0.1.10}}\n") => [REFUSED];
    a_held_havip: dnat(RULE, "address: 10.0.1.11", "accept tcp 8080 from any", "havips: {v: {subnet: app, address: 10.0.1.10, holder: app-1}}\n") => [];
    the_public_port_is_not_asked_for: group("accept tcp 80 from any") => [REFUSED];
    another_protocol: group("accept udp 8080 from any") => [REFUSED];
    dropped_first: group("drop tcp 8000-8080 from any, accept tcp all from any") => [REFUSED];
    // SEMANTICS §6: a group as a peer is private addresses.
    for_members_alone: group("accept tcp 8080 from app") => [REFUSED];
    for_private_addresses_alone: group("accept tcp 8080 from 10.2.0.0/16, accept tcp 8080 from inside") => [REFUSED];
    for_one_client: group("accept tcp 8080 from 198.51.100.7/32") => [];
    for_one_client_of_a_template: group("accept tcp 8080 from outside") => [];
    for_all_but_one: group("drop tcp 8080 from 198.51.100.7/32, accept tcp 8080 from any") => [];
    an_acl_that_lets_it_in: acl("accept tcp 8080 from any") => [];
    an_acl_that_sees_the_private_port: acl("accept tcp 80 from any") => [REFUSED];
    an_acl_for_one_client: acl("accept tcp 8080 from 198.51.100.7") => [];
    // Each lets somebody in, and nobody gets past both.
    an_acl_and_a_group_for_different_clients: acl("accept tcp 8080 from 198.51.100.7")
        .replace("accept tcp 8080 from any]", "accept tcp 8080 from 198.51.100.8]") => [REFUSED];
    switched_off: group("").replace("eips: [gw], dnat", "eips: [gw], enabled: false, dnat") => [];

    ssh_for_everybody: rules("accept tcp 22 from any") => [("open-to-world", "accept tcp 22 from any")];
    a_range_with_a_database: rules("accept tcp 3000-4000 from 0.0.0.0/0") => [("open-to-world", "accept tcp 3000-4000 from 0.0.0.0/0")];
    a_web_server: rules("\"accept tcp 80,443 from any\", accept icmp from any") => [];
    ssh_for_the_office: rules("accept tcp 22 from office, accept tcp 22 from 203.0.113.0/24") => [];
    ssh_for_all_but_the_office: rules("drop tcp 22 from office, accept tcp 22 from any") => [("open-to-world", "accept tcp 22 from any")];
    everything_but_ssh: open("security_groups: [web], listen: [\"tcp:22,80\"]", "drop tcp 22 from any, accept all from any", "") => [];
    nobody_listens: open("security_groups: [web], listen: [\"tcp:80\"]", "accept tcp all from any", "") => [];
    half_of_the_world: rules("accept tcp 22 from 128.0.0.0/1") => [];
    both_halves_of_the_world: rules("accept tcp 22 from 1.0.0.0/1, accept tcp 22 from 128.0.0.0/1").replace("1.0.0.0/1,", "0.0.0.0/1,")
        => [("open-to-world", "accept tcp 22 from 0.0.0.0/1"), ("zero-prefix", "0.0.0.0/1"), ("covered-rule", "accept tcp 22 from 128.0.0.0/1")];
    no_public_address: rules("accept tcp 22 from any").replace("eips: {web: {address: 203.0.113.1, bind: web-1}}\n", "") => [];
    // The vpc's default group accepts everything, and no line says so.
    the_default_group: open("listen: [\"tcp:3306\"]", "accept tcp 80 from any", "") => [("open-to-world", "web-1")];
    an_acl_in_front: rules("accept tcp 22 from any").replace("cidr: 10.0.1.0/24", "cidr: 10.0.1.0/24, acl: edge")
        + "acls: {edge: {ingress: [accept tcp 22 from 198.51.100.0/24, accept tcp 80 from any], egress: [accept all to any]}}\n" => [];
    a_forwarded_port: dnat("port: 2222, to: app-1, to_port: 22", "address: 10.0.1.10", "accept tcp all from any", "")
        => [("open-to-world", "accept tcp all from any")];
    another_forwarded_port: dnat("port: 22, to: app-1, to_port: 8080", "address: 10.0.1.10", "accept tcp all from any", "") => [];
}
