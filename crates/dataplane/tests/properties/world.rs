//! A network and packets for it, carried one by one, and readable when a property fails.

use proptest::prelude::*;
use proptest::test_runner::Config;
use std::fmt;
use vpcsim_dataplane::{
    Arrival, Decision, DropReason, Element, Nanos, Other, Program, Source, Stage, State, Stop,
    Verdict, Walked, advance, walk,
};
use vpcsim_network::Network;
use vpcsim_packet::{FlowKey, Headers, Transport};
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::{Sent, worlds};

/// This many cases, scaled by `PROPTEST_CASES` / 256.
pub(crate) fn cases(cases: u32) -> Config {
    let asked = Config::default();
    Config {
        cases: (cases * asked.cases / 256).max(1),
        max_shrink_iters: 4_000,
        ..asked
    }
}

/// A network file and packets for it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) text: String,
    pub(crate) sent: Vec<Sent>,
}

/// Any network, any conversation in it.
pub(crate) fn any_world() -> impl Strategy<Value = World> {
    worlds().prop_map(|(text, sent)| World { text, sent })
}

impl World {
    pub(crate) fn program(&self) -> Program {
        net(&self.text)
    }

    /// The same network with something changed.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Network)) -> Program {
        changed(&self.text, change)
    }
}

/// A network file with something changed.
pub(crate) fn changed(text: &str, change: impl FnOnce(&mut Network)) -> Program {
    let mut network = net(text).network().clone();
    change(&mut network);
    Program::new(network)
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.text)?;
        for (id, sent) in self.sent.iter().enumerate() {
            writeln!(f, "{id}: {}", Shown(sent))?;
        }
        Ok(())
    }
}

/// A packet in one line.
pub(crate) struct Shown<'a>(pub(crate) &'a Sent);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sent {
            time,
            source,
            bytes,
        } = self.0;
        let seconds = time.0 as f64 / 1e9;
        write!(f, "{seconds:.9} s, {source:?}: {}", describe(bytes))
    }
}

/// Headers in words, or the bytes.
pub(crate) fn describe(bytes: &[u8]) -> String {
    let Ok(headers) = Headers::parse(bytes) else {
        return format!("{bytes:02x?}");
    };
    let length = headers.total_len;
    let more = if headers.more_fragments { " more" } else { "" };
    let part = format!(
        "id {} offset {}{more} ttl {} length {length}",
        headers.identification, headers.fragment_offset, headers.ttl
    );
    match (FlowKey::of(&headers), headers.transport) {
        (Some(key), Transport::Tcp(tcp)) => format!(
            "{key} {} seq {} ack {} {part}",
            tcp.flags, tcp.sequence, tcp.acknowledgment
        ),
        (Some(key), _) => format!("{key} {part}"),
        (None, _) => format!(
            "{} {} > {} {part}",
            headers.protocol, headers.source, headers.destination
        ),
    }
}

/// One stop, kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Noted {
    pub(crate) id: u64,
    pub(crate) generated: bool,
    pub(crate) stage: Stage,
    pub(crate) element: Element,
    pub(crate) decision: Decision,
    pub(crate) headers: Headers,
}

/// How one walk ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    pub(crate) walked: Walked,
    pub(crate) bytes: Vec<u8>,
    pub(crate) others: Vec<Other>,
}

impl Ended {
    pub(crate) fn verdict(&self) -> Verdict {
        self.walked.verdict
    }

    pub(crate) fn key(&self) -> FlowKey {
        FlowKey::of(&Headers::parse(&self.bytes).unwrap()).unwrap()
    }

    pub(crate) fn dropped(&self) -> Option<vpcsim_dataplane::Drop> {
        dropped(self.walked.verdict)
    }

    /// Every packet that ended in this walk.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Verdict, &[u8])> {
        let others = self.others.iter();
        let others = others.map(|other| (other.verdict, other.bytes.as_slice()));
        [(self.walked.verdict, self.bytes.as_slice())]
            .into_iter()
            .chain(others)
    }
}

pub(crate) fn dropped(verdict: Verdict) -> Option<vpcsim_dataplane::Drop> {
    match verdict {
        Verdict::Dropped(drop) => Some(drop),
        _ => None,
    }
}

pub(crate) fn reason(verdict: Verdict) -> Option<DropReason> {
    dropped(verdict).map(|drop| drop.reason)
}

/// A network with what packets leave behind.
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: State,
    next: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self {
            program,
            state: State::new(program),
            next: 0,
        }
    }

    /// Sends one packet, unwatched.
    pub(crate) fn send(&mut self, sent: &Sent) -> Ended {
        self.carry(sent, &mut ())
    }

    /// Sends one packet; the stops of all that ended with it come along.
    pub(crate) fn watch(&mut self, sent: &Sent) -> (Ended, Vec<Noted>) {
        let mut noted = Vec::new();
        let ended = self.carry(sent, &mut |stop: &Stop<'_>| noted.push(note(stop)));
        (ended, noted)
    }

    fn carry(&mut self, sent: &Sent, observer: &mut impl vpcsim_dataplane::Observer) -> Ended {
        let arrival = Arrival {
            id: self.next,
            time: sent.time,
            source: sent.source,
        };
        self.next += 1;
        let (mut bytes, mut others) = (sent.bytes.clone(), Vec::new());
        let (program, state) = (self.program, &mut self.state);
        let walked = walk(program, state, arrival, &mut bytes, observer, &mut others);
        Ended {
            walked,
            bytes,
            others,
        }
    }

    /// Moves the clock.
    pub(crate) fn advance(&mut self, to: Nanos) -> Vec<Other> {
        let mut others = Vec::new();
        advance(self.program, &mut self.state, to, &mut (), &mut others);
        others
    }

    /// Sends all, one by one.
    pub(crate) fn send_all(&mut self, sent: &[Sent]) -> Vec<Ended> {
        sent.iter().map(|sent| self.send(sent)).collect()
    }
}

fn note(stop: &Stop<'_>) -> Noted {
    Noted {
        id: stop.id,
        generated: stop.generated,
        stage: stop.stage,
        element: stop.element,
        decision: stop.decision,
        headers: *stop.headers,
    }
}

/// What one packet meets where nothing happened before.
pub(crate) fn alone(program: &Program, sent: &Sent) -> (Ended, Vec<Noted>) {
    Run::new(program).watch(sent)
}

/// A time of the first packet's, or the given one's place.
pub(crate) fn sent(time: Nanos, source: Source, bytes: Vec<u8>) -> Sent {
    Sent {
        time,
        source,
        bytes,
    }
}
