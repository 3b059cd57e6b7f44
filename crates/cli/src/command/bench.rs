//! `vpcsim bench`.

use crate::args::{Bench, FrameSize};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::progress::Steps;
use crate::render;
use std::time::Duration;
use vpcsim_bench::{BenchError, Options, Progress, Size, measure};

/// Measures, and says what this machine does.
pub(crate) fn run(args: &Bench, output: &Output) -> Result<Status, Failure> {
    if cfg!(debug_assertions) {
        output.note("warning: built without optimisation; `cargo run --release -- bench` is\n");
    }
    let options = Options {
        flows: args.flows,
        size: match args.size {
            FrameSize::Least => Size::Least,
            FrameSize::Middle => Size::Middle,
            FrameSize::Most => Size::Most,
            FrameSize::Imix => Size::Imix,
        },
        rules: args.rules,
        workers: args.workers,
        duration: Duration::from_nanos(args.seconds),
    };
    let mut steps = Steps::new();
    let measured = measure(&options, &mut |progress| match progress {
        Progress::Opening(part) => steps.show("opening flows", part),
        Progress::Measuring(part) => steps.show("measuring", part),
        Progress::Connecting => steps.show("new connections", 1.0),
    });
    steps.clear();
    match measured {
        Ok(measured) if args.json => output.json(&measured)?,
        Ok(measured) => output.print(&render::bench::text(
            &measured,
            options.size,
            output.width(),
            output.unicode(),
        ))?,
        // No number counts when packets come out wrong.
        Err(error @ (BenchError::Wrong { .. } | BenchError::Lost { .. })) => {
            output.failure(&Failure::new(error.to_string()), args.json);
            return Ok(Status::No);
        }
        Err(error) => return Err(Failure::new(error.to_string())),
    }
    Ok(Status::Done)
}
