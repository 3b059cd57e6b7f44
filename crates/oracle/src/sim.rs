//! The dataplane on the bench: the same packets, one by one.

use vpcsim_dataplane::{
    Arrival, Decision, Element, Nanos, Outcome, Place, Program, Source, Stage, State, Stop,
    Verdict, advance, walk,
};
use vpcsim_network::{ExternalId, NicId};

/// When the clock starts.
const START: Nanos = Nanos(1_700_000_000_000_000_000);

/// A network with its state.
#[derive(Debug)]
pub(crate) struct Sim {
    program: Program,
    state: State,
    now: Nanos,
    sent: u64,
}

/// What became of one packet, and of those made or released on account of it.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Of the packet itself.
    pub(crate) verdict: Verdict,
    /// Where packets arrived, as they look there; the packet itself first.
    pub(crate) delivered: Vec<(Place, Vec<u8>)>,
    /// Packets that a host passed on or sent, and the nic that it chose.
    pub(crate) sent: Vec<(NicId, Vec<u8>)>,
}

impl Sim {
    /// For a network file.
    ///
    /// # Panics
    /// When the file has errors: it is part of this crate.
    pub(crate) fn new(yaml: &str) -> Self {
        let program = vpcsim_testkit::net(yaml);
        Self {
            state: State::new(&program),
            program,
            now: START,
            sent: 0,
        }
    }

    /// Forgets everything that packets have left behind.
    pub(crate) fn reset(&mut self) {
        self.state = State::new(&self.program);
        self.now = START;
    }

    /// Sets the clock to this long after the last [`reset`](Self::reset).
    pub(crate) fn set_clock(&mut self, since_start: std::time::Duration) {
        self.now = Nanos(START.0 + since_start.as_nanos() as u64);
        advance(
            &self.program,
            &mut self.state,
            self.now,
            &mut (),
            &mut Vec::new(),
        );
    }

    /// The nic with this name, `host/eth0`.
    ///
    /// # Panics
    /// When there is none: the network file is part of this crate.
    pub(crate) fn nic(&self, name: &str) -> NicId {
        let mut nics = (0..self.program.network().nics.len() as u32).map(NicId);
        match nics.find(|&nic| self.program.nic_name(nic) == name) {
            Some(nic) => nic,
            None => panic!("no nic {name}"),
        }
    }

    /// Behind the first external gateway.
    pub(crate) fn external() -> Source {
        Source::External(ExternalId(0))
    }

    /// A packet starts at a place.
    pub(crate) fn send(&mut self, source: Source, packet: &[u8]) -> Ended {
        let mut bytes = packet.to_vec();
        let mut others = Vec::new();
        let mut sent = Vec::new();
        let mut observer = |stop: &Stop<'_>| {
            if matches!(stop.stage, Stage::Host | Stage::HostEgress)
                && let (Decision::Pass(Outcome::Forwarded), Element::Nic(nic)) =
                    (stop.decision, stop.element)
            {
                sent.push((nic, stop.bytes.to_vec()));
            }
        };
        let arrival = Arrival {
            id: self.sent,
            time: self.now,
            source,
        };
        self.sent += 1;
        let walked = walk(
            &self.program,
            &mut self.state,
            arrival,
            &mut bytes,
            &mut observer,
            &mut others,
        );
        let own = (!walked.cut).then_some((walked.verdict, bytes));
        let all = own
            .into_iter()
            .chain(others.into_iter().map(|other| (other.verdict, other.bytes)));
        let delivered = all.filter_map(|(verdict, bytes)| match verdict {
            Verdict::Delivered(place) => Some((place, bytes)),
            _ => None,
        });
        Ended {
            verdict: walked.verdict,
            delivered: delivered.collect(),
            sent,
        }
    }
}
