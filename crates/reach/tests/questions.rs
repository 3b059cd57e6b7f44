//! Questions about whole networks: what is asked, and what each clause of SEMANTICS makes of it.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use vpcsim_network::NextHop;
use vpcsim_reach::{Reach, Set, Trip, ping, tcp, udp};
use vpcsim_testkit::net;

const SHOP: &str = "
regions: {home: {zones: [home-1]}}
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets:
      web: {cidr: 10.0.1.0/24}
      data: {cidr: 10.0.2.0/24, acl: data}
  other:
    cidr: 10.1.0.0/16
    route_table: other-out
    subnets: {far: {cidr: 10.1.1.0/24}}
security_groups:
  web: {ingress: [accept tcp 443 from any, accept icmp from any], egress: [accept all to any]}
  db: {ingress: [accept tcp 3306 from web, accept udp all from any], egress: []}
  open: {ingress: [accept all from any], egress: [accept all to any]}
acls:
  data:
    vpc: shop
    ingress: [accept tcp 3306 from any, accept udp 53 from any]
    egress: [accept tcp 1024-65535 to any]
route_tables:
  out:
    vpc: shop
    routes: [{to: 0.0.0.0/0, via: nat/gw}, {to: 10.1.0.0/16, via: peering/p}]
  other-out: {vpc: other, routes: []}
peerings:
  p: {vpcs: [shop, other]}
eips:
  front: {address: 203.0.113.10, bind: web-1}
  pool-1: {address: 203.0.113.1}
nat_gateways:
  gw:
    vpc: shop
    eips: [pool-1]
    dnat: [{eip: pool-1, protocol: tcp, port: 8443, to: 10.0.1.11, to_port: 443}]
cvms:
  web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
  web-2: {subnet: web, address: 10.0.1.11, security_groups: [web]}
  web-3: {subnet: web, address: 10.0.1.12, security_groups: [web]}
  web-4: {subnet: web, address: 10.0.1.13, security_groups: [web]}
  db: {subnet: data, address: 10.0.2.10, security_groups: [db]}
  far: {subnet: far, address: 10.1.1.10, security_groups: [open]}
";

#[test]
fn a_group_peer_lets_its_members_in_and_nobody_else() {
    // SEMANTICS §6.
    let program = net(SHOP);
    let reach = Reach::new(&program);
    assert!(
        reach
            .between("web-1", "db")
            .services()
            .covers(&ephemeral(tcp(3306)).services())
    );
    assert!(reach.blocked("internet", "db", Set::all()));
    assert!(reach.blocked("far", "db", Set::all()));
}

fn ephemeral(set: Set) -> Set {
    let ports = vpcsim_network::PortRange {
        first: 1024,
        last: 65_535,
    };
    set.and(&Set::source_ports(ports))
}

#[test]
fn a_stateless_acl_judges_the_answer_by_its_own_port() {
    // SEMANTICS §7: answers go to the client's port, and only 1024 and above may leave.
    let program = net(SHOP);
    let reach = Reach::new(&program);
    let there = reach.one_way("web-1", "db");
    let back = reach.between("web-1", "db");
    assert_eq!(
        back.to_string(),
        "tcp 3306 from 10.0.1.10 to 10.0.2.10, source port 1024-65535"
    );
    // Datagrams arrive; no answer to one ever leaves.
    assert!(there.without(&back).services().covers(&udp(53).services()));
}

#[test]
fn an_eip_and_a_dnat_rule_are_doors_from_the_internet() {
    // SEMANTICS §3: the whole eip as far as the group lets, of the gateway one port.
    let program = net(SHOP);
    let reach = Reach::new(&program);
    let front = reach.between("internet", "web-1");
    assert!(front.services() == tcp(443).or(&icmp_requests()).services());
    let dnat = reach.between("internet", "web-2");
    assert!(dnat.services() == tcp(8443).services());
    assert!(reach.blocked("internet", "web-3", Set::all()));
    assert!(!reach.blocked("internet", "web-2", tcp(8443)));
}

fn icmp_requests() -> Set {
    let program = net(SHOP);
    let reach = Reach::new(&program);
    reach.between("web-1", "web-2").and(&tcp(0..=65_535).not())
}

#[test]
fn a_route_on_one_side_of_a_peering_carries_nothing_back() {
    // SEMANTICS §8: both sides need a route.
    let program = net(SHOP);
    let reach = Reach::new(&program);
    assert!(!reach.one_way("web-1", "far").is_empty());
    assert!(reach.between("web-1", "far").is_empty());
}

#[test]
fn what_the_gateway_translates_comes_back() {
    // SEMANTICS §9: TCP, UDP and ICMP leave by SNAT and are answered; other protocols are not.
    let program = net(SHOP);
    let reach = Reach::new(&program);
    let out = reach.between("web-3", "internet");
    assert!(out.services().covers(&tcp(443).services()));
    assert!(out.services().covers(&ping().services()));
    assert!(
        out.and(&Set::protocol(vpcsim_packet::Protocol::GRE))
            .is_empty()
    );
}

