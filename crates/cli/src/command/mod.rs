//! One module for each command.

pub(crate) mod bench;
mod captures;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
mod expected;
mod flow_log;
pub(crate) mod generate;
pub(crate) mod graph;
mod junit;
pub(crate) mod learn;
pub(crate) mod manual;
pub(crate) mod reach;
pub(crate) mod replay;
mod run;
pub(crate) mod schema;
mod sinks;
pub(crate) mod trace;

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::Path;
use vpcsim_network::Network;

/// A network file is written by people: one that is larger is something else.
const MOST_TEXT: u64 = 64 << 20;

/// Reads a network file.
fn network(path: &Path) -> Result<Network, Failure> {
    Ok(Network::from_yaml(
        &path.display().to_string(),
        &network_text(path)?,
    )?)
}

fn network_text(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let cannot = |error: io::Error| {
        let failure = Failure::new(format!("cannot read the network file {name}: {error}"));
        match error.kind() {
            ErrorKind::NotFound => failure.with_help(
                "the first argument is the network file; `vpcsim schema` describes what one holds",
            ),
            ErrorKind::IsADirectory => failure.with_help(format!(
                "did you mean {}?",
                path.join("network.yaml").display()
            )),
            _ => failure,
        }
    };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(cannot)?
        .take(MOST_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > MOST_TEXT {
        return Err(
            Failure::new(format!("{name} is too large for a network file"))
                .with_help("the first argument is the network file, captures come after it"),
        );
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Failure::new(format!("{name} is not text: byte {offset} is not UTF-8"))
            .with_help("the first argument is the network file, captures come after it")
    })
}

/// Opens what packets are written to; with its name.
fn destination(path: &Path) -> Result<(String, Box<dyn Write + Send>), Failure> {
    if captures::is_standard(path) {
        if io::stdout().is_terminal() {
            return Err(Failure::new("packets on a terminal help nobody")
                .with_help("pipe them on: `... --output - | tshark -r -`"));
        }
        return Ok(("standard output".to_owned(), Box::new(io::stdout())));
    }
    let name = path.display().to_string();
    let mut options = File::options();
    match options.write(true).create(true).truncate(false).open(path) {
        Ok(file) => Ok((name, Box::new(Anew::new(file)))),
        Err(error) => Err(Failure::new(format!("cannot write {name}: {error}"))),
    }
}

/// A file that is emptied when something is first written: by whoever writes, since to drop the pages of
/// a large one takes a while.
struct Anew {
    file: File,
    is_emptied: bool,
}

impl Anew {
    fn new(file: File) -> Self {
        Self {
            file,
            is_emptied: false,
        }
    }
}

impl Write for Anew {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_emptied {
            // A pipe or a device has nothing to be emptied of.
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            self.is_emptied = true;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
