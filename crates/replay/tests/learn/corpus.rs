//! Real captures.

use crate::round_trip::{Frame, checked, delivers, inside, learned, read};
use std::path::PathBuf;
use vpcsim_replay::learn::{LearnError, LearnOptions};

/// The shared corpus of real captures; loud where it is not there.
fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/captures"
    ));
    if path.join("MANIFEST.tsv").exists() {
        return Some(path);
    }
    eprintln!(
        "NOT CHECKED: {} is absent, nothing was learned from real captures",
        path.display()
    );
    None
}

/// The captures whose name begins so.
pub(crate) fn captures(kinds: &[&str]) -> Vec<(String, Vec<Frame>)> {
    let Some(corpus) = corpus() else {
        return Vec::new();
    };
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let names = manifest
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    let names = names.filter(|name| kinds.iter().any(|kind| name.starts_with(kind)));
    names
        .map(|name| (name.to_owned(), read(&corpus.join(name))))
        .collect()
}

/// All private addresses.
pub(crate) const EVERYBODY: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

#[test]
fn of_every_client_and_server_capture_no_packet_of_a_conversation_is_lost() {
    let captures = captures(&["cl_", "srv_"]);
    for (name, frames) in &captures {
        let mut count = 0;
        for widen in [false, true] {
            let options = LearnOptions {
                widen,
                ..LearnOptions::default()
            };
            count += delivers(name, frames, &options);
        }
        assert!(count > 0, "{name}");
    }
}

/// Where nobody private is inside, the addresses that the error names are.
#[test]
fn every_other_capture_too_or_the_error_says_who_might_be_inside() {
    for (name, frames) in captures(&["nat_", "tun_", "ip_", "fmt_", "bad_", "big_"]) {
        if delivers(&name, &frames, &LearnOptions::default()) > 0 {
            continue;
        }
        let (nothing, _) = learned(&frames, &LearnOptions::default());
        if let Err(LearnError::NobodyInside { busiest, .. }) = nothing
            && let Some((address, _)) = busiest.first()
        {
            let options = inside(&[&format!("{address}/32")]);
            let (learned, _) = learned(&frames, &options);
            checked(&learned.unwrap().network);
            delivers(&name, &frames, &options);
        }
    }
}

/// Public hosts beside private ones: all are inside.
#[test]
fn when_everybody_is_inside_nobody_loses_a_packet() {
    for (name, frames) in captures(&["cl_", "srv_", "nat_"]) {
        let all: Vec<&str> = EVERYBODY
            .into_iter()
            .chain(["0.0.0.0/1", "128.0.0.0/1"])
            .collect();
        delivers(&name, &frames, &inside(&all));
    }
}

#[test]
fn the_same_capture_twice_gives_the_same_bytes() {
    for (name, frames) in captures(&["cl_many", "cl_http", "big_portscan"]) {
        let text = || {
            learned(&frames, &LearnOptions::default())
                .0
                .unwrap()
                .network
        };
        assert_eq!(text(), text(), "{name}");
    }
}
