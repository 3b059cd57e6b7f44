//! A piece of a file with something underlined in it.

use crate::output::Look;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents, ThemeCharacters,
};
use std::error::Error;
use std::fmt;

/// What is said of a place in a file.
pub(super) struct Snippet<'a> {
    pub(super) message: String,
    pub(super) severity: Severity,
    /// Has the labels, the cause and how to mend it.
    pub(super) about: &'a dyn Diagnostic,
    pub(super) source: File<'a>,
}

/// The file that a snippet is cut from.
pub(super) struct File<'a>(pub(super) &'a dyn SourceCode);

impl Snippet<'_> {
    /// What is said, where, and how to mend it.
    pub(super) fn text(&self, look: &Look) -> String {
        let theme = match (look.unicode, look.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme {
                characters: ThemeCharacters::ascii(),
                ..GraphicalTheme::unicode()
            },
            (false, false) => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(look.width)
            .with_links(false)
            .with_context_lines(1);
        let mut text = String::new();
        if handler.render_report(&mut text, self).is_err() {
            // A string takes everything; if miette cannot draw this part of the
            // file, the plain words still say it.
            let help = self.about.help().map(|help| help.to_string());
            text += &format!("  {self}\n  help: {}\n", help.unwrap_or_default());
        }
        text
    }
}

impl fmt::Debug for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.about, f)
    }
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Snippet<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.about.source()
    }
}

impl Diagnostic for Snippet<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.about.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.about.labels()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }
}

/// Says how many lines a piece really has: miette's strings count them from the file's start, and
/// then all lines between two labels far from each other are drawn.
impl SourceCode for File<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let piece = self.0.read_span(span, before, after)?;
        let lines = piece.data().split(|byte| *byte == b'\n').count();
        Ok(Box::new(MietteSpanContents::new_named(
            piece.name().unwrap_or_default().to_owned(),
            piece.data(),
            *piece.span(),
            piece.line(),
            piece.column(),
            lines,
        )))
    }
}
