//! `check`: what is valid and hurts.

use crate::harness::{Desk, Ran, vpcsim, with_a_spare_eip};

/// Checks a network with an eip that nothing uses, and what the file says of lints.
fn check(section: &str, more: &[&str]) -> Ran {
    let desk = Desk::new();
    let network = desk.file("spare.yaml", (with_a_spare_eip() + section).as_bytes());
    vpcsim(["check", &network].iter().chain(more))
}

#[test]
fn a_finding_is_shown_where_it_is_with_why_and_how_to_mend_it() {
    let ran = check("", &[]).status(0).shows(&[
        "spare.yaml is valid",
        "unused-eip: eip `spare` (203.0.113.99) is bound to nothing",
        "costs money",
        "spare.yaml:12:3",
        "^^",
        "help: add `bind: CVM`",
        "1 warning\n",
    ]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_network_without_findings_is_valid_and_no_more() {
    let desk = Desk::new();
    let ran = vpcsim(["check", &desk.network()]).status(0);
    assert!(!ran.out.contains("warning"), "{ran:#?}");
}

#[test]
fn a_denied_lint_ends_with_1() {
    check("", &["--deny", "unused-eip"])
        .status(1)
        .shows(&["unused-eip", "1 error\n"]);
    check("", &["--deny", "all"]).status(1);
    check("", &["--deny", "open-nic,zero-prefix"]).status(0);
    check("lints: {deny: [unused-eip]}\n", &[]).status(1);
    let json = check("", &["--deny", "unused-eip", "--json"])
        .status(1)
        .json();
    assert_eq!(json["findings"][0]["level"], "deny");
    assert_eq!(json["valid"], true);
}

#[test]
fn an_allowed_lint_is_silent() {
    for (section, more) in [
        ("", ["--allow", "unused-eip"].as_slice()),
        ("", &["--allow", "all"]),
        ("lints: {allow: [unused-eip]}\n", &[]),
    ] {
        let ran = check(section, more).status(0);
        assert!(!ran.out.contains("unused-eip"), "{ran:#?}");
        let json = check(section, &[more, &["--json"]].concat()).json();
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    }
}

#[test]
fn a_comment_allows_a_lint_at_one_place() {
    let desk = Desk::new();
    let two = with_a_spare_eip().replace(
        "  spare: {address: 203.0.113.99}\n",
        "  spare: {address: 203.0.113.99} # vpcsim: allow unused-eip: for the launch\n  forgotten: {address: 203.0.113.98}\n",
    );
    let network = desk.file("two.yaml", two.as_bytes());
    let check = |more: &[&str], status| {
        let json = vpcsim(["check", &network, "--json"].iter().chain(more))
            .status(status)
            .json();
        json["findings"].as_array().unwrap().len()
    };
    assert_eq!(check(&[], 0), 1);
    assert_eq!(check(&["--deny", "all"], 1), 1);
    assert_eq!(check(&["--deny", "unused-eip"], 1), 2);
}

/// docs/lints.md: so that `--deny all` can stand in a build script.
#[test]
fn a_name_is_stronger_than_all_and_the_command_line_than_the_file() {
    let allowed = "lints: {allow: [unused-eip]}\n";
    check(allowed, &["--deny", "all"]).status(0);
    check(allowed, &["--deny", "unused-eip"]).status(1);
    check("lints: {deny: [all]}\n", &["--allow", "all"]).status(0);
    check("", &["--deny", "all", "--allow", "unused-eip"]).status(0);
}

#[test]
fn a_lint_that_there_is_not_ends_with_2() {
    check("", &["--deny", "unused-epi"])
        .status(2)
        .says(&["unused-epi", "'unused-eip'"]);
    check("", &["--deny", "unused-eip", "--allow", "unused-eip"])
        .status(2)
        .says(&["unused-eip is both denied and allowed"]);
    check("lints: {deny: [unused-epi]}\n", &[])
        .status(2)
        .says(&["did you mean `unused-eip`?"]);
}

#[test]
fn places_far_from_each_other_are_shown_without_what_lies_between() {
    let demo = crate::harness::top().join("scenarios/demo/network.yaml");
    let ran = vpcsim(["check", demo.to_str().unwrap()]).status(0);
    assert!(ran.out.contains("forwarding-loop"), "{}", ran.out);
    assert!(!ran.out.contains("snat:"), "{}", ran.out);
}
