//! What would let a packet through: every fix is one.

use crate::support::OFFICE;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_packet::Protocol;
use vpcsim_replay::fix::{Advice, Ask, AskError, Fix, advise};
use vpcsim_replay::trace::Question;
use vpcsim_replay::{Endpoint, trace};

pub(crate) fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

pub(crate) fn scenario(name: &str) -> String {
    let path = scenarios().join(name).join("network.yaml");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `icmp`, `tcp`, `tcp 80`.
pub(crate) fn question(text: &str) -> Question {
    let (protocol, port) = match text.split_once(' ') {
        Some((protocol, port)) => (protocol, Some(port.parse().unwrap())),
        None => (text, None),
    };
    let protocol = match protocol {
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "icmp" => Protocol::ICMP,
        other => panic!("{other}"),
    };
    Question {
        protocol: Some(protocol),
        port,
    }
}

/// Asks with room for every fix there is, and holds each to what it claims.
#[track_caller]
pub(crate) fn advice(text: &str, from: &str, to: &str, asked: &str) -> Advice {
    let ask = Ask {
        name: "network.yaml",
        text,
        from,
        to,
        question: question(asked),
    };
    let advice = advise(&ask, 20).unwrap();
    for fix in &advice.fixes {
        arrives(fix, &ask, &advice);
        keeps_the_rest(fix, text);
    }
    let count = |fix: &Fix| (!fix.breaks.is_empty(), fix.edits.len(), fix.opens);
    assert!(advice.fixes.is_sorted_by_key(count), "{:#?}", advice.fixes);
    let given_up = advice.fixes.is_empty() && !advice.trace.reachable;
    assert_eq!(advice.no_fix.is_some(), given_up, "{advice:#?}");
    advice
}

/// The changed file is a network, and the same packet and its reply arrive in it.
#[track_caller]
fn arrives(fix: &Fix, ask: &Ask<'_>, advice: &Advice) {
    let network = Network::from_yaml("fixed.yaml", &fix.text);
    let program = Program::new(network.unwrap_or_else(|errors| panic!("{}", errors.plain())));
    let end = |text| Endpoint::parse(&program, text).unwrap();
    let question = Question {
        port: advice.trace.port,
        ..ask.question
    };
    let trace = trace(&program, end(ask.from), end(ask.to), question).unwrap();
    assert!(trace.reachable && fix.verified, "{trace:#?}\n{}", fix.diff);
}

/// Every comment is still there, and so are all lines but a few.
#[track_caller]
fn keeps_the_rest(fix: &Fix, text: &str) {
    for (_, comment) in text.lines().filter_map(|line| line.split_once('#')) {
        assert!(fix.text.contains(comment), "{comment}\n{}", fix.diff);
    }
    let removed = fix
        .diff
        .lines()
        .filter(|line| line.starts_with('-'))
        .count()
        - 1;
    assert!(removed <= fix.edits.len(), "{}", fix.diff);
    let added = fix
        .diff
        .lines()
        .filter(|line| line.starts_with('+'))
        .count()
        - 1;
    assert!(added > 0 && added <= 5 * fix.edits.len(), "{}", fix.diff);
}

/// What fails on purpose in scenarios/, and what the first fix changes.
const FAIL_ON_PURPOSE: &[(&str, &str, &str, &str, &[&str])] = &[
    (
        "acl-inbound-only",
        "client",
        "web-1",
        "tcp 80",
        &["acl web, egress: accept tcp 1024-65535 to 10.0.1.10"],
    ),
    (
        "acl-inbound-and-outbound",
        "client",
        "web-1",
        "tcp 22",
        &[
            "acl web, ingress: accept tcp 22 from 10.0.1.10",
            "cvm web-1: something listens on tcp 22",
        ],
    ),
    (
        "address-not-configured",
        "client",
        "10.0.1.11",
        "icmp",
        &["nic host/eth0: 10.0.1.11 is configured in the guest"],
    ),
    (
        "dnat-internal-port",
        "internet",
        "203.0.113.10",
        "tcp 2222",
        &["security group app, ingress: accept tcp 22 from any"],
    ),
    (
        "dnat-internal-port",
        "internet",
        "203.0.113.10",
        "tcp 443",
        &["nat gateway gw, dnat: tcp 443 of gw to app-1 port 443"],
    ),
    (
        "dual-nic-rp-filter-all-0",
        "client",
        "10.0.2.10",
        "icmp",
        &["cvm dual: a policy rule, so that what 10.0.2.10 sends leaves by eth1"],
    ),
    (
        "dual-nic-rp-filter-strict",
        "client",
        "10.0.2.10",
        "icmp",
        &["cvm dual: a policy rule, so that what 10.0.2.10 sends leaves by eth1"],
    ),
    (
        "eip-direct-mode",
        "10.0.1.10",
        "198.51.100.7",
        "icmp",
        &["eip web-1: translated by the platform (mode nat)"],
    ),
    (
        "eip-nat-mode",
        "web-2",
        "198.51.100.7",
        "icmp",
        &["eip web-2: a new one, bound to web-2/eth0 (10.0.1.11); \
         the platform assigns the address, 203.0.113.21 stands for it"],
    ),
    (
        "peering-route-on-one-side",
        "web-1",
        "desk-1",
        "icmp",
        &["route table office: 10.0.1.0/24 via peering/shop-office"],
    ),
    (
        "peering-wrong-destination",
        "web-1",
        "desk-1",
        "icmp",
        &[
            "route table shop, route 1: to 172.16.0.0/16 instead of 172.17.0.0/16, \
         which peering/shop-office does not lead to",
        ],
    ),
    (
        "same-subnet-ignores-acl",
        "other-1",
        "app-2",
        "tcp 8080",
        &[
            "acl shut, ingress: accept tcp 8080 from 10.0.2.10",
            "acl shut, egress: accept tcp 1024-65535 to 10.0.2.10",
        ],
    ),
    (
        "same-subnet-ignores-acl",
        "app-1",
        "other-1",
        "tcp 8080",
        &[
            "acl shut, egress: accept tcp 8080 to 10.0.2.10",
            "acl shut, ingress: accept tcp 1024-65535 from 10.0.2.10",
        ],
    ),
    (
        "security-group-stateful",
        "web-1",
        "client",
        "tcp 80",
        &["security group web, egress: accept tcp 80 to 10.0.1.10"],
    ),
    (
        "tour-tightened",
        "phone",
        "internet",
        "udp 53",
        &["security group clients, egress: accept udp 53 to any"],
    ),
    (
        "snat-three-cvms",
        "internet",
        "203.0.113.10",
        "tcp 22",
        &["nat gateway gw, dnat: tcp 22 of gw to app-1 port 22"],
    ),
];

/// What the design of the platform forbids: nothing is to be fixed.
pub(crate) const FORBIDDEN: &[(&str, &str, &str, &str)] = &[
    (
        "peering-not-transitive",
        "web-1",
        "desk-1",
        "a peering carries only what its two vpcs own: no route leads through one vpc to a third. \
         Peer vpc shop and vpc office directly, with a route on both sides.",
    ),
    (
        "peering-wrong-destination",
        "web-1",
        "172.17.0.1",
        "a peering carries only what its two vpcs own: no route leads through one vpc to a third. \
         No vpc of the file has 172.17.0.1.",
    ),
];

/// In these nothing fails on purpose that a person would ask for one packet of.
const WORK: &[&str] = &[
    "address-on-lo",
    "dual-nic-policy-rules",
    "dual-nic-rp-filter-off",
    "eip-and-nat-gateway",
    "peering-routes-on-both-sides",
    "two-zones",
    // Not about one thing; below and in the README.
    "demo",
    "reference",
    "tour",
];

#[test]
fn the_first_fix_of_what_fails_on_purpose_makes_it_pass() {
    for &(name, from, to, asked, edits) in FAIL_ON_PURPOSE {
        let advice = advice(&scenario(name), from, to, asked);
        assert!(!advice.trace.reachable, "{name} does not fail");
        let first = advice
            .fixes
            .first()
            .unwrap_or_else(|| panic!("{name}: {advice:#?}"));
        assert_eq!(first.edits, edits, "{name}");
    }
}

#[test]
fn what_the_design_forbids_has_a_reason_and_no_fix() {
    for &(name, from, to, reason) in FORBIDDEN {
        let advice = advice(&scenario(name), from, to, "icmp");
        assert_eq!(advice.fixes, [], "{name}");
        assert_eq!(advice.no_fix.as_deref(), Some(reason), "{name}");
    }
}

#[test]
fn every_scenario_is_accounted_for() {
    let failing = FAIL_ON_PURPOSE.iter().map(|(name, ..)| *name);
    let forbidden = FORBIDDEN.iter().map(|(name, ..)| *name);
    let known: BTreeSet<_> = failing
        .chain(forbidden)
        .chain(WORK.iter().copied())
        .collect();
    for entry in fs::read_dir(scenarios()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(known.contains(&*name), "does {name} fail on purpose?");
        }
    }
}

