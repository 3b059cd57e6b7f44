//! Which of its addresses a source is lent.

use crate::{INSIDE, REMOTE, network, source};
use vpcsim_testkit::{Lab, tcp};

#[test]
fn a_rule_for_the_cvm_comes_before_one_for_its_subnet() {
    let rules = "eips: [e1, e2], snat: [{from: subnet/web, eips: [e1]}, {from: cvm/a, eips: [e2]}]";
    let mut lab = Lab::new(&network(rules, ""));
    for remote in 1..20 {
        let remote = format!("198.51.100.{remote}:80");
        assert_eq!(source(&mut lab, tcp("10.0.1.10:1", &remote)), "203.0.113.2");
        assert_eq!(source(&mut lab, tcp("10.0.1.11:1", &remote)), "203.0.113.1");
    }
}

#[test]
fn a_source_without_a_rule_uses_all_eips() {
    let mut lab = Lab::new(&network(
        "eips: [e1, e2], snat: [{from: subnet/web, eips: [e1]}]",
        "",
    ));
    let mut used = std::collections::HashSet::new();
    for remote in 1..40 {
        used.insert(source(
            &mut lab,
            tcp("10.0.2.10:1", &format!("198.51.100.{remote}:80")),
        ));
    }
    assert_eq!(used.len(), 2);
}

#[test]
fn strict_snat_drops_a_source_without_a_rule() {
    let rules = "eips: [e1], strict_snat: true, snat: [{from: subnet/web, eips: [e1]}]";
    let mut lab = Lab::new(&network(rules, ""));
    lab.send(tcp("10.0.2.10:1", REMOTE))
        .dropped("snat-no-rule", "nat-gateway", "gw");
    assert_eq!(source(&mut lab, tcp(INSIDE, REMOTE)), "203.0.113.1");
}

#[test]
fn no_snat_without_a_matching_rule_whatever_the_reverse_flow_looks_like() {
    // nat-and-kernel-cases 53: a dnat session of the same host does not lend its address.
    let rules = "eips: [e1, e2], strict_snat: true, snat: [{from: cvm/a, eips: [e1]}],
      dnat: [{eip: e2, protocol: tcp, port: 80, to: c}]";
    let mut lab = Lab::new(&network(rules, ""));
    let syn = lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.2:80"));
    lab.reply_to(&syn).delivered_at("internet");
    lab.send(tcp("10.0.2.10:80", "198.51.100.7:5001"))
        .dropped("snat-no-rule", "nat-gateway", "gw");
}

#[test]
fn with_affinity_one_host_keeps_one_eip_per_destination_address() {
    let mut lab = Lab::new(&network("eips: [e1, e2]", ""));
    let mut over_destinations = std::collections::HashSet::new();
    for remote in 1..40 {
        let mut used = std::collections::HashSet::new();
        for port in 1..20 {
            let packet = tcp(
                &format!("10.0.1.10:{port}"),
                &format!("198.51.100.{remote}:{port}"),
            );
            used.insert(source(&mut lab, packet));
        }
        assert_eq!(used.len(), 1, "destination {remote}");
        over_destinations.extend(used);
    }
    assert_eq!(over_destinations.len(), 2);
}

#[test]
fn without_affinity_sources_spread_over_the_pool() {
    // nat-and-kernel-cases 6.
    let mut lab = Lab::new(&network("eips: [e1, e2], affinity: false", ""));
    let mut count = std::collections::HashMap::new();
    for port in 1..201 {
        let used = source(&mut lab, tcp(&format!("10.0.1.10:{port}"), REMOTE));
        *count.entry(used).or_insert(0) += 1;
    }
    assert!(
        count.len() == 2 && count.values().all(|&n| n > 50),
        "{count:?}"
    );
}
