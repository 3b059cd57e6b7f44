//! Pieces of HTML, and numbers in them.

pub(super) use crate::graph::escaped;

/// HTML as it grows.
#[derive(Debug, Default)]
pub(super) struct Html {
    text: String,
}

impl Html {
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    pub(super) fn section(&mut self, id: &str, title: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!(
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>"
        ));
        inside(self);
        self.line("</section>");
    }

    /// A table that scrolls by itself where it is wider than the page.
    pub(super) fn table(
        &mut self,
        class: &str,
        caption: &str,
        heads: &[&str],
        inside: impl FnOnce(&mut Self),
    ) {
        self.line(&format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\">"
        ));
        self.line(&format!(
            "<table class=\"{class}\">\n<caption>{caption}</caption>"
        ));
        let heads = heads
            .iter()
            .map(|head| format!("<th scope=\"col\">{head}</th>"));
        let heads: String = heads.collect();
        self.line(&format!("<thead><tr>{heads}</tr></thead>\n<tbody>"));
        inside(self);
        self.line("</tbody>\n</table>\n</div>");
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.2M`, `34k`, `567`: at most four characters below a million millions.
pub(super) fn brief(number: u64) -> String {
    let units = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let unit = units.into_iter().find(|(unit, _)| number >= *unit);
    match unit {
        None => number.to_string(),
        Some((unit, name)) if number < 10 * unit => {
            let tenths = number * 10 / unit;
            format!("{}.{}{name}", tenths / 10, tenths % 10)
        }
        Some((unit, name)) => format!("{}{name}", number / unit),
    }
}

/// `12.3%`; nothing and everything are told from nearly nothing and nearly everything.
pub(super) fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match percent {
        _ if part == whole => "100%".to_owned(),
        percent if percent < 0.1 => "&lt;0.1%".to_owned(),
        percent if percent > 99.9 => "&gt;99.9%".to_owned(),
        percent => format!("{percent:.1}%"),
    }
}

/// `1.2 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut at = 0;
    while value >= 1024.0 && at + 1 < units.len() {
        value /= 1024.0;
        at += 1;
    }
    format!("{value:.1} {}", units[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, long, short) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1.0k"),
            (9_999, "9,999", "9.9k"),
            (12_345, "12,345", "12k"),
            (1_234_567, "1,234,567", "1.2M"),
            (u64::MAX, "18,446,744,073,709,551,615", "18446744T"),
        ] {
            assert_eq!(
                (count(number).as_str(), brief(number).as_str()),
                (long, short)
            );
        }
        for (part, whole, text) in [
            (0, 0, "0%"),
            (0, 7, "0%"),
            (7, 7, "100%"),
            (1, 1_000_000, "&lt;0.1%"),
            (999_999, 1_000_000, "&gt;99.9%"),
            (1, 3, "33.3%"),
        ] {
            assert_eq!(share(part, whole), text);
        }
        for (number, text) in [(1023, "1023 B"), (1024, "1.0 KiB"), (3 << 30, "3.0 GiB")] {
            assert_eq!(bytes(number), text);
        }
    }
}
