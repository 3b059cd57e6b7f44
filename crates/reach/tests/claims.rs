//! Expectations about many: what holds for all packets, and the packet with which another does not.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_packet::FlowKey;
use vpcsim_reach::{Failure, Prover, Reach, Set};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets:
      web: {cidr: 10.0.1.0/24}
      data: {cidr: 10.0.2.0/24, acl: data}
security_groups:
  web: {ingress: [accept tcp 80 from any, accept tcp 443 from any], egress: [accept all to any]}
  db: {ingress: [accept tcp 3306 from web, accept tcp 6379 from 10.0.1.10], egress: []}
acls:
  data:
    ingress: [accept tcp 1024-65535 from 10.0.0.0/16]
    egress: [accept tcp 1024-65535 to 10.0.0.0/16]
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips: {front: {address: 203.0.113.10, bind: web-1}, pool: {address: 203.0.113.1}}
nat_gateways:
  gw: {eips: [pool], dnat: [{eip: pool, protocol: tcp, port: 8080, to: 10.0.1.11, to_port: 80}]}
cvms:
  web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
  web-2: {subnet: web, address: 10.0.1.11, security_groups: [web]}
  db: {subnet: data, address: 10.0.2.10, security_groups: [db], listen: [\"tcp:3306,6379\"]}
expect:
";

/// Why an expectation about many does not hold: a packet with which it does not, and all of them.
fn decided(line: &str) -> Option<Result<(FlowKey, Set), Failure>> {
    decided_in(SHOP, line)
}

fn decided_in(network: &str, line: &str) -> Option<Result<(FlowKey, Set), Failure>> {
    let text = format!("{network}  - {{{line}}}\n");
    let network = Network::from_yaml("shop.yaml", &text).unwrap_or_else(|e| panic!("{e:?}"));
    let claim = network.claims.first().cloned().expect("it is about one");
    let program = Program::new(network);
    let reach = Reach::new(&program);
    Prover::new(&reach)
        .decide(&claim)
        .failure
        .map(|failure| match failure {
            Failure::Counter(counter) => {
                let key = counter.examples(1).next().unwrap();
                assert!(counter.packets.contains(&key));
                Ok((key, counter.packets))
            }
            Failure::AboutNobody => Err(failure),
        })
}

#[track_caller]
fn holds(line: &str) {
    assert_eq!(decided(line), None, "{line}");
}

/// The packet with which it does not hold, in words.
#[track_caller]
fn fails(line: &str) -> String {
    let (key, _) = decided(line).expect(line).unwrap();
    key.to_string()
}

#[test]
fn everything_in_a_tier_reaches_a_port_and_gets_its_answer() {
    holds("from: group:web, to: db, port: 3306, is: reachable");
    holds("from: subnet:web, to: group:db, port: 3306, is: reachable");
    holds("from: [web-1, web-2], to: 10.0.2.0/24, port: 3306, is: reachable");
    // One of the two only.
    holds("from: web-1, to: group:db, port: 6379, is: reachable");
    let key = fails("from: group:web, to: db, port: 6379, is: reachable");
    assert!(
        key.contains("10.0.1.11") && key.contains("10.0.2.10"),
        "{key}"
    );
}

#[test]
fn nothing_on_the_internet_reaches_the_database() {
    holds("from: internet, to: group:db, is: blocked");
    holds("from: 0.0.0.0/0, to: subnet:data, protocol: udp, is: blocked");
    holds("from: internet, to: [web-1, web-2], port: 1-79, is: blocked");
    let key = fails("from: internet, to: subnet:web, port: 1-100, is: blocked");
    assert!(key.contains("203.0.113."), "{key}");
}

#[test]
fn a_port_is_the_one_where_a_request_arrives() {
    // 8080 outside leads to 80 inside.
    let key = fails("from: internet, to: [web-2, db], port: 80, is: blocked");
    assert!(key.contains("203.0.113.1:8080"), "{key}");
    holds("from: internet, to: [web-2, web-2/eth0], port: 80, is: reachable");
    holds("from: internet, to: web-2, port: 8000-8100, is: blocked");
    // Not the whole range is led on.
    fails("from: internet, to: web-2, port: 80-81, is: reachable");
}

#[test]
fn of_a_range_every_port_counts() {
    let (_, lost) = decided("from: group:web, to: db, port: 3300-3310, is: reachable")
        .unwrap()
        .unwrap();
    let port = |port: u16| {
        Set::destination_ports(vpcsim_network::PortRange {
            first: port,
            last: port,
        })
    };
    assert!(lost.and(&port(3306)).is_empty());
    assert!(!lost.and(&port(3305)).is_empty() && !lost.and(&port(3310)).is_empty());
}

#[test]
fn a_stage_is_where_all_of_them_are_dropped() {
    holds("from: group:web, to: db, port: 1-1023, is: blocked, because: acl-ingress");
    holds("from: group:web, to: db, protocol: udp, is: blocked, because: acl-ingress");
    holds(
        "from: group:db, to: group:web, port: 80-90, is: blocked, because: security-group-egress",
    );
    // Above 1023 it is the group.
    fails("from: group:web, to: db, port: 1000-1030, is: blocked, because: acl-ingress");
}

#[test]
fn who_listens_on_some_ports_is_deaf_to_others() {
    let open = SHOP.replace("accept tcp 3306 from web", "accept tcp all from web");
    let line = "from: group:web, to: db, port: 5000-5010, is: blocked";
    assert_eq!(decided_in(&open, line), None);
    let line = "from: group:web, to: db, port: 6379-6380, is: reachable";
    let (key, _) = decided_in(&open, line).unwrap().unwrap();
    assert!(key.to_string().contains(":6380"), "{key}");
}

#[test]
fn the_internet_is_everybody_with_a_public_address() {
    holds("from: group:web, to: internet, port: 1-65535, is: reachable");
    let narrow = SHOP.replace("accept all to any]}", "accept all to 64.0.0.0/2]}");
    let line = "from: group:web, to: internet, port: 443-444, is: reachable";
    let (_, lost) = decided_in(&narrow, line).unwrap().unwrap();
    let allowed = Set::destination("64.0.0.0/2".parse().unwrap());
    assert!(lost.and(&allowed).is_empty() && !lost.is_empty());
}

#[test]
fn who_sends_to_itself_alone_reaches_nobody() {
    let line = "from: db, to: group:db, is: blocked";
    assert_eq!(decided(line), None);
    let line = "from: db, to: group:db, port: 80, is: reachable";
    assert_eq!(decided(line), Some(Err(Failure::AboutNobody)));
}

#[test]
fn a_private_address_that_leaves_by_the_gateway_has_not_reached_who_has_it() {
    // A vpc without a peering: its default route takes what is for the other one to the internet.
    let two = SHOP
        .replace(
            "vpcs:\n",
            "vpcs:\n  other: {cidr: 10.9.0.0/16, subnets: {far: {cidr: 10.9.1.0/24}}}\n",
        )
        .replace("out: {routes", "out: {vpc: shop, routes")
        .replace("gw: {eips", "gw: {vpc: shop, eips")
        .replace(
            "  data:\n    ingress",
            "  data:\n    vpc: shop\n    ingress",
        )
        .replace(
            "cvms:\n",
            "cvms:\n  far: {subnet: far, address: 10.9.1.10}\n",
        );
    let line = "from: group:web, to: 10.9.1.0/24, port: 80, is: blocked";
    assert_eq!(decided_in(&two, line), None);
    let line = "from: group:web, to: 10.9.1.0/24, port: 80, is: reachable";
    assert!(decided_in(&two, line).is_some());
}

#[test]
fn a_member_whose_guest_knows_no_address_is_dropped_where_the_walk_drops_it() {
    // Found by a million random packets: such a member counts with its primary address, so what
    // becomes of packets from there has to be followed too. So does a host that a prefix names.
    // A guess at its stage would be wrong: without an address it has no way out.
    let who = ["group:mute", "10.0.0.0/24"];
    let running = ["false", "true"];
    for (from, running) in who.into_iter().flat_map(|who| running.map(|is| (who, is))) {
        let network = format!(
            "
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{app: {{cidr: 10.0.0.0/24}}}}}}}}
security_groups: {{mute: {{ingress: [], egress: []}}}}
cvms:
  one:
    running: {running}
    nics:
      eth0:
        subnet: app
        addresses: [{{address: 10.0.0.10, configured: false}}]
        security_groups: [mute]
