//! SEMANTICS §8: peerings, and §2.6 where it speaks of them.

use vpcsim_testkit::{Lab, ping, tcp};

/// shop – office – branch, and a twin of shop that is joined to nobody.
fn three(policies: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidrs: [10.0.0.0/16, 192.168.0.0/20]
    route_table: shop
    subnets: {{web: {{cidr: 10.0.1.0/24}}, old: {{cidr: 192.168.1.0/24}}}}
  office:
    cidrs: [172.16.0.0/16, 192.168.16.0/20]
    route_table: office
    subnets: {{desks: {{cidr: 172.16.1.0/24, acl: desks}}, labs: {{cidr: 192.168.17.0/24}}}}
  branch:
    cidr: 172.20.0.0/16
    route_table: branch
    subnets: {{tills: {{cidr: 172.20.1.0/24}}}}
  twin:
    cidr: 10.0.0.0/16
    route_table: twin
    subnets: {{twin-web: {{cidr: 10.0.1.0/24}}}}
route_tables:
  shop:
    vpc: shop
    routes:
      - {{to: 172.16.0.0/12, via: peering/shop-office}}
      - {{to: 192.168.16.0/20, via: peering/shop-office}}
      - {{to: 198.51.100.0/24, via: peering/shop-office}}
  office:
    vpc: office
    routes:
      - {{to: 10.0.0.0/16, via: peering/shop-office}}
      - {{to: 192.168.0.0/20, via: peering/shop-office}}
      - {{to: 172.20.0.0/16, via: peering/office-branch}}
      - {{to: 0.0.0.0/0, via: nat/gw}}
  branch: {{vpc: branch, routes: [{{to: 0.0.0.0/0, via: peering/office-branch}}]}}
  twin: {{vpc: twin, routes: [{{to: 172.16.0.0/16, via: vpn/away}}]}}
peerings:
  shop-office: {{vpcs: [shop, office]}}
  office-branch: {{vpcs: [branch, office]}}
externals:
  away: {{kind: vpn, vpc: twin}}
eips: {{gw: {{address: 203.0.113.10}}}}
nat_gateways: {{gw: {{vpc: office, eips: [gw]}}}}
acls:
  desks: {{vpc: office, ingress: [drop tcp 23 from any, accept all from any], egress: [accept all to any]}}
havips:
  free: {{subnet: desks, address: 172.16.1.100}}
security_groups:
  web: {{ingress: [accept all from any], egress: [accept all to any]}}
  for-web: {{ingress: [accept tcp 80 from web], egress: [accept tcp 80 to web]}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10, security_groups: [web]}}
  web-2: {{subnet: web, address: 10.0.1.11}}
  old-1: {{subnet: old, address: 192.168.1.10}}
  desk-1: {{subnet: desks, addresses: [172.16.1.10, {{address: 172.16.1.12, configured: false}}]}}
  desk-2: {{subnet: desks, address: 172.16.1.11, security_groups: [for-web]}}
  lab-1: {{subnet: labs, address: 192.168.17.10}}
  till-1: {{subnet: tills, address: 172.20.1.10}}
  twin-1: {{subnet: twin-web, address: 10.0.1.10, security_groups: [for-web]}}
  twin-2: {{subnet: twin-web, address: 10.0.1.12}}
policies: {{{policies}}}
"
    ))
}

#[test]
fn it_carries_both_ways_where_both_sides_have_a_route() {
    let mut lab = three("");
    let end = lab.send(ping("10.0.1.11", "172.16.1.10"));
    end.delivered_at("desk-1/eth0")
        .passed("route", "routed")
        .passed("peering", "carried");
    lab.reply_to(&end).delivered_at("web-2/eth0");
}

#[test]
fn with_a_route_on_one_side_only_the_reply_is_lost() {
    let mut lab = Lab::new(
        "
vpcs:
  shop: {cidr: 10.0.0.0/16, route_table: shop, subnets: {web: {cidr: 10.0.1.0/24}}}
  office: {cidr: 172.16.0.0/16, subnets: {desks: {cidr: 172.16.1.0/24}}}
route_tables: {shop: {vpc: shop, routes: [{to: 172.16.0.0/16, via: peering/pair}]}}
peerings: {pair: {vpcs: [office, shop]}}
cvms: {web-1: {subnet: web, address: 10.0.1.10}, desk-1: {subnet: desks, address: 172.16.1.10}}
",
    );
    let end = lab.send(ping("10.0.1.10", "172.16.1.10"));
    end.delivered_at("desk-1/eth0");
    lab.reply_to(&end)
        .dropped("no-route", "route", "office/default");
}

