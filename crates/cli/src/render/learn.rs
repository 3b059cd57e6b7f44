//! What was learned from captures, for people.

use super::number::{count, counted};
use super::style::{FAINT, GOOD, NAME, ODD, TITLE, paint};
use super::table::{together, wrap};
use std::path::Path;
use vpcsim_replay::learn::Summary;

/// What was read, what it taught, and what it did not; `written`: where the network file is.
pub(crate) fn text(summary: &Summary, written: Option<&Path>, width: usize) -> String {
    let mut text = String::new();
    for capture in &summary.captures {
        let about = format!("{}, {}", capture.format, counted(capture.packets, "packet"));
        text += &format!("{}  {}\n", paint(NAME, &capture.name), paint(FAINT, about));
    }
    let conversations = &summary.conversations;
    let conversations = [
        format!(
            "{} completed",
            counted(conversations.completed, "conversation")
        ),
        format!("{} refused", count(conversations.refused)),
        format!("{} unanswered", count(conversations.unanswered)),
    ];
    text += &format!("{}\n", paint(TITLE, conversations.join(", ")));
    text += &list("learned: ", &parts(summary), width);
    text += &list("nothing is allowed for: ", &left_out(summary), width);
    if let Some(path) = written {
        text += &format!(
            "{} {}\n",
            paint(NAME, path.display()),
            paint(GOOD, "is written")
        );
    }
    for host in &summary.renumbered {
        text += &format!(
            "no vpc can give {} away: {} has {}, and is `captured_as` the other\n",
            host.captured,
            paint(NAME, &host.cvm),
            host.address,
        );
    }
    for warning in &summary.warnings {
        text += &format!("{} {warning}\n", paint(ODD, "warning:"));
    }
    text
}

/// Things in a row after a word, further lines below them; nothing where there are none.
fn list(word: &str, things: &[String], width: usize) -> String {
    if things.is_empty() {
        return String::new();
    }
    let text = format!("{word}{}", things.join(", "));
    let mut lines = wrap(&text, width - 2).into_iter();
    let first = lines.next().map(|line| format!("{line}\n"));
    first
        .into_iter()
        .chain(lines.map(|line| format!("  {line}\n")))
        .collect()
}

fn parts(summary: &Summary) -> Vec<String> {
    let network = &summary.network;
    let parts = [
        (network.vpcs, "vpc"),
        (network.subnets, "subnet"),
        (network.cvms, "cvm"),
        (network.security_groups, "security group"),
        (network.rules, "rule"),
        (network.eips, "eip"),
        (network.nat_gateways, "nat gateway"),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    parts
        .map(|(n, one)| together(&counted(*n as u64, one)))
        .collect()
}

/// Packets that no rule was learned from.
fn left_out(summary: &Summary) -> Vec<String> {
    let belongs = &summary.belongs;
    let parts = [
        (belongs.incomplete, "of incomplete conversations"),
        (belongs.outside, "between outside addresses"),
        (
            belongs.nobody,
            "to or from multicast, broadcast or loopback",
        ),
        (belongs.fragments, "of datagrams without a first fragment"),
        (belongs.beyond, "of conversations beyond the ceiling"),
        (belongs.not_ipv4, "not IPv4"),
        (belongs.malformed, "malformed"),
    ];
    let parts = parts.iter().filter(|(packets, _)| *packets > 0);
    parts
        .map(|(packets, what)| format!("{} {what}", counted(*packets, "packet")))
        .collect()
}
