//! SEMANTICS §11, policy `mtu`, and TTL, policy `fabric_ttl`.

use vpcsim_packet::{Headers, Transport};
use vpcsim_testkit::{Craft, Lab, tcp, udp};

fn lab(policies: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    mtu: 1400
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
security_groups: {{quiet: {{egress: [accept all to any]}}}}
eips: {{e1: {{address: 203.0.113.1, bandwidth: unlimited}}}}
nat_gateways: {{gw: {{bandwidth: unlimited, eips: [e1]}}}}
cvms:
  a: {{subnet: web, address: 10.0.1.10, security_groups: [quiet]}}
  b: {{subnet: db, address: 10.0.2.10}}
  hop: {{subnet: web, address: 10.0.1.20, ip_forward: true}}
policies: {{{policies}}}
"
    ))
}

/// A datagram of `len` bytes, header included.
fn datagram(len: usize) -> Craft {
    udp("10.0.1.10:4000", "10.0.2.10:53")
        .identification(5)
        .filler(len - 28)
}

#[test]
fn ignore_lets_every_size_pass() {
    let mut lab = lab("");
    lab.send(datagram(9000).dont_fragment())
        .delivered_at("b/eth0")
        .never_at("mtu");
    lab.send(datagram(65_535)).delivered_at("b/eth0");
    // An offloaded super-packet: no length in the header.
    let mut bytes = tcp("10.0.1.10:4000", "10.0.2.10:80")
        .ack()
        .filler(60_000)
        .bytes();
    bytes[2..4].fill(0);
    bytes.extend(vec![0; 30_000]);
    let end = lab.send(bytes);
    end.delivered_at("b/eth0");
    assert_eq!(end.headers().total_len, 90_040);
}

#[test]
fn icmp_drops_a_packet_with_df_and_says_so() {
    let mut lab = lab("mtu: icmp");
    lab.send(datagram(1400).dont_fragment())
        .delivered_at("b/eth0")
        .never_at("mtu");
    let end = lab.send(datagram(1401).dont_fragment());
    end.dropped("too-big", "mtu", "a/eth0").by_policy("mtu");
    let made = end.generated();
    assert_eq!(made.len(), 1);
    // Related to the flow: the group lets nothing else in.
    made[0]
        .delivered_at("a/eth0")
        .checksums_are_right()
        .passed("security-group-ingress", "related");
    let headers = made[0].headers();
    assert_eq!(
        headers.source.to_string(),
        "10.0.1.1",
        "the subnet's gateway"
    );
    let Transport::Icmp(icmp) = headers.transport else {
        panic!("{headers:?}")
    };
    assert_eq!((icmp.kind, icmp.code), (3, 4));
    let message = &made[0].bytes()[headers.header_len..];
    assert_eq!(
        message[6..8],
        1400u16.to_be_bytes(),
        "next-hop MTU (RFC 1191)"
    );
    assert_eq!(made[0].quoted(), "udp 10.0.1.10:4000 > 10.0.2.10:53");
    assert!(headers.total_len <= 576);
}

#[test]
fn silent_drops_it_and_says_nothing() {
    let end = lab("mtu: silent").send(datagram(1401).dont_fragment());
    end.dropped("too-big", "mtu", "a/eth0").by_policy("mtu");
    assert!(end.others().is_empty());
}

#[test]
fn without_df_it_is_cut_under_both() {
    for policy in ["mtu: icmp", "mtu: silent"] {
        let mut lab = lab(policy);
        let end = lab.send(datagram(4000));
        end.delivered_at("b/eth0").passed("mtu", "fragmented");
        let sent = datagram(4000).bytes();
        let pieces = end.pieces();
        assert_eq!(pieces.len(), 3);
        let mut payload: Vec<u8> = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            piece.delivered_at("b/eth0").checksums_are_right();
            let headers = piece.headers();
            assert!(headers.total_len <= 1400 && piece.bytes().len() == headers.total_len);
            assert_eq!(headers.more_fragments, n < 2);
            assert_eq!(headers.fragment_offset as usize, payload.len());
            assert_eq!(headers.identification, 5);
            payload.extend(&piece.bytes()[headers.header_len..]);
        }
        assert_eq!(payload, sent[20..], "the right bytes");
        assert!(end.generated().is_empty());
    }
}

