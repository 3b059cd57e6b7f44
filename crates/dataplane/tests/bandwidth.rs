//! SEMANTICS §9, `bandwidth`: token buckets on the virtual clock, 10 ms deep.

use vpcsim_testkit::{Craft, Lab, ping, udp};

/// `gateway` and `eip` in Mbps.
fn lab(gateway: &str, eip: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24, route_table: none}}, db: {{cidr: 10.0.2.0/24}}}}
route_tables:
  out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}
  none: {{}}
eips:
  e1: {{address: 203.0.113.1, bandwidth: {eip}}}
  own: {{address: 203.0.113.9, bandwidth: {eip}, bind: a}}
nat_gateways:
  gw: {{eips: [e1], bandwidth: {gateway}, dnat: [{{eip: e1, protocol: udp, port: 53, to: b}}]}}
cvms:
  a: {{subnet: web, address: 10.0.1.10}}
  b: {{subnet: db, address: 10.0.2.10}}
"
    ))
}

/// 1 000 bytes, IPv4 header included.
fn kilobyte(from: &str, to: &str) -> Craft {
    udp(from, to).filler(972)
}

fn out() -> Craft {
    kilobyte("10.0.2.10:4000", "198.51.100.7:53")
}

fn out_by_eip() -> Craft {
    kilobyte("10.0.1.10:4000", "198.51.100.7:53")
}

/// How many kilobytes pass at one moment, and how the next one ends.
fn burst(lab: &mut Lab, packet: impl Fn() -> Craft) -> (usize, vpcsim_testkit::End) {
    for n in 0.. {
        let end = lab.send(packet());
        if end.outcome() == "bandwidth-exceeded" {
            return (n, end);
        }
        assert!(n < 10_000, "no end: {end}");
    }
    unreachable!("the loop has no end")
}

#[test]
fn a_burst_is_ten_milliseconds_of_the_gateways_rate() {
    // 8 Mbps are 1 000 bytes a millisecond.
    let mut lab = lab("8", "unlimited");
    let (passed, end) = burst(&mut lab, out);
    assert_eq!(passed, 10);
    end.dropped("bandwidth-exceeded", "nat-gateway", "gw");
    lab.wait_nanos(999_999);
    assert_eq!(lab.send(out()).outcome(), "bandwidth-exceeded");
    lab.wait_nanos(1);
    lab.send(out()).delivered_at("internet");
    assert_eq!(lab.send(out()).outcome(), "bandwidth-exceeded");
    // It never holds more than 10 ms of the rate.
    let _ = lab.wait(60);
    assert_eq!(burst(&mut lab, out).0, 10);
}

#[test]
fn outbound_is_the_lower_of_gateway_and_eip() {
    burst(&mut lab("8", "16"), out)
        .1
        .dropped("bandwidth-exceeded", "nat-gateway", "gw");
    let (passed, end) = burst(&mut lab("80", "16"), out);
    assert_eq!(passed, 20);
    end.dropped("bandwidth-exceeded", "nat-gateway", "e1");
}

#[test]
fn what_the_eip_refuses_takes_nothing_from_the_gateway() {
    let mut lab = lab("24", "8");
    assert_eq!(burst(&mut lab, out).0, 10);
    for _ in 0..100 {
        assert_eq!(lab.send(out()).outcome(), "bandwidth-exceeded");
    }
    // The gateway's other 20 kB are still there: 2 ms later the eip has room for two, and the
    // gateway would have none had it paid for those.
    lab.wait_nanos(2_000_000);
    assert_eq!(burst(&mut lab, out).0, 2);
}

#[test]
fn an_eip_caps_outbound_by_its_own_rate() {
    let (passed, end) = burst(&mut lab("unlimited", "8"), out_by_eip);
    assert_eq!(passed, 10);
    end.dropped("bandwidth-exceeded", "eip", "own");
}

#[test]
fn inbound_is_the_outbound_cap_or_ten_whichever_is_more() {
    let inbound = || kilobyte("198.51.100.7:53", "203.0.113.9:53");
    for (eip, expected) in [("8", 12), ("16", 20)] {
        // 10 Mbps for 10 ms are 12 500 bytes.
        let (passed, end) = burst(&mut lab("unlimited", eip), || inbound().at("internet"));
        assert_eq!(passed, expected, "{eip} Mbps");
        end.dropped("bandwidth-exceeded", "eip", "own");
    }
    let dnat = || kilobyte("198.51.100.7:53", "203.0.113.1:53").at("internet");
    let (passed, end) = burst(&mut lab("unlimited", "8"), dnat);
    assert_eq!(passed, 12);
    end.dropped("bandwidth-exceeded", "eip", "e1");
}

#[test]
fn inbound_and_outbound_do_not_share() {
    let mut lab = lab("unlimited", "8");
    assert_eq!(burst(&mut lab, out_by_eip).0, 10);
    assert_eq!(
        burst(&mut lab, || kilobyte("198.51.100.7:53", "203.0.113.9:53")
            .at("internet"))
        .0,
        12
    );
}

#[test]
fn the_gateway_does_not_cap_inbound() {
    let mut lab = lab("8", "unlimited");
    for _ in 0..100 {
        lab.from_internet(kilobyte("198.51.100.7:53", "203.0.113.1:53"))
            .delivered_at("b/eth0");
    }
}

#[test]
fn unlimited_is_unlimited() {
    let mut lab = lab("unlimited", "unlimited");
    for _ in 0..3000 {
        lab.send(out()).delivered_at("internet");
    }
}

#[test]
fn the_default_is_100_mbps() {
    let yaml = "
vpcs: {shop: {cidr: 10.0.0.0/16, route_table: out, subnets: {db: {cidr: 10.0.2.0/24}}}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips: {e1: {address: 203.0.113.1, bandwidth: unlimited}}
nat_gateways: {gw: {eips: [e1]}}
cvms: {b: {subnet: db, address: 10.0.2.10}}
";
    assert_eq!(burst(&mut Lab::new(yaml), out).0, 125);
}

#[test]
fn a_packet_that_is_refused_opens_no_session() {
    let mut lab = lab("8", "unlimited");
    assert_eq!(burst(&mut lab, out).0, 10);
    lab.send(ping("10.0.2.10", "198.51.100.7").filler(900))
        .dropped("bandwidth-exceeded", "nat-gateway", "gw");
    let usage = lab.state().usage(lab.program());
    assert_eq!(usage.gateways[0].sessions, 1);
}

#[test]
fn a_super_packet_passes_a_full_bucket_and_leaves_a_debt() {
    // docs/architecture.md: captures contain offloaded packets that no real link saw.
    let mut lab = lab("8", "unlimited");
    lab.send(udp("10.0.2.10:4000", "198.51.100.7:53").filler(59_972))
        .delivered_at("internet");
    lab.wait_nanos(50_000_000);
    assert_eq!(lab.send(out()).outcome(), "bandwidth-exceeded");
    lab.wait_nanos(1_000_000);
    lab.send(out()).delivered_at("internet");
}
