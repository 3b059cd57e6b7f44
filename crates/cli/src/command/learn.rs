//! `vpcsim learn`.

use super::captures::{self, is_standard, unreadable};
use crate::args::Learn;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{Output, Status};
use crate::progress::Meter;
use crate::render;
use std::fs;
use std::net::Ipv4Addr;
use vpcsim_replay::Progress;
use vpcsim_replay::learn::{Belongs, LearnError, LearnOptions, learn};

/// Learns a network, writes it, and says what was learned.
pub(crate) fn run(args: &Learn, output: &Output) -> Result<Status, Failure> {
    let file = args.output.as_deref().filter(|path| !is_standard(path));
    let captures = captures::open(&args.captures, file)?;
    let mut meter = Meter::new(captures.size);
    let interrupt = Interrupt::listen(captures.size.is_none());
    let mut on_progress = |progress: Progress| meter.show_until(progress, &interrupt);
    let options = LearnOptions {
        inside: args.inside.clone(),
        widen: args.widen,
    };
    let learned = learn(captures.inputs, options, &mut on_progress);
    meter.clear();
    let learned = learned.map_err(failure)?;
    if let Some(path) = file {
        fs::write(path, &learned.network)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
    } else {
        output.print(&learned.network)?;
    }
    let summary = &learned.summary;
    match (args.json, file) {
        (true, Some(_)) => output.json(summary)?,
        (true, None) => output.json_note(summary)?,
        (false, Some(path)) => {
            let text = render::learn::text(summary, Some(path), output.width());
            output.print(&text)?;
        }
        (false, None) => output.note(&render::learn::text(summary, None, output.error_width())),
    }
    Ok(Status::Done)
}

fn failure(error: LearnError) -> Failure {
    match error {
        LearnError::Capture { name, source } => unreadable(&name, source),
        LearnError::NobodyInside {
            ref counts,
            ref busiest,
            ..
        } => {
            let failure = Failure::new(error.to_string());
            match hint(counts, busiest) {
                Some(hint) => failure.with_help(hint),
                None => failure,
            }
        }
    }
}

/// Who might be inside.
fn hint(counts: &Belongs, busiest: &[(Ipv4Addr, u64)]) -> Option<String> {
    let Some((first, _)) = busiest.first() else {
        let loopback = counts.nobody > 0;
        return loopback.then(|| {
            "what a host sends to itself or to everybody never enters a network".to_owned()
        });
    };
    let named: Vec<String> = busiest
        .iter()
        .map(|(address, packets)| format!("{address} ({packets} packets)"))
        .collect();
    Some(format!(
        "say who is inside: --inside {first}; the busiest are {}",
        named.join(", ")
    ))
}
