//! SEMANTICS §6: security groups, rule by rule.

use vpcsim_packet::{Protocol, TcpFlags};
use vpcsim_testkit::{Craft, Lab, other, ping, pong, tcp, udp};

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

// --- order ---------------------------------------------------------------------------------

#[test]
fn groups_are_concatenated_in_bound_order_and_the_first_match_wins() {
    let groups = "
  a: {ingress: [accept tcp 80 from any, drop tcp 81 from any]}
  b: {ingress: [drop tcp 80 from any, accept tcp 81-82 from any]}
";
    let mut lab = guarded(groups, "a, b");
    open(&mut lab, to_port(80));
    lab.send(to_port(81))
        .dropped("security-group-deny", "security-group-ingress", "a")
        .by_rule("ingress 2");
    open(&mut lab, to_port(82));
    let mut lab = guarded(groups, "b, a");
    lab.send(to_port(80))
        .dropped("security-group-deny", "security-group-ingress", "b")
        .by_rule("ingress 1");
    open(&mut lab, to_port(81));
}

#[test]
fn nothing_matched_is_a_deny_of_the_whole_list() {
    let groups = "
  a: {ingress: [accept tcp 80 from any]}
  b: {ingress: [accept tcp 81 from any]}
";
    guarded(groups, "a")
        .send(to_port(82))
        .dropped("security-group-deny", "security-group-ingress", "a")
        .by_rule("ingress implicit deny");
    guarded(groups, "a, b")
        .send(to_port(82))
        .dropped("security-group-deny", "security-group-ingress", "a+b")
        .by_rule("ingress implicit deny");
}

#[test]
fn a_drop_rule_hides_later_accepts() {
    let mut lab = guarded(
        "  a: {ingress: [drop tcp 22 from 10.0.1.10, accept all from any]}",
        "a",
    );
    shut(&mut lab, to_port(22));
    open(&mut lab, to_port(23));
    open(&mut lab, tcp("10.0.1.11:40000", "10.0.2.10:22"));
}

#[test]
fn ingress_and_egress_lists_are_separate() {
    let mut lab = guarded("  a: {egress: [accept tcp 80 to any]}", "a");
    shut(&mut lab, to_port(80));
    let out = |port| tcp("10.0.2.10:40000", &format!("10.0.1.10:{port}")).syn();
    lab.send(out(80)).delivered_at("client/eth0");
    lab.send(out(81))
        .dropped("security-group-deny", "security-group-egress", "a")
        .by_rule("egress implicit deny");
}

// --- no group, empty group, default group --------------------------------------------------

const TWO_NICS: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
security_groups:
  shut: {}
cvms:
  client: {subnet: web, address: 10.0.1.10}
  dual:
    nics:
      eth0: {subnet: web, address: 10.0.1.20, security_groups: [shut]}
      eth1: {subnet: db, address: 10.0.2.20}
    sysctl: {net.ipv4.conf.all.rp_filter: 0}
    routes: [{to: 10.0.1.10/32, via: 10.0.2.1, nic: eth1}]
eips:
  second: {address: 203.0.113.20, bind: dual/10.0.2.20}
";

#[test]
fn a_group_without_rules_denies_everything() {
    let mut lab = Lab::new(TWO_NICS);
    lab.send(tcp(CLIENT, "10.0.1.20:80"))
        .dropped("security-group-deny", "security-group-ingress", "shut")
        .by_rule("ingress implicit deny");
    lab.send_from("dual/eth0", ping("10.0.1.20", "10.0.1.10"))
        .dropped("security-group-deny", "security-group-egress", "shut");
}

#[test]
fn a_secondary_nic_without_a_group_passes_everything() {
    let mut lab = Lab::new(TWO_NICS);
    for packet in [
        tcp(CLIENT, "10.0.2.20:80"),
        tcp(CLIENT, "10.0.2.20:81").rst(),
        udp(CLIENT, "10.0.2.20:53"),
        ping("10.0.1.10", "10.0.2.20"),
        other(Protocol::GRE, "10.0.1.10", "10.0.2.20"),
    ] {
        lab.send(packet)
            .delivered_at("dual/eth1")
            .passed("security-group-ingress", "unfiltered");
    }
    lab.send_from("dual/eth1", ping("10.0.2.20", "10.0.1.10"))
        .delivered_at("client/eth0")
        .passed("security-group-egress", "unfiltered");
}

