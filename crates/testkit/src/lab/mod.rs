//! A network on the bench: send packets one by one, look at what became of each.

mod answer;
mod end;

pub use end::{End, Seen};

use crate::Craft;
use std::net::Ipv4Addr;
use std::sync::Arc;
use vpcsim_dataplane::{
    Arrival, Nanos, Place, Program, Source, State, Stop, Verdict, advance, walk,
};
use vpcsim_network::{CvmId, ExternalId, Network, NicId};
use vpcsim_packet::Headers;

/// When a lab's clock starts: 2023-11-14 22:13:20 UTC.
const START: Nanos = Nanos(1_700_000_000_000_000_000);

/// Reads a network file and compiles it.
///
/// # Panics
/// When the file has errors; the message is all of them, as a person would see them.
pub fn net(yaml: &str) -> Program {
    match Network::from_yaml("test.yaml", yaml) {
        Ok(network) => Program::new(network),
        Err(errors) => panic!("{}", rendered(errors)),
    }
}

fn rendered(errors: vpcsim_network::NetworkErrors) -> String {
    let plain = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
    let mut text = String::new();
    match plain.render_report(&mut text, &errors) {
        Ok(()) => text,
        Err(_) => format!("{errors}\n{errors:#?}"),
    }
}

/// A network with its state and a clock that moves only by [`Lab::wait`].
///
/// ```
/// use vpcsim_testkit::{Lab, tcp};
///
/// let mut lab = Lab::new("
/// regions: {home: {zones: [home-1]}}
/// vpcs:
///   shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}
/// cvms:
///   a: {subnet: web, address: 10.0.1.10}
///   b: {subnet: web, address: 10.0.1.11}
/// ");
/// let syn = lab.send(tcp("10.0.1.10:40000", "10.0.1.11:80").syn());
/// syn.delivered_at("b/eth0");
/// lab.reply_to(&syn).delivered_at("a/eth0");
/// lab.send(tcp("10.0.1.10:40000", "10.0.9.9:80").syn()).dropped("no-such-host", "route", "shop");
/// ```
#[derive(Debug)]
pub struct Lab {
    program: Arc<Program>,
    state: State,
    now: Nanos,
    sent: u64,
}

impl Lab {
    /// A lab for a network file.
    ///
    /// # Panics
    /// When the file has errors; the message is all of them.
    pub fn new(yaml: &str) -> Self {
        Self::of(net(yaml))
    }

    /// A lab for a compiled network.
    pub fn of(program: Program) -> Self {
        Self {
            state: State::new(&program),
            program: Arc::new(program),
            now: START,
            sent: 0,
        }
    }

    /// The compiled network.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What packets have left behind.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The lab's clock.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Goes on under a changed network ([`State::adopt`]).
    ///
    /// # Panics
    /// When the file has errors; the message is all of them.
    pub fn adopt(&mut self, yaml: &str) {
        let program = net(yaml);
        self.state.adopt(&self.program, &program);
        self.program = Arc::new(program);
    }

    /// Lets time pass. What ends by it (fragments that waited too long) is in the [`End`]; its
    /// verdict says nothing.
    pub fn wait(&mut self, seconds: u32) -> End {
        self.now = self.now.after_seconds(seconds);
        let (mut seen, mut others) = (Vec::new(), Vec::new());
        let program = Arc::clone(&self.program);
        let mut observer = |stop: &Stop<'_>| seen.push(Seen::of(&program, stop));
        advance(
            &program,
            &mut self.state,
            self.now,
            &mut observer,
            &mut others,
        );
        End::new(program, Verdict::Held, Vec::new(), seen, others)
    }

    /// Lets nanoseconds pass.
    pub fn wait_nanos(&mut self, nanos: u64) {
        self.now = Nanos(self.now.0.saturating_add(nanos));
    }

