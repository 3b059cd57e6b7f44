//! All areas, one after the other, on a thread of their own.

use crate::area::fragments::Fragments;
use crate::area::nat_setup::Kind;
use crate::area::reverse_path::ReversePath;
use crate::area::router::Router;
use crate::area::tracking::Tracking;
use crate::area::translation::Translation;
use crate::area::{exhaustion, expiry};
use crate::drive::{Report, drive};
use crate::sys;
use std::io;
use std::path::Path;

/// The areas by name, and their share of the packets in a hundred.
pub const AREAS: &[(&str, u64)] = &[
    ("tracking", 40),
    ("snat", 15),
    ("dnat", 10),
    ("one-to-one", 10),
    ("reverse-path", 15),
    ("router", 5),
    ("fragments", 5),
    ("exhaustion", 0),
    ("expiry", 0),
];

/// Packets for which one more round of waiting is worth its six seconds.
const EXPIRY_PACKETS: u64 = 500_000;

/// What is missing to ask a kernel; empty: nothing.
pub fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if !sys::is_root() {
        missing.push("root, to make network namespaces".to_owned());
    }
    if !Path::new("/dev/net/tun").exists() {
        missing.push("/dev/net/tun".to_owned());
    }
    for program in ["nft", "ip", "tc"] {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut directories = std::env::split_paths(&path);
        let usual = ["/usr/sbin", "/sbin"].map(|directory| Path::new(directory).join(program));
        if !directories.any(|directory| directory.join(program).is_file())
            && !usual.iter().any(|file| file.is_file())
        {
            missing.push(format!("the program {program}"));
        }
    }
    missing
}

/// Runs the areas whose name is `only`, or all, on `packets` in all.
///
/// # Errors
/// When the kernel side cannot be set up or fails.
pub fn run(only: Option<&str>, packets: u64, seed: u64) -> io::Result<Vec<Report>> {
    let only = only.map(str::to_owned);
    let worker = std::thread::spawn(move || {
        let chosen: Vec<_> = AREAS
            .iter()
            .filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
            .collect();
        let shares: u64 = chosen.iter().map(|(_, share)| share).sum();
        chosen
            .into_iter()
            .map(|(name, share)| match *name {
                "exhaustion" => exhaustion::run(name),
                "expiry" => expiry::run(name, 1 + packets / EXPIRY_PACKETS, seed),
                name => one(name, packets * share / shares.max(1), seed),
            })
            .collect()
    });
    worker
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the thread that asks the kernel panicked")))
}

fn one(name: &'static str, packets: u64, seed: u64) -> io::Result<Report> {
    match name {
        "tracking" => drive(name, &mut Tracking::new()?, packets, seed),
        "snat" => drive(name, &mut Translation::new(Kind::Snat)?, packets, seed),
        "dnat" => drive(name, &mut Translation::new(Kind::Dnat)?, packets, seed),
        "one-to-one" => drive(name, &mut Translation::new(Kind::OneToOne)?, packets, seed),
        "router" => drive(name, &mut Router::new()?, packets, seed),
        "fragments" => drive(name, &mut Fragments::new()?, packets, seed),
        _ => drive(name, &mut ReversePath::new()?, packets, seed),
    }
}
