//! SEMANTICS §12: replies in a capture taken inside carry private destinations although they come
//! from the internet. They get their public side back before they enter.

use vpcsim_packet::icmp::IcmpError::{PortUnreachable, TimeExceeded};
use vpcsim_testkit::{Lab, complaint, ping, pong, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
security_groups:
  in: {ingress: [accept all from any], egress: [accept all to any]}
eips:
  e1: {address: 203.0.113.1, bandwidth: unlimited}
  own: {address: 203.0.113.9, bandwidth: unlimited, bind: both}
  far: {address: 203.0.113.8, bind: far}
nat_gateways:
  gw: {bandwidth: unlimited, eips: [e1], dnat: [{eip: e1, protocol: tcp, port: 8443, to: plain, to_port: 443}]}
cvms:
  plain: {subnet: web, address: 10.0.1.10, security_groups: [in]}
  both: {subnet: web, address: 10.0.1.20, security_groups: [in]}
  far: {subnet: web, address: 10.0.1.30, security_groups: [in]}
";

fn lab() -> Lab {
    Lab::new(SHOP)
}

const REMOTE: &str = "198.51.100.7:443";

/// The public side that the packet got back.
#[track_caller]
fn public_side(end: &vpcsim_testkit::End) -> (String, String) {
    let stop = end.stops().first().expect("a stop");
    assert_eq!(
        (stop.stage, stop.decision.as_str()),
        ("internet", "untranslated"),
        "{end}"
    );
    (stop.element.clone(), stop.packet.clone())
}

#[test]
fn the_live_session_comes_first() {
    // Before the nic's own eip.
    let mut lab = lab();
    lab.send(tcp("10.0.1.20:700", REMOTE))
        .delivered_at("internet");
    let end = lab.from_internet(tcp(REMOTE, "10.0.1.20:700").syn_ack());
    end.delivered_at("both/eth0")
        .passed("nat-gateway", "destination-translated")
        .checksums_are_right();
    assert_eq!(
        public_side(&end),
        ("gw".into(), format!("tcp {REMOTE} > 203.0.113.1:700"))
    );
    assert_eq!(
        end.flow(),
        format!("tcp {REMOTE} > 10.0.1.20:700"),
        "and lost it again"
    );
}

#[test]
fn a_session_with_another_port_gives_that_port_back() {
    let mut lab = lab();
    for host in ["10.0.1.10", "10.0.1.20", "10.0.1.30"] {
        let out = lab.send(udp(&format!("{host}:700"), REMOTE));
        let back = lab.from_internet(udp(REMOTE, &format!("{host}:700")));
        let (_, ends) = out
            .flow()
            .split_once(' ')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .expect("udp A > B");
        let (from, to) = ends.split_once(" > ").expect("A > B");
        assert_eq!(public_side(&back).1, format!("udp {to} > {from}"));
        assert_eq!(back.headers().destination.to_string(), host);
        back.checksums_are_right();
    }
}

#[test]
fn then_the_nics_eip() {
    let end = lab().from_internet(tcp(REMOTE, "10.0.1.20:80"));
    end.delivered_at("both/eth0")
        .passed("eip", "destination-translated")
        .checksums_are_right();
    assert_eq!(
        public_side(&end),
        ("own".into(), format!("tcp {REMOTE} > 203.0.113.9:80"))
    );
}

#[test]
fn then_the_dnat_rule_that_maps_there() {
    let end = lab().from_internet(tcp(REMOTE, "10.0.1.10:443"));
    end.delivered_at("plain/eth0").checksums_are_right();
    assert_eq!(
        public_side(&end),
        ("gw".into(), format!("tcp {REMOTE} > 203.0.113.1:8443"))
    );
    assert_eq!(end.stops()[0].rule.as_deref(), Some("dnat 1"));
    assert_eq!(end.flow(), format!("tcp {REMOTE} > 10.0.1.10:443"));
}

#[test]
fn else_there_is_no_public_path() {
    let mut lab = lab();
    for packet in [
        tcp(REMOTE, "10.0.1.10:444"),
        udp(REMOTE, "10.0.1.10:443"),
        ping("198.51.100.7", "10.0.1.10"),
    ] {
        lab.from_internet(packet)
            .dropped("no-public-path", "internet", "10.0.1.10");
    }
    lab.from_internet(tcp(REMOTE, "10.0.1.99:80")).dropped(
        "no-public-path",
        "internet",
        "10.0.1.99",
    );
}

#[test]
fn a_session_that_has_ended_is_no_public_side() {
    let mut lab = lab();
    lab.send(udp("10.0.1.10:700", REMOTE))
        .delivered_at("internet");
    let _ = lab.wait(180);
    lab.from_internet(udp(REMOTE, "10.0.1.10:700")).dropped(
        "no-public-path",
        "internet",
        "10.0.1.10",
    );
}

#[test]
fn pings_come_back_by_their_identifier() {
    let mut lab = lab();
    for host in ["10.0.1.10", "10.0.1.30"] {
        lab.send(ping(host, "198.51.100.7").id(700))
            .delivered_at("internet");
    }
    for (host, place) in [("10.0.1.10", "plain/eth0"), ("10.0.1.30", "far/eth0")] {
        let end = lab.from_internet(pong("198.51.100.7", host).id(700));
        end.delivered_at(place).checksums_are_right();
        assert_eq!(public_side(&end).0, "gw");
    }
}

#[test]
fn icmp_errors_with_what_they_quote() {
    // As the inside sees them: private destination, private source in the quotation.
    let mut lab = lab();
    let sent = udp("10.0.1.10:700", REMOTE);
    lab.send(sent.clone()).delivered_at("internet");
    let error = complaint("192.0.2.1", TimeExceeded, &sent.bytes());
    let end = lab.from_internet(error);
    end.delivered_at("plain/eth0")
        .passed("security-group-ingress", "related")
        .checksums_are_right();
    assert_eq!(public_side(&end).0, "gw");
    assert_eq!(end.quoted(), "udp 10.0.1.10:700 > 198.51.100.7:443");
    // By an eip.
    let mut lab = self::lab();
    let query = lab.from_internet(udp(REMOTE, "203.0.113.9:53"));
    let answer = udp("10.0.1.20:53", REMOTE);
    lab.reply_to(&query).delivered_at("internet");
    let end = lab.from_internet(complaint("192.0.2.1", PortUnreachable, &answer.bytes()));
    end.delivered_at("both/eth0")
        .passed("security-group-ingress", "related")
        .checksums_are_right();
    assert_eq!(public_side(&end).0, "own");
    assert_eq!(end.quoted(), "udp 10.0.1.20:53 > 198.51.100.7:443");
}

#[test]
fn an_icmp_error_to_somebody_else_than_it_quotes_is_not_of_the_session() {
    let mut lab = lab();
    let sent = udp("10.0.1.10:700", REMOTE);
    lab.send(sent.clone()).delivered_at("internet");
    let mut error = complaint("192.0.2.1", TimeExceeded, &sent.bytes()).bytes();
    error[19] = 20; // to the host with an eip of its own
    let end = lab.from_internet(error);
    assert_eq!(public_side(&end).0, "own");
}

#[test]
fn fragments_in_any_order() {
    for order in [[0, 1, 2], [1, 2, 0]] {
        let mut lab = lab();
        lab.send(udp("10.0.1.30:700", REMOTE))
            .delivered_at("internet");
        lab.send(udp("10.0.1.10:700", REMOTE))
            .delivered_at("internet");
        let pieces = udp(REMOTE, "10.0.1.10:700").filler(4000).fragments(1500);
        let mut delivered = 0;
        for piece in order {
            let end = lab.from_internet(pieces[piece].clone());
            for end in end
                .released()
                .iter()
                .chain((end.outcome() != "held").then_some(&end))
            {
                end.delivered_at("plain/eth0");
                delivered += 1;
            }
        }
        assert_eq!(delivered, 3);
    }
}

#[test]
fn what_comes_from_an_eip_of_ours_is_untranslated_too() {
    // §4: two cvms talk by way of their public sides; the capture was taken at one of them.
    let mut lab = lab();
    lab.send(tcp("10.0.1.10:700", "203.0.113.8:80"))
        .delivered_at("far/eth0");
    let end = lab.from_internet(tcp("203.0.113.8:80", "10.0.1.10:700").syn_ack());
    end.delivered_at("plain/eth0").checksums_are_right();
    assert_eq!(public_side(&end).0, "gw");
}

#[test]
fn at_internet_takes_source_eips_as_already_translated() {
    let end = lab().from_internet(tcp("203.0.113.9:80", REMOTE));
    end.delivered_at("internet").never_at("eip");
    // To another of our eips it comes in by that.
    let end = lab().from_internet(tcp("203.0.113.9:80", "203.0.113.8:80"));
    end.delivered_at("far/eth0");
    assert_eq!(end.flow(), "tcp 203.0.113.9:80 > 10.0.1.30:80");
}

#[test]
fn a_public_destination_needs_no_untranslating() {
    let mut lab = lab();
    lab.from_internet(tcp(REMOTE, "203.0.113.9:80"))
        .delivered_at("both/eth0")
        .passed("eip", "destination-translated");
    lab.from_internet(tcp(REMOTE, "203.0.113.77:80")).dropped(
        "no-such-public-address",
        "internet",
        "internet",
    );
}
