//! The few colours there are, by what they mean.

use anstyle::{AnsiColor, Style};

/// Nothing to stress.
pub(crate) const PLAIN: Style = Style::new();
/// Titles.
pub(crate) const TITLE: Style = Style::new().bold();
/// Column heads and asides.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// It arrives.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// It is dropped, it is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// Names of elements.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();

/// Text in a style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