#[test]
fn a_secondary_nic_without_a_group_remembers_by_which_eip_a_flow_came() {
    // §2.5a needs it: the table of this vpc has no way out at all.
    let mut lab = Lab::new(TWO_NICS);
    let syn = lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.20:80").syn());
    syn.delivered_at("dual/eth1");
    let reply = tcp("10.0.2.20:80", "198.51.100.7:5000").syn_ack();
    let reply = lab.send_from("dual/eth1", reply);
    reply
        .delivered_at("internet")
        .passed("route", "return-path");
    assert_eq!(reply.flow(), "tcp 203.0.113.20:80 > 198.51.100.7:5000");
}

#[test]
fn mid_stream_drop_does_not_concern_a_nic_without_a_group() {
    let mut lab = Lab::new(&format!("{TWO_NICS}\npolicies: {{mid_stream: drop}}\n"));
    lab.from_internet(tcp("198.51.100.7:5000", "203.0.113.20:80").ack())
        .delivered_at("dual/eth1");
}

#[test]
fn a_primary_nic_that_names_none_gets_the_default_group() {
    let unnamed = "
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  b: {subnet: web, address: 10.0.1.11}
";
    Lab::new(unnamed)
        .send(tcp("10.0.1.10:40000", "10.0.1.11:80"))
        .delivered_at("b/eth0");
    // Editable: declared, it says what is declared.
    let edited =
        format!("{unnamed}security_groups: {{default: {{egress: [accept all to any]}}}}\n");
    Lab::new(&edited)
        .send(tcp("10.0.1.10:40000", "10.0.1.11:80"))
        .dropped("security-group-deny", "security-group-ingress", "default");
}

// --- what a rule matches -------------------------------------------------------------------

#[test]
fn rules_tell_protocols_apart() {
    let packets = [
        ("tcp", tcp(CLIENT, "10.0.2.10:80")),
        ("udp", udp(CLIENT, "10.0.2.10:80")),
        ("icmp", ping("10.0.1.10", "10.0.2.10")),
        ("gre", other(Protocol::GRE, "10.0.1.10", "10.0.2.10")),
        ("sctp", other(Protocol::SCTP, "10.0.1.10", "10.0.2.10")),
    ];
    for protocol in ["tcp", "udp", "icmp", "gre", "all"] {
        let rule = format!("  a: {{ingress: [accept {protocol} from any]}}");
        let mut lab = guarded(&rule, "a");
        for (name, packet) in &packets {
            let passes = *name == protocol || protocol == "all";
            let passed = lab.send(packet.clone()).outcome() == "server/eth0";
            assert_eq!(passed, passes, "{name} by {rule}");
        }
    }
}

#[test]
fn ports_are_all_one_a_range_or_several_of_both() {
    let passes = |ports: &str, expected: [bool; 6]| {
        let rule = format!(
            "  a: {{ingress: [{{action: accept, protocol: tcp, ports: \"{ports}\", from: any}}]}}"
        );
        let mut lab = guarded(&rule, "a");
        for (port, expected) in [79, 80, 85, 90, 443, 8080].into_iter().zip(expected) {
            let passed = lab.send(to_port(port)).outcome() == "server/eth0";
            assert_eq!(passed, expected, "port {port} by {ports}");
        }
    };
    passes("all", [true; 6]);
    passes("80", [false, true, false, false, false, false]);
    passes("80-90", [false, true, true, true, false, false]);
    passes("80,443", [false, true, false, false, true, false]);
    passes("80,85-100", [false, true, true, true, false, false]);
}