    /// Sends a packet: from where it says ([`Craft::at`]), else from where its source address
    /// belongs (SEMANTICS §12).
    ///
    /// # Panics
    /// When it names a place that the network does not have.
    pub fn send(&mut self, packet: impl Into<Craft>) -> End {
        let packet = packet.into();
        let bytes = packet.bytes();
        let source = match packet.place() {
            Some(place) => Some(self.place(place)),
            None => self.attribute(&bytes),
        };
        match source {
            Some(source) => self.send_at(source, bytes),
            None => {
                let program = Arc::clone(&self.program);
                End::new(
                    program,
                    Verdict::Unattributed,
                    bytes,
                    Vec::new(),
                    Vec::new(),
                )
            }
        }
    }

    /// Sends a packet from a place: `web-1`, `web-1/eth0`, `internet`, `external:office`.
    ///
    /// # Panics
    /// When the network has no such place.
    pub fn send_from(&mut self, place: &str, packet: impl Into<Craft>) -> End {
        self.send(packet.into().at(place))
    }

    /// Sends a packet from the internet.
    pub fn from_internet(&mut self, packet: impl Into<Craft>) -> End {
        self.send_from("internet", packet)
    }

    /// Sends what the receiver of a delivered packet would answer, from where it was delivered:
    /// addresses swapped; SYN → SYN-ACK, SYN-ACK → ACK, FIN → FIN-ACK, data → ACK; UDP → a
    /// datagram; echo request → echo reply; other protocols → the same payload.
    ///
    /// # Panics
    /// When it was not delivered to somebody who answers, or has no answer (a RST, an ICMP error).
    pub fn reply_to(&mut self, end: &End) -> End {
        let source = match end.verdict() {
            Verdict::Delivered(Place::Nic(nic)) => Source::Cvm(self.program.network().nic(nic).cvm),
            Verdict::Delivered(Place::Internet) => Source::Internet,
            Verdict::Delivered(Place::External(external)) => Source::External(external),
            _ => panic!("nobody is there to answer this:\n{end}"),
        };
        let Some(answer) = answer::to(end.bytes()) else {
            panic!("this has no answer:\n{end}");
        };
        self.send_at(source, answer)
    }

    /// Sends bytes from a source.
    pub fn send_at(&mut self, source: Source, mut bytes: Vec<u8>) -> End {
        let arrival = Arrival {
            id: self.sent,
            time: self.now,
            source,
        };
        self.sent += 1;
        let (mut seen, mut others) = (Vec::new(), Vec::new());
        let program = Arc::clone(&self.program);
        let mut observer = |stop: &Stop<'_>| seen.push(Seen::of(&program, stop));
        let walked = walk(
            &program,
            &mut self.state,
            arrival,
            &mut bytes,
            &mut observer,
            &mut others,
        );
        End::new(program, walked.verdict, bytes, seen, others)
    }

    /// Where a packet comes from by its source address (SEMANTICS §12); `None`: nobody's.
    pub fn attribute(&self, bytes: &[u8]) -> Option<Source> {
        // Too broken to have a source: the walk says so wherever it starts.
        let Ok(headers) = Headers::parse(bytes) else {
            return Some(Source::Internet);
        };
        attribute(&self.program, headers.source)
    }

    fn place(&self, name: &str) -> Source {
        let network = self.program.network();
        if name == "internet" {
            return Source::Internet;
        }
        if let Some(name) = name.strip_prefix("external:")
            && let Some(index) = network.externals.iter().position(|e| e.name == name)
        {
            return Source::External(ExternalId(index as u32));
        }
        if let Some(index) = network.cvms.iter().position(|cvm| cvm.name == name) {
            return Source::Cvm(CvmId(index as u32));
        }
        let nics = (0..network.nics.len() as u32).map(NicId);
        nics.into_iter()
            .find(|&nic| self.program.nic_name(nic) == name)
            .map_or_else(|| panic!("the network has no place {name:?}"), Source::Nic)
    }
}

/// Where a packet with this source comes from (SEMANTICS §12): the host that owns it, a gateway
/// with it behind it, nobody when it lies in a vpc and is nobody's, else the internet.
pub fn attribute(program: &Program, source: Ipv4Addr) -> Option<Source> {
    if let Some(cvm) = program.sender(source) {
        return Some(Source::Cvm(cvm));
    }
    if let Some(external) = program.external_of(source) {
        return Some(Source::External(external));
    }
    (!program.is_private(source)).then_some(Source::Internet)
}
