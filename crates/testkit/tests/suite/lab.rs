//! The lab itself: it sends, answers, waits, and says why it panics.

use vpcsim_testkit::{Lab, ping, tcp, udp};

const TWO_TIERS: &str = "
regions: {home: {zones: [home-1]}}
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: main
    subnets:
      web: {cidr: 10.0.1.0/24}
      db: {cidr: 10.0.2.0/24, acl: edge}
acls:
  edge:
    ingress: [accept tcp 5432 from 10.0.1.0/24]
    egress: [accept tcp 1024-65535 to 10.0.1.0/24]
route_tables:
  main: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}
eips:
  gw: {address: 203.0.113.10}
nat_gateways:
  gw: {eips: [gw]}
cvms:
  web-1: {subnet: web, address: 10.0.1.10}
  db-1: {subnet: db, address: 10.0.2.10}
";

#[test]
fn a_handshake_there_and_back() {
    let mut lab = Lab::new(TWO_TIERS);
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:5432").syn());
    syn.delivered_at("db-1/eth0")
        .passed("security-group-ingress", "opened")
        .passed("acl-ingress", "accepted");
    let syn_ack = lab.reply_to(&syn);
    syn_ack
        .delivered_at("web-1/eth0")
        .passed("security-group-ingress", "established");
    let ack = lab.reply_to(&syn_ack);
    ack.delivered_at("db-1/eth0");
    assert_eq!(ack.flow(), "tcp 10.0.1.10:40000 > 10.0.2.10:5432");
}

#[test]
fn an_acl_denies_and_says_by_which_rule() {
    let mut lab = Lab::new(TWO_TIERS);
    lab.send(udp("10.0.1.10:40000", "10.0.2.10:53"))
        .dropped("acl-deny", "acl-ingress", "edge")
        .by_rule("ingress implicit deny");
}

#[test]
fn out_by_the_gateway_and_back_until_time_has_passed() {
    let mut lab = Lab::new(TWO_TIERS);
    let query = lab.send(udp("10.0.1.10:40000", "198.51.100.53:53"));
    query.delivered_at("internet");
    assert_eq!(query.flow(), "udp 203.0.113.10:40000 > 198.51.100.53:53");
    let answer = lab.reply_to(&query);
    answer.delivered_at("web-1/eth0");
    assert_eq!(answer.flow(), "udp 198.51.100.53:53 > 10.0.1.10:40000");
    let _ = lab.wait(181);
    lab.reply_to(&query)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn the_gateway_answers_a_ping_itself() {
    let mut lab = Lab::new(TWO_TIERS);
    let ping = lab.from_internet(ping("198.51.100.7", "203.0.113.10"));
    ping.delivered_at("nat:gw");
    let made = ping.generated();
    assert_eq!(made.len(), 1);
    made[0].delivered_at("internet");
}

#[test]
fn fragments_wait_for_their_first_one() {
    let mut lab = Lab::new(TWO_TIERS);
    let pieces = tcp("10.0.1.10:40000", "198.51.100.53:443")
        .identification(7)
        .filler(3000)
        .fragments(1500);
    lab.send(pieces[1].clone()).held();
    let first = lab.send(pieces[0].clone());
    first.delivered_at("internet");
    assert_eq!(first.released()[0].outcome(), "internet");
    lab.send(pieces[2].clone()).delivered_at("internet");
}

#[test]
fn nobody_sends_from_an_address_that_nobody_has() {
    let mut lab = Lab::new(TWO_TIERS);
    assert_eq!(
        lab.send(ping("10.0.1.99", "10.0.2.10")).outcome(),
        "unattributed"
    );
}

#[test]
#[should_panic(expected = "acl-egress             edge             dropped acl-deny")]
fn a_failed_expectation_prints_every_stop() {
    let mut lab = Lab::new(TWO_TIERS);
    lab.send(tcp("10.0.2.10:40000", "198.51.100.1:443"))
        .delivered_at("internet");
}

#[test]
#[should_panic(expected = "nowhere")]
fn a_network_with_errors_is_shown_with_its_errors() {
    let _ = Lab::new(
        "vpcs: {shop: {cidr: 10.0.0.0/16}}\ncvms: {a: {subnet: nowhere, address: 10.0.0.5}}",
    );
}
