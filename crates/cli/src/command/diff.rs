//! `vpcsim diff`.

use super::captures::{self, Captures, unreadable};
use super::network;
use super::replay::{no_mapping, unknown};
use super::run::no_packet;
use crate::args::Diff;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{Output, Status};
use crate::progress::Meter;
use crate::render;
use std::path::Path;
use vpcsim_dataplane::Program;
use vpcsim_replay::diff::{DiffError, DiffReport, Side, diff};
use vpcsim_replay::{Endpoint, Mapping, MappingError, Progress};

/// Carries captures through two networks and says what fares otherwise.
pub(crate) fn run(args: &Diff, output: &Output) -> Result<Status, Failure> {
    let program = |path: &Path| -> Result<Program, Failure> {
        let program = Program::new(network(path)?);
        Ok(program.verifying_checksums(args.verify_checksums))
    };
    let programs = [program(&args.old)?, program(&args.new)?];
    let sides = sides(args, &programs)?;
    let captures = captures::open(&args.captures, None)?;
    let (report, failure) = match compared(&sides, captures, args.top) {
        Ok(report) => {
            let failure = nothing(&report);
            (report, failure)
        }
        Err(DiffError {
            name,
            source,
            report,
        }) => (*report, Some(unreadable(&name, source))),
    };
    let lost = report.lost.total.packets > 0;
    if args.json {
        output.json(&report)?;
    } else {
        output.print(&render::diff::text(&report, args.top, output.width()))?;
    }
    match failure {
        Some(failure) => Err(failure),
        None if lost => Ok(Status::No),
        None => Ok(Status::Done),
    }
}

fn compared(
    [old, new]: &[Side<'_>; 2],
    captures: Captures,
    top: usize,
) -> Result<DiffReport, DiffError> {
    let mut meter = Meter::new(captures.size);
    let interrupt = Interrupt::listen(captures.size.is_none());
    let mut on_progress = |progress: Progress| meter.show_until(progress, &interrupt);
    let result = diff(old, new, captures.inputs, top, &mut on_progress);
    meter.clear();
    result
}

/// The two networks, with the places that the command line names in each.
fn sides<'p>(args: &Diff, programs: &'p [Program; 2]) -> Result<[Side<'p>; 2], Failure> {
    let paths = [&args.old, &args.new].map(|path| path.display().to_string());
    let [old, new] = programs;
    let [old_name, new_name] = &paths;
    let mut sides = [Side::new(old_name, old), Side::new(new_name, new)];
    if let Some(place) = args.at.as_deref() {
        for side in &mut sides {
            let endpoint = Endpoint::parse(side.program, place)
                .map_err(|error| unknown(error).in_file(&side.name))?;
            side.at = Some(endpoint.source(side.program));
        }
    }
    for text in &args.map {
        let maps = programs
            .each_ref()
            .map(|program| Mapping::parse(program, text));
        let address = maps.iter().flatten().map(|map| map.address).next();
        for (side, map) in sides.iter_mut().zip(maps) {
            match (map, address) {
                (Ok(map), _) => side.map.push(map),
                (Err(MappingError::Unknown(_)), Some(address)) => side.absent.push(address),
                (Err(error), _) => return Err(no_mapping(error).in_file(&side.name)),
            }
        }
    }
    Ok(sides)
}

/// Why no packet met either network, if none did: then something is amiss.
fn nothing(report: &DiffReport) -> Option<Failure> {
    let met = [&report.old, &report.new].map(|side| {
        let verdicts = &side.verdicts;
        verdicts.delivered + verdicts.dropped + verdicts.held
    });
    if met != [0, 0] {
        return None;
    }
    let captures = report.captures.len();
    Some(no_packet(report.packets, captures, &report.new.verdicts))
}
