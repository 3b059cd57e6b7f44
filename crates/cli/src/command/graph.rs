//! `vpcsim graph`.

use super::captures::is_standard;
use super::network;
use super::replay::unknown;
use super::trace::protocol;
use crate::args::{Graph as Args, GraphFormat};
use crate::failure::Failure;
use crate::output::{Output, Status};
use std::fs;
use std::path::Path;
use vpcsim_dataplane::Program;
use vpcsim_picture::{Format, Graph};
use vpcsim_replay::Endpoint;
use vpcsim_replay::trace::{Question, trace};

/// Draws a network.
pub(crate) fn run(args: &Args, output: &Output) -> Result<Status, Failure> {
    let file = args.output.as_deref().filter(|path| !is_standard(path));
    let format = format(args, file)?;
    let program = Program::new(network(&args.network)?);
    let title = args.network.display().to_string();
    let mut graph = Graph::new(&program, &title);
    if let Some([from, to]) = args.trace.as_deref() {
        let end = |name: &str| Endpoint::parse(&program, name).map_err(unknown);
        let question = Question {
            protocol: args.protocol.map(protocol),
            port: args.port,
        };
        let trace = trace(&program, end(from)?, end(to)?, question);
        graph = graph.with_trace(&trace.map_err(|error| Failure::new(error.to_string()))?);
    }
    let text = graph.write(format);
    match file {
        None => output.print(&text)?,
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?,
    }
    Ok(Status::Done)
}

fn format(args: &Args, file: Option<&Path>) -> Result<Format, Failure> {
    if let Some(format) = args.format {
        return Ok(match format {
            GraphFormat::Svg => Format::Svg,
            GraphFormat::Dot => Format::Dot,
            GraphFormat::Mmd => Format::Mermaid,
        });
    }
    let Some(path) = file else {
        return Ok(Format::Dot);
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.and_then(Format::of_ending).ok_or_else(|| {
        Failure::new(format!("{} does not say what to write", path.display())).with_help(
            "end its name in .svg, .dot or .mmd, or say --format; `dot -Tpng` makes a .png of dot",
        )
    })
}
