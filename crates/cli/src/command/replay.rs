//! `vpcsim replay`.

use super::{captures, flow_log, network, run};
use crate::args::Replay;
use crate::failure::Failure;
use crate::output::{Output, Status};
use vpcsim_dataplane::Program;
use vpcsim_replay::{Endpoint, EndpointError, Mapping, MappingError, Options, has_cores};

/// Replays captures and reports.
pub(crate) fn run(args: &Replay, output: &Output) -> Result<Status, Failure> {
    let network = network(&args.network)?;
    let program = Program::new(network).verifying_checksums(args.verify_checksums);
    let options = options(args, &program)?;
    flow_log::check(
        &args.watch,
        &[&args.captures, std::slice::from_ref(&args.network)],
        args.out.output.as_deref(),
    )?;
    let captures = captures::open(&args.captures, args.out.output.as_deref())?;
    run::run(
        &run::Job {
            program: &program,
            network: &args.network.display().to_string(),
            options: &options,
            out: &args.out,
            watch: &args.watch,
            json: args.json,
        },
        captures,
        output,
    )
}

fn options(args: &Replay, program: &Program) -> Result<Options, Failure> {
    let at = args.at.as_deref().map(|place| {
        Endpoint::parse(program, place)
            .map(|endpoint| endpoint.source(program))
            .map_err(unknown)
    });
    let map = args
        .map
        .iter()
        .map(|text| Mapping::parse(program, text).map_err(no_mapping));
    Ok(Options {
        at: at.transpose()?,
        map: map.collect::<Result<_, _>>()?,
        keep_drops: args.out.with_drops,
        workers: args
            .workers
            .map_or_else(workers, |workers| workers as usize),
        timeline: args.out.html.is_some(),
        rules: args.watch.rules,
        flow_log: flow_log::options(&args.watch),
    })
}

/// Two keep up with what one thread takes from a file.
fn workers() -> usize {
    if has_cores() { 2 } else { 1 }
}

/// A name on the command line that names nothing.
pub(super) fn unknown(error: EndpointError) -> Failure {
    let failure = Failure::new(format!("no {} is called `{}`", error.kind, error.given));
    match error.hint {
        Some(hint) => failure.with_help(hint),
        None => failure,
    }
}

/// What `--map` says that means nothing.
pub(super) fn no_mapping(error: MappingError) -> Failure {
    match error {
        MappingError::Unknown(error) => unknown(error),
        other => Failure::new(format!("--map: {other}")),
    }
}
