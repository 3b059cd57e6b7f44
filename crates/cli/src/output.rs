//! Where text goes, and whether it has colours.

use crate::failure::Failure;
use crate::render;
use anstream::AutoStream;
use clap::ColorChoice;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// How a run ends, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Done, or the answer is yes.
    Done,
    /// The answer is no.
    No,
    /// The input or the arguments are wrong.
    BadInput,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::No => 1,
            Status::BadInput => 2,
        })
    }
}

/// The narrowest and the widest that text is laid out for; the widest is also
/// what a pipe gets, so that its lines do not depend on who looks.
const WIDTH: std::ops::RangeInclusive<usize> = 60..=120;

/// Standard output and standard error.
#[derive(Debug)]
pub(crate) struct Output {
    choice: anstream::ColorChoice,
}

impl Output {
    /// Colours as asked; `auto` means on a terminal that wants them (`NO_COLOR`).
    pub(crate) fn new(color: ColorChoice) -> Self {
        Self {
            choice: match color {
                ColorChoice::Auto => anstream::ColorChoice::Auto,
                ColorChoice::Always => anstream::ColorChoice::Always,
                ColorChoice::Never => anstream::ColorChoice::Never,
            },
        }
    }

    /// Writes text to standard output. A reader that has gone away (`| head`)
    /// has had what it wanted.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.choice);
        match stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write the output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes one JSON document to standard output.
    pub(crate) fn json(&self, document: &impl serde::Serialize) -> Result<(), Failure> {
        self.print(&json_text(document)?)
    }

    /// Writes text to standard error, where nothing can be done if it fails.
    pub(crate) fn note(&self, text: &str) {
        let _ = AutoStream::new(io::stderr().lock(), self.choice).write_all(text.as_bytes());
    }

    /// Writes one JSON document to standard error.
    pub(crate) fn json_note(&self, document: &impl serde::Serialize) -> Result<(), Failure> {
        self.note(&json_text(document)?);
        Ok(())
    }

    /// Writes what went wrong to standard error.
    pub(crate) fn failure(&self, failure: &Failure, json: bool) {
        if json && let Ok(text) = json_text(&failure.document()) {
            self.note(&text);
        } else {
            self.note(&render::failure::text(failure, &self.error_look()));
        }
    }

    /// How wide text on standard output may be.
    pub(crate) fn width(&self) -> usize {
        width(terminal_size::terminal_size_of(io::stdout()))
    }

    /// Whether standard output can show more than ASCII: a terminal can, of a pipe nobody knows.
    pub(crate) fn unicode(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// How wide text on standard error may be.
    pub(crate) fn error_width(&self) -> usize {
        width(terminal_size::terminal_size_of(io::stderr()))
    }

    /// What standard output can show.
    pub(crate) fn look(&self) -> Look {
        Look {
            unicode: io::stdout().is_terminal(),
            color: AutoStream::new(io::stdout(), self.choice).current_choice()
                != anstream::ColorChoice::Never,
            width: self.width(),
        }
    }

    /// What standard error can show.
    pub(crate) fn error_look(&self) -> Look {
        Look {
            unicode: io::stderr().is_terminal(),
            color: AutoStream::new(io::stderr(), self.choice).current_choice()
                != anstream::ColorChoice::Never,
            width: self.error_width(),
        }
    }
}

fn width(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    size.map_or(*WIDTH.end(), |(columns, _)| {
        usize::from(columns.0).clamp(*WIDTH.start(), *WIDTH.end())
    })
}

/// What a stream can show.
#[derive(Debug)]
pub(crate) struct Look {
    /// Box-drawing characters.
    pub(crate) unicode: bool,
    /// Colours.
    pub(crate) color: bool,
    /// Columns.
    pub(crate) width: usize,
}

fn json_text(document: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(document)
        .map(|text| text + "\n")
        .map_err(|error| Failure::new(format!("cannot write the output as JSON: {error}")))
}
