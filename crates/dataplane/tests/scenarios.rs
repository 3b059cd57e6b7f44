//! Every network in scenarios/ shows what its first lines say.

use vpcsim_testkit::{End, Lab, ping, tcp, udp};

#[expect(
    clippy::disallowed_methods,
    reason = "the crate does no I/O; its scenarios are files"
)]
fn lab(name: &str) -> Lab {
    let path = format!(
        "{}/../../scenarios/{name}/network.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    Lab::new(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// The nic that the sending host chose.
fn sent_by(end: &End) -> Option<&str> {
    let chosen = end.stops().iter().find(|stop| stop.stage == "host-egress");
    chosen.map(|stop| stop.element.as_str())
}

const CLIENT: &str = "198.51.100.7:50000";

#[test]
fn same_subnet_ignores_the_acl() {
    let mut lab = lab("same-subnet-ignores-acl");
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.1.11:8080").syn());
    syn.delivered_at("app-2/eth0")
        .passed("acl-egress", "same-subnet");
    lab.reply_to(&syn)
        .delivered_at("app-1/eth0")
        .passed("acl-ingress", "same-subnet");
    lab.send(tcp("10.0.2.10:40000", "10.0.1.11:8080").syn())
        .dropped("acl-deny", "acl-ingress", "shut")
        .by_rule("ingress implicit deny");
    lab.send(tcp("10.0.1.10:40000", "10.0.2.10:8080").syn())
        .dropped("acl-deny", "acl-egress", "shut");
}

#[test]
fn an_acl_with_only_an_inbound_rule_drops_the_reply() {
    let mut lab = lab("acl-inbound-only");
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:80").syn());
    syn.delivered_at("web-1/eth0");
    lab.reply_to(&syn)
        .dropped("acl-deny", "acl-egress", "web")
        .by_rule("egress implicit deny");
}

#[test]
fn its_mended_twin_answers() {
    let mut lab = lab("acl-inbound-and-outbound");
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:80").syn());
    syn.delivered_at("web-1/eth0");
    lab.reply_to(&syn).delivered_at("client/eth0");
    lab.send(tcp("10.0.1.10:40000", "10.0.2.10:22").syn())
        .dropped("acl-deny", "acl-ingress", "web");
}

#[test]
fn a_security_group_answers_statefully() {
    let mut lab = lab("security-group-stateful");
    let syn = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:80").syn());
    syn.delivered_at("web-1/eth0")
        .passed("security-group-ingress", "opened");
    lab.reply_to(&syn)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.send(tcp("10.0.2.10:40000", "10.0.1.10:80").syn())
        .dropped("security-group-deny", "security-group-egress", "web")
        .by_rule("egress implicit deny");
}

#[test]
fn two_zones_of_one_vpc_talk() {
    let mut lab = lab("two-zones");
    let ping = lab.send(ping("10.0.1.10", "10.0.2.10"));
    ping.delivered_at("db-1/eth0").passed("route", "local");
    lab.reply_to(&ping).delivered_at("web-1/eth0");
}

#[test]
fn peering_with_a_route_on_one_side_only_loses_the_reply() {
    let mut lab = lab("peering-route-on-one-side");
    let ping = lab.send(ping("10.0.1.10", "172.16.1.10"));
    ping.delivered_at("desk-1/eth0")
        .passed("peering", "carried");
    lab.reply_to(&ping).dropped("no-route", "route", "office");
}

#[test]
fn peering_with_the_wrong_destination_finds_no_route() {
    let mut lab = lab("peering-wrong-destination");
    lab.send(ping("10.0.1.10", "172.16.1.10"))
        .dropped("no-route", "route", "shop");
    lab.send(ping("10.0.1.10", "172.17.0.1"))
        .dropped("peering-not-transitive", "peering", "shop-office")
        .by_rule("routes 1");
}

#[test]
fn peering_with_routes_on_both_sides_works() {
    let mut lab = lab("peering-routes-on-both-sides");
    let ping = lab.send(ping("10.0.1.10", "172.16.1.10"));
    ping.delivered_at("desk-1/eth0");
    lab.reply_to(&ping).delivered_at("web-1/eth0");
}

#[test]
fn peering_is_not_transitive() {
    let mut lab = lab("peering-not-transitive");
    lab.send(ping("10.0.1.10", "10.1.1.10"))
        .delivered_at("core-1/eth0");
    lab.send(ping("10.0.1.10", "172.16.1.10"))
        .dropped("peering-not-transitive", "peering", "shop-hub")
        .by_rule("routes 2");
}

#[test]
fn an_eip_in_nat_mode_is_translated_both_ways() {
    let mut lab = lab("eip-nat-mode");
    let syn = lab.from_internet(tcp(CLIENT, "203.0.113.20:80").syn());
    syn.delivered_at("web-1/eth0");
    assert_eq!(syn.flow(), "tcp 198.51.100.7:50000 > 10.0.1.10:80");
    let reply = lab.reply_to(&syn);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.20:80 > 198.51.100.7:50000");
    let out = lab.send(ping("10.0.1.10", "198.51.100.7"));
    out.delivered_at("internet").passed("route", "eip-fallback");
    assert_eq!(out.headers().source.to_string(), "203.0.113.20");
    let back = lab.reply_to(&out);
    back.delivered_at("web-1/eth0");
    lab.send(ping("10.0.1.11", "198.51.100.7"))
        .dropped("no-route", "route", "shop/default");
}

#[test]
fn an_eip_in_direct_mode_is_carried_by_the_guest() {
    let mut lab = lab("eip-direct-mode");
    let syn = lab.from_internet(tcp(CLIENT, "203.0.113.20:80").syn());
    syn.delivered_at("web-1/eth0").passed("eip", "carried");
    assert_eq!(syn.flow(), "tcp 198.51.100.7:50000 > 203.0.113.20:80");
    let reply = lab.reply_to(&syn);
    reply.delivered_at("internet");
    assert_eq!(reply.flow(), "tcp 203.0.113.20:80 > 198.51.100.7:50000");
    lab.send(ping("10.0.1.10", "198.51.100.7"))
        .dropped("no-route", "route", "shop/default");
}

#[test]
fn three_cvms_share_one_address() {
    let mut lab = lab("snat-three-cvms");
    let mut seen = std::collections::HashSet::new();
    for inside in ["10.0.1.11", "10.0.1.12", "10.0.1.13"] {
        let syn = lab.send(tcp(&format!("{inside}:40000"), "198.51.100.7:443").syn());
        syn.delivered_at("internet");
        assert_eq!(syn.headers().source.to_string(), "203.0.113.10");
        assert!(
            seen.insert(syn.flow()),
            "no two live flows look the same outside"
        );
        let reply = lab.reply_to(&syn);
        assert_eq!(reply.headers().destination.to_string(), inside);
        assert!(
            matches!(reply.verdict(), vpcsim_dataplane::Verdict::Delivered(_)),
            "{reply}"
        );
    }
    lab.from_internet(tcp(CLIENT, "203.0.113.10:22").syn())
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn dnat_leads_to_an_internal_port() {
    let mut lab = lab("dnat-internal-port");
    let syn = lab.from_internet(tcp(CLIENT, "203.0.113.10:8443").syn());
    syn.delivered_at("app-1/eth0");
    assert_eq!(syn.flow(), "tcp 198.51.100.7:50000 > 10.0.1.10:443");
    let reply = lab.reply_to(&syn);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.10:8443 > 198.51.100.7:50000");
    lab.from_internet(tcp(CLIENT, "203.0.113.10:2222").syn())
        .dropped("security-group-deny", "security-group-ingress", "app");
    lab.from_internet(tcp(CLIENT, "203.0.113.10:443").syn())
        .dropped("no-nat-session", "nat-gateway", "gw");
}

#[test]
fn replies_leave_by_the_way_the_flow_came_in() {
    let mut lab = lab("eip-and-nat-gateway");
    let out = lab.send(tcp("10.0.1.10:40000", "198.51.100.7:443").syn());
    out.delivered_at("internet").passed("route", "routed");
    assert_eq!(
        out.headers().source.to_string(),
        "203.0.113.10",
        "by the gateway"
    );
    lab.reply_to(&out).delivered_at("web-1/eth0");
    let inbound = lab.from_internet(tcp(CLIENT, "203.0.113.20:80").syn());
    inbound.delivered_at("web-1/eth0");
    let reply = lab.reply_to(&inbound);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(
        reply.headers().source.to_string(),
        "203.0.113.20",
        "by the eip"
    );
}

#[test]
fn a_dual_nic_host_stays_silent_under_strict_rp_filter() {
    let mut lab = lab("dual-nic-rp-filter-strict");
    lab.send(ping("10.0.3.10", "10.0.2.10"))
        .dropped("rp-filter", "host", "dual/eth1");
    let first = lab.send(ping("10.0.3.10", "10.0.1.10"));
    first.delivered_at("dual/eth0");
    lab.reply_to(&first).delivered_at("client/eth0");
}

#[test]
fn all_at_0_does_not_help_while_eth1_is_at_1() {
    let mut lab = lab("dual-nic-rp-filter-all-0");
    let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
    end.dropped("rp-filter", "host", "dual/eth1");
    let vpcsim_dataplane::Verdict::Dropped(drop) = end.verdict() else {
        panic!("{end}")
    };
    let reverse = drop.reverse_path.expect("rp_filter says what it saw");
    assert_eq!(reverse.value, 1);
    let eth0 = reverse.nic.map(|nic| lab.program().nic_name(nic));
    assert_eq!(eth0.as_deref(), Some("dual/eth0"));
}

#[test]
fn everything_at_0_lets_the_ping_in_and_the_reply_leaves_by_eth0() {
    let mut lab = lab("dual-nic-rp-filter-off");
    let ping = lab.send(ping("10.0.3.10", "10.0.2.10"));
    ping.delivered_at("dual/eth1");
    let reply = lab.reply_to(&ping);
    reply.delivered_at("client/eth0");
    assert_eq!(sent_by(&reply), Some("dual/eth0"));
}

#[test]
fn policy_rules_let_strict_rp_filter_pass_and_the_reply_leave_by_eth1() {
    let mut lab = lab("dual-nic-policy-rules");
    let ping = lab.send(ping("10.0.3.10", "10.0.2.10"));
    ping.delivered_at("dual/eth1");
    let reply = lab.reply_to(&ping);
    reply.delivered_at("client/eth0");
    assert_eq!(sent_by(&reply), Some("dual/eth1"));
}

#[test]
fn an_address_that_the_guest_does_not_know_is_not_local() {
    let mut lab = lab("address-not-configured");
    lab.send(ping("10.0.3.10", "10.0.1.11"))
        .dropped("not-local", "host", "host");
}

#[test]
fn an_address_on_lo_is_local() {
    let mut lab = lab("address-on-lo");
    let ping = lab.send(ping("10.0.3.10", "10.0.1.11"));
    ping.delivered_at("host/eth0");
    lab.reply_to(&ping).delivered_at("client/eth0");
}

#[test]
fn the_tightened_tour_lets_the_web_out_and_no_names() {
    let mut lab = lab("tour-tightened");
    lab.send(tcp("10.0.1.10:40000", "198.51.100.7:443").syn())
        .delivered_at("internet");
    lab.send(udp("10.0.1.11:40000", "198.51.100.7:53"))
        .dropped("security-group-deny", "security-group-egress", "clients")
        .by_rule("egress implicit deny");
    lab.send(tcp("10.0.1.12:40000", "198.51.100.7:5432").syn())
        .dropped("security-group-deny", "security-group-egress", "clients");
}
