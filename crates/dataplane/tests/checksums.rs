//! SEMANTICS §11: packets as they are. Checksums, options, cut and broken packets.

use vpcsim_dataplane::Verdict;
use vpcsim_packet::{Fault, Headers, Layer, Protocol, TcpFlags, build, verify_checksums};
use vpcsim_testkit::{Craft, End, Lab, net, other, ping, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips:
  e1: {address: 203.0.113.1, bandwidth: unlimited}
  own: {address: 203.0.113.9, bandwidth: unlimited, bind: b}
nat_gateways:
  gw: {bandwidth: unlimited, eips: [e1], dnat: [{eip: e1, protocol: udp, port: 53, to: a, to_port: 5353}, {eip: e1, protocol: tcp, port: 80, to: a, to_port: 8080}]}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  a2: {subnet: web, address: 10.0.1.11}
  b: {subnet: db, address: 10.0.2.10}
policies: {fabric_ttl: 1}
";

const REMOTE: &str = "198.51.100.7:443";

/// Packets that meet every kind of translation.
fn translated() -> Vec<(&'static str, Craft)> {
    vec![
        ("snat tcp", tcp("10.0.1.10:700", REMOTE).filler(30)),
        ("snat udp", udp("10.0.1.10:700", REMOTE).filler(30)),
        (
            "snat icmp",
            ping("10.0.1.10", "198.51.100.7").id(700).filler(30),
        ),
        ("dnat tcp", tcp(REMOTE, "203.0.113.1:80").filler(30)),
        ("dnat udp", udp(REMOTE, "203.0.113.1:53").filler(30)),
        ("eip tcp", tcp(REMOTE, "203.0.113.9:80").filler(30)),
        ("eip icmp", ping("198.51.100.7", "203.0.113.9").filler(30)),
        (
            "eip gre",
            other(Protocol::GRE, "198.51.100.7", "203.0.113.9").filler(30),
        ),
        ("hop", udp("10.0.1.10:1", "10.0.2.10:1").filler(30)),
    ]
}

/// A lab in which port and id 700 are taken, so that they have to change.
fn busy() -> Lab {
    let mut lab = Lab::new(SHOP);
    for packet in [
        tcp("10.0.1.11:700", REMOTE),
        udp("10.0.1.11:700", REMOTE),
        ping("10.0.1.11", "198.51.100.7").id(700),
    ] {
        lab.send(packet).delivered_at("internet");
    }
    lab
}

#[test]
fn a_right_checksum_stays_right() {
    // nat-and-kernel-cases 30.
    for (name, packet) in translated() {
        let end = busy().send(packet.clone());
        assert!(
            matches!(end.verdict(), Verdict::Delivered(_)),
            "{name}: {end}"
        );
        assert_ne!(end.bytes(), packet.bytes(), "{name}");
        end.checksums_are_right();
    }
}

#[test]
fn a_wrong_one_stays_wrong_by_as_much_and_is_no_drop() {
    for (name, packet) in translated() {
        let right = busy().send(packet.clone());
        for at in [10, 11, 36, 37, 26, 27, 22, 23] {
            // One bit of the payload or of a checksum.
            let mut bytes = packet.bytes();
            bytes[at] ^= 0x40;
            if Headers::parse(&bytes).ok().map(|h| h.transport)
                != Headers::parse(&packet.bytes()).ok().map(|h| h.transport)
            {
                continue; // a port or an identifier
            }
            let before = verify_checksums(&bytes, &Headers::parse(&bytes).expect(name));
            let end = busy().send(bytes);
            assert!(
                matches!(end.verdict(), Verdict::Delivered(_)),
                "{name} {at}: {end}"
            );
            assert_eq!(
                verify_checksums(end.bytes(), &end.headers()),
                before,
                "{name} {at}"
            );
            let changed = end
                .bytes()
                .iter()
                .zip(right.bytes())
                .filter(|(a, b)| a != b)
                .count();
            assert!(changed <= 2, "{name} {at}: the difference travels along");
        }
    }
}

#[test]
fn udp_without_a_checksum_stays_without() {
    let packet =
        || build::udp(([10, 0, 1, 10], 700), ([198, 51, 100, 7], 443), b"x").without_checksum();
    let end = busy().send(packet());
    end.delivered_at("internet");
    assert_eq!(end.bytes()[26..28], [0, 0]);
}

#[test]
fn a_computed_zero_is_sent_as_ffff() {
    // RFC 768; a checksum of 0 would mean none.
    let mut found = false;
    for n in 0..=u16::MAX {
        let payload = n.to_be_bytes();
        let translated = build::udp(([203, 0, 113, 1], 7), ([198, 51, 100, 7], 443), &payload);
        if translated.bytes()[26..28] == [0xff, 0xff] {
            let packet = build::udp(([10, 0, 1, 10], 7), ([198, 51, 100, 7], 443), &payload);
            let end = Lab::new(SHOP).send(packet);
            end.delivered_at("internet");
            assert_eq!(end.bytes()[26..28], [0xff, 0xff]);
            found = true;
            break;
        }
    }
    assert!(found);
}

#[test]
fn identification_df_tos_and_payload_are_kept() {
    let packet = build::tcp(([10, 0, 1, 10], 7), ([198, 51, 100, 7], 443), TcpFlags::SYN)
        .tos(0xb8)
        .identification(4711)
        .dont_fragment(true)
        .payload(b"hello");
    let end = Lab::new(SHOP).send(packet);
    let headers = end.headers();
    assert_eq!(
        (headers.tos, headers.identification, headers.dont_fragment),
        (0xb8, 4711, true)
    );
    assert!(end.bytes().ends_with(b"hello"));
}

#[test]
fn ip_options_are_carried() {
    let options = [0x94, 4, 0, 0, 1, 1, 1, 0];
    for protocol in [Protocol::TCP, Protocol::UDP] {
        let (from, to) = (([10, 0, 1, 10], 7), ([198, 51, 100, 7], 443));
        let packet = match protocol {
            Protocol::TCP => build::tcp(from, to, TcpFlags::SYN),
            _ => build::udp(from, to, b"x"),
        };
        let end = Lab::new(SHOP).send(packet.options(&options));
        end.delivered_at("internet").checksums_are_right();
        assert_eq!(end.headers().header_len, 28);
        assert_eq!(end.bytes()[20..28], options);
        assert_eq!(end.headers().source.to_string(), "203.0.113.1");
        let back = end.reply_with_options(&options);
        let back = busy_after(&end).from_internet(back);
        back.delivered_at("a/eth0").checksums_are_right();
    }
}

/// A lab that has seen what `end` was.
fn busy_after(end: &End) -> Lab {
    let mut lab = Lab::new(SHOP);
    let mut bytes = end.bytes().to_vec();
    bytes[12..16].copy_from_slice(&[10, 0, 1, 10]);
    lab.send(bytes).delivered_at("internet");
    lab
}

trait Reply {
    fn reply_with_options(&self, options: &[u8]) -> build::Build;
}

impl Reply for End {
    fn reply_with_options(&self, options: &[u8]) -> build::Build {
        let key = vpcsim_packet::FlowKey::of(&self.headers())
            .expect("whole")
            .reversed();
        build::of_flow(&key).options(options)
    }
}

#[test]
fn verify_checksums_makes_a_wrong_one_a_drop() {
    let strict = || Lab::of(net(SHOP).verifying_checksums(true));
    for (name, packet) in translated() {
        assert!(
            matches!(
                strict().send(packet.clone()).verdict(),
                Verdict::Delivered(_)
            ),
            "{name}"
        );
        let mut bytes = packet.bytes();
        bytes[10] ^= 1;
        strict()
            .send(bytes)
            .dropped("bad-checksum", "packet", "packet");
        if name.ends_with("gre") {
            continue; // no checksum that is read here
        }
        let mut bytes = packet.bytes();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        strict()
            .send(bytes)
            .dropped("bad-checksum", "packet", "packet");
    }
    // None is not a wrong one; nor is one that cannot be told.
    let without =
        build::udp(([10, 0, 1, 10], 7), ([198, 51, 100, 7], 443), b"x").without_checksum();
    strict().send(without).delivered_at("internet");
    let cut = udp("10.0.1.10:7", REMOTE).filler(100).bytes()[..60].to_vec();
    strict().send(cut).delivered_at("internet");
    for piece in udp("10.0.1.10:7", REMOTE).filler(3000).fragments(1500) {
        assert_ne!(strict().send(piece.clone()).outcome(), "bad-checksum");
        let mut bytes = piece.bytes();
        bytes[11] ^= 1;
        strict()
            .send(bytes)
            .dropped("bad-checksum", "packet", "packet");
    }
}

#[test]
fn truncated_packets_pass_by_their_headers() {
    // snaplen: 40 bytes were captured of a thousand.
    for (name, packet) in translated() {
        let bytes = packet.filler(1000).bytes();
        let end = busy().send(bytes[..40].to_vec());
        assert!(
            matches!(end.verdict(), Verdict::Delivered(_)),
            "{name}: {end}"
        );
        assert_eq!(end.bytes().len(), 40);
        assert!(end.headers().total_len > 1000);
    }
    // What was captured is what the whole packet has there.
    let bytes = tcp("10.0.1.10:700", REMOTE).filler(1000).bytes();
    let whole = busy().send(bytes.clone());
    let cut = busy().send(bytes[..60].to_vec());
    assert_eq!(cut.bytes(), &whole.bytes()[..60]);
}

#[test]
fn not_ipv4_is_counted_apart() {
    let mut bytes = vec![0; 40];
    bytes[0] = 0x60;
    assert_eq!(
        Lab::new(SHOP).send_from("internet", bytes).verdict(),
        Verdict::NotIpv4
    );
}

#[test]
fn malformed_says_what_and_where() {
    let whole = tcp("10.0.1.10:700", REMOTE).bytes();
    let with = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        bytes
    };
    for (bytes, layer, offset) in [
        (vec![], Layer::Ipv4, 0),
        (whole[..19].to_vec(), Layer::Ipv4, 0),
        (with(0, 0x44), Layer::Ipv4, 0),
        (with(0, 0x55), Layer::Ipv4, 0),
        (with(3, 19), Layer::Ipv4, 2),
        (whole[..39].to_vec(), Layer::Tcp, 20),
        (with(32, 0x40), Layer::Tcp, 32),
        (with(32, 0xf0), Layer::Tcp, 32),
        (
            udp("10.0.1.10:700", REMOTE).bytes()[..27].to_vec(),
            Layer::Udp,
            20,
        ),
        (
            ping("10.0.1.10", "198.51.100.7").bytes()[..27].to_vec(),
            Layer::Icmp,
            20,
        ),
    ] {
        let end = Lab::new(SHOP).send_from("a", bytes);
        let Verdict::Malformed(malformed) = end.verdict() else {
            panic!("{end}")
        };
        assert_eq!(
            (malformed.layer, malformed.offset),
            (layer, offset),
            "{malformed}"
        );
        assert!(end.stops().is_empty() && end.others().is_empty());
    }
    let end = Lab::new(SHOP).send_from("a", whole[..39].to_vec());
    let Verdict::Malformed(malformed) = end.verdict() else {
        panic!("{end}")
    };
    assert_eq!(
        malformed.what,
        Fault::Cut {
            wanted: 20,
            got: 19
        }
    );
}

#[test]
fn other_protocols_pass_by_address_and_protocol() {
    for protocol in [Protocol::ESP, Protocol::GRE, Protocol::SCTP, Protocol(253)] {
        let mut lab = Lab::new(SHOP);
        let end =
            lab.from_internet(other(protocol, "198.51.100.7", "203.0.113.9").payload(b"opaque"));
        end.delivered_at("b/eth0").checksums_are_right();
        assert!(end.bytes().ends_with(b"opaque"));
        let back = lab.reply_to(&end);
        back.delivered_at("internet").checksums_are_right();
        assert_eq!(back.headers().source.to_string(), "203.0.113.9");
    }
}