#[test]
fn a_port_is_the_destination_port_of_the_flows_first_packet_in_both_directions() {
    let mut lab = guarded(
        "  a: {ingress: [accept udp 53 from any], egress: [accept udp 123 to any]}",
        "a",
    );
    // Source port 53 is not destination port 53.
    shut(&mut lab, udp("10.0.1.10:53", "10.0.2.10:99"));
    let query = lab.send(udp("10.0.1.10:99", "10.0.2.10:53"));
    query.delivered_at("server/eth0");
    // The answer leaves to port 99, which no egress rule names.
    lab.reply_to(&query)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.send(udp("10.0.2.10:123", "10.0.1.10:99")).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
    lab.send(udp("10.0.2.10:99", "10.0.1.10:123"))
        .delivered_at("client/eth0");
}

#[test]
fn the_peer_is_the_source_for_ingress_and_the_destination_for_egress() {
    let mut lab = guarded(
        "  a: {ingress: [accept tcp from 10.0.1.10], egress: [accept tcp to 10.0.1.11]}",
        "a",
    );
    open(&mut lab, to_port(80));
    shut(&mut lab, tcp("10.0.1.11:40000", "10.0.2.10:80"));
    lab.send(tcp("10.0.2.10:40000", "10.0.1.11:80"))
        .delivered_at("other/eth0");
    lab.send(tcp("10.0.2.10:40000", "10.0.1.10:80")).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
}

#[test]
fn zero_with_any_length_is_any() {
    for length in [0, 1, 8, 24, 32] {
        let rule = format!("  a: {{ingress: [accept all from 0.0.0.0/{length}]}}");
        open(&mut guarded(&rule, "a"), to_port(80));
    }
}

#[test]
fn a_template_stands_for_its_members() {
    let groups = "
  a:
    ingress:
      - {action: accept, services: web, from: office}
address_templates: {office: [10.0.1.11, 10.0.1.32/28, 10.0.1.8-10.0.1.10]}
service_templates: {web: [\"tcp:80,443\", \"udp:6000-6010\", icmp]}
";
    let mut lab = guarded(groups, "a");
    open(&mut lab, to_port(80));
    open(&mut lab, to_port(443));
    shut(&mut lab, to_port(81));
    open(&mut lab, udp(CLIENT, "10.0.2.10:6010"));
    shut(&mut lab, udp(CLIENT, "10.0.2.10:6011"));
    open(&mut lab, ping("10.0.1.10", "10.0.2.10"));
    open(&mut lab, tcp("10.0.1.11:1", "10.0.2.10:80"));
    let narrow = groups.replace("10.0.1.8-10.0.1.10", "10.0.1.8-10.0.1.9");
    shut(&mut guarded(&narrow, "a"), to_port(80));
}

const MEMBERS: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: eip}]}}
security_groups:
  web: {egress: [accept all to any]}
  open: {ingress: [accept all from any], egress: [accept all to any]}
  db: {ingress: [accept tcp 5432 from web]}
eips:
  web-1: {address: 203.0.113.1, bind: web-1}
  db-1: {address: 203.0.113.2, bind: db-1}
cvms:
  web-1: {subnet: web, addresses: [10.0.1.10, 10.0.1.12], security_groups: [web]}
  else: {subnet: web, address: 10.0.1.11, security_groups: [open]}
  db-1: {subnet: db, address: 10.0.2.10, security_groups: [db]}
";

#[test]
fn a_group_as_peer_is_the_private_addresses_of_its_members_only() {
    let mut lab = Lab::new(MEMBERS);
    for source in ["10.0.1.10", "10.0.1.12"] {
        lab.send(tcp(&format!("{source}:40000"), "10.0.2.10:5432"))
            .delivered_at("db-1/eth0");
    }
    lab.send(tcp("10.0.1.11:40000", "10.0.2.10:5432")).dropped(
        "security-group-deny",
        "security-group-ingress",
        "db",
    );
    // §4: the same member by way of its eip is a stranger.
    let roundabout = lab.send(tcp("10.0.1.10:40000", "203.0.113.2:5432"));
    roundabout.dropped("security-group-deny", "security-group-ingress", "db");
    assert_eq!(roundabout.flow(), "tcp 203.0.113.1:40000 > 10.0.2.10:5432");
}

