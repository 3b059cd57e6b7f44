//! `State::adopt`: a changed network under live connections. SEMANTICS §6, `on_rule_change`; §9.

use vpcsim_testkit::{Craft, Lab, ping, tcp, udp};

/// A network with a server that accepts `port`, and what else changes.
fn network(port: u16, policies: &str) -> String {
    format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {{web: {{cidr: 10.0.1.0/24}}, db: {{cidr: 10.0.2.0/24}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
security_groups:
  in: {{ingress: [accept tcp {port} from any]}}
eips:
  e1: {{address: 203.0.113.1}}
  e2: {{address: 203.0.113.2}}
  own: {{address: 203.0.113.9, bind: server}}
nat_gateways:
  gw: {{eips: [e1, e2], snat: [{{from: cvm/client, eips: [e1]}}], dnat: [{{eip: e2, protocol: tcp, port: 8080, to: server, to_port: 80}}]}}
cvms:
  client: {{subnet: web, address: 10.0.1.10}}
  server: {{subnet: db, address: 10.0.2.10, security_groups: [in]}}
policies: {{{policies}}}
"
    )
}

fn client() -> Craft {
    tcp("10.0.1.10:40000", "10.0.2.10:80")
}

fn server() -> Craft {
    tcp("10.0.2.10:80", "10.0.1.10:40000")
        .ack()
        .sequence(9001)
        .acknowledgment(1001)
}

fn data() -> Craft {
    client().ack().sequence(1001).acknowledgment(9001)
}

fn established(yaml: &str) -> Lab {
    let mut lab = Lab::new(yaml);
    let syn = lab.send(client());
    let syn_ack = lab.reply_to(&syn);
    lab.reply_to(&syn_ack).delivered_at("server/eth0");
    lab
}

// --- on_rule_change ------------------------------------------------------------------------

#[test]
fn keep_lets_live_flows_pass_and_judges_new_ones() {
    let mut lab = established(&network(80, ""));
    lab.adopt(&network(443, ""));
    lab.send(data())
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
    lab.send(server()).delivered_at("client/eth0");
    lab.send(tcp("10.0.1.10:40001", "10.0.2.10:80")).dropped(
        "security-group-deny",
        "security-group-ingress",
        "in",
    );
}

#[test]
fn reevaluate_ends_flows_that_the_rules_no_longer_accept() {
    let policy = "on_rule_change: reevaluate";
    let mut lab = established(&network(80, policy));
    lab.adopt(&network(443, policy));
    lab.send(data())
        .dropped("security-group-deny", "security-group-ingress", "in")
        .by_policy("on_rule_change")
        .by_rule("ingress implicit deny");
    // Gone: the other direction finds nothing.
    lab.send(server())
        .dropped("security-group-deny", "security-group-egress", "in")
        .by_rule("egress implicit deny");
}

#[test]
fn reevaluate_judges_a_reply_by_the_flows_first_packet() {
    let policy = "on_rule_change: reevaluate";
    let mut lab = established(&network(80, policy));
    lab.adopt(&network(80, policy));
    lab.send(server())
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.adopt(&network(443, policy));
    lab.send(server())
        .dropped("security-group-deny", "security-group-egress", "in")
        .by_policy("on_rule_change");
}

#[test]
fn a_change_back_before_the_next_packet_changes_nothing() {
    let policy = "on_rule_change: reevaluate";
    let mut lab = established(&network(80, policy));
    lab.adopt(&network(443, policy));
    lab.adopt(&network(80, policy));
    lab.send(data())
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

// --- nics ----------------------------------------------------------------------------------

#[test]
fn nics_are_the_same_by_name_wherever_they_stand_in_the_file() {
    let mut lab = established(&network(80, ""));
    let moved =
        network(443, "").replace("cvms:\n", "cvms:\n  new: {subnet: db, address: 10.0.2.5}\n");
    lab.adopt(&moved);
    lab.send(data())
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn flows_end_with_their_nic() {
    // nat-and-kernel-cases 44.
    let mut lab = established(&network(80, ""));
    assert_eq!(lab.state().usage(lab.program()).connections, 2);
    let renamed = network(443, "")
        .replace("  server: {", "  server-2: {")
        .replace("to: server,", "to: server-2,")
        .replace("bind: server", "bind: server-2");
    lab.adopt(&renamed);
    assert_eq!(lab.state().usage(lab.program()).connections, 1);
    lab.send(data())
        .dropped("security-group-deny", "security-group-ingress", "in");
}

#[test]
fn deadlines_and_the_clock_go_on() {
    let mut lab = Lab::new(&network(80, ""));
    let query = lab.send(udp("10.0.2.10:5", "10.0.1.10:5"));
    query.dropped("security-group-deny", "security-group-egress", "in");
    let out = lab.send(udp("10.0.1.10:700", "198.51.100.7:53"));
    let _ = lab.wait(100);
    lab.adopt(&network(80, ""));
    let _ = lab.wait(79);
    lab.reply_to(&out).delivered_at("client/eth0");
    let _ = lab.wait(180);
    lab.reply_to(&out)
        .dropped("no-nat-session", "nat-gateway", "gw");
}

// --- the public side -----------------------------------------------------------------------

fn out(lab: &mut Lab) -> vpcsim_testkit::End {
    let end = lab.send(tcp("10.0.1.10:700", "198.51.100.7:443"));
    end.delivered_at("internet");
    assert_eq!(end.headers().source.to_string(), "203.0.113.1");
    end
}

#[test]
fn sessions_keep_their_mapping_when_rules_change() {
    let mut lab = Lab::new(&network(80, ""));
    let syn = out(&mut lab);
    lab.adopt(&network(80, "").replace(
        "from: cvm/client, eips: [e1]",
        "from: cvm/client, eips: [e2]",
    ));
    let back = lab.reply_to(&syn);
    back.delivered_at("client/eth0");
    assert_eq!(
        lab.reply_to(&back).headers().source.to_string(),
        "203.0.113.1"
    );
    let new = lab.send(tcp("10.0.1.10:701", "198.51.100.7:443"));
    assert_eq!(new.headers().source.to_string(), "203.0.113.2");
}

#[test]
fn sessions_end_when_their_eip_leaves_the_gateway_or_changes_its_address() {
    // nat-and-kernel-cases 9.
    let before = network(80, "");
    let leaves = before.replace(
        "eips: [e1, e2], snat: [{from: cvm/client, eips: [e1]}]",
        "eips: [e2]",
    );
    let changes = before.replace("203.0.113.1}", "203.0.113.5}");
    let renamed = before.replace("e1: {", "e3: {").replace("[e1", "[e3");
    for after in [leaves, changes, renamed] {
        let mut lab = Lab::new(&before);
        let _ = out(&mut lab);
        lab.adopt(&after);
        let usage = lab.state().usage(lab.program());
        assert_eq!(usage.gateways[0].sessions, 0, "{after}");
    }
}

#[test]
fn sessions_end_with_their_gateway() {
    let mut lab = Lab::new(&network(80, ""));
    let syn = out(&mut lab);
    lab.adopt(
        &network(80, "")
            .replace("  gw: {", "  gw-2: {")
            .replace("nat/gw", "nat/gw-2"),
    );
    lab.reply_to(&syn)
        .dropped("no-nat-session", "nat-gateway", "gw-2");
}

#[test]
fn sessions_are_counted_on_after_a_change() {
    let mut lab = Lab::new(&network(80, ""));
    let _ = out(&mut lab);
    lab.adopt(&network(80, "").replace("gw: {", "gw: {max_connections: 1, "));
    lab.send(tcp("10.0.1.10:701", "198.51.100.7:443")).dropped(
        "nat-connections-exhausted",
        "nat-gateway",
        "gw",
    );
    let usage = lab.state().usage(lab.program());
    assert_eq!(
        (usage.gateways[0].sessions, usage.gateways[0].sessions_peak),
        (1, 1)
    );
    assert_eq!(usage.gateways[0].by_eip[0].1, 1);
}

#[test]
fn a_new_dnat_rule_over_a_live_session_keeps_it_and_later_avoids_its_port() {
    // nat-and-kernel-cases 34.
    let mut lab = Lab::new(&network(80, ""));
    let syn = out(&mut lab);
    lab.adopt(&network(80, "").replace(
        "dnat: [",
        "dnat: [{eip: e1, protocol: tcp, port: 700, to: server, to_port: 80}, ",
    ));
    lab.reply_to(&syn).delivered_at("client/eth0");
    lab.from_internet(tcp("198.51.100.8:1", "203.0.113.1:700"))
        .delivered_at("server/eth0");
    let new = lab.send(tcp("10.0.1.10:700", "198.51.100.9:443"));
    assert_ne!(new.flow(), "tcp 203.0.113.1:700 > 198.51.100.9:443");
}

#[test]
fn a_dnat_rule_that_goes_lets_its_sessions_live() {
    let mut lab = Lab::new(&network(80, ""));
    let client = || tcp("198.51.100.7:5", "203.0.113.2:8080");
    let syn = lab.from_internet(client());
    syn.delivered_at("server/eth0");
    lab.adopt(&network(80, "").replace("port: 8080", "port: 8081"));
    lab.reply_to(&syn)
        .delivered_at("internet")
        .passed("route", "return-path");
    lab.from_internet(client().ack().sequence(1001))
        .delivered_at("server/eth0");
    lab.from_internet(tcp("198.51.100.7:6", "203.0.113.2:8080"))
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn a_flow_whose_eip_is_gone_is_routed_by_the_table() {
    let mut lab = Lab::new(&network(80, ""));
    let syn = lab.from_internet(tcp("198.51.100.7:5", "203.0.113.9:80"));
    syn.delivered_at("server/eth0");
    lab.adopt(&network(80, "").replace("  own: {address: 203.0.113.9, bind: server}\n", ""));
    lab.reply_to(&syn)
        .dropped("invalid-state", "nat-gateway", "gw")
        .passed("route", "routed");
}

#[test]
fn only_a_flow_that_came_in_by_the_gateway_goes_back_by_it() {
    // §2.5a. The nic has forgotten the flow that the host began (30 s), the gateway has not
    // (180 s): what comes back opens it at the nic anew, but it did not enter by dnat.
    let before = network(80, "").replace("bind: server", "bind: client");
    let mut lab = Lab::new(&before);
    let query = lab.send(udp("10.0.1.10:700", "198.51.100.7:53"));
    query.passed("nat-gateway", "source-translated");
    let _ = lab.wait(40);
    let answer = lab.reply_to(&query);
    answer
        .delivered_at("client/eth0")
        .passed("security-group-ingress", "opened");
    lab.adopt(&before.replace("via: nat/gw", "via: eip"));
    lab.reply_to(&answer)
        .delivered_at("internet")
        .passed("route", "routed");
}

#[test]
fn buckets_begin_full() {
    let slow = network(80, "").replace("e1: {", "e1: {bandwidth: 8, ");
    let mut lab = Lab::new(&slow);
    let send = |lab: &mut Lab| {
        lab.send(udp("10.0.1.10:1", "198.51.100.7:1").filler(9_000))
            .outcome()
    };
    assert_eq!(
        (send(&mut lab), send(&mut lab)),
        ("internet".into(), "bandwidth-exceeded".into())
    );
    lab.adopt(&slow);
    assert_eq!(send(&mut lab), "internet");
}

// --- fragments -----------------------------------------------------------------------------

#[test]
fn fragments_wait_on_at_the_same_host_under_another_number() {
    let mut lab = Lab::new(&network(80, ""));
    let pieces = udp("10.0.1.10:1", "198.51.100.7:1")
        .filler(3000)
        .fragments(1500);
    lab.send(pieces[1].clone()).held();
    let moved = network(80, "").replace(
        "cvms:\n",
        "cvms:\n  first: {subnet: db, address: 10.0.2.5}\n",
    );
    lab.adopt(&moved);
    let first = lab.send(pieces[0].clone());
    assert_eq!(first.released().len(), 1);
    first.released()[0].delivered_at("internet");
}

#[test]
fn fragments_of_a_host_that_is_gone_get_their_verdict() {
    // Every packet gets exactly one (§12).
    let mut lab = Lab::new(&network(80, ""));
    let pieces = udp("10.0.1.10:1", "198.51.100.7:1")
        .filler(3000)
        .fragments(1500);
    lab.send(pieces[1].clone()).held();
    lab.adopt(
        &network(80, "")
            .replace("  client: {", "  else: {")
            .replace("cvm/client", "cvm/else"),
    );
    assert_eq!(lab.state().usage(lab.program()).fragments_held, 1);
    let end = lab.send(ping("10.0.1.10", "198.51.100.7"));
    assert_eq!(end.released().len(), 1);
    end.released()[0].dropped("fragment-timeout", "packet", "packet");
    assert_eq!(lab.state().usage(lab.program()).fragments_held, 0);
}

#[test]
fn an_unanswered_flow_keeps_the_old_dnat_target_until_it_expires() {
    // nat-and-kernel-cases 56: the same SYN again follows its session, not the new rule.
    let before = network(80, "").replace("accept tcp 80", "accept all");
    let mut lab = Lab::new(&before);
    let syn = || tcp("198.51.100.7:5", "203.0.113.2:8080");
    lab.from_internet(syn()).delivered_at("server/eth0");
    lab.adopt(&before.replace("to: server, to_port", "to: client, to_port"));
    let _ = lab.wait(60);
    lab.from_internet(syn()).delivered_at("server/eth0");
    // A repeated SYN that nobody answers prolongs nothing.
    let _ = lab.wait(60);
    lab.from_internet(syn()).delivered_at("client/eth0");
}
