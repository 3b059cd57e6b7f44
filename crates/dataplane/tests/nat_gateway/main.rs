//! SEMANTICS §9: the NAT gateway: what it carries, whose address it lends, how long it remembers.

mod ceilings;
mod choice_of_address;
mod filtering;
mod hairpin;
mod icmp;
mod mid_stream;
mod parting;
mod protocols;
mod reopening;
mod timeouts;
mod whom_it_serves;

use vpcsim_testkit::{Craft, Lab, tcp};

/// Two subnets behind one gateway with two eips.
fn network(gateway: &str, policies: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
eips:
  e1: {{address: 203.0.113.1, bandwidth: unlimited}}
  e2: {{address: 203.0.113.2, bandwidth: unlimited}}
nat_gateways:
  gw: {{bandwidth: unlimited, {gateway}}}
cvms:
  a: {{subnet: web, address: 10.0.1.10}}
  b: {{subnet: web, address: 10.0.1.11}}
  c: {{subnet: db, address: 10.0.2.10}}
policies: {{{policies}}}
"
    )
}

fn one() -> Lab {
    Lab::new(&network("eips: [e1]", ""))
}

const INSIDE: &str = "10.0.1.10:40000";

const REMOTE: &str = "198.51.100.7:443";

const OUTSIDE: &str = "203.0.113.1:40000";

fn source(lab: &mut Lab, packet: Craft) -> String {
    let end = lab.send(packet);
    end.delivered_at("internet")
        .passed("nat-gateway", "source-translated");
    end.headers().source.to_string()
}

fn sessions(lab: &Lab) -> usize {
    lab.state().usage(lab.program()).gateways[0].sessions
}

/// The session of a conversation ends after exactly `seconds` of silence.
#[track_caller]
fn lives(gateway: &str, seconds: u32, conversation: impl Fn(&mut Lab) -> Craft) {
    let yaml = network(&format!("eips: [e1], {gateway}"), "");
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds - 1);
    lab.wait_nanos(999_999_999);
    assert_ne!(
        lab.from_internet(reply).outcome(),
        "no-nat-session",
        "before {seconds} s"
    );
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds);
    lab.from_internet(reply)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

fn half_open(lab: &mut Lab) -> Craft {
    let _ = source(lab, tcp(INSIDE, REMOTE).syn());
    tcp(REMOTE, OUTSIDE)
        .syn_ack()
        .sequence(9000)
        .acknowledgment(1001)
}

fn established(lab: &mut Lab) -> Craft {
    let reply = half_open(lab);
    lab.from_internet(reply).delivered_at("a/eth0");
    let _ = source(
        lab,
        tcp(INSIDE, REMOTE)
            .ack()
            .sequence(1001)
            .acknowledgment(9001),
    );
    tcp(REMOTE, OUTSIDE)
        .ack()
        .sequence(9001)
        .acknowledgment(1001)
}

fn fin_inside() -> Craft {
    tcp(INSIDE, REMOTE)
        .fin()
        .sequence(1001)
        .acknowledgment(9001)
}

fn fin_outside() -> Craft {
    tcp(REMOTE, OUTSIDE)
        .fin()
        .sequence(9001)
        .acknowledgment(1002)
}

fn closed(lab: &mut Lab) -> Craft {
    let _ = established(lab);
    let _ = source(lab, fin_inside());
    lab.from_internet(fin_outside()).delivered_at("a/eth0");
    let _ = source(
        lab,
        tcp(INSIDE, REMOTE)
            .ack()
            .sequence(1002)
            .acknowledgment(9002),
    );
    fin_outside()
}
