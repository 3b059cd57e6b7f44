//! A network file, read, and the trace through it.

use super::{Ask, AskError};
use crate::trace::{Run, Trace, Way, run};
use crate::{Endpoint, Expected, expectations};
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Owner, Program};
use vpcsim_network::{CvmId, Network, NicId};
use vpcsim_packet::{FlowKey, Protocol};

/// What a search stands before.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) text: String,
    pub(super) program: Program,
    pub(super) from: Endpoint,
    pub(super) to: Endpoint,
    pub(super) run: Run,
}

impl Scene {
    /// Reads a text and asks it the question.
    pub(super) fn new(ask: &Ask<'_>, text: String) -> Result<Self, AskError> {
        let network = Network::from_yaml(ask.name, &text);
        let network = network.map_err(|errors| AskError::Network(Box::new(errors)))?;
        let program = Program::new(network);
        let from = Endpoint::parse(&program, ask.from)?;
        let to = Endpoint::parse(&program, ask.to)?;
        let run = run(&program, from, to, ask.question)?;
        Ok(Self {
            text,
            program,
            from,
            to,
            run,
        })
    }

    pub(super) fn network(&self) -> &Network {
        self.program.network()
    }

    /// The way of the packet that did not arrive.
    pub(super) fn way(&self) -> Option<&Way> {
        self.run.ways.last()
    }

    /// The packet that did not arrive, as it looked where it ended.
    pub(super) fn key(&self) -> Option<FlowKey> {
        self.way()?.last_key()
    }

    /// Whether that is the reply.
    pub(super) fn is_reply(&self) -> bool {
        self.run.ways.len() > 1
    }

    /// Whether an address only stands for somebody on the internet or behind a gateway, because
    /// nobody was named.
    pub(super) fn stands_for(&self, address: Ipv4Addr) -> Option<Endpoint> {
        let start = self.run.ways.first()?.start?;
        let ends = [(self.from, start.source), (self.to, start.destination)];
        ends.into_iter().find_map(|(end, at)| {
            let somebody = matches!(end, Endpoint::Internet | Endpoint::External(_));
            (somebody && at == address).then_some(end)
        })
    }

    /// The nic that has a private address, in any vpc; of a virtual address its holder.
    pub(super) fn nic_of(&self, address: Ipv4Addr) -> Option<NicId> {
        match self.program.owner_anywhere(address)?.1 {
            Owner::Nic(nic) => Some(nic),
            Owner::Havip(havip) => self.network().havip(havip).holder,
        }
    }

    /// The cvm that the question is put to, where it names one.
    pub(super) fn target(&self) -> Option<CvmId> {
        match self.to {
            Endpoint::Cvm(cvm) => Some(cvm),
            Endpoint::Nic(nic) => Some(self.network().nic(nic).cvm),
            Endpoint::Address(address) => {
                let nic = self.nic_of(address)?;
                Some(self.network().nic(nic).cvm)
            }
            Endpoint::External(_) | Endpoint::Internet => None,
        }
    }

    /// What the file expects, by position: whether it holds, where that says anything about fixes.
    /// An expectation about the very packet that is to be let through does not.
    pub(super) fn held(&self) -> Vec<bool> {
        let expected = expectations(&self.program);
        expected
            .iter()
            .map(|expected| expected.holds && !self.is_about_this(expected))
            .collect()
    }

    /// The expectation of the file that this packet does not get through.
    pub(super) fn expected_blocked(&self) -> Option<String> {
        let expected = expectations(&self.program);
        let mut blocked = expected.iter().filter(|expected| expected.is == "blocked");
        let this = blocked.find(|expected| self.is_about_this(expected))?;
        Some(this.to_string())
    }

    /// Whether an expectation sends the same packet from the same place.
    fn is_about_this(&self, expected: &Expected) -> bool {
        let first = |trace: &Trace| {
            trace
                .legs
                .first()
                .map(|leg| (leg.start.clone(), leg.packet.clone()))
        };
        expected.trace.as_ref().and_then(first) == first(&self.run.trace)
    }

    /// What failed, by names that a change does not move: stages of a search that come back to
    /// the same failure lead nowhere.
    pub(super) fn failure(&self) -> String {
        let leg = self.run.trace.legs.last();
        let element = leg.and_then(|leg| leg.verdict.element.as_ref());
        let element = element.map(|element| format!("{} {}", element.kind, element.name));
        let verdict = leg.map(|leg| (&leg.verdict.stage, &leg.verdict.reason, &leg.verdict.place));
        format!("{} {element:?} {verdict:?}", self.is_reply())
    }
}

/// Ports as a rule for a packet writes them, and how many they are as a power of two. The port
/// that a client chose is one of many: a rule for it has to take them all.
pub(super) fn ports(protocol: Protocol, port: u16, chosen: bool) -> Option<(String, u32)> {
    match protocol {
        Protocol::TCP | Protocol::UDP if chosen => Some((format!("{protocol} 1024-65535"), 16)),
        Protocol::TCP | Protocol::UDP => Some((format!("{protocol} {port}"), 0)),
        Protocol::ICMP => Some(("icmp".to_owned(), 0)),
        _ => None,
    }
}
