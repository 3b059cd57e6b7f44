//! Errors on a terminal.

use super::style::{BAD, NAME, paint};
use crate::failure::{Failure, count};
use crate::output::ErrorLook;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::fmt;
use vpcsim_network::{NetworkError, NetworkErrors};

/// What went wrong and how to mend it.
pub(crate) fn text(failure: &Failure, look: &ErrorLook) -> String {
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
fn network(errors: &NetworkErrors, look: &ErrorLook) -> String {
    let theme = match (look.unicode, look.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme {
            characters: miette::ThemeCharacters::ascii(),
            ..GraphicalTheme::unicode()
        },
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_context_lines(1);
    let mut text = String::new();
    for error in errors.errors() {
        let mistake = Mistake { error, errors };
        if handler.render_report(&mut text, &mistake).is_err() {
            // A string takes everything; if miette cannot draw this part of the
            // file, the plain words still say it.
            text += &format!("  {error}\n  help: {}\n", error.hint());
        }
        text.push('\n');
    }
    text + &format!("{} {}\n", paint(BAD, "error:"), count(errors))
}

/// One mistake with the file that it is in.
#[derive(Debug)]
struct Mistake<'a> {
    error: &'a NetworkError,
    errors: &'a NetworkErrors,
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Mistake<'_> {}

impl Diagnostic for Mistake<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.error.labels()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.errors.source_code()
    }
}
