//! How wide text is, before anybody has set it.

use unicode_width::UnicodeWidthChar;

/// Sizes of text, in pixels.
pub(super) const HEAD: f64 = 12.0;
pub(super) const LINE: f64 = 11.0;

/// The width of a text in the widest of the usual sans-serif fonts (DejaVu Sans, Verdana), rounded
/// up: others leave some room.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> i32 {
    let ems: f64 = text.chars().map(em).sum();
    let weight = if bold { 1.12 } else { 1.0 };
    (ems * size * weight).ceil() as i32
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.34,
        ' ' | '.' | ',' | ':' | ';' | '/' | '!' | 'I' | 't' | 'f' | '-' => 0.40,
        '(' | ')' | '[' | ']' | 'r' => 0.44,
        'm' | 'M' | 'W' | '@' | '%' | '→' | '✕' | '✓' | '…' => 1.0,
        'w' | 'Q' | 'O' | 'G' | 'N' | 'H' | 'D' | 'U' | '>' | '<' | '+' | '=' => 0.85,
        c if c.is_ascii_uppercase() => 0.74,
        c if c.is_ascii() => 0.65,
        // A letter of another script may be wider than a Latin one; two columns are a square.
        c => match c.width() {
            Some(0) => 0.0,
            Some(1) => 0.9,
            _ => 1.1,
        },
    }
}

/// The text, cut with `…` if it is wider than that.
pub(super) fn fit(text: &str, room: i32, size: f64, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width(&cut, size, bold) + width("…", size, bold) > room {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

/// Text in lines of at most that width, cut between words where that can be.
pub(super) fn wrap(text: &str, room: i32, size: f64, bold: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (longer, lines.last_mut()) {
            (Some(longer), Some(line)) if width(&longer, size, bold) <= room => *line = longer,
            _ => lines.push(fit(word, room, size, bold)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_fits_stays_and_other_text_is_cut() {
        for (text, room) in [
            ("web-1", 100),
            ("a-name-that-goes-on-and-on", 100),
            ("很长的名字很长的名字", 60),
            ("WWWWWWWWWW", 30),
            ("", 10),
        ] {
            let fitted = fit(text, room, HEAD, true);
            assert!(width(&fitted, HEAD, true) <= room, "{fitted}");
            let whole = width(text, HEAD, true) <= room;
            assert_eq!(fitted == text, whole, "{fitted}");
            assert_eq!(fitted.ends_with('…'), !whole, "{fitted}");
        }
    }

    #[test]
    fn wrapped_text_has_every_word() {
        let text = "the request is dropped at acl-ingress because no rule of acl vault accepts it";
        let lines = wrap(text, 160, LINE, false);
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| width(line, LINE, false) <= 160));
    }
}
