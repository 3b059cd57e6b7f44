//! Every kind of difference between two networks, and what made it.

use crate::diff::{amount, causes, compare, compared, is_empty, words};
use crate::support::{Frame, OFFICE, capture, go_on, input, packets, program};
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{Echo, icmp_echo, tcp, udp};
use vpcsim_replay::Mapping;
use vpcsim_replay::diff::{Differs, Side, diff};

const CLIENT: [u8; 4] = [172, 16, 1, 10];
const WEB: [u8; 4] = [172, 16, 2, 10];
const STRANGER: [u8; 4] = [198, 51, 100, 9];

fn syn_ack() -> TcpFlags {
    TcpFlags::SYN | TcpFlags::ACK
}

/// A handshake and some data between two ends.
fn connection(client: ([u8; 4], u16), server: ([u8; 4], u16)) -> Vec<Vec<u8>> {
    let out = |flags, sequence: u32, payload: &[u8]| {
        let packet = tcp(client, server, flags).sequence(sequence);
        packet.acknowledgment(1).payload(payload).bytes()
    };
    let back = |flags, acknowledgment: u32| {
        let packet = tcp(server, client, flags).sequence(u32::from(!flags.contains(TcpFlags::SYN)));
        packet.acknowledgment(acknowledgment).bytes()
    };
    vec![
        tcp(client, server, TcpFlags::SYN).bytes(),
        back(syn_ack(), 1),
        out(TcpFlags::ACK, 1, b""),
        out(TcpFlags::ACK, 1, b"hello"),
        back(TcpFlags::ACK, 6),
    ]
}

fn client_to_web() -> Vec<Frame> {
    packets(connection((CLIENT, 4000), (WEB, 80)))
}

fn client_to_stranger() -> Vec<Frame> {
    packets(connection((CLIENT, 4000), (STRANGER, 443)))
}

#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(OFFICE.contains(from), "{from}");
    OFFICE.replace(from, to)
}

#[test]
fn a_network_and_itself_differ_in_nothing() {
    let office = program(OFFICE);
    for frames in [client_to_web(), client_to_stranger()] {
        let report = compare(&office, &office, &frames);
        is_empty(&report);
        assert_eq!(report.flows, 1);
        assert_eq!(report.old.verdicts.delivered, 5);
    }
}

#[test]
fn what_means_the_same_differs_in_nothing() {
    // Another rule before those that decide, and another table, with the same routes.
    let text = changed(
        "ingress: [accept tcp 80",
        "ingress: [drop tcp 81 from any, accept tcp 80",
    )
    .replace("route_table: out", "route_table: way")
    .replace("  out:\n", "  way:\n");
    let report = compare(&program(OFFICE), &program(&text), &client_to_web());
    is_empty(&report);
}

#[test]
fn a_flow_that_a_group_denies_is_lost() {
    let new = changed(
        "ingress: [accept tcp 80 from any",
        "ingress: [accept tcp 81 from any",
    );
    let report = compare(&program(OFFICE), &program(&new), &client_to_web());
    // What the server sends passes its group as the first packet of a flow would.
    assert_eq!(amount(&report.lost), (1, 3));
    assert_eq!(
        (amount(&report.allowed), amount(&report.moved)),
        ((0, 0), (0, 0))
    );
    let row = &report.lost.flows[0];
    assert_eq!(row.flow, "tcp 172.16.1.10:4000 > 172.16.2.10:80");
    assert_eq!((row.first.number, row.packets), (1, 3));
    assert_eq!(row.old.place.as_deref(), Some("web/eth0"));
    assert_eq!(row.new.place, None);
    assert_eq!(
        words(&row.old.reason),
        "accepted at security-group-ingress: security group servers, ingress 1: \
         accept tcp 80 from any"
    );
    assert_eq!(
        words(&row.new.reason),
        "security-group-deny at security-group-ingress: security group servers, \
         ingress implicit deny"
    );
}