expect:
"
        );
        let claim = |stage| {
            let ask =
                format!("from: \"{from}\", to: internet, protocol: udp, port: 22, is: blocked");
            decided_in(&network, &format!("{ask}, because: {stage}"))
        };
        assert_eq!(claim("host-egress"), None, "{from}, running: {running}");
        let elsewhere = claim("security-group-egress");
        let told = matches!(elsewhere, Some(Ok(_)));
        assert!(told, "{from}, running: {running}");
    }
}

#[test]
fn an_answer_that_may_be_lost_in_two_places_is_lost_in_neither_for_sure() {
    // SEMANTICS §2.5c: the answer goes by a router that is stopped or by one whose group is shut.
    let network = |second: &str| {
        format!(
            "
vpcs:
  v:
    cidr: 10.0.0.0/16
    subnets:
      hosts: {{cidr: 10.0.1.0/24, route_table: by-routers}}
      routers: {{cidr: 10.0.2.0/24, route_table: home}}
route_tables:
  by-routers:
    routes:
      - {{to: 192.168.0.0/16, via: instance/r-1}}
      - {{to: 192.168.0.0/16, via: instance/r-2}}
  home: {{routes: [{{to: 192.168.0.0/16, via: vpn/office}}]}}
externals: {{office: {{kind: vpn, vpc: v, networks: [192.168.0.0/16]}}}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
  shut: {{ingress: [], egress: []}}
cvms:
  host: {{subnet: hosts, address: 10.0.1.10, security_groups: [open], listen: [\"tcp:443\"]}}
  r-1: {{subnet: routers, address: 10.0.2.11, ip_forward: true, security_groups: [open], running: false}}
  r-2: {{subnet: routers, address: 10.0.2.12, ip_forward: true, {second}}}
expect:
"
        )
    };
    let from = "from: 192.168.7.0/24, to: host, port: 443";
    let because = |network: &str, stage: &str| {
        decided_in(network, &format!("{from}, is: blocked, because: {stage}"))
    };
    let both_stopped = network("security_groups: [open], running: false");
    assert_eq!(because(&both_stopped, "host"), None);
    let shut = network("security_groups: [shut]");
    for stage in ["host", "security-group-ingress"] {
        assert!(matches!(because(&shut, stage), Some(Ok(_))), "{stage}");
    }
    assert_eq!(decided_in(&shut, &format!("{from}, is: blocked")), None);
    let open = network("security_groups: [open]");
    for is in ["reachable", "blocked"] {
        let found = decided_in(&open, &format!("{from}, is: {is}"));
        assert!(matches!(found, Some(Ok(_))), "{is}: {found:?}");
    }
}
