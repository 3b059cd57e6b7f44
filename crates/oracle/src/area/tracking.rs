//! Security-group tracking against `ct state established,related accept` and rules.

use super::filter::{HOST, REFUSED, World};
use super::{Area, Difference, Tally};
use crate::conversation::{Flow, Side, Step};
use crate::exceptions::Exception;
use crate::resets::Resets;
use crate::rng::Rng;
use crate::talk::Talk;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_packet::Protocol;

const PEER: Ipv4Addr = Ipv4Addr::new(192, 168, 3, 4);
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 250, 1);

/// Both sides, for every combination of policies.
#[derive(Debug)]
pub(crate) struct Tracking {
    worlds: Vec<World>,
}

impl Tracking {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new() -> io::Result<Self> {
        let combinations = [(true, false), (true, true), (false, false), (false, true)];
        let worlds = combinations
            .into_iter()
            .map(|(judged, strict)| World::new(judged, strict, &[]))
            .collect::<io::Result<_>>()?;
        Ok(Self { worlds })
    }
}

impl Area for Tracking {
    type Step = Step;

    fn setups(&self) -> usize {
        self.worlds.len()
    }

    fn setup_name(&self, setup: usize) -> String {
        self.worlds[setup].name()
    }

    fn generate(&mut self, _: usize, rng: &mut Rng) -> Vec<Step> {
        let wild = rng.pick(&[0, 10, 30]);
        let routers = [(Side::Outside, ROUTER)];
        let mut talks: Vec<Talk> = (0..1 + rng.below(4))
            .map(|_| {
                let flow = flow(rng);
                let client = rng.pick(&[Side::Inside, Side::Outside]);
                Talk::new(flow, client, wild, &routers, rng)
            })
            .collect();
        let steps = 8 + rng.below(40);
        (0..steps)
            .map(|_| {
                let at = rng.below(talks.len());
                talks[at].step(rng)
            })
            .collect()
    }

    fn run(&mut self, setup: usize, steps: &[Step]) -> io::Result<Tally> {
        let world = &mut self.worlds[setup];
        world.kernel.forget_connections()?;
        world.sim.reset();
        let mut tally = Tally::default();
        let mut resets = Resets::default();
        for (place, step) in steps.iter().enumerate() {
            resets.see(step);
            tally.packets += 1;
            let Some(text) = world.step(step)? else {
                continue;
            };
            if !world.judged && resets.doubtful(&step.flow) {
                tally.except(Exception::AnyResetCloses);
                continue;
            }
            tally.difference = Some(Difference { step: place, text });
            break;
        }
        Ok(tally)
    }
}

fn flow(rng: &mut Rng) -> Flow {
    let protocol = rng.pick(&[
        Protocol::TCP,
        Protocol::TCP,
        Protocol::TCP,
        Protocol::UDP,
        Protocol::ICMP,
        Protocol::GRE,
    ]);
    let peer = rng.pick(&[PEER, PEER, REFUSED]);
    let (inside, outside) = match protocol {
        Protocol::TCP | Protocol::UDP => (rng.pick(&[80, 40_000]), rng.pick(&[443, 50_000])),
        Protocol::ICMP => {
            let identifier = rng.pick(&[7, 9]);
            (identifier, identifier)
        }
        _ => (0, 0),
    };
    Flow {
        protocol,
        inside: (HOST, inside),
        outside: (peer, outside),
    }
}
