//! What is looked at.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vpcsim_capture::Reader;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_picture::Graph;
use vpcsim_replay::trace::{Question, trace};
use vpcsim_replay::{Endpoint, Input, Options, Report, replay};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn program(text: &str) -> Program {
    Program::new(Network::from_yaml("network.yaml", text).unwrap())
}

pub(crate) fn scenario(name: &str) -> Program {
    let path = root().join("scenarios").join(name).join("network.yaml");
    program(&fs::read_to_string(path).unwrap())
}

/// The names of all scenarios.
pub(crate) fn scenarios() -> Vec<String> {
    let directories = fs::read_dir(root().join("scenarios")).unwrap();
    let directories = directories.map(|entry| entry.unwrap());
    let directories = directories.filter(|entry| entry.path().join("network.yaml").exists());
    let mut names: Vec<String> = directories
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 15);
    names
}

/// A graph with a trace over it.
pub(crate) fn traced<'p>(
    program: &'p Program,
    title: &str,
    (from, to, port): (&str, &str, u16),
) -> Graph<'p> {
    let end = |name| Endpoint::parse(program, name).unwrap();
    let question = Question {
        protocol: None,
        port: Some(port),
    };
    let trace = trace(program, end(from), end(to), question).unwrap();
    Graph::new(program, title).with_trace(&trace)
}

/// The report of captures, each a name and its bytes, with a timeline.
pub(crate) fn report(program: &Program, captures: &[(&str, &[u8])]) -> Report {
    let inputs = captures.iter().map(|(name, bytes)| Input {
        name: (*name).to_owned(),
        reader: Reader::from_stream(Cursor::new(bytes.to_vec())).unwrap(),
    });
    let options = Options {
        timeline: true,
        ..Options::default()
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    replay(program, inputs.collect(), &options, &mut (), go_on).unwrap()
}

pub(crate) fn page(program: &Program, name: &str, captures: &[(&str, &[u8])]) -> String {
    vpcsim_picture::page(program, name, &report(program, captures))
}

/// The built-in demo.
pub(crate) fn demo() -> (Program, Report) {
    let capture = fs::read(root().join("pcaps/demo.pcapng")).unwrap();
    let program = scenario("demo");
    let report = report(&program, &[("demo.pcapng", &capture)]);
    (program, report)
}

/// A directory of a test's own.
pub(crate) struct Shelf(tempfile::TempDir);

impl Shelf {
    pub(crate) fn new() -> Self {
        Self(tempfile::TempDir::new().unwrap())
    }

    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}