/// What comes first for everything that does not get through in the network of `vpcsim demo`,
/// one example a kind.
#[test]
fn one_fix_of_each_kind() {
    let demo = scenario("demo");
    let first = |from: &str, to: &str, asked: &str, edits: &[&str]| {
        let advice = advice(&demo, from, to, asked);
        let first = advice.fixes.first().map(|fix| fix.edits.clone());
        assert_eq!(
            first.unwrap_or_default(),
            edits,
            "{from} to {to} by {asked}"
        );
    };
    first(
        "app-1",
        "api-1",
        "tcp 22",
        &["cvm api-1: something listens on tcp 22"],
    );
    first("app-1", "app-3", "icmp", &["cvm app-3: running"]);
    first(
        "app-1",
        "10.0.1.13",
        "icmp",
        &["nic web-3/eth0: 10.0.1.13 is configured in the guest"],
    );
    first(
        "app-1",
        "10.0.2.100",
        "icmp",
        &["havip standby: held by app-1/eth0"],
    );
    first(
        "app-1",
        "stock-1",
        "icmp",
        &[
            "peering shop-supplier: accepted by the other account",
            "a route table for vpc supplier: 10.0.2.0/24 via peering/shop-supplier",
        ],
    );
    // By the nat gateway it would be the internet that is asked.
    first(
        "web-1",
        "api-1",
        "icmp",
        &[
            "route table web: 10.9.1.0/24 via peering/shop-partner",
            "route table partner: 10.0.1.0/24 via peering/shop-partner",
        ],
    );
    first(
        "worker",
        "internet",
        "tcp 443",
        &["nat gateway audit, snat: cvm/worker by audit"],
    );
    first(
        "legacy",
        "internet",
        "tcp 80",
        &["nat gateway retired: enabled"],
    );
    first(
        "internet",
        "203.0.113.99",
        "tcp 5432",
        &[
            "eip spare: bound to db-1/eth0 (10.0.3.10)",
            "acl vault, ingress: accept tcp 5432 from any",
            "security group db, ingress: accept tcp 5432 from any",
            "acl vault, egress: accept tcp 1024-65535 to any",
        ],
    );
    first(
        "web-1",
        "10.0.3.200",
        "icmp",
        &["nic db-2/eth0: 10.0.3.200 is one of its addresses, which the guest has on lo"],
    );
    first(
        "10.0.3.200",
        "app-1",
        "icmp",
        &["nic db-2/eth0: 10.0.3.200 is one of its addresses, which the guest has on lo"],
    );
    first(
        "app-1",
        "172.31.2.9",
        "icmp",
        &[
            "cvm bastion: it forwards (ip_forward)",
            "nat gateway audit, snat: cvm/app-1 by audit",
        ],
    );
    first(
        "internet",
        "203.0.113.11",
        "tcp 8443",
        &["security group app, ingress: accept tcp 8080 from any"],
    );
}

