//! Flows opened by real packets: handshakes, first datagrams and their answers.

use crate::carrier::{Carrier, Way};
use crate::error::BenchError;
use crate::flow::Flow;
use crate::header::Writer;
use crate::live::{Live, Shot};
use crate::pipeline::Pipeline;
use crate::size::Size;
use crate::world::all_arrived;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Arrived, Program};
use vpcsim_packet::TcpFlags;

/// One packet of every flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) way: Way,
    /// Of a TCP segment.
    pub(crate) flags: TcpFlags,
    /// Seconds without a packet before it.
    after: u32,
}

const fn round(way: Way, flags: u8) -> Round {
    Round {
        way,
        flags: TcpFlags(flags),
        after: 0,
    }
}

/// A SYN or datagram, its answer, and the ACK to that.
pub(crate) const HANDSHAKE: [Round; 3] = [
    round(Way::Out, TcpFlags::SYN.0),
    round(Way::In, TcpFlags::SYN.0 | TcpFlags::ACK.0),
    round(Way::Out, TcpFlags::ACK.0),
];
/// Data. UDP that goes on for more than two seconds is a stream, with a longer timeout: from
/// here on nothing changes any more.
pub(crate) const DATA_OUT: Round = Round {
    after: 3,
    ..round(Way::Out, TcpFlags::PSH.0 | TcpFlags::ACK.0)
};
const DATA_IN: Round = round(Way::In, TcpFlags::PSH.0 | TcpFlags::ACK.0);

impl Round {
    /// Whether a flow has such a packet: UDP has no third one.
    pub(crate) fn is_sent_by(&self, flow: &Flow) -> bool {
        flow.is_tcp() || !self.is_bare()
    }

    /// Whether it is an ACK and nothing else.
    fn is_bare(&self) -> bool {
        self.flags == TcpFlags::ACK
    }

    /// The packet of a flow.
    pub(crate) fn shot(&self, flow: u32) -> Shot {
        Shot {
            flow,
            way: self.way,
            // The writer leaves a SYN no payload either.
            len: if self.is_bare() { 0 } else { Size::SMALLEST },
        }
    }
}

/// Opens every flow and sends a packet in either direction.
pub(crate) fn open_all(
    pipeline: &mut Pipeline,
    live: &mut Live,
    on_progress: &mut dyn FnMut(f64),
) -> Result<(), BenchError> {
    let rounds = HANDSHAKE.iter().chain([&DATA_OUT, &DATA_IN]);
    for (done, round) in rounds.enumerate() {
        let mut part = |part: f64| on_progress((done as f64 + part) / 5.0);
        let all = 0..live.flows();
        send(pipeline, live, all, round, &mut part)?;
    }
    Ok(())
}

/// What new connections take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// Through an empty state, whose tables grow under them.
    pub at_first: Duration,
    /// Through the same state later, when those have ended: its tables have their size.
    pub again: Duration,
}

/// A time after which every unanswered connection has ended.
const FORGOTTEN: u32 = 600;

/// The time that new connections take: their first packets. So many [at first](Connected::at_first), and
/// so many [again](Connected::again).
///
/// # Errors
/// When one of them does not arrive, or comes out wrong.
pub fn connect(program: &Arc<Program>, connections: [u32; 2]) -> Result<Connected, BenchError> {
    connect_with(program, connections, 1)
}

/// The same with so many workers.
pub(crate) fn connect_with(
    program: &Arc<Program>,
    [at_first, again]: [u32; 2],
    workers: usize,
) -> Result<Connected, BenchError> {
    let mut pipeline = Pipeline::new(Arc::clone(program), workers)?;
    let mut open = |connections: u32| {
        pipeline.pause(FORGOTTEN);
        pipeline.expire();
        let (mut live, all) = (Live::new(connections), 0..connections);
        send(&mut pipeline, &mut live, all, &HANDSHAKE[0], &mut |_| {})
    };
    Ok(Connected {
        at_first: open(at_first)?,
        again: open(again)?,
    })
}

/// Sends one packet of each of these flows. Returns the time without what making and checking them took.
pub(crate) fn send(
    pipeline: &mut Pipeline,
    live: &mut Live,
    which: Range<u32>,
    round: &Round,
    on_progress: &mut dyn FnMut(f64),
) -> Result<Duration, BenchError> {
    let mut writer = Writer::new();
    let mut time = Duration::ZERO;
    pipeline.pause(round.after);
    let Range {
        start: mut next,
        end: flows,
    } = which;
    while next < flows {
        pipeline.clear();
        let mut sent = Vec::with_capacity(pipeline.size());
        let mut wanted = Arrived::default();
        while next < flows && sent.len() < pipeline.size() {
            let (shot, flow) = (round.shot(next), Flow::number(next));
            next += 1;
            if !round.is_sent_by(&flow) {
                continue;
            }
            let packet = live.packet(&shot, &flow, round.flags);
            pipeline.push(&flow, round.way, writer.write(&packet));
            live.sent(&shot, &flow, round.flags);
            round.way.count(&mut wanted);
            sent.push(shot);
        }
        let began = Instant::now();
        let arrived = pipeline.carry();
        time += began.elapsed();
        all_arrived(pipeline, wanted, arrived)?;
        for (index, shot) in sent.iter().enumerate() {
            let Some(packet) = pipeline.packet(index) else {
                continue;
            };
            if round.flags == TcpFlags::SYN {
                live.learn(shot.flow, packet)?;
            } else {
                live.check(shot, packet)?;
            }
        }
        on_progress(f64::from(next) / f64::from(flows));
    }
    Ok(time)
}
