//! Settings that the benches share.
#![forbid(unsafe_code)]

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, Throughput};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use vpcsim_bench::{BenchError, Size};
use vpcsim_dataplane::{Batch, Program};
use vpcsim_replay::{Input, Options, Sink, replay};

/// How many flows are live: from one to more than caches hold, and, with `VPCSIM_LONG_BENCHES` set,
/// as many as the largest gateway holds.
pub fn flows() -> Vec<u32> {
    let mut flows = vec![1, 1_024, 65_536, 1_048_576];
    if std::env::var_os("VPCSIM_LONG_BENCHES").is_some() {
        flows.push(vpcsim_bench::MOST_FLOWS);
    }
    flows
}

/// Few and short samples, so that a whole bench takes about a minute.
pub fn short(group: &mut BenchmarkGroup<'_, WallTime>) {
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
}

/// What one iteration carries: a batch.
pub fn batch_of(size: Size) -> Throughput {
    let packets = Batch::SIZE as u64;
    Throughput::ElementsAndBytes {
        elements: packets,
        bytes: (size.mean_packet() * packets as f64) as u64,
    }
}

/// Has `run` carry as many batches as criterion asks for; the time is the one that it returns.
///
/// # Panics
/// When a packet comes out wrong.
pub fn iterate(
    bencher: &mut Bencher<'_, WallTime>,
    mut run: impl FnMut(u64) -> Result<Duration, BenchError>,
) {
    bencher.iter_custom(|batches| run(batches).expect("every packet arrives as it should"));
}

/// Replays a capture of so many packets, all of which arrive.
///
/// # Panics
/// When one does not, or the capture is damaged.
pub fn replayed(
    program: &Program,
    capture: &Path,
    workers: usize,
    packets: u64,
    sink: &mut dyn Sink,
) {
    let input = Input::open(capture).expect("a capture");
    let options = Options {
        workers,
        ..Options::default()
    };
    let report = replay(program, vec![input], &options, sink, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("a capture without damage");
    assert_eq!(report.verdicts.delivered, packets);
}
