//! What is looked at.

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vpcsim_capture::Reader;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::{Input, Options, replay};

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

/// The page of captures, each a name and its bytes.
pub(crate) fn page(program: &Program, name: &str, captures: &[(&str, &[u8])]) -> String {
    let inputs = captures.iter().map(|(name, bytes)| Input {
        name: (*name).to_owned(),
        reader: Reader::from_stream(Cursor::new(bytes.to_vec())).unwrap(),
    });
    let options = Options {
        timeline: true,
        ..Options::default()
    };
    let mut report = replay(program, inputs.collect(), &options, &mut (), &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    // What differs from run to run is not on the page.
    report.timing.elapsed_seconds = 0.0;
    vpcsim_picture::page(program, name, &report)
}

/// The page of the built-in demo.
pub(crate) fn demo() -> String {
    let capture = fs::read(root().join("pcaps/demo.pcapng")).unwrap();
    page(&scenario("demo"), "demo", &[("demo.pcapng", &capture)])
}

/// A file of a test's own.
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