#[test]
fn members_of_one_group_do_not_reach_each_other_unless_a_rule_says_so() {
    let network = |rule: &str| {
        format!(
            "
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
security_groups: {{web: {{ingress: [{rule}], egress: [accept all to any]}}}}
cvms:
  a: {{subnet: web, address: 10.0.1.10, security_groups: [web]}}
  b: {{subnet: web, address: 10.0.1.11, security_groups: [web]}}
"
        )
    };
    let ping = || ping("10.0.1.10", "10.0.1.11");
    assert_eq!(
        Lab::new(&network("")).send(ping()).outcome(),
        "security-group-deny"
    );
    Lab::new(&network("accept all from web"))
        .send(ping())
        .delivered_at("b/eth0");
}

#[test]
fn drops_are_silent() {
    let end = guarded("  a: {}", "a").send(to_port(80));
    assert!(end.others().is_empty(), "no RST, no ICMP error: {end}");
}

// --- stateful, per nic ---------------------------------------------------------------------

#[test]
fn a_flow_passes_in_both_directions_without_rules() {
    // nat-and-kernel-cases 45: a reflexive rule against deny-all, both directions.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let syn = lab.send(to_port(80));
    syn.delivered_at("server/eth0")
        .passed("security-group-ingress", "opened");
    let syn_ack = lab.reply_to(&syn);
    syn_ack
        .delivered_at("client/eth0")
        .passed("security-group-egress", "established");
    lab.reply_to(&syn_ack)
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
    let mut lab = guarded("  a: {egress: [accept udp 53 to any]}", "a");
    let query = lab.send(udp("10.0.2.10:999", "10.0.1.10:53"));
    lab.reply_to(&query)
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
    shut(&mut lab, udp("10.0.1.11:53", "10.0.2.10:999"));
}

#[test]
fn a_reply_that_leaves_by_another_nic_finds_no_flow_there() {
    let mut lab = Lab::new(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, db: {cidr: 10.0.2.0/24}, far: {cidr: 10.0.3.0/24}}
security_groups:
  in: {ingress: [accept all from any]}
cvms:
  client: {subnet: far, address: 10.0.3.10}
  dual:
    nics:
      eth0: {subnet: web, address: 10.0.1.20, security_groups: [in]}
      eth1: {subnet: db, address: 10.0.2.20, security_groups: [in]}
    sysctl: {net.ipv4.conf.all.rp_filter: 0}
",
    );
    let ping = lab.send(ping("10.0.3.10", "10.0.2.20"));
    ping.delivered_at("dual/eth1");
    // By the host's default route it leaves by eth0.
    lab.reply_to(&ping)
        .dropped("security-group-deny", "security-group-egress", "in");
    lab.send_from("dual/eth1", pong("10.0.2.20", "10.0.3.10"))
        .delivered_at("client/eth0");
}

#[test]
fn every_protocol_has_flows() {
    let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
    for packet in [
        tcp(CLIENT, "10.0.2.10:80"),
        udp(CLIENT, "10.0.2.10:53"),
        ping("10.0.1.10", "10.0.2.10"),
        other(Protocol::GRE, "10.0.1.10", "10.0.2.10"),
        other(Protocol::ESP, "10.0.1.10", "10.0.2.10"),
        other(Protocol::SCTP, "10.0.1.10", "10.0.2.10"),
    ] {
        let first = lab.send(packet);
        first.delivered_at("server/eth0");
        lab.reply_to(&first)
            .delivered_at("client/eth0")
            .passed("security-group-egress", "established");
    }
}

#[test]
fn an_icmp_flow_is_one_identifier() {
    let mut lab = guarded("  a: {ingress: [accept icmp from any]}", "a");
    open(&mut lab, ping("10.0.1.10", "10.0.2.10").id(7));
    lab.send(pong("10.0.2.10", "10.0.1.10").id(7))
        .delivered_at("client/eth0");
    lab.send(pong("10.0.2.10", "10.0.1.10").id(8)).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
}

