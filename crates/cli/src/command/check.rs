//! `vpcsim check`.

use super::captures::{is_same, is_standard};
use super::expected::expected;
use super::reach::ASSUMED_AWAY;
use super::{junit, network_text};
use crate::args::{Check, LintName};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use serde_json::{Value, json};
use vpcsim_dataplane::Program;
use vpcsim_network::{Findings, Level, Levels, Lint, Network, NetworkErrors};
use vpcsim_reach::Reach;

/// Reads a network file, lints it and tries what it expects.
pub(crate) fn run(args: &Check, output: &Output) -> Result<Status, Failure> {
    let levels = levels(args)?;
    let name = args.network.display().to_string();
    if args
        .junit
        .as_deref()
        .is_some_and(|path| is_same(path, &args.network))
    {
        return Err(
            Failure::new(format!("{name} would be overwritten by its own check"))
                .with_help("write to another file with --junit"),
        );
    }
    match Network::check(&name, &network_text(&args.network)?) {
        Ok((network, findings)) => valid(args, output, network, findings, &levels),
        Err(errors) => invalid(args, output, errors),
    }
}

fn valid(
    args: &Check,
    output: &Output,
    network: Network,
    mut findings: Findings,
    levels: &Levels,
) -> Result<Status, Failure> {
    let summary = network.summary();
    let program = Program::new(network);
    let reach = Reach::new(&program);
    let more = reach.findings(findings.all());
    findings.extend(more);
    let (expected, marks) = expected(&program, &reach);
    let (name, findings) = (findings.name(), &findings);
    let proved = expected.iter().any(|expected| expected.proved);
    let assumed_away = if proved { &ASSUMED_AWAY[..] } else { &[] };
    if args.json {
        let answer = json!({
            "network": name,
            "valid": true,
            "errors": [],
            "summary": summary,
            "findings": findings.views(levels),
            "expectations": expected,
            "assumed_away": assumed_away,
        });
        publish_json(args, output, &answer)?;
    } else {
        let taken = is_taken(args);
        let look = if taken {
            output.error_look()
        } else {
            output.look()
        };
        let parts = [
            render::check::text(name, &summary, look.width),
            render::finding::text(findings, levels, &look),
            render::expect::text(&expected, &marks, findings.source_text(), &look),
            render::expect::summary(&expected),
            render::reach::footnote(assumed_away, look.width),
        ];
        if taken {
            output.note(&parts.concat());
        } else {
            output.print(&parts.concat())?;
        }
    }
    if let Some(path) = &args.junit {
        let report = junit::of_answer(findings, levels, &expected);
        junit::write(&report, path, output)?;
    }
    let denied = findings
        .judged(levels)
        .any(|(level, _)| level == Level::Deny);
    let disappointed = expected.iter().any(|expected| !expected.holds);
    Ok(if denied || disappointed {
        Status::No
    } else {
        Status::Done
    })
}

/// The mistakes are the answer, so that with `--json` they too go to standard output.
fn invalid(args: &Check, output: &Output, errors: NetworkErrors) -> Result<Status, Failure> {
    if let Some(path) = &args.junit {
        junit::write(&junit::of_mistakes(&errors), path, output)?;
    }
    if !args.json {
        return Err(errors.into());
    }
    let answer = json!({
        "network": errors.name(),
        "valid": false,
        "errors": errors.views(),
        "summary": null,
        "findings": [],
        "expectations": [],
        "assumed_away": [],
    });
    publish_json(args, output, &answer)?;
    Ok(Status::BadInput)
}

fn publish_json(args: &Check, output: &Output, answer: &Value) -> Result<(), Failure> {
    if is_taken(args) {
        output.json_note(answer)
    } else {
        output.json(answer)
    }
}

/// Whether standard output is for the XML, so that the answer goes to standard error.
fn is_taken(args: &Check) -> bool {
    args.junit.as_deref().is_some_and(is_standard)
}

/// The levels that the command line asks for.
fn levels(args: &Check) -> Result<Levels, Failure> {
    let mut levels = Levels::default();
    for (names, level) in [(&args.deny, Level::Deny), (&args.allow, Level::Allow)] {
        for LintName(lint) in names {
            if !levels.set(*lint, level) {
                let name = lint.map_or("all", Lint::name);
                return Err(Failure::new(format!("{name} is both denied and allowed"))
                    .with_help("a lint is one or the other; a name is stronger than `all`"));
            }
        }
    }
    Ok(levels)
}
