//! SEMANTICS §9 (RFC 5508): ICMP errors through translations, outer and quoted headers, both ways.
//! nat-and-kernel-cases 20, 21, 30, 54.

use vpcsim_packet::Transport;
use vpcsim_packet::icmp::IcmpError::{FragmentationNeeded, PortUnreachable, TimeExceeded};
use vpcsim_testkit::{Craft, End, Lab, complaint, ping, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
security_groups:
  quiet: {egress: [accept all to any]}
  open: {ingress: [accept all from any], egress: [accept all to any]}
eips:
  e1: {address: 203.0.113.1}
  own: {address: 203.0.113.9, bind: c}
nat_gateways:
  gw:
    eips: [e1]
    dnat:
      - {eip: e1, protocol: udp, port: 53, to: b, to_port: 5353}
      - {eip: e1, protocol: tcp, port: 8080, to: b, to_port: 80}
cvms:
  a: {subnet: web, address: 10.0.1.10, security_groups: [quiet]}
  a2: {subnet: web, address: 10.0.1.11, security_groups: [quiet]}
  b: {subnet: web, address: 10.0.1.20, security_groups: [open]}
  c: {subnet: web, address: 10.0.1.30, security_groups: [open]}
  router: {subnet: web, address: 10.0.1.40, security_groups: [open]}
";

const REMOTE: &str = "198.51.100.7:443";
/// A router on the way.
const HOP: &str = "192.0.2.1";

/// What two hosts send from one port: the second one's outside port differs.
fn clashing(lab: &mut Lab, packet: impl Fn(&str) -> Craft) -> End {
    lab.send(packet("10.0.1.11")).delivered_at("internet");
    let end = lab.send(packet("10.0.1.10"));
    end.delivered_at("internet").checksums_are_right();
    end
}

/// A flow as the inside sees it, and what a host sends to make it.
type Outgoing = (&'static str, fn(&str) -> Craft);

fn outgoing() -> [Outgoing; 3] {
    [
        ("tcp 10.0.1.10:700 > 198.51.100.7:443", |host| {
            tcp(&format!("{host}:700"), REMOTE).filler(900)
        }),
        ("udp 10.0.1.10:700 > 198.51.100.7:443", |host| {
            udp(&format!("{host}:700"), REMOTE).filler(900)
        }),
        (
            "icmp echo-request id 700 10.0.1.10 > 198.51.100.7",
            |host| ping(host, "198.51.100.7").id(700).filler(900),
        ),
    ]
}

#[test]
fn an_error_from_a_router_outside_reaches_the_host_whose_packet_it_quotes() {
    for (inside, packet) in outgoing() {
        for kind in [
            TimeExceeded,
            PortUnreachable,
            FragmentationNeeded { mtu: 1280 },
        ] {
            let mut lab = Lab::new(SHOP);
            let sent = clashing(&mut lab, packet);
            let error = lab.from_internet(complaint(HOP, kind, sent.bytes()));
            error
                .delivered_at("a/eth0")
                .passed("nat-gateway", "destination-translated")
                .passed("security-group-ingress", "related")
                .checksums_are_right();
            assert_eq!(error.quoted(), inside);
            let headers = error.headers();
            assert_eq!(
                headers.source.to_string(),
                HOP,
                "who complains stays who he is"
            );
            assert_eq!(headers.destination.to_string(), "10.0.1.10");
            assert_eq!(headers.total_len, 576, "quoted as far as 576 bytes");
        }
    }
}

#[test]
fn a_short_quotation_is_translated_as_far_as_it_goes() {
    // RFC 792: the header and eight bytes. No TCP checksum to put right, but the outer one.
    for (inside, packet) in outgoing() {
        let mut lab = Lab::new(SHOP);
        let sent = clashing(&mut lab, packet);
        let quote = &sent.bytes()[..28];
        let error =
            vpcsim_packet::build::icmp([192, 0, 2, 1], [203, 0, 113, 1], 11, 0, [0; 4], quote);
        let error = lab.from_internet(error);
        error.delivered_at("a/eth0").checksums_are_right();
        assert_eq!(error.quoted(), inside);
    }
}

#[test]
fn an_error_that_an_inside_host_sends_about_a_reply() {
    // Outer source and quoted destination become the public side.
    let mut lab = Lab::new(SHOP);
    let sent = clashing(&mut lab, |host| udp(&format!("{host}:700"), REMOTE));
    let reply = lab.reply_to(&sent);
    reply.delivered_at("a/eth0");
    let error = lab.send(complaint("10.0.1.10", PortUnreachable, reply.bytes()));
    error
        .delivered_at("internet")
        .passed("nat-gateway", "source-translated")
        .checksums_are_right();
    assert_eq!(error.headers().source.to_string(), "203.0.113.1");
    let outside = sent.flow();
    let (_, ends) = outside.split_once(' ').expect("udp A > B");
    let (from, to) = ends.split_once(" > ").expect("A > B");
    assert_eq!(error.quoted(), format!("udp {to} > {from}"));
}

#[test]
fn errors_of_and_to_a_dnat_target() {
    for (packet, outside, reply) in [
        (
            udp("198.51.100.7:999", "203.0.113.1:53"),
            "udp 198.51.100.7:999 > 203.0.113.1:53",
            "udp 10.0.1.20:5353 > 198.51.100.7:999",
        ),
        (
            tcp("198.51.100.7:999", "203.0.113.1:8080"),
            "tcp 198.51.100.7:999 > 203.0.113.1:8080",
            "tcp 10.0.1.20:80 > 198.51.100.7:999",
        ),
    ] {
        let mut lab = Lab::new(SHOP);
        let sent = lab.from_internet(packet);
        sent.delivered_at("b/eth0");
        // The target complains.
        let error = lab.send(complaint("10.0.1.20", PortUnreachable, sent.bytes()));
        error.delivered_at("internet").checksums_are_right();
        assert_eq!(error.headers().source.to_string(), "203.0.113.1");
        assert_eq!(error.quoted(), outside);
        // A router outside complains about the target's answer.
        let answer = lab.reply_to(&sent);
        answer.delivered_at("internet");
        let error = lab.from_internet(complaint(HOP, TimeExceeded, answer.bytes()));
        error.delivered_at("b/eth0").checksums_are_right();
        assert_eq!(error.quoted(), reply);
    }
}

#[test]
fn an_error_from_an_intermediate_router_inside() {
    // Outside it comes from the eip, like everything that the gateway lends its address to.
    let mut lab = Lab::new(SHOP);
    let sent = lab.from_internet(udp("198.51.100.7:999", "203.0.113.1:53"));
    let error = lab.send(complaint("10.0.1.40", TimeExceeded, sent.bytes()));
    error.delivered_at("internet").checksums_are_right();
    assert_eq!(error.headers().source.to_string(), "203.0.113.1");
    assert_eq!(error.quoted(), "udp 198.51.100.7:999 > 203.0.113.1:53");
}

#[test]
fn errors_through_an_eip() {
    let mut lab = Lab::new(SHOP);
    let sent = lab.from_internet(udp("198.51.100.7:999", "203.0.113.9:53"));
    let error = lab.send(complaint("10.0.1.30", PortUnreachable, sent.bytes()));
    error.delivered_at("internet").checksums_are_right();
    assert_eq!(error.headers().source.to_string(), "203.0.113.9");
    assert_eq!(error.quoted(), "udp 198.51.100.7:999 > 203.0.113.9:53");
    let answer = lab.reply_to(&sent);
    let error = lab.from_internet(complaint(HOP, TimeExceeded, answer.bytes()));
    error.delivered_at("c/eth0").checksums_are_right();
    assert_eq!(error.quoted(), "udp 10.0.1.30:53 > 198.51.100.7:999");
}

#[test]
fn an_error_about_no_session_is_dropped_in_both_directions() {
    // nat-and-kernel-cases 21.
    let mut lab = Lab::new(SHOP);
    let never = udp("203.0.113.1:700", REMOTE).bytes();
    lab.from_internet(complaint(HOP, TimeExceeded, &never))
        .dropped("no-nat-session", "nat-gateway", "gw");
    let never = udp("198.51.100.7:1", "10.0.1.20:1").bytes();
    lab.send(complaint("10.0.1.20", PortUnreachable, &never))
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn an_error_that_goes_to_somebody_else_than_it_quotes_belongs_to_nothing() {
    let yaml = SHOP
        .replace(
            "e1: {address: 203.0.113.1}",
            "e1: {address: 203.0.113.1}\n  e2: {address: 203.0.113.2}",
        )
        .replace("eips: [e1]", "eips: [e1, e2]");
    let mut lab = Lab::new(&yaml);
    let sent = lab.send(udp("10.0.1.10:700", REMOTE));
    let mut error = complaint(HOP, TimeExceeded, sent.bytes()).bytes();
    error[19] ^= 3; // to the other eip
    lab.from_internet(error)
        .dropped("no-nat-session", "nat-gateway", "gw");
    lab.from_internet(complaint(HOP, TimeExceeded, sent.bytes()))
        .delivered_at("a/eth0");
}

#[test]
fn a_wrong_checksum_of_the_quoted_packet_stays_wrong() {
    let mut lab = Lab::new(SHOP);
    let sent = clashing(&mut lab, |host| udp(&format!("{host}:700"), REMOTE));
    let mut quoted = sent.bytes().to_vec();
    quoted[26] ^= 0xff;
    let error = lab.from_internet(complaint(HOP, TimeExceeded, &quoted));
    error.delivered_at("a/eth0");
    let headers = error.headers();
    let outer = vpcsim_packet::verify_checksums(error.bytes(), &headers);
    assert_eq!(outer.transport, vpcsim_packet::Verdict::Right);
    let Transport::Icmp(_) = headers.transport else {
        panic!("{headers:?}")
    };
    let inner = &error.bytes()[28..];
    let report = vpcsim_packet::verify_checksums(
        inner,
        &vpcsim_packet::Headers::parse(inner).expect("quoted"),
    );
    assert_eq!(report.ip, vpcsim_packet::Verdict::Right);
    assert_eq!(report.transport, vpcsim_packet::Verdict::Wrong);
}