// --- timeouts ------------------------------------------------------------------------------

/// Ends the flow of `first` after exactly `seconds`: the reply passes just before, not at it.
#[track_caller]
fn lives(policies: &str, seconds: u32, conversation: impl Fn(&mut Lab) -> Craft) {
    let yaml = network("  a: {ingress: [accept all from any]}", "a", policies);
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds - 1);
    lab.wait_nanos(999_999_999);
    lab.send(reply).delivered_at("client/eth0");
    let mut lab = Lab::new(&yaml);
    let reply = conversation(&mut lab);
    let _ = lab.wait(seconds);
    lab.send(reply)
        .dropped("security-group-deny", "security-group-egress", "a");
}

fn answer() -> Craft {
    udp("10.0.2.10:53", CLIENT)
}

fn udp_once(lab: &mut Lab) -> Craft {
    lab.send(udp(CLIENT, "10.0.2.10:53"))
        .delivered_at("server/eth0");
    answer()
}

fn udp_stream(lab: &mut Lab) -> Craft {
    let _ = udp_once(lab);
    let _ = lab.send(answer());
    lab.wait_nanos(2_500_000_000);
    udp_once(lab)
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

fn gre_once(lab: &mut Lab) -> Craft {
    lab.send(other(Protocol::GRE, "10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    other(Protocol::GRE, "10.0.2.10", "10.0.1.10")
}

#[test]
fn timeouts_are_the_kernels() {
    lives("", 30, udp_once);
    lives("", 120, udp_stream);
    lives("", 120, syn_only);
    lives("", 432_000, established);
    lives("", 30, gre_once);
    lives("", 30, |lab| {
        lab.send(ping("10.0.1.10", "10.0.2.10"))
            .delivered_at("server/eth0");
        pong("10.0.2.10", "10.0.1.10")
    });
    lives("", 600, |lab| {
        lab.send(other(Protocol::ESP, "10.0.1.10", "10.0.2.10"))
            .delivered_at("server/eth0");
        other(Protocol::ESP, "10.0.2.10", "10.0.1.10")
    });
}

#[test]
fn timeouts_can_be_set() {
    lives("conntrack: {udp: 7}", 7, udp_once);
    lives("conntrack: {udp_stream: 9}", 9, udp_stream);
    lives("conntrack: {tcp_syn_sent: 5}", 5, syn_only);
    lives("conntrack: {tcp_established: 11}", 11, established);
    lives("conntrack: {gre: 6}", 6, gre_once);
    lives("conntrack: {tcp_close: 4}", 4, |lab| {
        let reply = established(lab);
        lab.send(tcp(CLIENT, "10.0.2.10:80").rst().sequence(1001))
            .delivered_at("server/eth0");
        reply
    });
    lives("conntrack: {tcp_fin_wait: 13}", 13, |lab| {
        let reply = established(lab);
        let fin = tcp(CLIENT, "10.0.2.10:80")
            .fin()
            .sequence(1001)
            .acknowledgment(9001);
        lab.send(fin).delivered_at("server/eth0");
        reply
    });
}

#[test]
fn an_idle_connection_expires_behind_an_active_one() {
    // nat-and-kernel-cases 46.
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let idle = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let active = lab.send(udp("10.0.1.11:40000", "10.0.2.10:53"));
    for _ in 0..4 {
        let _ = lab.wait(20);
        lab.reply_to(&active).delivered_at("other/eth0");
    }
    lab.reply_to(&idle)
        .dropped("security-group-deny", "security-group-egress", "a");
}

// --- ICMP errors ---------------------------------------------------------------------------

#[test]
fn an_icmp_error_belongs_to_the_flow_that_it_quotes() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes());
    lab.send(error)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "related")
        .passed("security-group-ingress", "related");
    // One that quotes what never was is judged by the rules.
    let unknown = udp(CLIENT, "10.0.2.10:54").bytes();
    let error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, &unknown);
    lab.send(error)
        .dropped("security-group-deny", "security-group-egress", "a");
}