#[test]
fn a_rule_is_as_narrow_as_it_can_be() {
    let demo = scenario("demo");
    let advice = advice(&demo, "web-1", "bastion", "tcp 2200");
    let rules = advice
        .fixes
        .iter()
        .map(|fix| (fix.edits[0].as_str(), fix.opens));
    let rule = "security group ops, ingress: accept tcp 2200 from";
    assert_eq!(
        rules.collect::<Vec<_>>(),
        [
            (&*format!("{rule} 10.0.1.10"), 0),
            (&*format!("{rule} web"), 1),
            (&*format!("{rule} 10.0.1.0/24"), 8),
            (&*format!("{rule} any"), 32),
        ],
        "the address, the group it is in (three members), its subnet, everybody"
    );
    // The port that a client chose is one of many, an address that stands for the internet too.
    let out = "acl vault, ingress: accept tcp 1024-65535 from";
    let advice = super::fixes::advice(&demo, "db-1", "203.0.113.21", "tcp 443");
    assert!(
        advice
            .fixes
            .iter()
            .any(|fix| fix.edits.iter().any(|edit| edit.starts_with(out))),
        "{advice:#?}"
    );
}

#[test]
fn a_rule_that_drops_is_preceded() {
    let text = OFFICE.replace("- accept all from any", "- accept tcp 80 from any");
    let advice = advice(&text, "client", "web", "tcp 23");
    let first = &advice.fixes[0];
    assert_eq!(
        first.edits[0],
        "acl edge, ingress: accept tcp 23 from 172.16.1.10"
    );
    let [accept, drop] = [
        "- accept tcp 23 from 172.16.1.10\n",
        "- drop tcp 23 from any\n",
    ];
    let at = |rule: &str| first.text.find(rule).unwrap();
    assert!(at(accept) < at(drop), "{}", first.text);
}

