//! `cargo xtask versus`: a replay beside what else reads and writes captures, in one run.
//!
//! tcpdump copies a capture, tcprewrite puts other addresses in a prefix's place, cp copies bytes.
//! All take turns on the same files, which lie in the page cache, and write to the same directory;
//! of each the median counts.

use crate::cargo::program;
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Packets of each capture (crates/bench/examples/captures.rs).
const PACKETS: f64 = 1e6;
/// How often each has its turn.
const TURNS: usize = 7;

struct Contender {
    name: &'static str,
    command: Vec<String>,
    times: Vec<Duration>,
}

/// Measures and prints a table for each size of packets.
pub(crate) fn run() -> ExitCode {
    if !tools::provide(tools::FOR_VERSUS) {
        return ExitCode::FAILURE;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let desk = std::env::temp_dir().join(format!("vpcsim-versus-{}", std::process::id()));
    std::fs::create_dir_all(&desk).map_err(|error| format!("{}: {error}", desk.display()))?;
    let result = on(&desk);
    let _ = std::fs::remove_dir_all(&desk);
    result
}

fn on(desk: &Path) -> Result<(), String> {
    let build = ["build", "--quiet", "--release", "--package", "vpcsim"];
    let captures = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "vpcsim-bench",
        "--example",
        "captures",
        "--",
    ];
    succeed(Command::new(program()).args(build))?;
    succeed(Command::new(program()).args(captures).arg(desk))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let vpcsim = PathBuf::from(target).join("release/vpcsim");
    for size in ["64", "imix"] {
        let mut contenders = contenders(desk, &vpcsim, size);
        for _ in 0..TURNS {
            for contender in &mut contenders {
                let began = Instant::now();
                let [name, arguments @ ..] = contender.command.as_slice() else {
                    continue;
                };
                succeed(Command::new(name).args(arguments))?;
                contender.times.push(began.elapsed());
            }
        }
        print(size, &mut contenders);
    }
    Ok(())
}

fn contenders(desk: &Path, vpcsim: &Path, size: &str) -> Vec<Contender> {
    let at = |name: &str| desk.join(name).display().to_string();
    let (vpcsim, capture) = (vpcsim.display().to_string(), at(&format!("{size}.pcap")));
    let (network, out) = (at("network.yaml"), at("out"));
    let contender = |name, command: &[&str]| Contender {
        name,
        command: command.iter().map(ToString::to_string).collect(),
        times: Vec::new(),
    };
    let pnat = "--pnat=10.0.0.0/24:203.0.113.0/24";
    let (infile, outfile) = (format!("--infile={capture}"), format!("--outfile={out}"));
    vec![
        contender(
            "vpcsim replay",
            &[&vpcsim, "replay", &network, &capture, "--json"],
        ),
        contender(
            "vpcsim replay -o",
            &[&vpcsim, "replay", &network, &capture, "--json", "-o", &out],
        ),
        contender("tcpdump -r -w", &["tcpdump", "-r", &capture, "-w", &out]),
        contender(
            "tcprewrite --pnat",
            &["tcprewrite", pnat, &infile, &outfile],
        ),
        contender("cp", &["cp", &capture, &out]),
    ]
}

fn print(size: &str, contenders: &mut [Contender]) {
    let seconds = |contender: &mut Contender| {
        contender.times.sort_unstable();
        let middle = contender.times.get(contender.times.len() / 2);
        middle.map_or(f64::NAN, Duration::as_secs_f64)
    };
    let all: Vec<_> = contenders.iter_mut().map(seconds).collect();
    let (tcpdump, tcprewrite) = (all[2], all[3]);
    println!("\n{size}: a million packets, median of {TURNS}");
    println!(
        "{:<18} {:>8} {:>7} {:>11} {:>14}",
        "", "seconds", "Mpps", "x tcpdump", "x tcprewrite"
    );
    for (contender, time) in contenders.iter().zip(&all) {
        println!(
            "{:<18} {time:>8.3} {:>7.2} {:>11.2} {:>14.2}",
            contender.name,
            PACKETS / time / 1e6,
            tcpdump / time,
            tcprewrite / time
        );
    }
}

/// Runs a command without a word of it, unless it fails.
fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}: {said}", output.status))
}
