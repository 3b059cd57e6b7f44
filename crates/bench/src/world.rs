//! A dataplane with live flows in it, and the bare loop beside it on the same packets.

use crate::carrier::{Carrier, Way};
use crate::error::BenchError;
use crate::floor::Floor;
use crate::flow::Flow;
use crate::header::Writer;
use crate::live::{Live, Shot};
use crate::network::network;
use crate::opening;
use crate::pipeline::Pipeline;
use crate::size::Size;
use crate::traffic::Traffic;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Arrived, Program};
#[cfg(doc)]
use vpcsim_dataplane::{Batch, Round};
use vpcsim_packet::TcpFlags;

/// A program, its state with live flows, and what makes packets of them.
#[derive(Debug)]
pub struct World {
    pub(crate) pipeline: Pipeline,
    pub(crate) live: Live,
    pub(crate) writer: Writer,
}

/// Which packets count. Both directions of a flow go on in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// All: each batch has packets of both directions.
    Both,
    /// Those of one direction: each batch has one direction, and batches take turns.
    Only(Way),
}

/// The program of [`network`] with so many security-group rules.
///
/// # Errors
/// None that a number of rules can bring about.
pub fn program(rules: u32) -> Result<Arc<Program>, BenchError> {
    Ok(Arc::new(Program::new(network(rules)?)))
}

impl World {
    /// Opens so many flows through the dataplane and sends a packet of each in either direction.
    /// `on_progress` is called with how much of it is done, from 0 to 1.
    ///
    /// # Errors
    /// When a packet does not arrive, or comes out wrong.
    pub fn new(
        program: &Arc<Program>,
        flows: u32,
        on_progress: &mut dyn FnMut(f64),
    ) -> Result<Self, BenchError> {
        Self::with_workers(program, flows, 1, on_progress)
    }

    /// The same with so many workers.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when there is no thread left.
    pub fn with_workers(
        program: &Arc<Program>,
        flows: u32,
        workers: usize,
        on_progress: &mut dyn FnMut(f64),
    ) -> Result<Self, BenchError> {
        let mut world = Self {
            pipeline: Pipeline::new(Arc::clone(program), workers)?,
            live: Live::new(flows),
            writer: Writer::new(),
        };
        opening::open_all(&mut world.pipeline, &mut world.live, on_progress)?;
        Ok(world)
    }

    /// Packets of one batch: [`Batch::SIZE`], and with workers [`Round::SIZE`].
    pub fn batch_size(&self) -> usize {
        self.pipeline.size()
    }

    /// Packets of the live flows, from the beginning.
    pub fn traffic(&self, size: Size) -> Traffic {
        Traffic::new(self.live.flows(), size)
    }

    /// The bare loop for the same flows.
    ///
    /// # Errors
    /// When there is no memory for its table.
    pub fn floor(&self) -> Result<Floor, BenchError> {
        Floor::new(&self.live)
    }

    /// Carries so many batches through every stage. Returns the time that this took, without what
    /// making and checking packets took.
    ///
    /// # Errors
    /// When a packet does not arrive, or one of the sample comes out wrong.
    pub fn run(
        &mut self,
        traffic: &mut Traffic,
        counted: Counted,
        batches: u64,
    ) -> Result<Duration, BenchError> {
        let mut lane = Lane {
            live: &mut self.live,
            writer: &mut self.writer,
            goes_on: true,
        };
        lane.run(&mut self.pipeline, traffic, counted, batches)
    }

    /// The same for the bare loop, whose packets leave the flows where they are: what it carries
    /// are the packets that [`run`](Self::run) would, but for TCP sequence numbers.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_floor(
        &mut self,
        floor: &mut Floor,
        traffic: &mut Traffic,
        counted: Counted,
        batches: u64,
    ) -> Result<Duration, BenchError> {
        let mut lane = Lane {
            live: &mut self.live,
            writer: &mut self.writer,
            goes_on: false,
        };
        lane.run(floor, traffic, counted, batches)
    }
}

/// Makes packets, has them carried, and looks at what comes out.
struct Lane<'a> {
    live: &'a mut Live,
    writer: &'a mut Writer,
    /// Whether flows go on with what is sent.
    goes_on: bool,
}

