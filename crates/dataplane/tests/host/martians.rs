//! Addresses that cannot be, and the settings that let them in.

use crate::{RULES, dual, reverse_path};
use vpcsim_testkit::{ping, tcp};

/// Sources that cannot be, whatever rp_filter says.
const MARTIANS: [&str; 9] = [
    "10.0.1.10",
    "10.0.2.10",
    "10.0.2.100",
    "203.0.113.22",
    "192.168.9.9",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
];

#[test]
fn martians_whatever_rp_filter_says() {
    for rp_filter in 0..=2 {
        let host =
            format!("lo: [192.168.9.9]\n    sysctl: {{net.ipv4.conf.all.rp_filter: {rp_filter}}}");
        for source in MARTIANS {
            dual(&host)
                .send(ping(source, "10.0.1.10").at("front/eth0"))
                .dropped("martian", "host", "dual/eth0");
        }
    }
}

#[test]
fn linux_takes_unusual_sources_that_are_no_martians() {
    let mut lab = dual("sysctl: {net.ipv4.conf.all.rp_filter: 0}");
    // A subnet's broadcast is looked up, and refused, only under rp_filter or rules.
    for source in ["0.1.2.3", "240.0.0.1", "169.254.1.1", "10.0.1.255"] {
        lab.send(ping(source, "10.0.1.10").at("front/eth0"))
            .delivered_at("dual/eth0");
    }
    for host in [
        "sysctl: {net.ipv4.conf.all.rp_filter: 2}",
        &format!("sysctl: {{net.ipv4.conf.all.rp_filter: 0}}{RULES}"),
    ] {
        dual(host)
            .send(ping("10.0.1.255", "10.0.1.10").at("front/eth0"))
            .dropped("martian", "host", "dual/eth0");
    }
    // With accept_local Linux does not look, rules or not.
    let sysctl = "net.ipv4.conf.all.rp_filter: 0, net.ipv4.conf.all.accept_local: 1";
    dual(&format!("sysctl: {{{sysctl}}}{RULES}"))
        .send(ping("10.0.1.255", "10.0.1.10").at("front/eth0"))
        .delivered_at("dual/eth0");
}

#[test]
fn accept_local_lets_own_addresses_in() {
    let from_eth0 = || tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0");
    for accept in [
        "net.ipv4.conf.all.accept_local: 1",
        "net.ipv4.conf.eth1.accept_local: 1",
    ] {
        let mut lab = dual(&format!(
            "sysctl: {{net.ipv4.conf.all.rp_filter: 0, {accept}}}"
        ));
        lab.send(from_eth0()).delivered_at("dual/eth1");
    }
    // On the other nic it does not help.
    dual("sysctl: {net.ipv4.conf.all.rp_filter: 0, net.ipv4.conf.eth0.accept_local: 1}")
        .send(from_eth0())
        .dropped("martian", "host", "dual/eth1");
}

#[test]
fn under_accept_local_strict_wants_the_nic_that_has_the_address() {
    let mut lab = dual("sysctl: {net.ipv4.conf.all.accept_local: 1}");
    let end = lab.send(tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0"));
    end.dropped("rp-filter", "host", "dual/eth1");
    assert_eq!(reverse_path(&lab, &end), (1, Some("dual/eth0".to_owned())));
    lab.send(ping("10.0.2.10", "10.0.2.10").at("back/eth0"))
        .delivered_at("dual/eth1");
    dual("sysctl: {net.ipv4.conf.all.accept_local: 1, net.ipv4.conf.all.rp_filter: 2}")
        .send(tcp("10.0.1.10:40000", "10.0.2.10:80").at("dual/eth0"))
        .delivered_at("dual/eth1");
}

#[test]
fn route_localnet_lets_loopback_destinations_in() {
    let to_loopback = || ping("10.0.1.20", "127.0.0.1").at("front/eth0");
    dual("running: true")
        .send(to_loopback())
        .dropped("martian", "host", "dual/eth0");
    dual("sysctl: {net.ipv4.conf.eth0.route_localnet: 1}")
        .send(to_loopback())
        .delivered_at("dual/eth0");
    dual("sysctl: {net.ipv4.conf.all.route_localnet: 1}")
        .send(to_loopback())
        .delivered_at("dual/eth0");
    // As a source it is the host's own all the same.
    dual("sysctl: {net.ipv4.conf.all.route_localnet: 1, net.ipv4.conf.all.rp_filter: 0}")
        .send(ping("127.0.0.1", "10.0.1.10").at("front/eth0"))
        .dropped("martian", "host", "dual/eth0");
    // The rest of 127/8 is so only to a look-up.
    for (rp_filter, passes) in [(0, true), (2, false)] {
        let sysctl = format!(
            "net.ipv4.conf.all.route_localnet: 1, net.ipv4.conf.all.rp_filter: {rp_filter}"
        );
        let mut lab = dual(&format!("sysctl: {{{sysctl}}}"));
        let end = lab.send(ping("127.9.9.9", "10.0.1.10").at("front/eth0"));
        if passes {
            end.delivered_at("dual/eth0");
        } else {
            end.dropped("martian", "host", "dual/eth0");
        }
    }
}
