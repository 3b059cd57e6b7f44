//! Batches of live flows while as many connections as were opened in a burst end: a million, and,
//! with `VPCSIM_LONG_BENCHES` set, ten million. What is asked for is the longest batch, so this one
//! prints what it found once instead of a mean of many.

use std::time::Duration;
use vpcsim_bench::{MOST_FLOWS, Pauses, expiry, program};

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let connections = if std::env::args().any(|argument| argument == "--test") {
        vec![1_000]
    } else if std::env::var_os("VPCSIM_LONG_BENCHES").is_some() {
        vec![1_000_000, MOST_FLOWS - 1_024]
    } else {
        vec![1_000_000]
    };
    let program = program(100).expect("a valid network");
    for connections in connections {
        let pauses = expiry(&program, connections).expect("every packet arrives as it should");
        let Pauses {
            batches,
            median,
            permille,
            worst,
        } = pauses;
        let times = |time: Duration| time.as_secs_f64() / median.as_secs_f64();
        println!("expiry/{connections}: {batches} batches of 256 packets of live flows");
        println!("  median          {:>9.1} µs", micros(median));
        println!(
            "  one of a 1 000  {:>9.1} µs  {:.1} x",
            micros(permille),
            times(permille)
        );
        println!(
            "  longest         {:>9.1} µs  {:.1} x",
            micros(worst),
            times(worst)
        );
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