impl Lane<'_> {
    fn run(
        &mut self,
        carrier: &mut impl Carrier,
        traffic: &mut Traffic,
        counted: Counted,
        batches: u64,
    ) -> Result<Duration, BenchError> {
        let mut time = Duration::ZERO;
        for _ in 0..batches {
            match counted {
                Counted::Both => time += self.batch(carrier, traffic, None)?,
                Counted::Only(way) => {
                    time += self.batch(carrier, traffic, Some(way))?;
                    self.batch(carrier, traffic, Some(way.opposite()))?;
                }
            }
        }
        Ok(time)
    }

    /// One batch, in one direction or both.
    fn batch(
        &mut self,
        carrier: &mut impl Carrier,
        traffic: &mut Traffic,
        way: Option<Way>,
    ) -> Result<Duration, BenchError> {
        carrier.clear();
        let mut wanted = Arrived::default();
        let sampled = traffic.below(carrier.size() as u32) as usize;
        let mut sample = None;
        for index in 0..carrier.size() {
            let shot = traffic.next(way);
            self.push(carrier, &shot);
            shot.way.count(&mut wanted);
            if index == sampled {
                sample = Some(shot);
            }
        }
        let began = Instant::now();
        let arrived = carrier.carry();
        let time = began.elapsed();
        all_arrived(carrier, wanted, arrived)?;
        if let (Some(shot), Some(packet)) = (sample, carrier.packet(sampled)) {
            self.live.check(&shot, packet)?;
        }
        Ok(time)
    }

    fn push(&mut self, carrier: &mut impl Carrier, shot: &Shot) {
        let flow = Flow::number(shot.flow);
        let flags = TcpFlags::PSH | TcpFlags::ACK;
        let packet = self.live.packet(shot, &flow, flags);
        carrier.push(&flow, shot.way, self.writer.write(&packet));
        if self.goes_on {
            self.live.sent(shot, &flow, flags);
        }
    }
}

/// Whether as many packets arrived as were sent.
pub(crate) fn all_arrived(
    carrier: &impl Carrier,
    wanted: Arrived,
    arrived: Arrived,
) -> Result<(), BenchError> {
    if wanted == arrived {
        return Ok(());
    }
    Err(BenchError::Lost {
        wanted,
        arrived,
        first: carrier.first_lost(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both carriers check one packet of each batch; here all of them are.
    fn checked(world: &mut World, carrier: &mut impl Carrier, size: Size) {
        let mut traffic = world.traffic(size);
        for _ in 0..8 {
            carrier.clear();
            let shots: Vec<Shot> = (0..carrier.size()).map(|_| traffic.next(None)).collect();
            let mut lane = Lane {
                live: &mut world.live,
                writer: &mut world.writer,
                goes_on: true,
            };
            for shot in &shots {
                lane.push(carrier, shot);
            }
            carrier.carry();
            for (index, shot) in shots.iter().enumerate() {
                world
                    .live
                    .check(shot, carrier.packet(index).unwrap())
                    .unwrap();
            }
        }
    }

    fn alone(program: &Arc<Program>) -> Pipeline {
        Pipeline::new(Arc::clone(program), 1).unwrap()
    }

    #[test]
    fn workers_translate_as_one_does() {
        let program = program(10).unwrap();
        for workers in [2, 3] {
            let mut world = World::with_workers(&program, 1000, workers, &mut |_| {}).unwrap();
            let mut pipeline = std::mem::replace(&mut world.pipeline, alone(&program));
            checked(&mut world, &mut pipeline, Size::Imix);
        }
    }

    #[test]
    fn floor_and_pipeline_translate_alike() {
        let program = program(10).unwrap();
        for flows in [1, 2, 1000] {
            let mut world = World::new(&program, flows, &mut |_| {}).unwrap();
            let mut floor = world.floor().unwrap();
            for size in Size::ALL {
                checked(&mut world, &mut floor, size);
            }
            let mut pipeline = std::mem::replace(&mut world.pipeline, alone(&program));
            for size in Size::ALL {
                checked(&mut world, &mut pipeline, size);
            }
        }
    }

    #[test]
    fn what_does_not_arrive_is_an_error() {
        let program = program(10).unwrap();
        let mut world = World::new(&program, 100, &mut |_| {}).unwrap();
        let mut traffic = world.traffic(Size::Least);
        // A state that knows none of the flows.
        world.pipeline = alone(&program);
        let lost = world.run(&mut traffic, Counted::Only(Way::In), 1);
        let text = lost.unwrap_err().to_string();
        assert!(text.contains("0 arrived"), "{text}");
        assert!(text.contains("no-nat-session"), "{text}");
    }

    #[test]
    fn a_packet_that_is_wrong_is_an_error() {
        let program = program(10).unwrap();
        let world = World::new(&program, 100, &mut |_| {}).unwrap();
        let mut traffic = world.traffic(Size::Least);
        let shot = traffic.next(Some(Way::Out));
        let flow = Flow::number(shot.flow);
        let packet = world.live.packet(&shot, &flow, TcpFlags::ACK);
        // It was not translated at all.
        let packet = Writer::new().write(&packet).to_vec();
        let text = world.live.check(&shot, &packet).unwrap_err().to_string();
        assert!(text.contains(&flow.inside.0.to_string()), "{text}");
        // It was translated, and a byte of its payload changed.
        let (source, destination) = world.live.arrives_as(&shot, &flow);
        let mut wanted = world.live.packet(&shot, &flow, TcpFlags::ACK);
        (wanted.source, wanted.destination) = (source, destination);
        let mut packet = Writer::new().write(&wanted).to_vec();
        world.live.check(&shot, &packet).unwrap();
        packet[45] ^= 1;
        let text = world.live.check(&shot, &packet).unwrap_err().to_string();
        assert!(text.contains("transport checksum"), "{text}");
    }
}
