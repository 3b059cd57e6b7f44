//! SEMANTICS §12: where packets came from, in which order it is asked.

use crate::support::{OFFICE, drops, packets, program, run};
use std::net::Ipv4Addr;
use vpcsim_dataplane::Source;
use vpcsim_network::{CvmId, ExternalId, NicId};
use vpcsim_packet::build::{icmp, tcp, udp};
use vpcsim_packet::{Headers, IcmpBody, TcpFlags, Transport, Verdict, verify_checksums};
use vpcsim_replay::{Attribution, Endpoint, Mapping, MappingError, Options};

const STRANGER: [u8; 4] = [198, 51, 100, 9];

#[test]
fn the_order_is_at_map_owner_external_internet() {
    let program = program(OFFICE);
    let map = vec![Mapping::parse(&program, "8.8.8.8=client-2").unwrap()];
    let options = Options {
        map: map.clone(),
        ..Options::default()
    };
    let attribution = Attribution::new(&program, &options);
    let of = |address: &str| attribution.of(address.parse().unwrap()).source;
    assert_eq!(of("8.8.8.8"), Some(Source::Cvm(CvmId(1))));
    assert_eq!(of("172.16.1.10"), Some(Source::Cvm(CvmId(0))));
    assert_eq!(of("192.168.7.7"), Some(Source::External(ExternalId(0))));
    assert_eq!(of("8.8.4.4"), Some(Source::Internet));
    // A private address of somebody else's network is the internet's.
    assert_eq!(of("10.1.2.3"), Some(Source::Internet));
    assert_eq!(of("203.0.113.10"), Some(Source::Internet));
    // Nobody's: in the vpc, or not a host's.
    for nobody in [
        "172.16.1.99",
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.251",
        "255.255.255.255",
    ] {
        assert_eq!(of(nobody), None, "{nobody}");
    }

    let nic = Endpoint::parse(&program, "web/eth0").unwrap();
    let options = Options {
        at: Some(nic.source(&program)),
        map,
        ..Options::default()
    };
    let attribution = Attribution::new(&program, &options);
    for anybody in ["8.8.8.8", "172.16.1.10", "127.0.0.1"] {
        let source = attribution.of(anybody.parse().unwrap()).source;
        assert_eq!(source, Some(Source::Nic(NicId(2))));
    }
}

/// What the network file says of captures holds without being said again; what is said is stronger.
#[test]
fn the_network_file_can_map_addresses_too() {
    let declared = OFFICE.replace("  client: {", "  client: {captured_as: [10.0.0.5], ");
    let program = program(&declared);
    let reply = tcp(
        (STRANGER, 80),
        ([10, 0, 0, 5], 4000),
        TcpFlags::SYN | TcpFlags::ACK,
    );
    let packets = packets([
        tcp(([10, 0, 0, 5], 4000), (STRANGER, 80), TcpFlags::SYN).bytes(),
        reply.bytes(),
    ]);
    let (report, kept) = run(&program, &Options::default(), &packets);
    assert_eq!(report.verdicts.delivered, 2);
    assert_eq!(kept.at(&program, "client/eth0").len(), 1);
    let asked = Options {
        map: vec![Mapping::parse(&program, "10.0.0.5=client-2").unwrap()],
        ..Options::default()
    };
    let source = |options: &Options| {
        let attribution = Attribution::new(&program, options);
        attribution.of([10, 0, 0, 5].into()).source
    };
    assert_eq!(source(&Options::default()), Some(Source::Cvm(CvmId(0))));
    assert_eq!(source(&asked), Some(Source::Cvm(CvmId(1))));
}

