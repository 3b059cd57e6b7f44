//! What would let a packet through, for people.

use super::style::{BAD, FAINT, GOOD, ODD, PLAIN, TITLE, paint};
use super::table::wrap;
use vpcsim_replay::fix::{Advice, Fix};

/// The changes that were found, or why there are none; nothing where all is well.
pub(crate) fn text(advice: &Advice, asked: bool, width: usize) -> String {
    if advice.trace.reachable || !asked {
        return String::new();
    }
    let mut text = format!(
        "\n{}{}\n",
        paint(TITLE, "What would let it through"),
        paint(
            FAINT,
            match advice.fixes.len() {
                0 => "",
                1 => ": a change to the network file, tried",
                _ => ": changes to the network file, each of them tried, the narrowest first",
            }
        ),
    );
    if let Some(expected) = &advice.expected_blocked {
        for line in wrap(
            &format!("  the file expects that it is blocked: {expected}"),
            width,
        ) {
            text += &format!("{}\n", paint(ODD, line));
        }
    }
    for (number, fix) in (1..).zip(&advice.fixes) {
        text += &one(number, fix, width);
    }
    if let Some(reason) = &advice.no_fix {
        for line in wrap(&format!("  nothing: {reason}"), width) {
            text += &format!("{line}\n");
        }
    }
    text
}

fn one(number: usize, fix: &Fix, width: usize) -> String {
    let mut text = String::from("\n");
    for (i, edit) in fix.edits.iter().enumerate() {
        let lead = if i == 0 {
            format!("{number:>3}. ")
        } else {
            "     ".to_owned()
        };
        for (j, line) in wrap(edit, width - 5).into_iter().enumerate() {
            let lead = if j == 0 { lead.as_str() } else { "     " };
            text += &format!("{}{}\n", paint(TITLE, lead), paint(TITLE, line));
        }
    }
    if fix.shared {
        let note = "the file repeats this text by an alias: the change holds there too";
        text += &format!("     {}\n", paint(ODD, note));
    }
    for broken in &fix.breaks {
        for line in wrap(
            &format!("breaks what the file expects: {broken}"),
            width - 5,
        ) {
            text += &format!("     {}\n", paint(ODD, line));
        }
    }
    text + &diff(&fix.diff)
}

/// A diff, indented, so that the numbers stand out.
fn diff(diff: &str) -> String {
    let lines = diff.lines().map(|line| {
        let style = match line.as_bytes().first() {
            _ if line.starts_with("---") || line.starts_with("+++") => FAINT,
            Some(b'+') => GOOD,
            Some(b'-') => BAD,
            Some(b'@') => FAINT,
            _ => PLAIN,
        };
        format!("     {}\n", paint(style, line))
    });
    lines.collect()
}
