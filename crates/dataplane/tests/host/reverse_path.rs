//! The reverse path filter.

use crate::{RULES, dual, dual_with, host_egress, reverse_path};
use vpcsim_testkit::{Lab, ping};

#[test]
fn rp_filter_is_the_larger_of_all_and_the_nic() {
    for all in 0..=2_u8 {
        for nic in 0..=2_u8 {
            let sysctl = format!(
                "sysctl: {{net.ipv4.conf.all.rp_filter: {all}, net.ipv4.conf.eth1.rp_filter: {nic}}}"
            );
            let mut lab = dual(&sysctl);
            let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
            if all.max(nic) == 1 {
                end.dropped("rp-filter", "host", "dual/eth1");
                assert_eq!(reverse_path(&lab, &end), (1, Some("dual/eth0".to_owned())));
            } else {
                end.delivered_at("dual/eth1");
            }
            // The way back leads out of the nic itself.
            lab.send(ping("10.0.2.20", "10.0.2.10"))
                .delivered_at("dual/eth1");
            lab.send(ping("10.0.3.10", "10.0.1.10"))
                .delivered_at("dual/eth0");
        }
    }
}

#[test]
fn rp_filter_is_1_on_all_where_the_file_says_nothing() {
    let mut lab = dual("running: true");
    let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end).0, 1);
}

#[test]
fn default_seeds_only_nics_without_their_own_value() {
    let with = |lines: &str| {
        let mut lab = dual(&format!(
            "sysctl: {{net.ipv4.conf.all.rp_filter: 0, {lines}}}"
        ));
        lab.send(ping("10.0.3.10", "10.0.2.10")).outcome()
    };
    assert_eq!(with("net.ipv4.conf.default.rp_filter: 1"), "rp-filter");
    assert_eq!(with("net.ipv4.conf.default.rp_filter: 0"), "dual/eth1");
    let (eth1, seed) = (
        "net.ipv4.conf.eth1.rp_filter: 0",
        "net.ipv4.conf.default.rp_filter: 1",
    );
    assert_eq!(with(&format!("{eth1}, {seed}")), "dual/eth1");
    assert_eq!(with(&format!("{seed}, {eth1}")), "dual/eth1");
    // It seeds, it is not a third value beside the two.
    let mut lab =
        dual("sysctl: {net.ipv4.conf.all.rp_filter: 1, net.ipv4.conf.default.rp_filter: 0}");
    lab.send(ping("10.0.3.10", "10.0.2.10"))
        .dropped("rp-filter", "host", "dual/eth1");
}

#[test]
fn rules_count_in_the_reverse_lookup() {
    let mut lab = dual(RULES);
    let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
    end.delivered_at("dual/eth1");
    let reply = lab.reply_to(&end);
    reply.delivered_at("far/eth0");
    assert_eq!(host_egress(&reply), Some("dual/eth1"));
    // They are asked with the packet's destination as source: its other address has no rule here.
    let one = RULES.replace(", {from: 10.0.2.10, table: 20}", "");
    dual(&one)
        .send(ping("10.0.3.10", "10.0.2.10"))
        .dropped("rp-filter", "host", "dual/eth1");
}

#[test]
fn loose_wants_any_route_and_strict_says_when_there_is_none() {
    // eth0 is not configured, so the host has no default route, only eth1's link.
    let lab = |rp_filter: u8| {
        let sysctl = format!("sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        dual_with(
            "{address: 10.0.1.10, configured: false}",
            "10.0.2.10",
            &sysctl,
        )
    };
    for rp_filter in [1, 2] {
        let mut lab = lab(rp_filter);
        let end = lab.send(ping("10.0.3.10", "10.0.2.10"));
        end.dropped("rp-filter", "host", "dual/eth1");
        assert_eq!(reverse_path(&lab, &end), (rp_filter, None));
        lab.send(ping("10.0.2.20", "10.0.2.10"))
            .delivered_at("dual/eth1");
    }
    lab(0)
        .send(ping("10.0.3.10", "10.0.2.10"))
        .delivered_at("dual/eth1");
}

#[test]
fn a_nic_without_an_address_passes_neither_strict_nor_loose() {
    let lab = |rp_filter: u8| {
        let host =
            format!("lo: [192.168.2.2], sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        dual_with(
            "10.0.1.10",
            "{address: 10.0.2.10, configured: false}",
            &host.replace(", sysctl", "\n    sysctl"),
        )
    };
    for rp_filter in [1, 2] {
        lab(rp_filter)
            .send(ping("10.0.3.10", "192.168.2.2"))
            .dropped("rp-filter", "host", "dual/eth1");
    }
    lab(0)
        .send(ping("10.0.3.10", "192.168.2.2"))
        .delivered_at("dual/eth1");
}

#[test]
fn an_address_that_is_not_configured_has_no_connected_route() {
    // Without eth1's link the way back to its neighbour leads out of eth0.
    let mut lab = dual_with(
        "10.0.1.10",
        "{address: 10.0.2.10, configured: false}",
        "lo: [192.168.2.2]",
    );
    let end = lab.send(ping("10.0.2.20", "192.168.2.2"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end).1.as_deref(), Some("dual/eth0"));
    let own = lab.send(ping("10.0.1.10", "10.0.2.20"));
    assert_eq!(host_egress(&own), Some("dual/eth0"));
    let mut lab = dual("lo: [192.168.2.2]");
    lab.send(ping("10.0.2.20", "192.168.2.2"))
        .delivered_at("dual/eth1");
    assert_eq!(
        host_egress(&lab.send(ping("10.0.1.10", "10.0.2.20"))),
        Some("dual/eth1")
    );
}

#[test]
fn two_nics_on_one_link_answer_by_the_first() {
    let mut lab = Lab::new(
        "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {front: {cidr: 10.0.1.0/24}}}}
cvms:
  twin:
    nics:
      eth0: {subnet: front, address: 10.0.1.10}
      eth1: {subnet: front, address: 10.0.1.11}
  client: {subnet: front, address: 10.0.1.20}
",
    );
    lab.send(ping("10.0.1.20", "10.0.1.10"))
        .delivered_at("twin/eth0");
    let end = lab.send(ping("10.0.1.20", "10.0.1.11"));
    end.dropped("rp-filter", "host", "twin/eth1");
    assert_eq!(reverse_path(&lab, &end).1.as_deref(), Some("twin/eth0"));
}
