//! Who talked to whom, and how much of it was dropped.

use super::markup::{Html, brief, bytes, count, escaped, share};
use vpcsim_replay::{Talk, Talks};

pub(super) fn talks(html: &mut Html, talks: &Talks) {
    html.section("talks", "Who talked to whom", |html| {
        if talks.pairs.is_empty() {
            html.line("<p>Nobody did.</p>");
            return;
        }
        html.line(
            "<p class=\"key\"><span class=\"cell lost0\">12k</span> packets, none dropped \
             <span class=\"cell lost1\">9%</span> a tenth dropped at most \
             <span class=\"cell lost2\">45%</span> half at most \
             <span class=\"cell lost3\">80%</span> more \
             <span class=\"cell lost4\">✕ all</span> all of them</p>",
        );
        let heads: Vec<String> = talks.ends.iter().map(|end| turned(end)).collect();
        let heads = std::iter::once("from \\ to").chain(heads.iter().map(String::as_str));
        let heads: Vec<&str> = heads.collect();
        let caption = "Packets, or the share that was dropped";
        html.table("matrix", caption, &heads, |html| {
            for (from, name) in talks.ends.iter().enumerate() {
                let cells = (0..talks.ends.len()).map(|to| {
                    let pair = talks
                        .pairs
                        .iter()
                        .find(|pair| (pair.from, pair.to) == (from, to));
                    pair.map_or_else(|| "<td></td>".to_owned(), |pair| cell(talks, pair))
                });
                let cells: String = cells.collect();
                if talks.pairs.iter().any(|pair| pair.from == from) {
                    html.line(&format!(
                        "<tr><th scope=\"row\">{}</th>{cells}</tr>",
                        escaped(name)
                    ));
                }
            }
        });
        html.line(
            "<p class=\"detail\" role=\"status\" id=\"talk\">Choose a cell for its numbers.</p>",
        );
    });
}

fn cell(talks: &Talks, pair: &Talk) -> String {
    let (dropped, packets) = (pair.dropped, pair.packets);
    let (class, text) = match dropped {
        0 => ("lost0", brief(packets)),
        all if all == packets => ("lost4", "✕ all".to_owned()),
        some if some * 10 <= packets => ("lost1", share(some, packets)),
        some if some * 2 <= packets => ("lost2", share(some, packets)),
        some => ("lost3", share(some, packets)),
    };
    let (from, to) = (&talks.ends[pair.from], &talks.ends[pair.to]);
    let told = format!(
        "{} to {}: {} packets, {}; {} dropped ({})",
        escaped(from),
        escaped(to),
        count(packets),
        bytes(pair.bytes),
        count(dropped),
        share(dropped, packets),
    );
    format!(
        "<td><button type=\"button\" class=\"cell {class}\" data-told=\"{told}\" title=\"{told}\">{text}</button></td>"
    )
}

/// A heading that stands upright over a narrow column.
pub(super) fn turned(name: &str) -> String {
    format!("<span class=\"turned\">{}</span>", escaped(name))
}
