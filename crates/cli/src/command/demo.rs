//! `vpcsim demo`: a replay that needs no files.

use super::captures::Captures;
use super::{flow_log, run};
use crate::args::Demo;
use crate::failure::Failure;
use crate::output::{Output, Status};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use vpcsim_capture::Reader;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::{Input, Options};

const NETWORK_NAME: &str = "network.yaml";
const NETWORK: &str = include_str!("../../../../scenarios/demo/network.yaml");
const CAPTURE_NAME: &str = "demo.pcapng";
const CAPTURE: &[u8] = include_bytes!("../../../../pcaps/demo.pcapng");

/// Replays the built-in capture, or writes both files out.
pub(crate) fn run(args: &Demo, output: &Output) -> Result<Status, Failure> {
    if let Some(directory) = &args.save {
        return save(directory, output);
    }
    flow_log::check(&args.watch, &[], args.out.output.as_deref())?;
    let program = Program::new(Network::from_yaml(NETWORK_NAME, NETWORK)?);
    let options = Options {
        keep_drops: args.out.with_drops,
        timeline: args.out.html.is_some(),
        rules: args.watch.rules,
        flow_log: flow_log::options(&args.watch),
        ..Options::default()
    };
    let reader = Reader::from_stream(Cursor::new(CAPTURE))
        .map_err(|error| Failure::new(format!("{CAPTURE_NAME}: {error}")))?;
    let captures = Captures {
        inputs: vec![Input {
            name: CAPTURE_NAME.to_owned(),
            reader,
        }],
        size: Some(CAPTURE.len() as u64),
    };
    let job = run::Job {
        program: &program,
        network: NETWORK_NAME,
        options: &options,
        out: &args.out,
        watch: &args.watch,
        json: args.json,
    };
    run::run(&job, captures, output)
}

/// Writes the network and the capture, to be read, changed and replayed.
fn save(directory: &Path, output: &Output) -> Result<Status, Failure> {
    let network = directory.join(NETWORK_NAME);
    let capture = directory.join(CAPTURE_NAME);
    let write = |path: &Path, bytes: &[u8]| {
        if path.exists() {
            return Err(Failure::new(format!("{} is already there", path.display()))
                .with_help("name an empty directory, or one that does not exist yet"));
        }
        fs::write(path, bytes)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
    };
    fs::create_dir_all(directory)
        .map_err(|error| Failure::new(format!("cannot make {}: {error}", directory.display())))?;
    write(&network, NETWORK.as_bytes())?;
    write(&capture, CAPTURE)?;
    let (network, capture) = (network.display(), capture.display());
    output.print(&format!(
        "written: {network} {capture}\ntry:     vpcsim replay {network} {capture}\n"
    ))?;
    Ok(Status::Done)
}
