//! Words of a file, said on one line.

use std::fmt::{self, Display, Formatter, Write};

/// Writes what `T` does, with control characters, and those that break or turn a line, as escapes:
/// a name between quotes may hold any of them.
pub(super) struct OneLine<T>(pub(super) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_unruly) {
            let rest = part.trim_end_matches(is_unruly);
            self.0.write_str(rest)?;
            for unruly in part[rest.len()..].chars() {
                write!(self.0, "{}", unruly.escape_default())?;
            }
        }
        Ok(())
    }
}

/// Control characters; ends of lines and paragraphs; what changes the direction of writing (UAX 9).
fn is_unruly(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_or_turn_the_line_is_escaped() {
        let said = |text: &str| OneLine(text).to_string();
        assert_eq!(said("a\r\n\nb"), r"a\r\n\nb");
        assert_eq!(said("\u{1b}[31mred\u{85}"), r"\u{1b}[31mred\u{85}");
        assert_eq!(
            said("left\u{202e}thgir\u{2029}"),
            r"left\u{202e}thgir\u{2029}"
        );
        assert_eq!(said("広州 é `ü` \\n …"), "広州 é `ü` \\n …");
    }
}
