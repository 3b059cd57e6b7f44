//! The captures that a command line names.

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use vpcsim_capture::{CaptureError, Reader};
use vpcsim_replay::Input;

/// Captures, open.
#[derive(Debug)]
pub(crate) struct Captures {
    /// In the order given.
    pub(crate) inputs: Vec<Input>,
    /// Bytes of all of them, where all are files.
    pub(crate) size: Option<u64>,
}

/// How standard input and output are written.
const STANDARD: &str = "-";

/// Whether a path means standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// Opens captures; none of them may be the output, which is about to be emptied.
pub(crate) fn open(paths: &[PathBuf], written: Option<&Path>) -> Result<Captures, Failure> {
    let mut captures = Captures {
        inputs: Vec::new(),
        size: Some(0),
    };
    let mut standard = 0;
    for path in paths {
        let reader = if is_standard(path) {
            captures.size = None;
            standard += 1;
            if standard > 1 {
                return Err(Failure::new("`-` (standard input) is named twice"));
            }
            standard_input()?
        } else {
            if written.is_some_and(|written| is_same(path, written)) {
                return Err(Failure::new(format!(
                    "{} would be overwritten while it is read",
                    path.display()
                ))
                .with_help("write to another file with --output"));
            }
            let (reader, size) = file(path)?;
            captures.size = captures.size.zip(size).map(|(sum, size)| sum + size);
            reader
        };
        captures.inputs.push(Input {
            name: name(path),
            reader,
        });
    }
    Ok(captures)
}

fn name(path: &Path) -> String {
    if is_standard(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn standard_input() -> Result<Reader, Failure> {
    if io::stdin().is_terminal() {
        return Err(
            Failure::new("`-` is standard input, and that is a terminal")
                .with_help("pipe a capture into it: tcpdump -w - | vpcsim ... -"),
        );
    }
    Reader::from_stream(io::stdin()).map_err(|error| unreadable("standard input", error))
}

/// A reader, and how large the file is where that is known.
fn file(path: &Path) -> Result<(Reader, Option<u64>), Failure> {
    let name = path.display().to_string();
    let cannot = |error: io::Error| {
        let failure = Failure::new(format!("cannot open {name}: {error}"));
        match error.kind() {
            io::ErrorKind::NotFound => failure
                .with_help("where a network file is wanted it comes first; `-` is standard input"),
            _ => failure,
        }
    };
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(Failure::new(format!("{name} is a directory"))
            .with_help(format!("name the captures in it: {name}/*.pcap")));
    }
    let reader = Reader::from_file(file).map_err(|error| unreadable(&name, error))?;
    Ok((reader, metadata.is_file().then_some(metadata.len())))
}

/// A capture that cannot be read, or not any further.
pub(crate) fn unreadable(name: &str, error: CaptureError) -> Failure {
    let failure = Failure::new(format!("{name}: {error}"));
    match error {
        CaptureError::NotACapture { .. } | CaptureError::TooShort { .. } => failure
            .with_help("pcap and pcapng files are read, plain or compressed with gzip or zstd"),
        _ => failure,
    }
}

/// Whether two paths are one file.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        // The output does not exist yet.
        _ => false,
    }
}
