//! The compiled lists decide what a linear scan over the network's rules decides (§6, §7, §8).

use super::*;
use ipnet::Ipv4Net;
use proptest::collection::vec;
use proptest::prelude::*;
use vpcsim_network::{
    Action, AddressRange, AddressTemplateId, Mark, PortRange, RuleProtocol, Service,
};
use vpcsim_packet::Protocol;

/// Two vpcs that are peered, a third that is not; nics with one group, with several, with none.
const NETWORK: &str = "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {a1: {cidr: 10.0.0.0/24, acl: edge}}}
  b: {cidr: 10.1.0.0/16, subnets: {b1: {cidr: 10.1.0.0/24}}}
  c: {cidr: 10.0.0.0/16, subnets: {c1: {cidr: 10.0.0.0/24}}}
security_groups:
  one: {ingress: [], egress: []}
  two: {ingress: [], egress: []}
  three: {ingress: [], egress: []}
address_templates:
  t: [10.0.0.5]
  u: [10.0.0.5]
acls:
  edge: {vpc: a, ingress: [], egress: []}
peerings:
  ab: {vpcs: [a, b]}
policies:
  sg_across_peering: match
cvms:
  a-1:
    nics:
      eth0: {subnet: a1, address: 10.0.0.5, security_groups: [one]}
      eth1: {subnet: a1, address: 10.0.0.6}
  a-2: {subnet: a1, address: 10.0.0.7, security_groups: [two, one, three]}
  a-3: {subnet: a1, address: 10.0.0.8, security_groups: [two, one, three]}
  b-1: {subnet: b1, address: 10.1.0.5, security_groups: [three, one]}
  c-1: {subnet: c1, address: 10.0.0.5, security_groups: [one, two]}
";

fn network() -> Network {
    match Network::from_yaml("test", NETWORK) {
        Ok(network) => network,
        Err(errors) => panic!("{errors}"),
    }
}

// The reference: every rule in turn.

fn service_matches(service: &Service, key: &FlowKey) -> bool {
    match service.protocol.number() {
        None => true,
        Some(number) if number != key.protocol.0 => false,
        Some(_) if !has_ports(key) => true,
        Some(_) => {
            let mut ports = service.ports.iter();
            ports.any(|range| range.contains(key.destination_port))
        }
    }
}

fn acl_rule_matches(rule: &AclRule, key: &FlowKey, peer: Ipv4Addr, which: AclPort) -> bool {
    let number = rule.protocol.number();
    let protocol = number.is_none_or(|number| number == key.protocol.0);
    let (source, destination) = (key.source_port, key.destination_port);
    let ports = !has_ports(key)
        || match which {
            AclPort::Destination => rule.ports.contains(destination),
            AclPort::Source => rule.ports.contains(source),
            AclPort::Either => rule.ports.contains(source) || rule.ports.contains(destination),
        };
    protocol && rule.peer.contains(&peer) && ports
}

fn has_ports(key: &FlowKey) -> bool {
    matches!(key.protocol, Protocol::TCP | Protocol::UDP)
}

/// Whether the peer matches, and whether it does by `sg_across_peering` alone.
fn peer_matches(network: &Network, peer: &Peer, address: Ipv4Addr, vpc: VpcId) -> (bool, bool) {
    match peer {
        Peer::Any => (true, false),
        Peer::Prefix(net) => (net.contains(&address), false),
        Peer::Template(template) => {
            let mut members = network.address_template(*template).members.iter();
            (members.any(|range| range.contains(address)), false)
        }
        Peer::Group(group) => {
            let member_in = |vpc| {
                let mut nics = network.nics.iter();
                nics.any(|nic| {
                    network.subnet(nic.subnet).vpc == vpc
                        && nic.security_groups.contains(group)
                        && nic.addresses.iter().any(|own| own.address == address)
                })
            };
            let mut peerings = network.peerings.iter().filter(|peering| peering.active);
            let across = network.policies.sg_across_peering == SgAcrossPeering::Match
                && !member_in(vpc)
                && peerings.any(|peering| peering.other(vpc).is_some_and(member_in));
            (member_in(vpc) || across, across)
        }
    }
}

/// Group, position and across.
fn linear_group_rule(
    network: &Network,
    nic: NicId,
    travel: Travel,
    key: &FlowKey,
) -> Option<(SecurityGroupId, u32, bool)> {
    let vpc = network.vpc_of(nic);
    network.nic(nic).security_groups.iter().find_map(|&group| {
        let rules = group_rules(network.security_group(group), travel);
        (1..).zip(rules).find_map(|(position, rule)| {
            let mut services = rule.services.iter();
            let service = services.any(|service| service_matches(service, key));
            let (matches, across) = peer_matches(network, &rule.peer, peer(key, travel), vpc);
            (service && matches).then_some((group, position, across))
        })
    })
}

/// Position, and whether policy `acl_port` decided.
fn linear_acl_rule(network: &Network, travel: Travel, key: &FlowKey) -> (Option<u32>, bool) {
    let rules = acl_rules(network.acl(AclId(0)), travel);
    let first = |which| {
        let matches = |rule| acl_rule_matches(rule, key, peer(key, travel), which);
        let position = rules.iter().position(matches);
        position.map(|position| position as u32 + 1)
    };
    let hit = first(network.policies.acl_port);
    (hit, hit != first(AclPort::Destination))
}

fn protocol() -> impl Strategy<Value = RuleProtocol> {
    use RuleProtocol::*;
    prop::sample::select(vec![All, Tcp, Udp, Icmp, Gre])
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0..3_u16, 79..83_u16, 65_533..=u16::MAX]
}

