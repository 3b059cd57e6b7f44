//! `cargo xtask picture`: docs/graph.svg and docs/html-report.png, by the command itself.

use crate::cargo::cargo;
use crate::tools;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A reply that gets lost on its way back, over the network of the demo.
const GRAPH: [&str; 9] = [
    "graph",
    "scenarios/demo/network.yaml",
    "--output",
    "docs/graph.svg",
    "--trace",
    "db-1",
    "api-1",
    "--port",
    "443",
];
const PAGE: &str = "target/html-report.html";
const SCREENSHOT: &str = "docs/html-report.png";
/// Width and height of the window: the top of the page.
const WINDOW: &str = "--window-size=1280,1660";

pub(crate) fn run() -> ExitCode {
    let vpcsim = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        cargo(
            &["run", "--quiet", "--release", "--package", "vpcsim", "--"],
            &arguments,
        )
    };
    let drawn = vpcsim(&GRAPH) && vpcsim(&["demo", "--json", "--html", PAGE]);
    if drawn && tools::provide(tools::FOR_PICTURES) && screenshot() {
        println!("written: {} {SCREENSHOT}", GRAPH[3]);
        ExitCode::SUCCESS
    } else {
        eprintln!("error: not everything is drawn");
        ExitCode::FAILURE
    }
}

/// Takes a picture of the page in a browser with a profile of its own.
fn screenshot() -> bool {
    let Ok(here) = std::env::current_dir() else {
        return false;
    };
    let profile: PathBuf = here.join("target/html-report-profile");
    let option = |name: &str, value: &Path| {
        let mut option = OsStr::new(name).to_owned();
        option.push(value);
        option
    };
    let status = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            WINDOW,
        ])
        .arg(option("--user-data-dir=", &profile))
        .arg(option("--screenshot=", &here.join(SCREENSHOT)))
        .arg(option("file://", &here.join(PAGE)))
        .status();
    // The profile is of no use to anybody.
    let _ = std::fs::remove_dir_all(profile);
    status.is_ok_and(|status| status.success())
}
