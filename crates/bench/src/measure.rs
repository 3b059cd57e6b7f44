//! One measurement, from nothing to its numbers.
//!
//! The dataplane and the bare loop take turns on the same flows, stride by stride of 16 batches, and
//! with several workers one worker on as many of its own; the cost of each is the median of its
//! strides, so that what else the machine does counts little.
//! Only carrying is timed: making packets, writing them into the batch and checking a sample is not.

use crate::error::BenchError;
use crate::memory::resident;
use crate::opening::connect_with;
use crate::size::Size;
use crate::world::{Counted, World, program};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Batch, Program, SHARDS};

/// The bandwidth of the largest NAT gateway, in Gbit/s (SEMANTICS §9): what is to be held on one
/// core with the smallest packets.
pub const TARGET_GBPS: f64 = 5.0;

/// The most flows: what the largest NAT gateway holds (SEMANTICS §9).
pub const MOST_FLOWS: u32 = 10_000_000;

/// What is to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Live flows, 1 to [`MOST_FLOWS`].
    pub flows: u32,
    /// Sizes of packets.
    pub size: Size,
    /// Security-group rules, the last of which matches.
    pub rules: u32,
    /// Workers that share the flows; 0 and 1: the thread that makes the packets carries them.
    pub workers: u32,
    /// How long established flows are measured, the bare loop and what is between them included.
    pub duration: Duration,
}

/// Where a measurement is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Flows are being opened: how much is done, from 0 to 1.
    Opening(f64),
    /// The dataplane and the bare loop take turns.
    Measuring(f64),
    /// New connections are measured.
    Connecting,
}

/// What was measured. The keys of `vpcsim bench --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// Live flows.
    pub flows: u32,
    /// Sizes of packets: `64`, `512`, `1500`, `imix`.
    pub size: &'static str,
    /// Security-group rules.
    pub rules: u32,
    /// Workers.
    pub workers: u32,
    /// Million packets a second, all workers together.
    pub mpps: f64,
    /// Gbit/s on the wire: frames with checksum, preamble and gap.
    pub gbps_wire: f64,
    /// What a packet costs a worker.
    pub ns_per_packet: f64,
    /// What it costs the bare loop.
    pub floor_ns: f64,
    /// How many times the bare loop's cost that is.
    pub floor_ratio: f64,
    /// [`TARGET_GBPS`].
    pub target_gbps: f64,
    /// How many times the target is reached.
    pub times_target: f64,
    /// New connections a second: first packets through every stage and tables that have their
    /// size.
    pub connections_per_second: f64,
    /// Resident memory of the process with all flows live, before the bare loop has its table;
    /// `None` where the system does not say.
    pub rss_bytes: Option<u64>,
    /// How many times what one worker carries alone [that](Self::mpps) is; `None` of one.
    pub times_one_worker: Option<f64>,
}