/// The server answers, and the group that lets the question in owes nothing to the answer's rules.
#[test]
fn of_a_reply_the_rule_is_told_that_let_its_flow_in() {
    // The egress rules of the servers are not asked while the flow is known.
    let old = changed(
        "accept icmp from any]\n    egress: [accept all to any]",
        "accept icmp from any]\n    egress: [accept udp to any]",
    );
    let new = old.replace(
        "ingress: [accept tcp 80 from any",
        "ingress: [accept tcp 81 from any",
    );
    let report = compare(&program(&old), &program(&new), &client_to_web());
    let egress: Vec<_> = causes(&report.lost)
        .into_iter()
        .filter(|(_, new, _)| new.contains("security-group-egress"))
        .collect();
    for (old, new, packets) in &egress {
        assert_eq!(
            old,
            "accepted at security-group-egress: security group servers, ingress 1: \
             accept tcp 80 from any"
        );
        assert_eq!(
            new,
            "security-group-deny at security-group-egress: security group servers, \
             egress implicit deny"
        );
        // One would open a flow, the other is judged as if it did (mid_stream).
        assert_eq!(*packets, 1);
    }
    assert_eq!(egress.len(), 2);
}

/// Packets of a live flow take a remembered way in the old network, and the rule that let the flow
/// in is still told.
#[test]
fn packets_in_the_middle_of_a_flow() {
    let mut frames = packets((0..300).map(|_| udp((CLIENT, 4000), (WEB, 53), b"?").bytes()));
    // The new network forgets the flow before its second half, and then a link has become small.
    for frame in &mut frames[150..] {
        let large = udp((CLIENT, 4000), (WEB, 53), &[7; 1600])
            .dont_fragment(true)
            .bytes();
        frame.original_len = large.len() as u32;
        frame.data = large;
    }
    let new = format!("{OFFICE}policies: {{mtu: silent}}\n");
    let report = compare(&program(OFFICE), &program(&new), &frames);
    assert_eq!(amount(&report.lost), (1, 150));
    let row = &report.lost.flows[0];
    assert_eq!(row.first.number, 151);
    assert_eq!(words(&row.new.reason), "too-big at mtu: nic client/eth0");
}

#[test]
fn an_acl_and_a_route_that_decide() {
    let new = changed("- drop tcp 23 from any", "- drop tcp 80 from 172.16.1.0/24");
    let report = compare(&program(OFFICE), &program(&new), &client_to_web());
    let first = &report.lost.flows[0];
    assert_eq!(
        words(&first.old.reason),
        "accepted at acl-ingress: acl edge, ingress 2: accept all from any"
    );
    assert_eq!(
        words(&first.new.reason),
        "acl-deny at acl-ingress: acl edge, ingress 1: drop tcp 80 from 172.16.1.0/24"
    );

    let new = changed("      - {to: 0.0.0.0/0, via: nat/gw}\n", "");
    let report = compare(&program(OFFICE), &program(&new), &client_to_stranger());
    assert_eq!(amount(&report.lost), (1, 5));
    let first = &report.lost.flows[0];
    assert_eq!(
        words(&first.old.reason),
        "routed at route: route table out, routes 2: 0.0.0.0/0 via nat/gw"
    );
    assert_eq!(
        words(&first.new.reason),
        "no-route at route: route table out"
    );
}

#[test]
fn a_packet_that_is_dropped_further_on_took_another_way_before() {
    let new = changed(
        "{to: 0.0.0.0/0, via: nat/gw}",
        "{to: 0.0.0.0/0, via: instance/web}",
    );
    let report = compare(&program(OFFICE), &program(&new), &client_to_stranger());
    let first = &report.lost.flows[0];
    assert_eq!(
        words(&first.old.reason),
        "routed at route: route table out, routes 2: 0.0.0.0/0 via nat/gw"
    );
    assert_eq!(
        words(&first.new.reason),
        "routed at route: route table out, routes 2: 0.0.0.0/0 via instance/web/eth0; \
         security-group-deny at security-group-ingress: security group servers, \
         ingress implicit deny"
    );
}

