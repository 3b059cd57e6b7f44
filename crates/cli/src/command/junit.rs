//! The answer of `check` as JUnit XML, which build servers read.

use super::captures::is_standard;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::{expect, trace};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fs;
use std::path::Path;
use vpcsim_network::{Finding, Findings, Level, Levels, Lint, NetworkErrors};
use vpcsim_replay::Expected;

/// Columns of the text in it.
const WIDTH: usize = 120;

/// A file that has mistakes, and so was not checked any further.
pub(super) fn of_mistakes(errors: &NetworkErrors) -> Report {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status
        .set_message(errors.to_string())
        .set_type("mistakes")
        .set_description(errors.plain());
    report([file(errors.name(), status)])
}

/// A valid file: a test case for each lint and each expectation. Warnings do not fail.
pub(super) fn of_answer(findings: &Findings, levels: &Levels, expected: &[Expected]) -> Report {
    let name = findings.name();
    let mut lints = TestSuite::new("lints");
    for lint in Lint::ALL {
        lints.add_test_case(of_lint(*lint, findings, levels));
    }
    let mut expectations = TestSuite::new("expectations");
    for expected in expected {
        expectations.add_test_case(of_expectation(name, expected));
    }
    report([file(name, TestCaseStatus::success()), lints, expectations])
}

fn report<const N: usize>(suites: [TestSuite; N]) -> Report {
    let mut report = Report::new("vpcsim check");
    report.add_test_suites(suites);
    report
}

fn file(name: &str, status: TestCaseStatus) -> TestSuite {
    let mut suite = TestSuite::new("network file");
    let mut case = TestCase::new("is valid", status);
    case.set_classname(name);
    suite.add_test_case(case);
    suite
}

fn of_lint(lint: Lint, findings: &Findings, levels: &Levels) -> TestCase {
    let found: Vec<&Finding> = findings
        .judged(levels)
        .map(|(_, finding)| finding)
        .filter(|finding| finding.lint == lint)
        .collect();
    let text: Vec<String> = found
        .iter()
        .map(|finding| line(findings.name(), finding))
        .collect();
    let (level, text) = (findings.level(lint, levels), text.join("\n"));
    let status = match (level, found.first()) {
        (Level::Allow, _) => TestCaseStatus::skipped(),
        (Level::Deny, Some(first)) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_message(first.message.clone())
                .set_type(lint.name())
                .set_description(text.clone());
            status
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(lint.name(), status);
    place(
        &mut case,
        findings.name(),
        found.first().map(|f| f.mark.line),
    );
    if level == Level::Warn && !found.is_empty() {
        case.set_system_out(text);
    }
    case
}

/// `FILE:LINE:COLUMN: MESSAGE; WHY; HELP`, as mistakes are in plain text.
fn line(name: &str, finding: &Finding) -> String {
    let (line, column) = (finding.mark.line, finding.mark.column);
    let Finding { why, help, .. } = finding;
    format!("{name}:{line}:{column}: {finding}; {}; {help}", why.0)
}

fn of_expectation(name: &str, expected: &Expected) -> TestCase {
    let status = if expected.holds {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let trace = expected.trace.as_ref();
        status
            .set_message(expected.why.clone().unwrap_or_default())
            .set_type(expected.is)
            .set_description(
                trace.map_or_else(String::new, |it| trace::text(it, WIDTH))
                    + &expect::fails(expected),
            );
        status
    };
    let mut case = TestCase::new(expected.to_string(), status);
    place(&mut case, name, Some(expected.line));
    case
}

/// Says where a test case stands, in the attributes that build servers know.
fn place(case: &mut TestCase, file: &str, line: Option<u32>) {
    case.set_classname(file);
    case.extra.insert("file".into(), file.into());
    if let Some(line) = line {
        case.extra.insert("line".into(), line.to_string().into());
    }
}

/// Writes a report to a file, or to standard output.
pub(super) fn write(report: &Report, path: &Path, output: &Output) -> Result<(), Failure> {
    let text = report
        .to_string()
        .map_err(|error| Failure::new(format!("cannot write the answer as XML: {error}")))?;
    if is_standard(path) {
        return output.print(&text);
    }
    fs::write(path, text)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}
