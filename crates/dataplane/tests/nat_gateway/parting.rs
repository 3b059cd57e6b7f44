//! A packet that the nic sees and the gateway does not, or the other way round, counts for one of them
//! alone.

use crate::{INSIDE, OUTSIDE, REMOTE, established, fin_inside, fin_outside, sessions};
use vpcsim_testkit::{Lab, tcp};

fn network(ingress: &str, egress: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24, acl: edge}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
acls: {{edge: {{ingress: [{ingress} all from any], egress: [{egress} all to any]}}}}
eips: {{e1: {{address: 203.0.113.1, bandwidth: unlimited}}}}
nat_gateways: {{gw: {{bandwidth: unlimited, eips: [e1]}}}}
cvms: {{a: {{subnet: web, address: 10.0.1.10}}}}
policies: {{filtering: endpoint-independent}}
"
    )
}

/// Flows of nics and sessions of the gateway, after so many seconds of silence.
fn remain(lab: &mut Lab, seconds: u32) -> (usize, usize) {
    let _ = lab.wait(seconds);
    (lab.state().connections(), sessions(lab))
}

#[test]
fn a_fin_that_never_reaches_the_gateway_does_not_close_its_session() {
    let mut lab = Lab::new(&network("accept", "accept"));
    let data = established(&mut lab);
    lab.adopt(&network("accept", "drop"));
    lab.send(fin_inside())
        .dropped("acl-deny", "acl-egress", "edge");
    assert_eq!(remain(&mut lab, 119), (1, 1));
    assert_eq!(remain(&mut lab, 1), (0, 1));
    // The session is still one of its mapping, and the remote's.
    lab.from_internet(tcp("198.51.100.8:443", OUTSIDE).syn())
        .delivered_at("a/eth0");
    assert_eq!(remain(&mut lab, 0), (1, 2));
    lab.from_internet(data).delivered_at("a/eth0");
    assert_eq!(remain(&mut lab, 120).1, 1);
    assert_eq!(remain(&mut lab, 10_679).1, 1);
    assert_eq!(remain(&mut lab, 1).1, 0);
}

#[test]
fn a_fin_that_never_reaches_the_nic_does_not_close_its_flow() {
    let mut lab = Lab::new(&network("accept", "accept"));
    let data = established(&mut lab);
    lab.adopt(&network("drop", "accept"));
    lab.from_internet(fin_outside().acknowledgment(1001))
        .dropped("acl-deny", "acl-ingress", "edge");
    lab.adopt(&network("accept", "accept"));
    assert_eq!(remain(&mut lab, 119), (1, 1));
    assert_eq!(remain(&mut lab, 1), (1, 0));
    lab.from_internet(data)
        .dropped("no-nat-session", "nat-gateway", "gw");
    // What the host sends goes on at the nic and takes a mapping of its own.
    let more = tcp(INSIDE, REMOTE)
        .ack()
        .sequence(1001)
        .acknowledgment(9001);
    lab.send(more).delivered_at("internet");
    assert_eq!(remain(&mut lab, 0), (1, 1));
}