#[test]
fn another_public_address_is_another_way() {
    let new = changed("203.0.113.10", "203.0.113.11");
    let report = compare(&program(OFFICE), &program(&new), &client_to_stranger());
    assert_eq!(
        (amount(&report.lost), amount(&report.allowed)),
        ((0, 0), (0, 0))
    );
    // Replies get their private destination back.
    assert_eq!(amount(&report.moved), (1, 3));
    let row = &report.moved.flows[0];
    assert_eq!(row.differs, Some(Differs::Address));
    let arrived = |address| format!("tcp {address}:4000 > 198.51.100.9:443");
    assert_eq!(row.old.packet, Some(arrived("203.0.113.10")));
    assert_eq!(row.new.packet, Some(arrived("203.0.113.11")));
    let by = "source-translated at nat-gateway: nat gateway gw";
    assert_eq!([words(&row.old.reason), words(&row.new.reason)], [by, by]);
}

#[test]
fn another_port_and_another_place() {
    let knock = packets([tcp((STRANGER, 4000), ([203, 0, 113, 10], 8080), TcpFlags::SYN).bytes()]);
    let old = changed(
        "    egress: [accept all to any]\n  servers:",
        "    ingress: [accept all from any]\n    egress: [accept all to any]\n  servers:",
    );
    let new = old.replace("to: web, to_port: 80", "to: client, to_port: 80");
    let report = compare(&program(&old), &program(&new), &knock);
    let row = &report.moved.flows[0];
    assert_eq!(row.differs, Some(Differs::Place));
    assert_eq!(row.old.place.as_deref(), Some("web/eth0"));
    assert_eq!(row.new.place.as_deref(), Some("client/eth0"));
    assert_eq!(
        words(&row.new.reason),
        "destination-translated at nat-gateway: nat gateway gw, dnat 1: \
         tcp 8080 of gw-1 to 172.16.1.10:80"
    );
    // The group of the servers accepts no other port.
    let open = old.replace("accept tcp 80 from any", "accept tcp from any");
    let new = open.replace("to: web, to_port: 80", "to: web, to_port: 81");
    let report = compare(&program(&open), &program(&new), &knock);
    assert_eq!(report.moved.flows[0].differs, Some(Differs::Port));
}

#[test]
fn another_path_to_the_same_place() {
    let to_branch = |port| udp((CLIENT, port), ([192, 168, 0, 7], 53), b"?").bytes();
    // Many packets, so that both networks remember the way.
    let frames = packets((0..600).map(|number| to_branch(4000 + number % 2)));
    let branch = "      - {to: 192.168.0.0/16, via: vpn/branch}\n";
    let old = OFFICE
        .replace(
            "      servers: {",
            "      relays: {cidr: 172.16.3.0/24, route_table: far}\n      servers: {",
        )
        .replace(
            "eips:\n",
            &format!("  far:\n    vpc: office\n    routes:\n{branch}eips:\n"),
        );
    let old = format!("{old}  relay: {{subnet: relays, address: 172.16.3.10, ip_forward: true}}\n");
    let new = old.replacen("via: vpn/branch", "via: instance/relay", 1);
    assert_ne!(old, new);
    let report = compare(&program(&old), &program(&new), &frames);
    assert_eq!(amount(&report.moved), (2, 600), "{report:#?}");
    assert_eq!(report.moved.flows[0].differs, Some(Differs::Path));
    assert_eq!(
        causes(&report.moved),
        [(
            "routed at route: route table out, routes 1: 192.168.0.0/16 via vpn/branch".to_owned(),
            "routed at route: route table out, routes 1: 192.168.0.0/16 via instance/relay/eth0"
                .to_owned(),
            600
        )]
    );
}

#[test]
fn a_host_that_only_one_network_has() {
    let new = changed(
        "  client: {subnet: clients, address: 172.16.1.10, security_groups: [clients]}\n",
        "",
    );
    let report = compare(&program(OFFICE), &program(&new), &client_to_web());
    assert_eq!(amount(&report.lost), (1, 5));
    assert_eq!(
        causes(&report.lost),
        [
            ("by client".to_owned(), "by nobody".to_owned(), 3),
            (
                "local at route: route table out".to_owned(),
                "no-such-host at route: vpc office".to_owned(),
                2
            ),
        ]
    );
    let [sender] = report.senders.as_slice() else {
        panic!("{:#?}", report.senders)
    };
    assert_eq!(sender.address.octets(), CLIENT);
    assert_eq!(
        (sender.old.as_deref(), sender.new.as_deref()),
        (Some("client"), None)
    );
    assert_eq!(sender.packets, 3);
}