fn ports() -> impl Strategy<Value = PortRange> {
    let range = (port(), port()).prop_map(|(a, b)| PortRange {
        first: a.min(b),
        last: a.max(b),
    });
    let one = port().prop_map(|port| PortRange {
        first: port,
        last: port,
    });
    prop_oneof![Just(PortRange::ALL), range, one]
}

fn service() -> impl Strategy<Value = Service> {
    (protocol(), vec(ports(), 1..4)).prop_map(|(protocol, ports)| Service { protocol, ports })
}

/// Addresses of nics of both vpcs, their neighbours, and the ends of the range.
fn address() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![
        4 => (0..2_u8, 3..10_u8).prop_map(|(vpc, host)| Ipv4Addr::new(10, vpc, 0, host)),
        1 => prop::sample::select(vec![Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST]),
        1 => any::<u32>().prop_map(Ipv4Addr::from),
    ]
}

fn prefix() -> impl Strategy<Value = Ipv4Net> {
    let len = prop_oneof![Just(0), Just(1), Just(15), 28..=32_u8];
    (address(), len).prop_map(|(address, len)| Ipv4Net::new(address, len).expect("a length"))
}

fn range() -> impl Strategy<Value = AddressRange> {
    (address(), address()).prop_map(|(a, b)| AddressRange {
        first: a.min(b),
        last: a.max(b),
    })
}

fn rule_peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        Just(Peer::Any),
        prefix().prop_map(Peer::Prefix),
        (0..3_u32).prop_map(|group| Peer::Group(SecurityGroupId(group))),
        (0..2_u32).prop_map(|template| Peer::Template(AddressTemplateId(template))),
    ]
}

fn group_rule() -> impl Strategy<Value = SecurityGroupRule> {
    (vec(service(), 1..4), rule_peer()).prop_map(|(services, peer)| SecurityGroupRule {
        action: Action::Accept,
        services,
        peer,
        mark: Mark::default(),
    })
}

fn acl_rule() -> impl Strategy<Value = AclRule> {
    (prefix(), protocol(), ports()).prop_map(|(peer, protocol, ports)| AclRule {
        action: Action::Accept,
        peer,
        protocol,
        ports,
        mark: Mark::default(),
    })
}

fn key() -> impl Strategy<Value = FlowKey> {
    let protocol = prop::sample::select(vec![1, 6, 17, 47, 50, 132]);
    (protocol, address(), port(), address(), port()).prop_map(
        |(protocol, source, source_port, destination, destination_port)| FlowKey {
            protocol: Protocol(protocol),
            source,
            source_port,
            destination,
            destination_port,
        },
    )
}

const WAYS: [Travel; 2] = [Travel::Ingress, Travel::Egress];

proptest! {
    #[test]
    fn a_group_decides_as_a_linear_scan_does(
        lists in vec(vec(group_rule(), 0..90), 6),
        templates in vec(vec(range(), 0..4), 2),
        match_across in any::<bool>(),
        keys in vec(key(), 40),
    ) {
        let mut network = network();
        for (list, rules) in lists.into_iter().enumerate() {
            let group = &mut network.security_groups[list / 2];
            *(if list % 2 == 0 { &mut group.ingress } else { &mut group.egress }) = rules;
        }
        for (template, members) in network.address_templates.iter_mut().zip(templates) {
            template.members = members;
        }
        if !match_across {
            network.policies.sg_across_peering = SgAcrossPeering::None;
        }
        let program = Program::new(network.clone());
        for (key, nic) in keys.iter().flat_map(|key| network.nic_ids().map(move |nic| (key, nic))) {
            for travel in WAYS {
                let decided = program.group_rule(nic, travel, key);
                let decided = decided.map(|hit| (hit.group, hit.position, hit.across));
                let expected = linear_group_rule(&network, nic, travel, key);
                prop_assert_eq!(decided, expected, "{:?} {:?} {:?}", nic, travel, key);
            }
        }
    }

    #[test]
    fn an_acl_decides_as_a_linear_scan_does(
        ingress in vec(acl_rule(), 0..90),
        egress in vec(acl_rule(), 0..90),
        acl_port in prop::sample::select(
            vec![AclPort::Destination, AclPort::Source, AclPort::Either],
        ),
        keys in vec(key(), 60),
    ) {
        let mut network = network();
        network.acls[0].ingress = ingress;
        network.acls[0].egress = egress;
        network.policies.acl_port = acl_port;
        let program = Program::new(network.clone());
        for key in &keys {
            for travel in WAYS {
                let AclVerdict { hit, by_policy } = program.acl_rule(AclId(0), travel, key);
                let decided = (hit.map(|(position, _)| position), by_policy);
                let expected = linear_acl_rule(&network, travel, key);
                prop_assert_eq!(decided, expected, "{:?} {:?}", travel, key);
            }
        }
    }
}

#[test]
fn nics_with_the_same_groups_share_what_is_compiled() {
    let mut network = network();
    let everybody = SecurityGroupRule {
        action: Action::Accept,
        services: Vec::new(),
        peer: Peer::Any,
        mark: Mark::default(),
    };
    let members = SecurityGroupRule {
        peer: Peer::Group(SecurityGroupId(1)),
        ..everybody.clone()
    };
    network.security_groups[0].ingress = vec![everybody];
    network.security_groups[1].ingress = vec![members];
    let filters = Filters::new(&network);
    let lists = filters.lists.len();
    let of = |cvm: &str| filters.nics[network.find_nic(cvm).expect("a nic").index()];
    assert_eq!(of("a-2"), of("a-3"));
    assert_eq!(
        lists, 5,
        "one, none, two+one+three, three+one, and one+two of another vpc"
    );
    // Egress and ingress of three groups, and once more where a group's members depend on the
    // vpc and a nic of that vpc wants them: ingress of `two` in vpc c.
    assert_eq!(filters.groups.len(), 6 + 1);
}
