//! Whatever the number of workers, and whatever is wanted of packets: the same report and the same bytes.

use crate::support::{OFFICE, corpus, go_on, json, program};
use std::path::{Path, PathBuf};
use vpcsim_dataplane::Program;
use vpcsim_replay::{Endpoint, Input, Options, PcapngSink, ReplayError, Report, Sink, replay};

/// The file that comes out, and the report.
fn replayed(program: &Program, paths: &[PathBuf], options: &Options) -> (Vec<u8>, String) {
    let mut sink = PcapngSink::new(program, Vec::new()).unwrap();
    let report = reported(program, paths, options, &mut sink);
    (sink.finish().unwrap(), report)
}

fn reported(
    program: &Program,
    paths: &[PathBuf],
    options: &Options,
    sink: &mut dyn Sink,
) -> String {
    let inputs = paths.iter().map(|path| Input::open(path).unwrap());
    let result = replay(program, inputs.collect(), options, sink, &mut go_on);
    let mut report: Report = match result {
        Ok(report) => report,
        // Damaged on purpose: what came before is the same all the same.
        Err(ReplayError::Capture { report, .. }) => *report,
        Err(error) => panic!("{error}"),
    };
    report.timeline = None;
    json(&report)
}

fn assert_same(program: &Program, paths: &[PathBuf], options: &Options) {
    let with = |workers| {
        let options = Options {
            workers,
            ..options.clone()
        };
        replayed(program, paths, &options)
    };
    let (bytes, report) = with(1);
    for workers in [2, 3] {
        let (other_bytes, other_report) = with(workers);
        assert_eq!(report, other_report, "{paths:?} with {workers} workers");
        // Not assert_eq: nobody wants to read both files.
        assert!(bytes == other_bytes, "{paths:?} with {workers} workers");
    }
}

/// Packets that are written, counted only, and gathered by time are told of in three ways.
fn assert_counted_alike(program: &Program, paths: &[PathBuf], options: &Options) {
    let (_, report) = replayed(program, paths, options);
    for (workers, timeline) in [(1, false), (1, true), (3, false)] {
        let options = Options {
            workers,
            timeline,
            ..options.clone()
        };
        let counted = reported(program, paths, &options, &mut ());
        assert_eq!(report, counted, "{paths:?} with {options:?}");
    }
}

fn captures(corpus: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let files = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    files.map(|file| corpus.join(file)).collect()
}

#[test]
fn real_captures_come_out_the_same() {
    let Some(corpus) = corpus() else {
        return;
    };
    let captures = captures(&corpus);
    // Doors with a limit, and without.
    let unlimited = program(OFFICE);
    let limited = program(&OFFICE.replace("bandwidth: unlimited", "bandwidth: 2"));
    for program in [&unlimited, &limited] {
        let client = Endpoint::parse(program, "client").unwrap().source(program);
        let inside = Options {
            keep_drops: true,
            at: Some(client),
            ..Options::default()
        };
        let attributed = Options {
            keep_drops: true,
            ..Options::default()
        };
        for path in &captures {
            assert_same(program, std::slice::from_ref(path), &inside);
        }
        // One after another: connections and fragments live on from one to the next.
        assert_same(program, &captures, &attributed);
        assert_counted_alike(program, &captures, &attributed);
    }
}