#[test]
fn secondary_cidrs_count_on_both_sides() {
    let mut lab = three("");
    for (from, to, at) in [
        ("192.168.1.10", "192.168.17.10", "lab-1/eth0"),
        ("10.0.1.11", "192.168.17.10", "lab-1/eth0"),
        ("192.168.17.10", "192.168.1.10", "old-1/eth0"),
    ] {
        lab.send(ping(from, to)).delivered_at(at);
    }
}

#[test]
fn a_wider_route_carries_only_what_the_peer_owns() {
    let mut lab = three("");
    lab.send(ping("10.0.1.10", "172.17.0.1").at("web-1"))
        .dropped("peering-not-transitive", "peering", "shop-office")
        .by_rule("routes 1");
}

#[test]
fn it_is_not_transitive() {
    let mut lab = three("");
    // The peer's route to the third vpc is not consulted, nor is its nat gateway.
    lab.send(ping("10.0.1.11", "172.20.1.10"))
        .dropped("peering-not-transitive", "peering", "shop-office")
        .by_rule("routes 1");
    lab.send(ping("10.0.1.11", "198.51.100.7"))
        .dropped("peering-not-transitive", "peering", "shop-office")
        .by_rule("routes 3")
        .never_at("nat-gateway");
    lab.send(ping("172.20.1.10", "198.51.100.7")).dropped(
        "peering-not-transitive",
        "peering",
        "office-branch",
    );
    // Back over the same peering neither.
    lab.send(ping("172.20.1.10", "10.0.1.11")).dropped(
        "peering-not-transitive",
        "peering",
        "office-branch",
    );
}

#[test]
fn an_address_of_the_peer_that_nobody_has() {
    let mut lab = three("");
    lab.send(ping("10.0.1.11", "172.16.1.99"))
        .dropped("no-such-host", "peering", "office")
        .by_rule("routes 1");
    lab.send(ping("10.0.1.11", "172.16.1.100"))
        .dropped("havip-unheld", "peering", "free")
        .by_rule("routes 1");
}

#[test]
fn the_acl_and_the_groups_of_the_peer_judge() {
    let mut lab = three("");
    lab.send(tcp("10.0.1.11:40000", "172.16.1.10:23"))
        .dropped("acl-deny", "acl-ingress", "desks")
        .by_rule("ingress 1");
    lab.send(tcp("10.0.1.11:40000", "172.16.1.11:80"))
        .dropped("security-group-deny", "security-group-ingress", "for-web")
        .by_rule("ingress implicit deny");
}

