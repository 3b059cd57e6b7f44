//! The reference file, which uses every key once, decodes into the model it means.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use std::net::Ipv4Addr;
use vpcsim_network::*;

const REFERENCE: &str = include_str!("../../../scenarios/reference/network.yaml");

fn read(yaml: &str) -> Network {
    Network::from_yaml("network.yaml", yaml).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn reference() -> Network {
    read(REFERENCE)
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn counts() {
    let expected = Summary {
        regions: 1,
        zones: 2,
        vpcs: 2,
        subnets: 4,
        security_groups: 2,
        security_group_rules: 8,
        templates: 2,
        acls: 1,
        acl_rules: 4,
        route_tables: 2,
        routes: 8,
        peerings: 1,
        eips: 6,
        nat_gateways: 1,
        nat_rules: 4,
        havips: 1,
        externals: 1,
        cvms: 5,
        nics: 6,
    };
    assert_eq!(reference().summary(), expected);
}

#[test]
fn vpcs_and_subnets() {
    let network = reference();
    let shop = network.vpc(network.find_vpc("shop").unwrap());
    assert_eq!(shop.account, "shop-team");
    assert_eq!(shop.cidrs.len(), 2);
    assert_eq!(shop.mtu, 1500);
    let table = network.route_table(shop.default_route_table);
    assert_eq!(table.name, "shop-main");
    let partner = network.vpc(network.find_vpc("partner").unwrap());
    assert_eq!(
        network.route_table(partner.default_route_table).name,
        "partner/default"
    );
    assert_eq!(
        network.security_group(partner.default_security_group).name,
        "partner/default"
    );
    let web = network.subnet(network.find_subnet("web").unwrap());
    assert_eq!(web.gateway(), ip("10.0.1.1"));
    assert_eq!(network.zone(web.zone).name, "guangzhou-3");
    assert_eq!(network.route_table(web.route_table).name, "web");
    assert_eq!(network.acl(web.acl.unwrap()).name, "edge");
    let spare = network.subnet(network.find_subnet("spare").unwrap());
    assert_eq!(network.zone(spare.zone).name, "guangzhou-3");
    assert_eq!(network.route_table(spare.route_table).name, "shop-main");
}

#[test]
fn rules() {
    let network = reference();
    let web = network.security_group(network.find_security_group("web").unwrap());
    let range = |first, last| PortRange { first, last };
    let [first, icmp, office, app, databases] = web.ingress.as_slice() else {
        panic!("{:?}", web.ingress)
    };
    assert_eq!(first.peer, Peer::Any);
    assert_eq!(first.services[0].protocol, RuleProtocol::Tcp);
    assert_eq!(
        first.services[0].ports,
        [range(80, 80), range(443, 443), range(8000, 8010)]
    );
    assert_eq!(icmp.services[0].ports, [PortRange::ALL]);
    assert_eq!(office.services[0].ports, [range(22, 22)]);
    let template = network.find_address_template("office").unwrap();
    assert_eq!(office.peer, Peer::Template(template));
    assert_eq!(network.address_template(template).members.len(), 3);
    assert_eq!(
        app.peer,
        Peer::Group(network.find_security_group("app").unwrap())
    );
    assert_eq!(databases.action, Action::Drop);
    assert_eq!(databases.services.len(), 4);
    assert_eq!(databases.services[3].ports, [PortRange::ALL]);
    let acl = &network.acls[0];
    assert_eq!(acl.ingress[1].ports, range(1024, 65535));
    assert_eq!(acl.egress[0].peer, "0.0.0.0/0".parse().unwrap());
}

#[test]
fn gateways() {
    let network = reference();
    let gateway = NatGatewayId(0);
    let nat = network.nat_gateway(gateway);
    assert_eq!(nat.max_connections, 500_000);
    assert_eq!(nat.timeouts, NatTimeouts::default());
    assert_eq!(nat.dnat[1].to, ip("10.0.2.10"));
    assert_eq!(nat.dnat[1].to_port, 22);
    assert_eq!(
        nat.snat[0].source,
        SnatSource::Cvm(network.find_cvm("app-1").unwrap())
    );
    let eip = |name| network.eip(network.find_eip(name).unwrap());
    assert_eq!(eip("gw-1").target, Some(EipTarget::NatGateway(gateway)));
    let web_1 = network.find_nic("web-1").unwrap();
    assert_eq!(
        eip("web-1").target,
        Some(EipTarget::Address(web_1, ip("10.0.1.10")))
    );
    let web_2 = network.find_nic("web-2/eth0").unwrap();
    assert_eq!(
        eip("web-1b").target,
        Some(EipTarget::Address(web_2, ip("10.0.1.11")))
    );
    assert_eq!(eip("relay").mode, EipMode::Direct);
    assert_eq!(eip("vip").target, Some(EipTarget::Havip(HavipId(0))));
    assert_eq!(eip("unused").bandwidth, Bandwidth::Unlimited);
    assert_eq!(eip("unused").target, None);
    assert_eq!(network.havips[0].holder, Some(web_1));
    assert!(network.peerings[0].active);
    let web = network.route_table(network.find_route_table("web").unwrap());
    let hops: Vec<NextHop> = web.routes.iter().map(|r| r.next_hop).collect();
    let relay = network.find_nic("relay").unwrap();
    assert_eq!(
        hops,
        [
            NextHop::Eip,
            NextHop::NatGateway(gateway),
            NextHop::External(ExternalId(0)),
            NextHop::Instance(relay),
            NextHop::Cvm(relay),
            NextHop::Havip(HavipId(0)),
        ]
    );
    assert!(!web.routes[3].enabled);
}

#[test]
fn hosts() {
    let network = reference();
    let relay = network.cvm(network.find_cvm("relay").unwrap());
    assert!(relay.ip_forward);
    assert_eq!(relay.lo, [ip("10.0.2.50")]);
    assert_eq!(relay.captured_as, [ip("192.168.50.1")]);
    assert_eq!(relay.sysctl_all.rp_filter, 0);
    let eth0 = network.nic(network.find_nic("relay/eth0").unwrap());
    let eth1_id = network.find_nic("relay/eth1").unwrap();
    let eth1 = network.nic(eth1_id);
    assert!(eth0.primary && !eth1.primary);
    assert_eq!(eth0.sysctl, InterfaceSysctl::default());
    assert_eq!(
        eth1.sysctl,
        InterfaceSysctl {
            rp_filter: 2,
            accept_local: true,
            route_localnet: false
        }
    );
    assert!(!eth0.addresses[1].configured);
    assert!(eth0.forwarding && eth1.forwarding);
    assert!(eth1.security_groups.is_empty());
    let table = HostTable(20);
    assert_eq!(
        relay.routes,
        [
            HostRoute {
                destination: "0.0.0.0/0".parse().unwrap(),
                via: Some(ip("10.0.2.1")),
                nic: eth1_id,
                table,
            },
            HostRoute {
                destination: "192.168.51.0/24".parse().unwrap(),
                via: None,
                nic: eth1_id,
                table: HostTable::MAIN,
            },
        ]
    );
    assert_eq!(relay.rules[0].from, "10.0.2.30/32".parse().unwrap());
    let web_1 = network.cvm(network.find_cvm("web-1").unwrap());
    assert_eq!(web_1.sysctl_all.rp_filter, 1);
    assert_eq!(web_1.listen.as_ref().unwrap()[0].ports.len(), 2);
    assert_eq!(relay.listen, None);
    let api = network.nic(network.find_nic("api-1").unwrap());
    let group = network.security_group(api.security_groups[0]);
    assert_eq!(group.name, "partner/default");
    assert_eq!(group.ingress[0].peer, Peer::Any);
}

#[test]
fn policies_are_the_defaults() {
    assert_eq!(reference().policies, Policies::default());
}

#[test]
fn marks_point_into_the_file() {
    let network = reference();
    let at = |mark: Mark| &REFERENCE[mark.offset as usize..(mark.offset + mark.len) as usize];
    for cvm in &network.cvms {
        assert_eq!(at(cvm.mark), cvm.name);
    }
    let web = network.security_group(network.find_security_group("web").unwrap());
    assert_eq!(
        at(web.ingress[0].mark),
        "accept tcp 80,443,8000-8010 from any"
    );
    assert_eq!(web.ingress[0].mark.line, 25);
    assert_eq!(web.ingress[0].mark.column, 9);
}

#[test]
fn lookups() {
    let network = reference();
    let shop = network.find_vpc("shop");
    let nic = network.nic_by_address(shop, ip("10.0.2.21")).unwrap();
    assert_eq!(network.nic_name(nic), "relay/eth0");
    assert_eq!(network.vpc_of(nic), shop.unwrap());
    assert_eq!(
        network.nic_by_address(network.find_vpc("partner"), ip("10.0.2.21")),
        None
    );
    assert_eq!(
        network.eip_by_address(ip("203.0.113.21")),
        network.find_eip("web-1b")
    );
    assert_eq!(network.find_nic("relay/eth2"), None);
    assert_eq!(network.find_nic("nobody"), None);
    assert_eq!(network.nic_ids().count(), 6);
    assert_eq!(network.cvm_ids().count(), 5);
}

#[test]
fn a_simple_network_fits_in_25_lines() {
    let yaml = "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {cidr: 10.0.1.0/24}

security_groups:
  web:
    ingress:
      - accept tcp 80,443 from any
    egress:
      - accept all to any

cvms:
  web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
  web-2: {subnet: web, address: 10.0.1.11}

eips:
  web-1: {address: 203.0.113.10, bind: web-1}
";
    assert!(yaml.lines().count() <= 25);
    let network = read(yaml);
    assert_eq!(network.regions[0].name, "default");
    assert_eq!(network.zones[0].name, "default-1");
    let nic = network.nic(network.find_nic("web-2").unwrap());
    assert_eq!(
        network.security_group(nic.security_groups[0]).name,
        "shop/default"
    );
}

#[test]
fn a_declared_default_group_replaces_the_implied_one() {
    let base = "vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}\ncvms: {a: {subnet: web, address: 10.0.1.10}}\n";
    for name in ["default", "shop/default"] {
        let network = read(&format!("{base}security_groups: {{{name}: {{}}}}\n"));
        assert_eq!(network.security_groups.len(), 1);
        let nic = network.nic(NicId(0));
        assert_eq!(network.security_group(nic.security_groups[0]).name, name);
    }
}

#[test]
fn peers_that_are_written_in_many_ways() {
    let network = read(
        "vpcs: {shop: {cidr: 10.0.0.0/16}}
address_templates: {both: [192.0.2.1 - 192.0.2.9]}
security_groups:
  both:
    ingress:
      - accept tcp from 0.0.0.0/8
      - accept tcp 80, 443 from 10.0.0.1
      - accept udp all from group/both
      - accept udp 1-2 from template/both
      - {action: accept, protocol: tcp, ports: [80, 443-450], from: default}
",
    );
    let peers: Vec<&Peer> = network.security_groups[0]
        .ingress
        .iter()
        .map(|r| &r.peer)
        .collect();
    assert_eq!(
        peers,
        [
            &Peer::Any,
            &Peer::Prefix("10.0.0.1/32".parse().unwrap()),
            &Peer::Group(SecurityGroupId(0)),
            &Peer::Template(AddressTemplateId(0)),
            &Peer::Group(SecurityGroupId(1)),
        ]
    );
}

#[test]
fn anchors_aliases_and_merge_keys() {
    let network = read(
        "vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}
security_groups:
  web: &web {ingress: [accept tcp 80 from any]}
  also: *web
  more: {<<: *web, egress: [accept all to any]}
",
    );
    let [web, also, more] = &network.security_groups[..3] else {
        panic!()
    };
    assert_eq!(web.ingress, also.ingress);
    assert_eq!(more.ingress.len(), 1);
    assert_eq!(more.egress.len(), 1);
}

#[test]
fn rules_are_said_as_they_are_written() {
    let network = reference();
    let web = &network.security_groups[network.find_security_group("web").unwrap().index()];
    let ingress = web.ingress.iter();
    let words: Vec<_> = ingress
        .map(|rule| network.group_rule_words(rule, true))
        .collect();
    assert_eq!(
        words,
        [
            "accept tcp 80,443,8000-8010 from any",
            "accept icmp from any",
            "accept tcp 22 from office",
            "accept all from app",
            "drop tcp 3306, tcp 5432,6379, udp 11211-11220, tcp from 10.0.0.0/8",
        ]
    );
    assert_eq!(
        network.group_rule_words(&web.egress[0], false),
        "accept all to any"
    );
    let acl = &network.acls[0];
    assert_eq!(
        network.acl_rule_words(&acl.ingress[1], true),
        "accept tcp 1024-65535 from any"
    );
    let table = &network.route_tables[network.find_route_table("web").unwrap().index()];
    let words: Vec<_> = table
        .routes
        .iter()
        .map(|route| network.route_words(route))
        .collect();
    assert_eq!(
        words,
        [
            "0.0.0.0/0 via eip",
            "0.0.0.0/0 via nat/gw",
            "192.168.0.0/16 via vpn/office",
            "192.168.50.0/24 via instance/relay/eth0",
            "192.168.51.0/24 via cvm/relay/eth0",
            "192.168.52.0/24 via havip/vip",
        ]
    );
    let gateway = &network.nat_gateways[0];
    assert_eq!(
        network.snat_rule_words(&gateway.snat[1]),
        "subnet/app by gw-1"
    );
    assert_eq!(
        network.dnat_rule_words(&gateway.dnat[0]),
        "tcp 8443 of gw-1 to 10.0.2.10:443"
    );
}
