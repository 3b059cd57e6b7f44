//! `--rules`: what each rule decided.

use crate::support::{OFFICE, packets, program, run};
use vpcsim_dataplane::Program;
use vpcsim_replay::{Options, Report, RuleReport};
use vpcsim_testkit::{Craft, complaint, ping, pong, tcp, udp};

const CLIENT: &str = "172.16.1.10";

fn rules() -> Options {
    Options {
        rules: true,
        ..Options::default()
    }
}

fn replayed(program: &Program, sent: impl IntoIterator<Item = Craft>) -> Report {
    let frames = packets(sent.into_iter().map(|packet| packet.bytes()));
    run(program, &rules(), &frames).0
}

/// Flows, packets and judged packets of the row with this element, list and position, or these
/// words where it has none.
#[track_caller]
fn row(report: &RuleReport, element: &str, list: &str, at: &str) -> (u64, u64, u64) {
    let mut rows = report.rows.iter().filter(|row| {
        let position = row.position.map(|position| position.to_string());
        let is_it = position.as_deref().unwrap_or(&row.rule) == at;
        row.element == element && row.list == list && is_it
    });
    let row = rows.next();
    let row = row.unwrap_or_else(|| panic!("no {element} {list} {at} in {report:#?}"));
    assert!(rows.next().is_none(), "one row for {element} {list} {at}");
    (row.flows, row.packets, row.judged)
}