/// Measures.
///
/// # Errors
/// When a packet does not arrive, or one of the sample comes out wrong: then no number counts.
pub fn measure(
    options: &Options,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Measurement, BenchError> {
    let program = program(options.rules)?;
    let workers = options.workers.clamp(1, SHARDS as u32);
    // With several workers there are two worlds to open.
    let worlds = if workers > 1 { 2.0 } else { 1.0 };
    let world = World::with_workers(&program, options.flows, workers as usize, &mut |part| {
        on_progress(Progress::Opening(part / worlds));
    })?;
    let rss_bytes = resident();
    let alone = (workers > 1).then(|| {
        World::new(&program, options.flows, &mut |part| {
            on_progress(Progress::Opening((1.0 + part) / worlds));
        })
    });
    let alone = alone.transpose()?;
    let established = established(world, alone, options, on_progress)?;
    on_progress(Progress::Connecting);
    let connections_per_second = connections_per_second(&program, options)?;

    let Established {
        ns: ns_of_all,
        floor_ns,
        alone_ns,
    } = established;
    let ns = ns_of_all * f64::from(workers);
    let gbps_wire = options.size.mean_wire_bits() / ns_of_all;
    Ok(Measurement {
        flows: options.flows,
        size: options.size.name(),
        rules: options.rules,
        workers,
        mpps: 1000.0 / ns_of_all,
        gbps_wire,
        ns_per_packet: ns,
        floor_ns,
        floor_ratio: ns / floor_ns,
        target_gbps: TARGET_GBPS,
        times_target: gbps_wire / TARGET_GBPS,
        connections_per_second,
        rss_bytes,
        times_one_worker: alone_ns.map(|alone| alone / ns_of_all),
    })
}

/// Nanoseconds a packet.
struct Established {
    ns: f64,
    floor_ns: f64,
    /// Of one worker, where there are several.
    alone_ns: Option<f64>,
}

/// How long one carrier works before the other has its turn: long enough that its tables are in
/// the caches as far as they ever are, short enough that both see the same moods of the machine.
const TURN: Duration = Duration::from_millis(150);
/// Part of a turn that does not count: the caches are still the other's.
const LEAD: u32 = 4;
/// Turns at least, however short the time is.
const TURNS: u32 = 3;
/// Packets that are one sample, or the next larger number that a batch has: some hundred
/// microseconds, most of which nothing interrupts.
const STRIDE: usize = 16 * Batch::SIZE;

/// All tables are gone in the end, before the next ones grow.
fn established(
    mut world: World,
    mut alone: Option<World>,
    options: &Options,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Established, BenchError> {
    let mut floor = world.floor()?;
    let mut traffic = world.traffic(options.size);
    let (mut same, mut of_alone) = (traffic.clone(), traffic.clone());
    let length = TURN.min(options.duration / (2 * TURNS));
    let (mut ours, mut bare, mut single) = (Vec::new(), Vec::new(), Vec::new());
    let began = Instant::now();
    for turns in 0.. {
        if turns >= TURNS && began.elapsed() >= options.duration {
            break;
        }
        let size = world.batch_size();
        turn(length, size, &mut ours, |batches| {
            world.run(&mut traffic, Counted::Both, batches)
        })?;
        turn(length, Batch::SIZE, &mut bare, |batches| {
            world.run_floor(&mut floor, &mut same, Counted::Both, batches)
        })?;
        if let Some(alone) = &mut alone {
            turn(length, Batch::SIZE, &mut single, |batches| {
                alone.run(&mut of_alone, Counted::Both, batches)
            })?;
        }
        let part = began.elapsed().as_secs_f64() / options.duration.as_secs_f64();
        on_progress(Progress::Measuring(part.min(1.0)));
    }
    Ok(Established {
        ns: median(&mut ours),
        floor_ns: median(&mut bare),
        alone_ns: alone.map(|_| median(&mut single)),
    })
}

/// Adds the strides of one turn, in nanoseconds a packet. `size`: packets of a batch.
fn turn(
    length: Duration,
    size: usize,
    strides: &mut Vec<f64>,
    mut run: impl FnMut(u64) -> Result<Duration, BenchError>,
) -> Result<(), BenchError> {
    let began = Instant::now();
    let batches = STRIDE.div_ceil(size) as u64;
    while began.elapsed() < length / LEAD {
        run(batches)?;
    }
    loop {
        let time = run(batches)?;
        strides.push(time.as_secs_f64() * 1e9 / (batches * size as u64) as f64);
        if began.elapsed() >= length {
            return Ok(());
        }
    }
}

/// Connections that a state is given to take.
const CONNECTIONS: u32 = 65_536;

fn connections_per_second(program: &Arc<Program>, options: &Options) -> Result<f64, BenchError> {
    let mut rates = Vec::new();
    let began = Instant::now();
    while rates.is_empty() || began.elapsed() < options.duration / 4 {
        let time = connect_with(program, [CONNECTIONS; 2], options.workers as usize)?.again;
        rates.push(f64::from(CONNECTIONS) / time.as_secs_f64());
    }
    Ok(median(&mut rates))
}

/// The middle of some numbers; 0 of none.
fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let (lower, upper) = (numbers.len().saturating_sub(1) / 2, numbers.len() / 2);
    match (numbers.get(lower), numbers.get(upper)) {
        (Some(lower), Some(upper)) => (lower + upper) / 2.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_has_plausible_numbers() {
        let options = Options {
            flows: 64,
            size: Size::Imix,
            rules: 3,
            workers: 1,
            duration: Duration::from_millis(1),
        };
        let mut opened = 0.0;
        let measured = measure(&options, &mut |progress| {
            if let Progress::Opening(part) = progress {
                opened = part;
            }
        })
        .unwrap();
        assert_eq!(opened, 1.0);
        assert!(measured.ns_per_packet > 1.0, "{measured:?}");
        assert!(measured.floor_ns > 0.5, "{measured:?}");
        assert!(measured.connections_per_second > 1000.0, "{measured:?}");
        let ratio = measured.ns_per_packet / measured.floor_ns;
        assert!((measured.floor_ratio - ratio).abs() < 1e-9);
        let packets = measured.mpps * measured.ns_per_packet;
        assert!((packets - 1000.0).abs() < 1e-6);
        assert_eq!(measured.times_one_worker, None);
    }

    #[test]
    fn workers_share_the_packets() {
        let options = Options {
            flows: 64,
            size: Size::Least,
            rules: 3,
            workers: 2,
            duration: Duration::from_millis(1),
        };
        let mut opened = vec![0.0];
        let measured = measure(&options, &mut |progress| {
            if let Progress::Opening(part) = progress {
                opened.push(part);
            }
        })
        .unwrap();
        assert!(
            opened.is_sorted() && opened.last() == Some(&1.0),
            "{opened:?}"
        );
        assert_eq!(measured.workers, 2);
        let packets = measured.mpps * measured.ns_per_packet;
        assert!((packets - 2000.0).abs() < 1e-6);
        assert!(measured.times_one_worker.is_some_and(|times| times > 0.0));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&mut []), 0.0);
    }
}
