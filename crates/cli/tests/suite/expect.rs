//! `check`: what the file expects of the network.

use crate::harness::{Desk, NAT, Ran, vpcsim};

/// Checks [`NAT`] with expectations.
fn check(expect: &[&str], more: &[&str]) -> Ran {
    let desk = Desk::new();
    let list: String = expect
        .iter()
        .map(|line| format!("  - {{{line}}}\n"))
        .collect();
    let network = desk.file("net.yaml", format!("{NAT}expect:\n{list}").as_bytes());
    vpcsim(["check", &network].iter().chain(more))
}

const HOLDS: &str = "from: app-1, to: internet, port: 443, is: reachable";
const FAILS: &str = "from: app-1, to: internet, protocol: udp, port: 53, is: reachable";

#[test]
fn what_holds_is_counted() {
    check(&[HOLDS], &[])
        .status(0)
        .shows(&["\nthe expectation holds\n"]);
    let blocked =
        "from: app-1, to: internet, protocol: udp, is: blocked, because: security-group-egress";
    check(&[HOLDS, blocked], &[])
        .status(0)
        .shows(&["\nall 2 expectations hold\n"]);
    assert!(!check(&[], &[]).status(0).out.contains("expectation"));
}

#[test]
fn what_does_not_hold_is_shown_with_its_trace_and_ends_with_1() {
    let ran = check(&[HOLDS, FAILS], &[]).status(1).shows(&[
        "this does not hold: app-1 to internet by udp 53 is reachable",
        "net.yaml:27:5",
        "dropped at security-group-egress",
        "Request from app-1",
        "egress 1 (line",
        "1 of 2 expectations do not hold\n",
    ]);
    assert_eq!(ran.err, "");
    assert!(
        !ran.out.contains("tcp 443"),
        "what holds is not shown: {ran:#?}"
    );
}

#[test]
fn what_should_be_blocked_and_is_not_shows_how_it_gets_there() {
    let line = "from: app-1, to: internet, port: 443, is: blocked, because: route";
    check(&[line], &[]).status(1).shows(&[
        "this does not hold: app-1 to internet by tcp 443 is blocked by route",
        "the request arrives, and the reply comes back",
        "Reply from internet",
        "\nthe expectation does not hold\n",
    ]);
}

#[test]
fn as_json_all_are_there_with_their_traces() {
    let answer = check(&[HOLDS, FAILS], &["--json"]).status(1).json();
    let [holds, fails] = answer["expectations"].as_array().unwrap().as_slice() else {
        panic!("{answer}");
    };
    assert_eq!(holds["holds"], true);
    assert_eq!(holds["why"], serde_json::Value::Null);
    assert_eq!(fails["holds"], false);
    assert_eq!(fails["line"], 27);
    assert_eq!(
        fails["trace"]["legs"][0]["verdict"]["reason"],
        "security-group-deny"
    );
}

#[test]
fn a_name_that_names_nothing_is_a_mistake_of_the_file() {
    check(&["from: ap-1, to: internett, is: reachable"], &[])
        .status(2)
        .says(&["did you mean `app-1`?", "did you mean `internet`?"]);
}

const MANY: &str = "from: 'group:app', to: [app-1, app-2], port: 8000-8100, is: reachable";

#[test]
fn what_is_expected_of_many_is_decided_for_all_of_them() {
    let out = "from: 'group:app', to: internet, port: 1-65535, is: reachable";
    let nobody = "from: internet, to: 'subnet:app', is: blocked";
    let stage =
        "from: 10.0.1.0/24, to: any, protocol: udp, is: blocked, because: security-group-egress";
    check(&[out, nobody, stage], &[])
        .status(0)
        .shows(&["\nall 3 expectations hold\n"]);
}

#[test]
fn of_many_one_is_traced_and_everything_that_does_otherwise_is_told() {
    check(&[HOLDS, MANY], &[]).status(1).shows(&[
        "this does not hold: group:app to app-1, app-2 by tcp 8000-8100 is reachable",
        "net.yaml:27:5",
        "Request from app-1",
        "dropped at security-group-ingress",
        "Everything from app-1 that does otherwise:\n  tcp 8000-8100 from 10.0.1.11 to 10.0.1.12, source port 32768-60999\n",
        "1 of 2 expectations do not hold\n",
    ]);
}

#[test]
fn as_json_what_is_proved_says_so() {
    let answer = check(
        &[MANY, "from: app-1, to: app-2, is: reachable"],
        &["--json"],
    )
    .status(1)
    .json();
    let many = &answer["expectations"][0];
    assert_eq!(many["proved"], true);
    assert_eq!(many["port"], serde_json::Value::Null);
    assert_eq!(many["ports"], "8000-8100");
    assert_eq!(many["fails"].as_array().unwrap().len(), 1);
    assert_eq!(many["trace"]["reachable"], false);
    assert!(many["why"].as_str().unwrap().starts_with("tcp 10.0.1.11:"));
    assert_eq!(answer["expectations"][1]["proved"], false);
}

#[test]
fn the_internet_is_everybody_there() {
    let desk = Desk::new();
    let narrow = NAT.replace("drop udp all to any", "drop tcp all to 8.0.0.0/8");
    let text = format!("{narrow}expect:\n  - {{{HOLDS}}}\n");
    let network = desk.file("net.yaml", text.as_bytes());
    vpcsim(["check", &network]).status(1).shows(&[
        "this does not hold: app-1 to internet by tcp 443 is reachable",
        "egress rule 1 of security group app drops tcp 443 to 8.",
        "  tcp 443 from 10.0.1.11 to 8.0.0.0/8, source port 32768-60999\n",
    ]);
}

#[test]
fn many_that_are_nobody_are_a_mistake_of_the_file() {
    check(&["from: 'group:ap', to: 10.7.0.0/16, is: blocked"], &[])
        .status(2)
        .says(&["did you mean `app`?"]);
    check(&["from: 10.0.9.0/24, to: any, is: blocked"], &[])
        .status(2)
        .says(&["nobody is there"]);
}