#[test]
fn between_accounts_it_waits_for_acceptance() {
    let lab = |accounts: [&str; 2], accepted: &str| {
        Lab::new(&format!(
            "
vpcs:
  shop: {{account: {}, cidr: 10.0.0.0/16, route_table: shop, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}
  office: {{account: {}, cidr: 172.16.0.0/16, subnets: {{desks: {{cidr: 172.16.1.0/24}}}}}}
route_tables: {{shop: {{vpc: shop, routes: [{{to: 172.16.0.0/16, via: peering/pair}}]}}}}
peerings: {{pair: {{vpcs: [shop, office]{accepted}}}}}
cvms: {{web-1: {{subnet: web, address: 10.0.1.10}}, desk-1: {{subnet: desks, address: 172.16.1.10}}}}
",
            accounts[0], accounts[1]
        ))
    };
    let ping = || ping("10.0.1.10", "172.16.1.10");
    for accepted in ["", ", accepted: false"] {
        lab(["one", "two"], accepted)
            .send(ping())
            .dropped("peering-inactive", "peering", "pair")
            .by_rule("routes 1");
        lab(["one", "one"], accepted)
            .send(ping())
            .delivered_at("desk-1/eth0");
    }
    lab(["one", "two"], ", accepted: true")
        .send(ping())
        .delivered_at("desk-1/eth0");
}

#[test]
fn by_default_a_group_does_not_match_across_a_peering() {
    let mut lab = three("");
    lab.send(tcp("10.0.1.10:40000", "172.16.1.11:80").at("web-1"))
        .dropped("security-group-deny", "security-group-ingress", "for-web")
        .by_rule("ingress implicit deny");
    lab.send(tcp("172.16.1.11:40000", "10.0.1.10:80"))
        .dropped("security-group-deny", "security-group-egress", "for-web")
        .by_rule("egress implicit deny");
}

#[test]
fn sg_across_peering_match_lets_it_match_and_is_named() {
    let mut lab = three("sg_across_peering: match");
    for (packet, stage, at) in [
        (
            tcp("10.0.1.10:40000", "172.16.1.11:80").at("web-1"),
            "security-group-ingress",
            "desk-2/eth0",
        ),
        (
            tcp("172.16.1.11:40001", "10.0.1.10:80"),
            "security-group-egress",
            "web-1/eth0",
        ),
    ] {
        let end = lab.send(packet);
        end.delivered_at(at);
        let stop = end.stops().iter().find(|stop| stop.stage == stage);
        assert_eq!(
            stop.and_then(|stop| stop.policy),
            Some("sg_across_peering"),
            "{end}"
        );
    }
    // Not a member.
    lab.send(tcp("10.0.1.11:40000", "172.16.1.11:80")).dropped(
        "security-group-deny",
        "security-group-ingress",
        "for-web",
    );
}

#[test]
fn sg_across_peering_match_does_not_reach_a_vpc_that_is_no_peer() {
    let mut lab = three("sg_across_peering: match");
    // 10.0.1.10 is a member in shop; here it is another host's address.
    lab.send(tcp("10.0.1.12:40000", "10.0.1.10:80").at("twin-2"))
        .dropped("security-group-deny", "security-group-ingress", "for-web");
    lab.send(tcp("10.0.1.10:40000", "10.0.1.12:80").at("twin-1"))
        .dropped("security-group-deny", "security-group-egress", "for-web");
}

#[test]
fn vpcs_that_are_not_joined_may_use_the_same_addresses() {
    let mut lab = three("");
    lab.send(ping("10.0.1.11", "10.0.1.10"))
        .delivered_at("web-1/eth0");
    lab.send(ping("10.0.1.12", "10.0.1.10")).dropped(
        "security-group-deny",
        "security-group-ingress",
        "for-web",
    );
    lab.send(ping("10.0.1.11", "10.0.1.12"))
        .dropped("no-such-host", "route", "shop");
    lab.send(tcp("10.0.1.10:40000", "172.16.1.10:80").at("web-1"))
        .delivered_at("desk-1/eth0");
    lab.send(ping("10.0.1.12", "172.16.1.10"))
        .delivered_at("external:away");
}

/// The errors of a file with two or three vpcs of these ranges, joined in a row.
fn errors(ranges: &[&str]) -> Option<String> {
    let vpcs = ranges.iter().zip(["one", "two", "three"]);
    let vpcs: String = vpcs
        .map(|(range, name)| format!("  {name}: {{cidrs: [{range}]}}\n"))
        .collect();
    let third = if ranges.len() > 2 {
        "\n  q: {vpcs: [two, three]}"
    } else {
        ""
    };
    let file = format!("vpcs:\n{vpcs}peerings:\n  p: {{vpcs: [one, two]}}{third}\n");
    let read = vpcsim_network::Network::from_yaml("test.yaml", &file);
    read.err().map(|errors| format!("{errors} {errors:#?}"))
}

#[test]
fn overlapping_peers_are_refused_by_name() {
    for ranges in [
        ["10.0.0.0/16", "10.0.128.0/17"],
        [
            "10.0.0.0/16, 172.16.0.0/16",
            "192.168.0.0/16, 172.16.4.0/24",
        ],
    ] {
        let errors = errors(&ranges).expect("they overlap");
        assert!(errors.contains("one") && errors.contains("two"), "{errors}");
    }
    let errors_of_three = errors(&["10.0.0.0/16", "10.1.0.0/16", "10.0.4.0/24"]);
    let text = errors_of_three.expect("two peers of one vpc overlap each other");
    assert!(text.contains("one") && text.contains("three"), "{text}");
    assert_eq!(errors(&["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"]), None);
}

#[test]
fn a_peering_is_no_next_hop_host() {
    // The packet is for an address of the host, which the guest does not know.
    three("")
        .send(ping("10.0.1.11", "172.16.1.12"))
        .dropped("not-local", "host", "desk-1");
}
