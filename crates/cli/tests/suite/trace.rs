//! `trace`: what a packet and its reply meet.

use crate::harness::{Desk, Ran, line_of, tool, top, vpcsim};

#[test]
fn a_trace_that_arrives_ends_with_0() {
    let desk = Desk::new();
    let arguments = [
        "trace",
        &desk.network(),
        "app-1",
        "internet",
        "--port",
        "443",
    ];
    vpcsim(arguments).status(0).shows(&[
        "app-1 to internet by tcp 443",
        "Request from app-1",
        &format!("accept all to any {}", line_of("accept all")),
        "0.0.0.0/0 via nat/gw",
        &line_of("via: nat/gw"),
        "source 10.0.1.11 ->",
        "Reply from internet",
        "established",
        "destination 203.0.113.10 -> 10.0.1.11",
        "yes: app-1 reaches internet",
    ]);
}

#[test]
fn a_trace_that_does_not_arrive_ends_with_1_and_names_the_rule() {
    let desk = Desk::new();
    let arguments = [
        "trace",
        &desk.network(),
        "app-1",
        "internet",
        "--protocol",
        "udp",
    ];
    let ran = vpcsim(arguments).status(1).shows(&[
        "security-group-deny",
        "security group app",
        &format!("drop udp to any {}", line_of("drop udp")),
        &format!("egress 1 {}", line_of("drop udp")),
        "no: the request is dropped at security-group-egress",
    ]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_trace_whose_reply_does_not_arrive_ends_with_1() {
    let network = top().join("scenarios/acl-inbound-only/network.yaml");
    let arguments = [
        "trace",
        network.to_str().unwrap(),
        "client",
        "web-1",
        "--port",
        "80",
    ];
    vpcsim(arguments).status(1).shows(&[
        "Reply from web-1",
        "acl-deny",
        "no: the reply is dropped",
    ]);
}

#[test]
fn the_answer_is_in_the_json_too() {
    let desk = Desk::new();
    let trace = |protocol: &str, status: i32| {
        let network = desk.network();
        let arguments = [
            "trace",
            &network,
            "app-1",
            "internet",
            "--json",
            "--protocol",
            protocol,
        ];
        vpcsim(arguments).status(status).json()
    };
    assert_eq!(trace("icmp", 0)["reachable"], true);
    assert_eq!(trace("udp", 1)["reachable"], false);
}

#[test]
fn a_question_that_cannot_be_put_ends_with_2() {
    let desk = Desk::new();
    let trace = |more: &[&str]| {
        let network = desk.network();
        vpcsim(["trace", &network].iter().chain(more)).status(2)
    };
    trace(&["app-1", "nowhere"]).says(&["no cvm is called `nowhere`", "`app-1`, `app-2`"]);
    trace(&["app-1", "app-2", "--protocol", "icmp", "--port", "1"]).says(&["icmp has no ports"]);
    trace(&["10.0.1.200", "app-1"]).says(&["10.0.1.200"]);
}

/// `trace` in a scenario.
fn scenario(name: &str, more: &[&str]) -> Ran {
    let network = top().join("scenarios").join(name).join("network.yaml");
    vpcsim(["trace", network.to_str().unwrap()].iter().chain(more))
}

#[test]
fn what_would_let_it_through_is_shown_as_a_diff() {
    let ran = scenario(
        "security-group-stateful",
        &["web-1", "client", "--port", "80"],
    );
    let ran = ran.status(1).shows(&[
        "What would let it through",
        "  1. security group web, egress: accept tcp 80 to 10.0.1.10",
        "     -    egress: []\n     +    egress:\n     +      - accept tcp 80 to 10.0.1.10\n",
        "  3. security group web, egress: accept tcp 80 to any",
    ]);
    assert!(!ran.out.contains("  4. "), "{}", ran.out);
    let none = scenario(
        "security-group-stateful",
        &["web-1", "client", "--fixes", "0"],
    );
    assert!(!none.status(1).out.contains("let it through"));
}

#[test]
fn a_diff_is_coloured_where_colours_are_wanted() {
    let more = ["--color", "always", "--fixes", "1"];
    let ran = scenario(
        "security-group-stateful",
        &[&["web-1", "client"][..], &more].concat(),
    );
    ran.status(1)
        .shows(&["\u{1b}[1m\u{1b}[32m+      - accept icmp to 10.0.1.10\u{1b}[0m"]);
}

#[test]
fn the_patch_tool_takes_a_diff() {
    let desk = Desk::new();
    let network = desk.network();
    let ask = ["trace", &network, "app-1", "internet", "--protocol", "udp"];
    let advice = vpcsim(ask.iter().chain(&["--json"])).status(1).json();
    let diff = desk.file(
        "fix.diff",
        advice["fixes"][0]["diff"].as_str().unwrap().as_bytes(),
    );
    let Some(patched) = tool("patch", &["-p0", "--force", &network, &diff]) else {
        return;
    };
    patched.status(0);
    vpcsim(ask)
        .status(0)
        .shows(&["accept udp 53 to any", "yes:"]);
}

#[test]
fn a_fix_is_written_to_a_file() {
    let desk = Desk::new();
    let (network, fixed) = (desk.network(), desk.path("fixed.yaml"));
    let ask = |network: &str, more: &[&str]| {
        let ask = ["trace", network, "app-1", "internet", "--protocol", "udp"];
        vpcsim(ask.iter().chain(more))
    };
    // The number need not be among those shown.
    ask(&network, &["--apply", "1", "-o", &fixed, "--fixes", "0"]).status(1);
    ask(&fixed, &[]).status(0);
    let refused = ["--apply", "7", "-o", &fixed];
    ask(&network, &refused)
        .status(2)
        .says(&["there is no fix 7: they are 1 to "]);
    ask(&fixed, &refused)
        .status(2)
        .says(&["there is nothing to fix"]);
    ask(&network, &["--apply", "1"])
        .status(2)
        .says(&["--output"]);
    let apply = ["web-1", "desk-1", "--apply", "1", "-o", &fixed];
    let transit = scenario("peering-not-transitive", &apply).status(2);
    transit.says(&["there is no fix to apply", "help: a peering carries only"]);
}

#[test]
fn the_fixes_are_in_the_json_too() {
    let json = |name: &str, more: &[&str]| {
        let more: Vec<_> = more.iter().chain(&["--json"]).copied().collect();
        scenario(name, &more).status(1).json()
    };
    let advice = json("dual-nic-rp-filter-strict", &["client", "10.0.2.10"]);
    assert_eq!(advice["reachable"], false);
    assert_eq!(advice["no_fix"], serde_json::Value::Null);
    let fixes = advice["fixes"].as_array().unwrap();
    let edit = "cvm dual: a policy rule, so that what 10.0.2.10 sends leaves by eth1";
    assert_eq!(fixes[0]["edits"], serde_json::json!([edit]));
    for fix in fixes {
        assert_eq!(fix["verified"], true);
        let diff = fix["diff"].as_str().unwrap();
        assert!(diff.starts_with("--- ") && diff.contains("\n+"), "{diff}");
    }
    let forbidden = json("peering-not-transitive", &["web-1", "desk-1"]);
    assert_eq!(forbidden["fixes"], serde_json::json!([]));
    let reason = forbidden["no_fix"].as_str().unwrap();
    assert!(reason.starts_with("a peering carries only"), "{reason}");
}

#[test]
fn everything_that_listens_is_asked_at_once() {
    let all = scenario("demo", &["app-1", "monitor", "--all"]).status(1);
    all.shows(&[
        "icmp             every host answers pings  no",
        "tcp       9200   monitor listens there     no",
        "What would let icmp, tcp 9200 through\n  cvm monitor: a policy rule",
    ]);
    let asked = |to: &str, status: i32| {
        let json = scenario("demo", &["internet", to, "--all", "--json"])
            .status(status)
            .json();
        let services = json["services"].as_array().unwrap().clone();
        let key = |service: &serde_json::Value| {
            let word = |key: &str| service[key].as_str().unwrap_or("-").to_owned();
            let yes = service["reachable"].as_bool().unwrap();
            format!(
                "{} {} {} {yes}",
                word("protocol"),
                word("ports"),
                word("because")
            )
        };
        services.iter().map(key).collect::<Vec<_>>()
    };
    assert_eq!(
        asked("web-1", 0),
        [
            "icmp - ping true",
            "tcp 80 listens true",
            "tcp 443 listens true"
        ]
    );
    // The ports that the gateway forwards.
    assert_eq!(
        asked("203.0.113.11", 1),
        [
            "icmp - ping true",
            "tcp 2222 rule true",
            "tcp 8443 rule false"
        ]
    );
    let both = scenario("demo", &["app-1", "web-1", "--all", "--port", "1"]).status(2);
    both.says(&["--all"]);
}

#[test]
fn who_does_not_say_what_it_listens_on_is_asked_by_its_rules() {
    let network = "
vpcs:
  a: {cidr: 10.0.0.0/16, subnets: {one: {cidr: 10.0.1.0/24}, two: {cidr: 10.0.2.0/24, acl: edge}}}
acls:
  edge:
    ingress: [drop tcp 8004 from any, accept all from any]
    egress: [accept all to any]
security_groups:
  app: {ingress: [\"accept tcp 8000-8010 from any\"], egress: [accept all to any]}
cvms:
  x: {subnet: one, address: 10.0.1.4}
  y: {subnet: two, address: 10.0.2.5, security_groups: [app]}
  z: {subnet: one, address: 10.0.1.6}
";
    let desk = Desk::new();
    let network = desk.file("ranges.yaml", network.as_bytes());
    vpcsim(["trace", &network, "x", "y", "--all"])
        .status(1)
        .shows(&[
            "icmp                 every host answers pings  no",
            "tcp       8000-8003  a rule names it           yes",
            "tcp       8004       a rule names it           no ",
            "tcp       8005-8010  a rule names it           yes",
        ]);
    vpcsim(["trace", &network, "x", "z", "--all"])
        .status(0)
        .shows(&["tcp       80     usual", "udp       53"]);
}