#[test]
fn what_aliases_share_is_said_to_be_shared() {
    let text = "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {one: {cidr: 10.0.1.0/24}}}
security_groups:
  web:
    ingress: &rules
      - accept tcp 80 from any
    egress: [accept all to any]
  app:
    ingress: *rules
cvms:
  x: {subnet: one, address: 10.0.1.4}
  y: {subnet: one, address: 10.0.1.5, security_groups: [app]}
  z: {subnet: one, address: 10.0.1.6, security_groups: [web]}
";
    let first = |to: &str| advice(text, "x", to, "tcp 443").fixes[0].clone();
    assert!(first("y").shared);
    assert!(
        !first("z").shared,
        "where it stands it is changed for all too"
    );
}

#[test]
fn what_breaks_an_expectation_comes_last_and_says_so() {
    let expect = "expect:\n  - {from: client-2, to: web, port: 443, is: blocked}\n";
    let text = format!("{OFFICE}{expect}");
    let advice = advice(&text, "client", "web", "tcp 443");
    let (kept, broken): (Vec<_>, Vec<_>) =
        advice.fixes.iter().partition(|fix| fix.breaks.is_empty());
    let from = |fixes: &[&Fix]| -> Vec<String> {
        let peer = |fix: &&Fix| fix.edits[0].rsplit(' ').next().unwrap().to_owned();
        fixes.iter().map(peer).collect()
    };
    assert_eq!(from(&kept), ["172.16.1.10"]);
    assert_eq!(from(&broken), ["clients", "172.16.1.0/24", "any"]);
    assert_eq!(broken[0].breaks, ["client-2 to web by tcp 443 is blocked"]);
    assert_eq!(advice.expected_blocked, None);
    // That this very packet is to be blocked is said once, not of every fix.
    let advice = super::fixes::advice(&text, "client-2", "web", "tcp 443");
    let expected = advice.expected_blocked.as_deref();
    assert_eq!(expected, Some("client-2 to web by tcp 443 is blocked"));
    assert!(advice.fixes.iter().all(|fix| fix.breaks.is_empty()));
}

#[test]
fn what_arrives_needs_no_fix() {
    let advice = advice(OFFICE, "client", "web", "tcp 80");
    assert!(advice.trace.reachable && advice.fixes.is_empty());
}

#[test]
fn questions_that_cannot_be_put() {
    let ask = |text, from| {
        let ask = Ask {
            name: "net.yaml",
            text,
            from,
            to: "web",
            question: Question::default(),
        };
        advise(&ask, 3).unwrap_err()
    };
    assert!(matches!(ask("vpcs: 1", "client"), AskError::Network(_)));
    assert!(matches!(ask(OFFICE, "nobody"), AskError::Endpoint(_)));
    assert!(matches!(ask(OFFICE, "172.16.9.9"), AskError::Trace(_)));
}

/// Whoever asks whom for whatever in any scenario: each fix is one, or there is a reason.
#[test]
fn all_that_does_not_get_through_in_the_scenarios() {
    let (mut lost, mut fixed) = (0, 0);
    for entry in fs::read_dir(scenarios()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !scenarios().join(&name).is_dir() {
            continue;
        }
        let text = scenario(&name);
        let network = Network::from_yaml(&name, &text).unwrap();
        let mut ends: Vec<_> = network.cvms.iter().map(|cvm| cvm.name.clone()).collect();
        ends.extend(network.eips.iter().map(|eip| eip.address.to_string()));
        ends.push("internet".to_owned());
        ends.extend(
            network
                .externals
                .iter()
                .map(|external| format!("external:{}", external.name)),
        );
        let pairs = ends
            .iter()
            .flat_map(|from| ends.iter().map(move |to| (from, to)));
        let asked = ["icmp", "tcp", "udp", "tcp 22"].into_iter().cycle();
        // Of large networks every seventh question.
        let step = if ends.len() > 12 { 7 } else { 1 };
        let pairs = pairs.filter(|(from, to)| from != to);
        for ((from, to), asked) in pairs.zip(asked).step_by(step) {
            let program = Program::new(network.clone());
            let end = |text: &str| Endpoint::parse(&program, text).unwrap();
            if trace(&program, end(from), end(to), question(asked)).is_err() {
                continue;
            }
            let advice = advice(&text, from, to, asked);
            lost += usize::from(!advice.trace.reachable);
            fixed += usize::from(!advice.fixes.is_empty());
            let reason = advice.no_fix.as_deref().unwrap_or_default();
            assert!(
                !reason.contains("help"),
                "{from} to {to} by {asked}: {reason}"
            );
        }
    }
    assert!(lost > 150 && fixed * 10 > lost * 8, "{fixed} of {lost}");
}
