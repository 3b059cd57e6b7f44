//! SEMANTICS §6: the policies of connection tracking, `tcp_window` and `conntrack.max`.
//! `mid_stream` is in security_group.rs, `on_rule_change` in adopt.rs.

use vpcsim_testkit::{Craft, Lab, tcp, udp};

fn network(policies: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
security_groups:
  in: {{ingress: [accept all from any]}}
cvms:
  client: {{subnet: web, address: 10.0.1.10}}
  server:
    nics:
      eth0: {{subnet: db, address: 10.0.2.10, security_groups: [in]}}
      eth1: {{subnet: db, address: 10.0.2.11}}
    sysctl: {{net.ipv4.conf.all.rp_filter: 0}}
policies: {{{policies}}}
"
    )
}

fn client() -> Craft {
    tcp("10.0.1.10:40000", "10.0.2.10:80")
}

fn server() -> Craft {
    tcp("10.0.2.10:80", "10.0.1.10:40000")
}

fn established(policies: &str) -> Lab {
    let mut lab = Lab::new(&network(policies));
    let syn = lab.send(client().syn());
    let syn_ack = lab.reply_to(&syn);
    lab.reply_to(&syn_ack).delivered_at("server/eth0");
    lab
}

#[test]
fn tcp_window_ignore_does_not_judge_sequence_numbers() {
    let mut lab = established("");
    let stray = client()
        .ack()
        .sequence(3_000_000_000)
        .acknowledgment(2_000_000_000);
    lab.send(stray)
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn tcp_window_ignore_lets_any_rst_of_the_flow_close_it() {
    let mut lab = established("");
    lab.send(client().rst().sequence(3_000_000_000))
        .delivered_at("server/eth0");
    // tcp_close is 10 s.
    let _ = lab.wait(10);
    lab.send(server().ack().sequence(9001).acknowledgment(1001))
        .dropped("security-group-deny", "security-group-egress", "in");
}

#[test]
fn tcp_window_track_calls_strays_invalid() {
    let mut lab = established("tcp_window: track, mid_stream: drop");
    let stray = client()
        .ack()
        .sequence(3_000_000_000)
        .acknowledgment(2_000_000_000);
    lab.send(stray)
        .dropped("invalid-state", "security-group-egress", "shop/default")
        .by_policy("mid_stream");
    lab.send(client().ack().sequence(1001).acknowledgment(9001))
        .delivered_at("server/eth0");
}

#[test]
fn a_syn_that_cannot_be_is_invalid_and_opens_nothing() {
    // Seen by asking a kernel: a SYN against the direction of a live connection is INVALID there,
    // although it would open one anywhere else.
    for window in ["track", "ignore"] {
        let mut lab = established(&format!("tcp_window: {window}, mid_stream: drop"));
        lab.send(server().syn().sequence(70_000))
            .dropped("invalid-state", "security-group-egress", "in")
            .by_policy("mid_stream");
    }
}

#[test]
fn tcp_window_track_does_not_believe_a_rst_with_a_wrong_sequence() {
    // nat-and-kernel-cases 58: above what was acknowledged but inexact, it passes and kills nothing;
    // below, it is invalid.
    let mut lab = established("tcp_window: track, mid_stream: drop");
    // Assured: the server has spoken since.
    lab.send(server().ack().sequence(9001).acknowledgment(1001))
        .delivered_at("client/eth0");
    lab.send(client().rst().sequence(900)).dropped(
        "invalid-state",
        "security-group-egress",
        "shop/default",
    );
    lab.send(client().rst().sequence(1500))
        .delivered_at("server/eth0");
    lab.send(client().ack().sequence(1001).acknowledgment(9001))
        .delivered_at("server/eth0");
    // A RST that closes leaves 10 s.
    let _ = lab.wait(100);
    lab.send(server().ack().sequence(9001).acknowledgment(1001))
        .delivered_at("client/eth0");
}

#[test]
fn a_challenge_ack_answers_a_syn_in_an_established_flow() {
    // nat-and-kernel-cases 59 (RFC 5961 §4): both pass, and the flow stays.
    let mut lab = established("tcp_window: track");
    lab.send(client().syn().sequence(77))
        .delivered_at("server/eth0");
    lab.send(server().ack().sequence(9001).acknowledgment(1001))
        .delivered_at("client/eth0");
    lab.send(client().ack().sequence(1001).acknowledgment(9001))
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn an_old_syn_ack_does_not_confuse_a_reused_connection() {
    // nat-and-kernel-cases 60: the client refuses it with a RST and asks again.
    let mut lab = Lab::new(&network("tcp_window: track"));
    lab.send(client().syn().sequence(1000))
        .delivered_at("server/eth0");
    lab.send(server().syn_ack().sequence(5000).acknowledgment(1))
        .delivered_at("client/eth0");
    lab.send(client().rst().sequence(1))
        .delivered_at("server/eth0");
    lab.send(client().syn().sequence(1000))
        .delivered_at("server/eth0");
    let right = server().syn_ack().sequence(9000).acknowledgment(1001);
    lab.send(right).delivered_at("client/eth0");
    lab.send(client().ack().sequence(1001).acknowledgment(9001))
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn a_full_table_takes_no_new_flow_and_keeps_the_live_ones() {
    // §6; nothing live is evicted.
    let mut lab = Lab::new(&network("conntrack: {max: 2}"));
    let query = |port: u16| udp(&format!("10.0.1.10:{port}"), "10.0.2.10:53").at("client");
    let first = lab.send(query(1));
    first.delivered_at("server/eth0");
    lab.send(query(2)).delivered_at("server/eth0");
    lab.send(query(3))
        .dropped("conntrack-full", "security-group-egress", "client/eth0")
        .by_policy("conntrack");
    lab.reply_to(&first).delivered_at("client/eth0");
    lab.send(query(1)).delivered_at("server/eth0");
    // What ends makes room: nat-and-kernel-cases 8.
    let _ = lab.wait(30);
    lab.send(query(3)).delivered_at("server/eth0");
}

#[test]
fn the_ceiling_is_each_nics_own_and_replies_of_a_full_nic_pass() {
    let mut lab = Lab::new(&network("conntrack: {max: 1}"));
    let one = lab.send(udp("10.0.1.10:1", "10.0.2.10:53"));
    one.delivered_at("server/eth0");
    lab.reply_to(&one).delivered_at("client/eth0");
    lab.send_from("server/eth1", udp("10.0.2.11:9", "10.0.1.10:9"))
        .dropped("conntrack-full", "security-group-ingress", "client/eth0");
}

#[test]
fn a_nic_without_a_group_passes_what_it_cannot_remember() {
    let mut lab = Lab::new(&network("conntrack: {max: 1}"));
    for port in 1..4 {
        let out = udp(&format!("10.0.2.11:{port}"), "10.0.2.99:53");
        // Nobody is there, but it got past its own nic.
        lab.send_from("server/eth1", out)
            .dropped("no-such-host", "route", "shop")
            .passed("security-group-egress", "unfiltered");
    }
}