#[test]
fn every_kind_of_rule_counts_what_it_decides() {
    let program = program(OFFICE);
    let from = "172.16.1.10:4000";
    let report = replayed(
        &program,
        [
            // A connection within the vpc: five packets, three of them the client's.
            tcp(from, "172.16.2.10:80"),
            tcp("172.16.2.10:80", from).syn_ack(),
            tcp(from, "172.16.2.10:80").ack(),
            tcp("172.16.2.10:80", from).ack(),
            tcp(from, "172.16.2.10:80").ack(),
            // One that the acl denies, tried twice.
            tcp("172.16.1.10:4001", "172.16.2.10:23"),
            tcp("172.16.1.10:4001", "172.16.2.10:23"),
            // Questions to the internet, and an answer.
            udp("172.16.1.10:4002", "198.51.100.9:53"),
            udp("172.16.1.10:4002", "198.51.100.9:53"),
            udp("198.51.100.9:53", "172.16.1.10:4002"),
            // In by the DNAT rule, and its answer, which goes back the way it came.
            tcp("198.51.100.9:5000", "203.0.113.10:8080"),
            tcp("172.16.2.10:80", "198.51.100.9:5000").syn_ack(),
            // To a branch, and to an eip at a port that nobody opened.
            udp("172.16.1.10:4003", "192.168.0.1:9"),
            tcp("198.51.100.9:5001", "203.0.113.20:443"),
        ],
    );
    assert_eq!(
        (report.verdicts.delivered, report.verdicts.dropped),
        (11, 3)
    );
    let rules = report.rules.as_ref().unwrap();
    let clients = "security group clients";
    // The connection, the one that the acl denies, the question, the branch; all of the first,
    // both tries, all three of the second's, and one.
    assert_eq!(row(rules, clients, "egress", "1"), (4, 5 + 2 + 3 + 1, 4));
    let servers = "security group servers";
    assert_eq!(row(rules, servers, "ingress", "1"), (2, 5 + 2, 2));
    assert_eq!(row(rules, servers, "ingress", "2"), (0, 0, 0));
    assert_eq!(row(rules, servers, "egress", "1"), (0, 0, 0));
    assert_eq!(row(rules, servers, "ingress", "implicit deny"), (1, 1, 1));
    // Stateless: each packet is judged.
    assert_eq!(row(rules, "acl edge", "ingress", "1"), (1, 2, 2));
    assert_eq!(row(rules, "acl edge", "ingress", "2"), (3, 3 + 1 + 1, 5));
    assert_eq!(row(rules, "acl edge", "egress", "1"), (2, 2 + 1, 3));
    let table = "route table out";
    assert_eq!(row(rules, table, "routes", "1"), (1, 1, 1));
    assert_eq!(row(rules, table, "routes", "2"), (1, 2, 2));
    let local = "local: the vpc's own addresses";
    assert_eq!(row(rules, table, "routes", local), (2, 5 + 2, 7));
    let back = "return path: the way the flow came in";
    assert_eq!(row(rules, table, "routes", back), (1, 1, 1));
    let gateway = "nat gateway gw";
    assert_eq!(row(rules, gateway, "dnat", "1"), (1, 2, 1));
    assert_eq!(row(rules, gateway, "snat", "no rule: any eip"), (1, 3, 1));
    assert_eq!((rules.rules, rules.never_hit), (11, 3));
    assert!(rules.flows_exact);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn rows_are_in_file_order_with_their_lines_and_words() {
    let program = program(OFFICE);
    let report = replayed(&program, [ping(CLIENT, "172.16.2.10")]);
    let rules = report.rules.unwrap();
    let declared = rules.rows.iter().filter(|row| row.position.is_some());
    let told: Vec<_> = declared
        .map(|row| {
            let line = row.line.unwrap() as usize;
            let text = OFFICE.lines().nth(line - 1).unwrap();
            (text.trim(), format!("{} {}", row.list, row.rule))
        })
        .collect();
    let in_file =
        "ingress: [accept tcp 80 from any, accept udp all from any, accept icmp from any]";
    let expected = [
        ("egress: [accept all to any]", "egress accept all to any"),
        (in_file, "ingress accept tcp 80 from any"),
        (in_file, "ingress accept udp from any"),
        (in_file, "ingress accept icmp from any"),
        ("egress: [accept all to any]", "egress accept all to any"),
        ("- drop tcp 23 from any", "ingress drop tcp 23 from any"),
        ("- accept all from any", "ingress accept all from any"),
        ("egress: [accept all to any]", "egress accept all to any"),
        (
            "- {to: 192.168.0.0/16, via: vpn/branch}",
            "routes 192.168.0.0/16 via vpn/branch",
        ),
        (
            "- {to: 0.0.0.0/0, via: nat/gw}",
            "routes 0.0.0.0/0 via nat/gw",
        ),
        (
            "- {eip: gw-1, protocol: tcp, port: 8080, to: web, to_port: 80}",
            "dnat tcp 8080 of gw-1 to 172.16.2.10:80",
        ),
    ];
    let told: Vec<_> = told.iter().map(|(line, words)| (*line, &**words)).collect();
    assert_eq!(told, expected);
}

#[test]
fn what_belongs_to_a_flow_counts_for_the_rule_that_let_it_in() {
    let program = program(OFFICE);
    let question = udp("172.16.1.10:4002", "172.16.2.10:53");
    let report = replayed(
        &program,
        [
            question.clone(),
            // An ICMP error about it.
            complaint(
                "172.16.2.10",
                vpcsim_packet::icmp::IcmpError::TimeExceeded,
                &question.bytes(),
            ),
            // And a datagram in pieces, the last one first.
            udp("172.16.1.10:4002", "172.16.2.10:53")
                .identification(7)
                .filler(2000)
                .fragments(1500)[1]
                .clone(),
            udp("172.16.1.10:4002", "172.16.2.10:53")
                .identification(7)
                .filler(2000)
                .fragments(1500)[0]
                .clone(),
        ],
    );
    assert_eq!(report.verdicts.delivered, 4);
    let rules = report.rules.unwrap();
    let servers = "security group servers";
    assert_eq!(row(&rules, servers, "ingress", "2"), (1, 4, 1));
    assert_eq!(row(&rules, servers, "egress", "1"), (0, 0, 0));
}

#[test]
fn a_ping_and_its_reply_are_one_flow() {
    let program = program(OFFICE);
    let (client, web) = (CLIENT, "172.16.2.10");
    let report = replayed(
        &program,
        [
            ping(client, web).id(5),
            pong(web, client).id(5),
            ping(client, web).id(6),
        ],
    );
    let rules = report.rules.unwrap();
    let servers = "security group servers";
    assert_eq!(row(&rules, servers, "ingress", "3"), (2, 3, 2));
    let local = "local: the vpc's own addresses";
    assert_eq!(row(&rules, "route table out", "routes", local), (2, 3, 3));
}

const STRICT: &str = "
vpcs:
  shop: {cidr: 10.0.0.0/16, route_table: out, subnets: {app: {cidr: 10.0.1.0/24}}}
route_tables:
  out: {routes: [{to: 8.0.0.0/8, via: nat/gw}]}
eips:
  gw-1: {address: 203.0.113.10}
  gw-2: {address: 203.0.113.11}
  own: {address: 203.0.113.20, bind: c}
nat_gateways:
  gw: {eips: [gw-1, gw-2], strict_snat: true, snat: [{from: cvm/a, eips: [gw-2]}]}
security_groups:
  one: {egress: [drop udp 9 to any]}
  two: {egress: [accept udp all to any]}
cvms:
  a: {subnet: app, address: 10.0.1.11, security_groups: [one, two]}
  b: {subnet: app, address: 10.0.1.12, security_groups: [two, one]}
  c: {subnet: app, address: 10.0.1.13}
";

#[test]
fn ends_of_lists_have_rows_of_their_own() {
    let program = program(STRICT);
    let report = replayed(
        &program,
        [
            udp("10.0.1.11:1", "8.8.8.8:53"),
            udp("10.0.1.11:1", "8.8.8.8:53"),
            udp("10.0.1.12:1", "8.8.8.8:53"),
            udp("10.0.1.11:2", "8.8.8.8:9"),
            udp("10.0.1.12:2", "9.9.9.9:9"),
            tcp("10.0.1.11:3", "8.8.8.8:80"),
            udp("10.0.1.13:1", "9.9.9.9:53"),
        ],
    );
    let rules = report.rules.unwrap();
    let gateway = "nat gateway gw";
    assert_eq!(row(&rules, gateway, "snat", "1"), (1, 2, 1));
    assert_eq!(row(&rules, gateway, "snat", "no rule: drop"), (1, 1, 1));
    assert_eq!(row(&rules, "security group one", "egress", "1"), (1, 1, 1));
    // `b` has the groups the other way round: the second one accepts what the first would drop.
    assert_eq!(row(&rules, "security group two", "egress", "1"), (3, 4, 3));
    let deny = row(&rules, "security groups one+two", "egress", "implicit deny");
    assert_eq!(deny, (1, 1, 1));
    let table = "route table out";
    assert_eq!(row(&rules, table, "routes", "1"), (2, 3, 3));
    assert_eq!(row(&rules, table, "routes", "no route: drop"), (1, 1, 1));
    let eip = "no route: by the sender's eip";
    assert_eq!(row(&rules, table, "routes", eip), (1, 1, 1));
    // What no line declares has a row where something met it.
    let default = row(&rules, "security group shop/default", "egress", "1");
    assert_eq!(default, (1, 1, 1));
    let shown = rules
        .rows
        .iter()
        .filter(|row| row.element.ends_with("shop/default"));
    assert_eq!(shown.count(), 1);
}

#[test]
fn a_report_without_rules_does_not_speak_of_them() {
    let program = program(OFFICE);
    let frames = packets([ping(CLIENT, "172.16.2.10").bytes()]);
    let (report, _) = run(&program, &Options::default(), &frames);
    let document = serde_json::to_value(&report).unwrap();
    assert_eq!(document.get("rules"), None);
    assert_eq!(document.get("flow_log"), None);
}