#[test]
fn an_icmp_error_prolongs_nothing() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let error = || vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes());
    let _ = lab.wait(20);
    lab.send(error()).delivered_at("client/eth0");
    let _ = lab.wait(10);
    assert_eq!(lab.send(error()).outcome(), "security-group-deny");
}

#[test]
fn an_icmp_error_to_somebody_else_is_unrelated() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let mut error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes()).bytes();
    error[19] = 11; // to the other client
    assert_eq!(lab.send(error).outcome(), "security-group-deny");
}

#[test]
fn a_redirect_is_related() {
    // nat-and-kernel-cases 55.
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let redirect = vpcsim_packet::build::icmp(
        [10, 0, 2, 10],
        [10, 0, 1, 10],
        5,
        1,
        [10, 0, 1, 1],
        query.bytes(),
    );
    lab.send(redirect)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "related");
}

// --- packets that open nothing -------------------------------------------------------------

fn mid_stream() -> Vec<(&'static str, Craft)> {
    let segment = |flags| tcp(CLIENT, "10.0.2.10:80").flags(flags);
    vec![
        ("ACK", segment(TcpFlags::ACK)),
        ("SYN-ACK", segment(TcpFlags::SYN | TcpFlags::ACK)),
        ("RST", segment(TcpFlags::RST)),
        ("FIN", segment(TcpFlags::FIN | TcpFlags::ACK)),
        ("no flags", segment(TcpFlags(0))),
        ("SYN+FIN", segment(TcpFlags::SYN | TcpFlags::FIN)),
        ("SYN+RST", segment(TcpFlags::SYN | TcpFlags::RST)),
        ("echo reply", pong("10.0.1.10", "10.0.2.10")),
    ]
}

#[test]
fn mid_stream_judge_lets_the_rules_decide() {
    for (name, packet) in mid_stream() {
        let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
        let end = lab.send(packet.clone());
        end.delivered_at("server/eth0");
        let by_policy = end
            .stops()
            .iter()
            .any(|stop| stop.policy == Some("mid_stream"));
        assert!(by_policy, "{name}: the trace names the policy\n{end}");
        let mut lab = guarded("  a: {ingress: [drop all from any]}", "a");
        lab.send(packet)
            .dropped("security-group-deny", "security-group-ingress", "a")
            .by_rule("ingress 1");
    }
}

#[test]
fn mid_stream_drop_drops_them() {
    for (_, packet) in mid_stream() {
        let yaml = network(
            "  a: {ingress: [accept all from any]}",
            "a",
            "mid_stream: drop",
        );
        // The client's own nic is the first to see that it opens nothing.
        Lab::new(&yaml)
            .send(packet)
            .dropped("invalid-state", "security-group-egress", "open")
            .by_policy("mid_stream");
    }
}

#[test]
fn only_a_segment_with_ack_alone_is_picked_up_from_the_middle() {
    for (name, packet) in mid_stream() {
        let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
        lab.send(packet).delivered_at("server/eth0");
        let remembered = if name == "ACK" { 2 } else { 0 };
        assert_eq!(
            lab.state().usage(lab.program()).connections,
            remembered,
            "{name}"
        );
    }
}

#[test]
fn an_impossible_packet_of_a_live_flow_is_judged_and_not_remembered() {
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let _ = established(&mut lab);
    // A SYN against the direction of the flow: the egress list is empty.
    lab.send(tcp("10.0.2.10:80", CLIENT).syn()).dropped(
        "security-group-deny",
        "security-group-egress",
        "a",
    );
    let yaml = network(
        "  a: {ingress: [accept tcp 80 from any]}",
        "a",
        "mid_stream: drop",
    );
    let mut lab = Lab::new(&yaml);
    let _ = established(&mut lab);
    lab.send(tcp("10.0.2.10:80", CLIENT).syn())
        .dropped("invalid-state", "security-group-egress", "a")
        .by_policy("mid_stream");
    let end = lab.send(
        tcp(CLIENT, "10.0.2.10:80")
            .ack()
            .sequence(1001)
            .acknowledgment(9001),
    );
    end.delivered_at("server/eth0")
        .passed("security-group-ingress", "established");
}