#[test]
fn a_mapped_address_becomes_the_hosts_own_both_ways() {
    let program = program(OFFICE);
    let options = Options {
        map: vec![Mapping::parse(&program, "10.0.0.5=client").unwrap()],
        ..Options::default()
    };
    let laptop = [10, 0, 0, 5];
    let query = udp((laptop, 4000), (STRANGER, 53), b"?");
    // What a router on the internet says of the query, as the laptop saw it.
    let error = icmp(STRANGER, laptop, 3, 3, [0; 4], &query.bytes());
    let frames = packets([
        query.bytes(),
        udp((STRANGER, 53), (laptop, 4000), b"!").bytes(),
        error.bytes(),
    ]);
    let (report, kept) = run(&program, &options, &frames);
    assert_eq!(report.verdicts.delivered, 3, "{report:#?}");
    let out = &kept.at(&program, "internet")[0].bytes;
    assert_eq!(
        Headers::parse(out).unwrap().source,
        Ipv4Addr::new(203, 0, 113, 10)
    );
    let back = kept.at(&program, "client/eth0");
    assert_eq!(back.len(), 2);
    let own = Ipv4Addr::new(172, 16, 1, 10);
    for ended in &back {
        let headers = Headers::parse(&ended.bytes).unwrap();
        assert_eq!(headers.destination, own);
        let checksums = verify_checksums(&ended.bytes, &headers);
        assert_eq!(
            (checksums.ip, checksums.transport),
            (Verdict::Right, Verdict::Right)
        );
    }
    let headers = Headers::parse(&back[1].bytes).unwrap();
    let Transport::Icmp(message) = headers.transport else {
        panic!("an icmp message wanted");
    };
    let IcmpBody::Error(quoted) = message.body else {
        panic!("an error wanted");
    };
    assert_eq!((quoted.key.source, quoted.key.source_port), (own, 4000));
}

#[test]
fn a_mapping_that_the_host_owns_changes_nothing() {
    let program = program(OFFICE);
    let options = Options {
        map: vec![Mapping::parse(&program, "172.16.1.11 = client-2").unwrap()],
        ..Options::default()
    };
    let frames = packets([udp(([172, 16, 1, 11], 4000), ([172, 16, 1, 10], 53), b"?").bytes()]);
    let (report, _) = run(&program, &options, &frames);
    // The client's group lets nobody in.
    assert_eq!(
        drops(&report)[0].0,
        "security-group-deny at security-group-ingress: security group clients, ingress \
         implicit deny (line 10)"
    );
}

#[test]
fn at_internet_takes_our_public_sources_as_translated() {
    let program = program(OFFICE);
    let options = Options {
        at: Some(Source::Internet),
        ..Options::default()
    };
    let frames = packets([
        tcp(([203, 0, 113, 10], 1), (STRANGER, 80), TcpFlags::SYN).bytes(),
        tcp((STRANGER, 1), ([203, 0, 113, 20], 80), TcpFlags::SYN).bytes(),
    ]);
    let (report, _) = run(&program, &options, &frames);
    let places: Vec<_> = report.places.iter().map(|row| &*row.name).collect();
    assert_eq!(places, ["internet", "web/eth0"]);
}

#[test]
fn an_address_of_several_vpcs_is_warned_of_once() {
    let program = program(
        "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {a: {cidr: 10.0.1.0/24}}}
  b: {cidr: 10.0.0.0/16, subnets: {b: {cidr: 10.0.1.0/24}}}
cvms:
  a-1: {subnet: a, address: 10.0.1.10}
  a-2: {subnet: a, address: 10.0.1.11}
  b-1: {subnet: b, address: 10.0.1.10}
",
    );
    let packet = |from: u8, port| udp(([10, 0, 1, from], port), ([10, 0, 1, 11], 53), b"?").bytes();
    let frames = packets([packet(10, 1), packet(10, 2), packet(10, 3)]);
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].starts_with("10.0.1.10 is somebody's in several vpcs"));
    assert_eq!(kept.at(&program, "a-2/eth0").len(), 3);
}

#[test]
fn wrong_mappings_say_what_is_wrong() {
    let program = program(OFFICE);
    let error = |text: &str| Mapping::parse(&program, text).unwrap_err();
    assert!(matches!(error("client"), MappingError::Form { .. }));
    assert!(matches!(
        error("client=10.0.0.5"),
        MappingError::Address { .. }
    ));
    assert!(matches!(
        error("10.0.0.5=internet"),
        MappingError::NotACvm { .. }
    ));
    assert_eq!(
        error("10.0.0.5=clinet").to_string(),
        "no cvm is called `clinet`: did you mean `client`?"
    );
}
