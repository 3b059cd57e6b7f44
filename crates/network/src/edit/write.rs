//! How values are written.

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Yaml {
    /// A word, quoted where it has to be.
    Word(String),
    /// A list: an item a line where the file uses lines.
    List(Vec<Yaml>),
    /// A mapping: a key a line where the file uses lines.
    Map(Vec<(String, Yaml)>),
    /// A mapping on one line: `{to: 10.0.0.0/16, via: nat/gw}`.
    Inline(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A word.
    pub fn word(text: impl ToString) -> Self {
        Self::Word(text.to_string())
    }

    /// A mapping on one line.
    pub fn inline<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Inline(entries.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// The value between brackets, or as a word among such.
    pub(super) fn inline_text(&self) -> String {
        let entries = |entries: &[(String, Self)]| {
            let entries = entries.iter();
            let texts =
                entries.map(|(key, value)| format!("{}: {}", word(key), value.inline_text()));
            texts.collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Word(text) => word(text),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::inline_text).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(list) | Self::Inline(list) => format!("{{{}}}", entries(list)),
        }
    }

    /// The value on one line, where no bracket is open around it.
    pub(super) fn line_text(&self) -> String {
        match self {
            Self::Word(text) => line_word(text),
            _ => self.inline_text(),
        }
    }
}

/// Characters that begin something else than a word.
const INDICATORS: &[char] = &[
    '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
];

/// A word between brackets.
pub(super) fn word(text: &str) -> String {
    if text.contains([',', '[', ']', '{', '}']) {
        return quoted(text);
    }
    line_word(text)
}

/// A word on a line of its own.
fn line_word(text: &str) -> String {
    let begins = text.starts_with(INDICATORS) || text.starts_with(char::is_whitespace);
    let ends = text.ends_with(':') || text.ends_with(char::is_whitespace);
    let inside = text.contains(": ") || text.contains(" #") || text.contains(char::is_control);
    if text.is_empty() || begins || ends || inside {
        quoted(text)
    } else {
        text.to_owned()
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            // No name and no rule has any other of these.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