#[test]
fn pieces_go_out_by_the_gateway_translated() {
    let mut lab = lab("mtu: icmp");
    let end = lab.send(udp("10.0.1.10:4000", "198.51.100.7:53").filler(3000));
    end.delivered_at("internet");
    assert_eq!(end.pieces().len(), 3);
    for piece in end.pieces() {
        piece.delivered_at("internet");
        assert_eq!(piece.headers().source.to_string(), "203.0.113.1");
    }
    let back = lab.from_internet(udp("198.51.100.7:53", "203.0.113.1:4000"));
    back.delivered_at("a/eth0");
}

#[test]
fn a_fragment_larger_than_the_link_is_cut_further() {
    let mut lab = lab("mtu: icmp");
    let pieces = datagram(4000).fragments(2000);
    lab.send(pieces[0].clone()).delivered_at("b/eth0");
    let end = lab.send(pieces[1].clone());
    let offsets: Vec<u32> = end
        .pieces()
        .iter()
        .map(|p| p.headers().fragment_offset)
        .collect();
    assert_eq!(offsets.len(), 2);
    assert_eq!(offsets[0], 1976);
}

#[test]
fn a_piece_that_is_dropped_is_the_verdict_of_the_whole() {
    let mut lab = lab("mtu: icmp");
    let end = lab.send(datagram(4000));
    end.delivered_at("b/eth0");
    let away = udp("10.0.1.10:4000", "10.0.9.9:53").filler(3000);
    let end = lab.send(away);
    end.dropped("no-such-host", "route", "shop");
    assert!(
        end.pieces()
            .iter()
            .all(|piece| piece.outcome() == "no-such-host")
    );
}

#[test]
fn a_super_packet_cannot_be_cut() {
    let mut bytes = tcp("10.0.1.10:4000", "10.0.2.10:80")
        .ack()
        .filler(60_000)
        .bytes();
    bytes[2..4].fill(0);
    bytes.extend(vec![0; 30_000]);
    lab("mtu: silent")
        .send(bytes)
        .dropped("too-big", "mtu", "a/eth0");
}

#[test]
fn vpc_hops_take_no_ttl() {
    let end = lab("").send(datagram(100).ttl(1));
    end.delivered_at("b/eth0");
    assert_eq!(end.headers().ttl, 1);
    let end = lab("").send(udp("10.0.1.10:4000", "198.51.100.7:53").ttl(1));
    end.delivered_at("internet");
}

#[test]
fn fabric_ttl_1_takes_one_at_each_route() {
    let mut lab = lab("fabric_ttl: 1");
    let end = lab.send(datagram(100).ttl(64));
    end.delivered_at("b/eth0").checksums_are_right();
    assert_eq!(end.headers().ttl, 63);
    // Within the subnet there is no hop.
    let end = lab.send(udp("10.0.1.10:4000", "10.0.1.20:53").ttl(1));
    end.delivered_at("hop/eth0");
}

#[test]
fn at_ttl_1_a_time_exceeded_goes_back() {
    // nat-and-kernel-cases 23.
    let mut lab = lab("fabric_ttl: 1");
    let end = lab.send(datagram(100).ttl(1));
    end.dropped("ttl-exceeded", "route", "web")
        .by_policy("fabric_ttl");
    let made = end.generated();
    made[0]
        .delivered_at("a/eth0")
        .checksums_are_right()
        .passed("security-group-ingress", "related");
    let headers = Headers::parse(made[0].bytes()).expect("an error");
    let Transport::Icmp(icmp) = headers.transport else {
        panic!("{headers:?}")
    };
    assert_eq!((icmp.kind, icmp.code), (11, 0));
}

#[test]
fn no_error_is_sent_about_an_error_or_a_later_fragment() {
    let mut lab = lab("fabric_ttl: 1, mtu: icmp");
    let pieces = datagram(2000).ttl(1).fragments(1000);
    assert_eq!(lab.send(pieces[0].clone()).generated().len(), 1);
    let later = lab.send(pieces[1].clone());
    later.dropped("ttl-exceeded", "route", "web");
    assert!(later.generated().is_empty());
}