#[test]
fn of_equal_routes_every_one_counts() {
    // SEMANTICS §2.5c: which one a packet takes is the platform's to know. Two hosts are next
    // hops for an address that only one of them has.
    let mut network = net(SHOP).network().clone();
    let cvm = |name: &str| {
        network
            .cvms
            .iter()
            .position(|cvm| cvm.name == name)
            .unwrap()
    };
    let hops = ["web-2", "web-4"].map(cvm);
    for hop in hops {
        let route = vpcsim_network::Route {
            destination: "198.51.100.0/24".parse().unwrap(),
            next_hop: NextHop::Instance(network.cvms[hop].nics[0]),
            enabled: true,
            mark: network.route_tables[0].mark,
        };
        network.route_tables[0].routes.push(route);
    }
    network.cvms[hops[0]]
        .lo
        .push("198.51.100.9".parse().unwrap());
    let program = vpcsim_dataplane::Program::new(network.clone());
    let reach = Reach::new(&program);
    let there = Set::destination("198.51.100.9/32".parse().unwrap());
    assert!(reach.one_way("web-3", "web-2").and(&there).is_empty());
    assert!(!reach.blocked("web-3", "web-2", there.clone()));
    // Now both have it.
    network.cvms[hops[1]]
        .lo
        .push("198.51.100.9".parse().unwrap());
    let program = vpcsim_dataplane::Program::new(network);
    let reach = Reach::new(&program);
    let both = [reach.ends("web-2").unwrap(), reach.ends("web-4").unwrap()].concat();
    let found = reach.query(&reach.ends("web-3").unwrap(), &both, Trip::OneWay);
    assert!(
        found
            .always
            .and(&there)
            .services()
            .covers(&tcp(443).services())
    );
}

#[test]
fn names_are_checked_and_near_ones_offered() {
    let program = net(SHOP);
    let reach = Reach::new(&program);
    let error = reach.ends("web-11").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the network has no \"web-11\"; did you mean \"web-1\"?"),
        "{error}"
    );
    assert_eq!(reach.ends("group:web").unwrap().len(), 4);
    assert_eq!(reach.ends("vpc:shop").unwrap().len(), 5);
    assert_eq!(reach.ends("subnet:data").unwrap().len(), 1);
    assert_eq!(reach.ends("any").unwrap().len(), 7);
}

#[test]
fn the_matrix_says_the_same_as_the_questions() {
    let program = net(SHOP);
    let reach = Reach::new(&program);
    for trip in [Trip::Both, Trip::OneWay] {
        let matrix = reach.matrix(trip);
        // Hosts that nothing tells apart share a class.
        assert_eq!(matrix.classes.len(), 6);
        for (from, sender) in matrix.classes.iter().enumerate() {
            for (to, receiver) in matrix.classes.iter().enumerate() {
                for &a in &sender.members {
                    for &b in receiver.members.iter().filter(|&&b| a != b) {
                        let found = reach.query(&[a], &[b], trip).always.services();
                        let cell = matrix.services(from, to);
                        let name = |end| reach.end_name(end);
                        assert!(
                            cell.covers(&found) && cell.is_empty() == found.is_empty(),
                            "{} to {}: {cell}, {found}",
                            name(a),
                            name(b)
                        );
                    }
                }
            }
        }
    }
}

/// An office behind a vpn. What answers it has two routers to choose from, of which one is
/// stopped.
const TWO_ROUTERS: &str = "
vpcs:
  v:
    cidr: 10.0.0.0/16
    subnets:
      hosts: {cidr: 10.0.1.0/24, route_table: by-routers}
      routers: {cidr: 10.0.2.0/24, route_table: home}
route_tables:
  by-routers:
    routes:
      - {to: 192.168.0.0/16, via: instance/r-1}
      - {to: 192.168.0.0/16, via: instance/r-2}
  home: {routes: [{to: 192.168.0.0/16, via: vpn/office}]}
externals: {office: {kind: vpn, vpc: v, networks: [192.168.0.0/16]}}
security_groups: {open: {ingress: [accept all from any], egress: [accept all to any]}}
cvms:
  host: {subnet: hosts, address: 10.0.1.10, security_groups: [open], listen: [\"tcp:443\"]}
  r-1: {subnet: routers, address: 10.0.2.11, ip_forward: true, security_groups: [open], running: false}
  r-2: {subnet: routers, address: 10.0.2.12, ip_forward: true, security_groups: [open]}
";

#[test]
fn of_equal_routes_of_the_answer_every_one_counts() {
    // SEMANTICS §2.5c, and §12: the answer by the stopped router is lost.
    let ask = |text: &str| {
        let program = net(text);
        let reach = Reach::new(&program);
        let (from, to) = (
            reach.ends("external:office").unwrap(),
            reach.ends("host").unwrap(),
        );
        let found = reach.query(&from, &to, Trip::Both);
        let row = reach.matrix(Trip::Both);
        let class = |end| {
            row.classes
                .iter()
                .position(|class| class.members.contains(&end))
                .unwrap()
        };
        let cell = row.services(class(from[0]), class(to[0])).clone();
        (
            found.always.and(&tcp(443)),
            found.ever.and(&tcp(443)),
            cell.and(&tcp(443)),
        )
    };
    let (always, ever, cell) = ask(TWO_ROUTERS);
    assert!(always.is_empty() && cell.is_empty());
    assert!(!ever.is_empty());
    let (always, ever, cell) = ask(&TWO_ROUTERS.replace(", running: false", ""));
    assert_eq!(always, ever);
    assert!(!always.is_empty() && !cell.is_empty());
}
