//! What it costs live flows when many others end.

use crate::carrier::Carrier;
use crate::error::BenchError;
use crate::flow::Flow;
use crate::header::Writer;
use crate::live::Live;
use crate::opening::{HANDSHAKE, open_all, send};
use crate::pipeline::{PACE, Pipeline};
use crate::size::Size;
use crate::traffic::Traffic;
use crate::world::all_arrived;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Arrived, Batch, Program};
use vpcsim_packet::TcpFlags;

/// How long batches took while connections ended between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// Batches that were carried.
    pub batches: usize,
    /// The middle of them.
    pub median: Duration,
    /// One of a thousand took longer.
    pub permille: Duration,
    /// The longest.
    pub worst: Duration,
}

/// Flows that go on all the time.
const LIVE: u32 = 1024;
const SECOND: u64 = 1_000_000_000;
/// When a first packet that nobody answers is forgotten, in seconds after it: UDP at a nic, TCP at
/// both, UDP at a gateway (the defaults).
const ENDS: [u64; 3] = [30, 120, 180];

/// How virtual time passes.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// What is done for an end is spread over some time before it: that much is carried at full
    /// speed before the first end and after the last one.
    early: u64,
    /// Between two packets for the rest, when nothing ends.
    pace: u64,
}

/// 2 ms for a batch while nothing ends.
const CLOCK: Clock = Clock {
    early: 3 * SECOND,
    pace: 8_000,
};

/// The same measurement is made so often, and for each batch the shortest time counts: what the
/// machine did meanwhile happens to other batches each time.
const TIMES: usize = 3;

/// Opens so many connections that nobody answers, as fast as 5 Gbit/s of their first packets come,
/// and carries packets of some live flows until all of them have ended, at the same speed while
/// they do.
///
/// # Errors
/// When a packet of the live flows does not arrive.
pub fn expiry(program: &Arc<Program>, connections: u32) -> Result<Pauses, BenchError> {
    let mut shortest = Vec::new();
    for _ in 0..TIMES {
        let times = run(program, connections, CLOCK)?;
        if shortest.is_empty() {
            shortest = times;
        } else {
            for (shortest, time) in shortest.iter_mut().zip(times) {
                *shortest = time.min(*shortest);
            }
        }
    }
    shortest.sort_unstable();
    let at = |part: usize| {
        let index = (shortest.len() * part / 1000).min(shortest.len().saturating_sub(1));
        shortest.get(index).copied().unwrap_or_default()
    };
    Ok(Pauses {
        batches: shortest.len(),
        median: at(500),
        permille: at(999),
        worst: at(1000),
    })
}

/// The time of each batch.
fn run(
    program: &Arc<Program>,
    connections: u32,
    clock: Clock,
) -> Result<Vec<Duration>, BenchError> {
    let mut pipeline = Pipeline::new(Arc::clone(program), 1)?;
    let mut live = Live::new(LIVE);
    open_all(&mut pipeline, &mut live, &mut |_| {})?;
    let first = pipeline.elapsed();
    let mut others = Live::new(LIVE + connections);
    let which = LIVE..LIVE + connections;
    send(
        &mut pipeline,
        &mut others,
        which,
        &HANDSHAKE[0],
        &mut |_| {},
    )?;
    let last = pipeline.elapsed();
    let mut traffic = Traffic::new(LIVE, Size::Least);
    let mut times = Vec::new();
    loop {
        let now = pipeline.elapsed();
        let ends =
            ENDS.map(|end| first + end * SECOND - clock.early..last + end * SECOND + clock.early);
        if now > ends[2].end {
            return Ok(times);
        }
        let ending = ends.iter().any(|span| span.contains(&now));
        pipeline.set_pace(if ending { PACE } else { clock.pace });
        times.push(batch(&mut pipeline, &mut live, &mut traffic)?);
    }
}

/// A batch of the live flows.
fn batch(
    pipeline: &mut Pipeline,
    live: &mut Live,
    traffic: &mut Traffic,
) -> Result<Duration, BenchError> {
    let mut writer = Writer::new();
    let mut wanted = Arrived::default();
    pipeline.clear();
    for _ in 0..Batch::SIZE {
        let shot = traffic.next(None);
        let flow = Flow::number(shot.flow);
        let flags = TcpFlags::PSH | TcpFlags::ACK;
        let packet = live.packet(&shot, &flow, flags);
        pipeline.push(&flow, shot.way, writer.write(&packet));
        live.sent(&shot, &flow, flags);
        shot.way.count(&mut wanted);
    }
    let began = Instant::now();
    let arrived = pipeline.carry();
    let time = began.elapsed();
    all_arrived(pipeline, wanted, arrived)?;
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::program;

    #[test]
    fn live_flows_go_on_while_others_end() {
        let program = program(1).unwrap();
        let clock = Clock {
            early: SECOND / 100,
            pace: 100_000,
        };
        // An error if one of their packets did not arrive.
        let times = run(&program, 2_000, clock).unwrap();
        assert!(times.len() > 7_000, "{}", times.len());
    }
}
