//! SEMANTICS §6: security groups, rule by rule.

mod closing;
mod icmp_errors;
mod mid_stream;
mod no_group;
mod order;
mod rules;
mod timeouts;
mod tracking;

use vpcsim_testkit::{Craft, Lab, tcp};

/// A client without limits and a server with the given groups, in two subnets.
fn guarded(groups: &str, bound: &str) -> Lab {
    Lab::new(&network(groups, bound, ""))
}

fn network(groups: &str, bound: &str, policies: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
security_groups:
  open: {{ingress: [accept all from any], egress: [accept all to any]}}
{groups}
cvms:
  client: {{subnet: web, address: 10.0.1.10, security_groups: [open]}}
  other: {{subnet: web, address: 10.0.1.11, security_groups: [open]}}
  server: {{subnet: db, address: 10.0.2.10, security_groups: [{bound}]}}
policies: {{{policies}}}
"
    )
}

const CLIENT: &str = "10.0.1.10:40000";

fn to_port(port: u16) -> Craft {
    tcp(CLIENT, &format!("10.0.2.10:{port}")).syn()
}

#[track_caller]
fn open(lab: &mut Lab, packet: Craft) {
    lab.send(packet).delivered_at("server/eth0");
}

#[track_caller]
fn shut(lab: &mut Lab, packet: Craft) {
    assert_eq!(lab.send(packet).outcome(), "security-group-deny");
}

fn syn_only(lab: &mut Lab) -> Craft {
    lab.send(to_port(80)).delivered_at("server/eth0");
    tcp("10.0.2.10:80", CLIENT).syn_ack().acknowledgment(1001)
}

fn established(lab: &mut Lab) -> Craft {
    let reply = syn_only(lab).sequence(9000);
    lab.send(reply).delivered_at("client/eth0");
    lab.send(
        tcp(CLIENT, "10.0.2.10:80")
            .ack()
            .sequence(1001)
            .acknowledgment(9001),
    )
    .delivered_at("server/eth0");
    tcp("10.0.2.10:80", CLIENT)
        .ack()
        .sequence(9001)
        .acknowledgment(1001)
}
