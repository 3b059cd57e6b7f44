//! `check --junit`: the answer for build servers.

use crate::harness::{Desk, NAT, vpcsim, with_a_spare_eip};
use quick_junit::{Report, TestCase, TestCaseStatus};
use std::fs;

const EXPECT: &str = "\
expect:
  - {from: app-1, to: internet, port: 443, is: reachable}
  - {from: app-1, to: internet, protocol: udp, port: 53, is: reachable}
";

fn read(path: &str) -> Report {
    Report::deserialize_from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn case<'a>(report: &'a Report, name: &str) -> &'a TestCase {
    let mut cases = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    cases.find(|case| case.name.as_str() == name).unwrap()
}

/// What is said of a failure or an error: its message and its text.
fn fault(case: &TestCase) -> (&str, &str) {
    match &case.status {
        TestCaseStatus::NonSuccess {
            message,
            description,
            ..
        } => (
            message.as_ref().map_or("", |text| text.as_str()),
            description.as_ref().map_or("", |text| text.as_str()),
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_expectation_is_a_test_case() {
    let desk = Desk::new();
    let network = desk.file("net.yaml", format!("{NAT}{EXPECT}").as_bytes());
    let xml = desk.path("check.xml");
    // Colours are for terminals.
    let ran = vpcsim(["check", &network, "--junit", &xml, "--color", "always"]).status(1);
    assert!(
        ran.out.contains("is valid"),
        "the text is there all the same"
    );
    let report = read(&xml);
    assert_eq!((report.failures, report.errors), (1, 0));
    let holds = case(&report, "app-1 to internet by tcp 443 is reachable");
    assert!(matches!(holds.status, TestCaseStatus::Success { .. }));
    let fails = case(&report, "app-1 to internet by udp 53 is reachable");
    let (message, trace) = fault(fails);
    assert_eq!(
        message,
        "the request is dropped at security-group-egress: egress rule 1 of security group app drops udp 53 to 203.0.113.1"
    );
    assert!(trace.contains("Request from app-1") && trace.contains("egress 1 (line"));
    assert_eq!(fails.extra["line"].as_str(), "27");
    assert_eq!(fails.extra["file"].as_str(), network);
    assert!(!fs::read_to_string(&xml).unwrap().contains('\x1b'));
}

#[test]
fn each_lint_is_a_test_case_that_fails_where_it_is_denied() {
    let desk = Desk::new();
    let network = desk.file("net.yaml", with_a_spare_eip().as_bytes());
    let check = |more: &[&str], status| {
        let xml = desk.path("check.xml");
        vpcsim(["check", &network, "--junit", &xml].iter().chain(more)).status(status);
        read(&xml)
    };
    let warned = check(&[], 0);
    assert_eq!(warned.failures, 0);
    let case_of = |report: &Report| case(report, "unused-eip").clone();
    let said = case_of(&warned).system_out.unwrap();
    assert!(
        said.as_str().contains("net.yaml:12:3: eip `spare`"),
        "{said:?}"
    );
    let denied = check(&["--deny", "all"], 1);
    assert_eq!(denied.failures, 1);
    assert!(fault(&case_of(&denied)).0.starts_with("eip `spare`"));
    let allowed = check(&["--allow", "unused-eip"], 0);
    assert!(matches!(
        case_of(&allowed).status,
        TestCaseStatus::Skipped { .. }
    ));
}

#[test]
fn mistakes_are_an_error() {
    let desk = Desk::new();
    let network = desk.file("bad.yaml", b"vpcz: {}\n");
    let xml = desk.path("check.xml");
    vpcsim(["check", &network, "--junit", &xml]).status(2);
    let report = read(&xml);
    assert_eq!((report.tests, report.errors), (1, 1));
    let (message, text) = fault(case(&report, "is valid"));
    assert!(message.ends_with("bad.yaml has 1 mistake"), "{message}");
    assert!(text.contains("bad.yaml:1:1"), "{text}");
}

#[test]
fn on_standard_output_it_is_alone() {
    let desk = Desk::new();
    let ran = vpcsim(["check", &desk.network(), "--junit", "-"])
        .status(0)
        .says(&["is valid"]);
    assert!(Report::deserialize_from_str(&ran.out).is_ok(), "{ran:#?}");
    let ran = vpcsim(["check", &desk.network(), "--junit", "-", "--json"]).status(0);
    assert!(Report::deserialize_from_str(&ran.out).is_ok(), "{ran:#?}");
    assert!(serde_json::from_str::<serde_json::Value>(&ran.err).is_ok());
}

#[test]
fn a_file_that_cannot_be_written_ends_with_2() {
    let desk = Desk::new();
    let network = desk.network();
    vpcsim(["check", &network, "--junit", "/nowhere/check.xml"])
        .status(2)
        .says(&["cannot write /nowhere/check.xml"]);
    vpcsim(["check", &network, "--junit", &network])
        .status(2)
        .says(&["would be overwritten"]);
    assert_eq!(fs::read_to_string(&network).unwrap(), NAT);
}

#[test]
fn what_is_expected_of_many_is_a_test_case_too() {
    let desk = Desk::new();
    let many = "expect:\n  - {from: 'subnet:app', to: [app-1, app-2], port: 80, is: reachable}\n";
    let network = desk.file("net.yaml", format!("{NAT}{many}").as_bytes());
    let xml = desk.path("check.xml");
    vpcsim(["check", &network, "--junit", &xml]).status(1);
    let report = read(&xml);
    let fails = case(&report, "subnet:app to app-1, app-2 by tcp 80 is reachable");
    let (message, text) = fault(fails);
    assert!(
        message.contains("is dropped at security-group-ingress"),
        "{message}"
    );
    assert!(
        text.contains("Everything from app-1 that does otherwise:"),
        "{text}"
    );
}