#[test]
fn an_echo_reply_without_a_request_opens_nothing() {
    let mut lab = guarded("  a: {ingress: [accept all from any]}", "a");
    lab.send(pong("10.0.1.10", "10.0.2.10"))
        .delivered_at("server/eth0");
    shut(&mut lab, ping("10.0.2.10", "10.0.1.10"));
}

// --- closing and opening again -------------------------------------------------------------

fn closed(lab: &mut Lab) {
    let _ = established(lab);
    let client = || tcp(CLIENT, "10.0.2.10:80");
    let server = || tcp("10.0.2.10:80", CLIENT);
    for packet in [
        client().fin().sequence(1001).acknowledgment(9001),
        server().fin().sequence(9001).acknowledgment(1002),
        client().ack().sequence(1002).acknowledgment(9002),
    ] {
        let _ = lab.send(packet);
    }
}

#[test]
fn after_fin_both_ways_it_passes_until_the_timeout() {
    // nat-and-kernel-cases 10, 48: TIME_WAIT is 120 s.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    let late = || {
        tcp("10.0.2.10:80", CLIENT)
            .fin()
            .sequence(9001)
            .acknowledgment(1002)
    };
    let _ = lab.wait(119);
    lab.send(late()).delivered_at("client/eth0");
    let _ = lab.wait(120);
    assert_eq!(lab.send(late()).outcome(), "security-group-deny");
}

#[test]
fn a_syn_on_a_closed_connection_opens_a_new_one_by_the_rules() {
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    lab.send(to_port(80).sequence(500_000))
        .delivered_at("server/eth0")
        .passed("security-group-ingress", "opened");
    // From the server's side it would be a new connection outwards, and no rule lets it.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    closed(&mut lab);
    lab.send(tcp("10.0.2.10:80", CLIENT).syn().sequence(700_000))
        .dropped("security-group-deny", "security-group-egress", "a")
        .by_rule("egress implicit deny");
}

#[test]
fn a_syn_ack_sent_again_does_not_leave_it_half_open() {
    // nat-and-kernel-cases 18.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let again = |lab: &mut Lab| {
        let reply = tcp("10.0.2.10:80", CLIENT)
            .syn_ack()
            .sequence(9000)
            .acknowledgment(1001);
        lab.send(reply).delivered_at("client/eth0");
    };
    let _ = syn_only(&mut lab);
    again(&mut lab);
    again(&mut lab);
    let _ = established(&mut lab);
    again(&mut lab);
    let _ = lab.wait(400_000);
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1001),
    )
    .delivered_at("client/eth0");
}

#[test]
fn a_lost_ack_does_not_stall() {
    // nat-and-kernel-cases 61: the handshake's last ACK was lost, data comes instead.
    let mut lab = guarded("  a: {ingress: [accept tcp 80 from any]}", "a");
    let reply = syn_only(&mut lab).sequence(9000);
    lab.send(reply).delivered_at("client/eth0");
    let data = tcp(CLIENT, "10.0.2.10:80")
        .ack()
        .sequence(1001)
        .acknowledgment(9001)
        .filler(100);
    lab.send(data).delivered_at("server/eth0");
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1101),
    )
    .delivered_at("client/eth0");
    let _ = lab.wait(400_000);
    lab.send(
        tcp("10.0.2.10:80", CLIENT)
            .ack()
            .sequence(9001)
            .acknowledgment(1101),
    )
    .delivered_at("client/eth0");
}

#[test]
fn clearing_sessions_stops_replies() {
    // nat-and-kernel-cases 47: a new state knows nothing.
    let yaml = network("  a: {ingress: [accept tcp 80 from any]}", "a", "");
    let mut lab = Lab::new(&yaml);
    let syn = lab.send(to_port(80));
    let mut lab = Lab::new(&yaml);
    lab.reply_to(&syn)
        .dropped("security-group-deny", "security-group-egress", "a");
}