#[test]
fn a_mapped_host_that_only_one_network_has() {
    let laptop = [192, 168, 9, 9];
    let frames = packets(connection((laptop, 4000), (STRANGER, 443)));
    let (old, bare) = (
        program(OFFICE),
        changed(
            "  client-2: {subnet: clients, address: 172.16.1.11, security_groups: [clients]}\n",
            "",
        ),
    );
    let new = program(&bare);
    let map = Mapping::parse(&old, "192.168.9.9=client-2").unwrap();
    let there = Side {
        map: vec![map],
        ..Side::new("old", &old)
    };
    let here = Side {
        absent: vec![laptop.into()],
        ..Side::new("new", &new)
    };
    let report = compared(&there, &here, &frames);
    assert_eq!(amount(&report.lost), (1, 5));
    // As it was captured: so one finds it in the capture.
    assert_eq!(
        report.lost.flows[0].flow,
        "tcp 192.168.9.9:4000 > 198.51.100.9:443"
    );
    assert_eq!(report.senders[0].old.as_deref(), Some("client-2"));
    assert_eq!(report.senders[0].new, None);
    assert_eq!(report.new.verdicts.unattributed, 3);
}

#[test]
fn fragments_that_come_early_are_compared_when_they_have_ended() {
    let query = udp((CLIENT, 4000), (WEB, 53), &[7; 3000]);
    let mut pieces = query.fragments(1500);
    pieces.rotate_left(1);
    let new = changed("accept udp all from any", "drop udp 53 from any");
    let report = compare(&program(OFFICE), &program(&new), &packets(pieces.clone()));
    assert_eq!(report.lost.total.packets, pieces.len() as u64);
    assert_eq!((report.old.verdicts.held, report.new.verdicts.held), (0, 0));
    // Without the first one they wait to the end, in both.
    pieces.pop();
    let report = compare(&program(OFFICE), &program(&new), &packets(pieces.clone()));
    is_empty(&report);
    assert_eq!(report.old.verdicts.held, pieces.len() as u64);
}

#[test]
fn what_is_cut_to_the_size_of_a_link_goes_the_same_way() {
    let large = (0..200).map(|_| udp((CLIENT, 4000), (STRANGER, 53), &[7; 3000]).bytes());
    let frames = packets(large);
    let new = format!("{OFFICE}policies: {{mtu: icmp}}\n");
    is_empty(&compare(&program(OFFICE), &program(&new), &frames));
    let moved = new.replace("203.0.113.10", "203.0.113.11");
    let report = compare(&program(OFFICE), &program(&moved), &frames);
    assert_eq!(amount(&report.moved), (1, 200));
}

#[test]
fn pings_are_flows_too() {
    let ping = |echo, from, to| icmp_echo(echo, from, to, 7, 1, b"hello").bytes();
    let frames = packets([
        ping(Echo::Request, CLIENT, WEB),
        ping(Echo::Reply, WEB, CLIENT),
    ]);
    let new = changed("accept icmp from any", "drop icmp from any");
    let report = compare(&program(OFFICE), &program(&new), &frames);
    assert_eq!(report.flows, 1);
    let row = &report.lost.flows[0];
    assert_eq!(row.flow, "icmp echo-request id 7 172.16.1.10 > 172.16.2.10");
}

#[test]
fn the_lists_can_be_shortened_and_say_so() {
    let syns = (0..50).flat_map(|number| {
        let syn = tcp((CLIENT, 4000 + number), (WEB, 80), TcpFlags::SYN).bytes();
        vec![syn; 1 + usize::from(number)]
    });
    let new = changed("accept tcp 80 from any", "drop tcp 80 from any");
    let (old, new) = (program(OFFICE), program(&new));
    let sides = [Side::new("old", &old), Side::new("new", &new)];
    let inputs = vec![input("test", capture(&packets(syns)))];
    let report = diff(&sides[0], &sides[1], inputs, 3, &mut go_on).unwrap();
    let listed: Vec<_> = report.lost.flows.iter().map(|row| row.packets).collect();
    assert_eq!(listed, [50, 49, 48]);
    assert_eq!(
        (report.lost.total.flows, report.lost.flows_beyond),
        (50, 47)
    );
}
