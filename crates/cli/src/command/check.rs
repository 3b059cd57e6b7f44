//! `vpcsim check`.

use super::network_text;
use crate::args::{Check, LintName};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use serde_json::json;
use vpcsim_dataplane::Program;
use vpcsim_network::{Level, Levels, Lint, Network};
use vpcsim_replay::expectations;

/// Reads a network file, lints it and tries what it expects; its mistakes are the answer, so that
/// with `--json` they too go to standard output.
pub(crate) fn run(args: &Check, output: &Output) -> Result<Status, Failure> {
    let levels = levels(args)?;
    let name = args.network.display().to_string();
    let (network, findings) = match Network::check(&name, &network_text(&args.network)?) {
        Ok(checked) => checked,
        Err(errors) if args.json => {
            output.json(&json!({
                "network": name,
                "valid": false,
                "errors": errors.views(),
                "summary": null,
                "findings": [],
                "expectations": [],
            }))?;
            return Ok(Status::BadInput);
        }
        Err(errors) => return Err(errors.into()),
    };
    let summary = network.summary();
    let program = Program::new(network);
    let expected = expectations(&program);
    if args.json {
        output.json(&json!({
            "network": name,
            "valid": true,
            "errors": [],
            "summary": summary,
            "findings": findings.views(&levels),
            "expectations": expected,
        }))?;
    } else {
        let look = output.look();
        let marks = program.network().expectations.iter().map(|e| e.mark);
        let parts = [
            render::check::text(&name, &summary, look.width),
            render::finding::text(&findings, &levels, &look),
            render::expect::text(&expected, marks, findings.source_text(), &look),
            render::expect::summary(&expected),
        ];
        output.print(&parts.concat())?;
    }
    let denied = findings
        .judged(&levels)
        .any(|(level, _)| level == Level::Deny);
    let disappointed = expected.iter().any(|expected| !expected.holds);
    Ok(if denied || disappointed {
        Status::No
    } else {
        Status::Done
    })
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
