//! `vpcsim check`.

use super::network_text;
use crate::args::{Check, LintName};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use serde_json::json;
use vpcsim_network::{Level, Levels, Lint, Network};

/// Reads a network file and lints it; its mistakes are the answer, so that with `--json` they too
/// go to standard output.
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
            }))?;
            return Ok(Status::BadInput);
        }
        Err(errors) => return Err(errors.into()),
    };
    let summary = network.summary();
    if args.json {
        output.json(&json!({
            "network": name,
            "valid": true,
            "errors": [],
            "summary": summary,
            "findings": findings.views(&levels),
        }))?;
    } else {
        let mut text = render::check::text(&name, &summary, output.width());
        text += &render::finding::text(&findings, &levels, &output.look());
        output.print(&text)?;
    }
    let denied = findings
        .judged(&levels)
        .any(|(level, _)| level == Level::Deny);
    Ok(if denied { Status::No } else { Status::Done })
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
