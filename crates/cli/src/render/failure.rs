//! Errors on a terminal.

use super::snippet::{File, Snippet};
use super::style::{BAD, NAME, paint};
use crate::failure::{Failure, count};
use crate::output::Look;
use miette::Severity;
use vpcsim_network::NetworkErrors;

/// What went wrong and how to mend it.
pub(crate) fn text(failure: &Failure, look: &Look) -> String {
    match failure {
        Failure::Network(errors) => network(errors, look),
        Failure::Other { message, help } => {
            let mut text = format!("{} {message}\n", paint(BAD, "error:"));
            if let Some(help) = help {
                text += &format!("{} {help}\n", paint(NAME, "help:"));
            }
            text
        }
    }
}

/// Every mistake of a network file, underlined, and how many there are.
fn network(errors: &NetworkErrors, look: &Look) -> String {
    let mut text = String::new();
    for error in errors.errors() {
        let snippet = Snippet {
            message: error.to_string(),
            severity: Severity::Error,
            about: error,
            source: File(errors.source_text()),
        };
        text += &snippet.text(look);
        text.push('\n');
    }
    text + &format!("{} {}\n", paint(BAD, "error:"), count(errors))
}
