//! Established flows while somebody floods a server beside them with SYNs from random sources.

use crate::carrier::{Carrier, Way};
use crate::error::BenchError;
use crate::flow::Flow;
use crate::header::{Content, Wanted};
use crate::memory::resident;
use crate::network::{MOST_AT_A_NIC, MOST_AT_THE_GATEWAY, REMOTE_PORT, eip, open_yaml};
use crate::random::Random;
use crate::size::Size;
use crate::traffic::Traffic;
use crate::world::{Counted, World};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vpcsim_dataplane::{Batch, Program};
use vpcsim_network::Network;
use vpcsim_packet::TcpFlags;

/// Live flows of sixteen hosts behind a small NAT gateway, and a server behind it that everybody
/// on the internet reaches by a DNAT rule.
///
/// Tables fill up to their ceilings: the server's nic remembers 131 072 flows, the gateway holds
/// 1 000 000 connections (SEMANTICS §6, §9).
#[derive(Debug)]
pub struct Flood {
    world: World,
    traffic: Traffic,
    random: Random,
}

impl Flood {
    /// Opens so many flows.
    ///
    /// # Errors
    /// When a packet does not arrive, or comes out wrong.
    pub fn new(flows: u32) -> Result<Self, BenchError> {
        let network = Network::from_yaml("flood", &open_yaml(100)).map_err(Box::new)?;
        let world = World::new(&Arc::new(Program::new(network)), flows, &mut |_| {})?;
        Ok(Self {
            traffic: world.traffic(Size::Least),
            world,
            random: Random::new(0xf100d),
        })
    }

    /// So many batches of SYNs, each from another source. Returns what carrying them took, and
    /// how many of them did not reach the server.
    pub fn syns(&mut self, batches: u64) -> (Duration, u64) {
        let (mut time, mut lost) = (Duration::ZERO, 0);
        let World {
            pipeline, writer, ..
        } = &mut self.world;
        // Only the way that the packet travels is read of it.
        let flow = Flow::number(0);
        for _ in 0..batches {
            pipeline.clear();
            for _ in 0..Batch::SIZE {
                let wanted = syn(&mut self.random);
                pipeline.push(&flow, Way::In, writer.write(&wanted));
            }
            let began = Instant::now();
            pipeline.carry();
            time += began.elapsed();
            lost += pipeline.lost() as u64;
        }
        (time, lost)
    }

    /// So many batches of the established flows. Returns what carrying them took.
    ///
    /// # Errors
    /// When a packet does not arrive, or one of the sample comes out wrong.
    pub fn established(&mut self, batches: u64) -> Result<Duration, BenchError> {
        self.world.run(&mut self.traffic, Counted::Both, batches)
    }

    /// Whether no table ever had more than it may have.
    pub fn is_bounded(&self) -> bool {
        let usage = self.world.pipeline.usage();
        let sessions = usage.gateways.iter().map(|gateway| gateway.sessions_peak);
        // The established flows are of other nics.
        let flows = self.world.live.flows() + MOST_AT_A_NIC;
        sessions
            .max()
            .is_some_and(|peak| peak <= MOST_AT_THE_GATEWAY as usize)
            && usage.connections_peak <= flows as usize
    }

    /// Resident memory of the process in bytes, where the system says it.
    pub fn resident() -> Option<u64> {
        resident()
    }
}

/// A SYN to the server from anywhere.
fn syn(random: &mut Random) -> Wanted {
    let bits = random.bits();
    // 64.0.0.0 to 111.255.255.255: hosts that the network knows nothing of.
    let source = Ipv4Addr::from_bits(0x4000_0000 + random.below(0x3000_0000));
    Wanted {
        source: (source, 1024 | bits as u16),
        destination: (eip(0), REMOTE_PORT),
        content: Content::Tcp {
            flags: TcpFlags::SYN,
            sequence: (bits >> 32) as u32,
            acknowledgment: 0,
        },
        len: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_fills_tables_to_their_ceilings_and_leaves_established_flows_alone() {
        let mut flood = Flood::new(256).unwrap();
        let fits = u64::from(MOST_AT_A_NIC) / Batch::SIZE as u64;
        let (_, lost) = flood.syns(fits);
        assert_eq!(lost, 0, "the server's nic has room");
        let (_, lost) = flood.syns(10);
        assert_eq!(lost, 10 * Batch::SIZE as u64, "it has none left");
        assert!(flood.is_bounded());
        // Every one of them arrives, with the right addresses and ports.
        flood.established(20).unwrap();
        assert!(flood.is_bounded());
    }
}
