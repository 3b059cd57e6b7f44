//! In which order rules are read.

use crate::{guarded, open, shut, to_port};
use vpcsim_testkit::tcp;

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
