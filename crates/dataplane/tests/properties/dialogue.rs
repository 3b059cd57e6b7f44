//! Two hosts that talk as hosts do: each answers what reached it, from where it reached it, as
//! that packet looked there.

use crate::world::{Ended, Noted, Run, describe, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Decision, Element, Nanos, Outcome, Place, Program, Source, Stage, Verdict};
use vpcsim_network::NicId;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags};
use vpcsim_testkit::strategy::networks;
use vpcsim_testkit::{attribute, net};

/// A network file, and who calls whom in it.
#[derive(Clone)]
pub(crate) struct Dialogue {
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.text)?;
        self.calls
            .iter()
            .try_for_each(|call| writeln!(f, "{call:?}"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Manner {
    Tcp,
    Udp,
    Ping,
    Gre,
}

/// One conversation to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) client: (Ipv4Addr, u16),
    pub(crate) server: (Ipv4Addr, u16),
    pub(crate) manner: Manner,
    /// Nanoseconds between its packets.
    pub(crate) gap: u64,
}

/// A network and some calls between everybody there and strangers.
pub(crate) fn dialogues() -> impl Strategy<Value = Dialogue> {
    let texts = (networks(), prop::bool::weighted(0.6));
    let texts = texts.prop_map(|(text, open)| if open { opened(&text) } else { text });
    texts.prop_flat_map(|text| {
        let program = net(&text);
        let people = people(&program);
        let callers: Vec<_> = people
            .iter()
            .copied()
            .filter(|&one| calls(&program, one))
            .collect();
        let (caller, called) = (prop::sample::select(callers), prop::sample::select(people));
        let call = (
            caller,
            called,
            manner(),
            40_000_u16..40_004,
            port(),
            0_u64..1_000_000_000,
        );
        let call = call.prop_map(|(client, server, manner, from, to, gap)| Call {
            client: (client, from),
            server: (server, to),
            manner,
            gap,
        });
        (Just(text), vec(call, 1..6)).prop_map(|(text, calls)| Dialogue { text, calls })
    })
}

/// Whether anybody sends with this address: not what is nobody's, and not a public address of the
/// cloud that no host carries.
fn calls(program: &Program, address: Ipv4Addr) -> bool {
    match attribute(program, address) {
        None => false,
        Some(Source::Internet) => program.eip_of_public(address).is_none(),
        Some(_) => true,
    }
}

/// The same network with groups and acls that accept everything, so that more comes to something.
fn opened(text: &str) -> String {
    let line = |line: &str| match line.trim_start().split_once(": [") {
        Some(("ingress", _)) => "    ingress: [accept all from any]\n".to_owned(),
        Some(("egress", _)) => "    egress: [accept all to any]\n".to_owned(),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => Just(Manner::Tcp),
        2 => Just(Manner::Udp),
        2 => Just(Manner::Ping),
        1 => Just(Manner::Gre),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![22_u16, 53, 80, 443, 5353, 5353, 8443, 8443])
}

fn people(program: &Program) -> Vec<Ipv4Addr> {
    let network = program.network();
    let nics = network.nics.iter().flat_map(|nic| &nic.addresses);
    let mut people: Vec<_> = nics.map(|address| address.address).collect();
    people.extend(network.eips.iter().map(|eip| eip.address));
    // Doors are where most can go wrong.
    let gateways = network
        .nat_gateways
        .iter()
        .flat_map(|gateway| &gateway.eips);
    people.extend(gateways.flat_map(|&eip| [network.eip(eip).address; 3]));
    people.extend(network.havips.iter().map(|havip| havip.address));
    let strangers = (1..=4).map(|last| Ipv4Addr::new(198, 51, 100, last));
    people.extend(strangers);
    people
}

/// How many packets a conversation has.
const TURNS: usize = 8;

impl Call {
    /// Its key as the client sees it.
    pub(crate) fn key(&self) -> FlowKey {
        let (protocol, source_port, destination_port) = match self.manner {
            Manner::Tcp => (Protocol::TCP, self.client.1, self.server.1),
            Manner::Udp => (Protocol::UDP, self.client.1, self.server.1),
            Manner::Ping => (Protocol::ICMP, self.client.1, 8 << 8),
            Manner::Gre => (Protocol::GRE, 0, 0),
        };
        FlowKey {
            protocol,
            source: self.client.0,
            source_port,
            destination: self.server.0,
            destination_port,
        }
    }

    /// The packet of a turn, with this key.
    pub(crate) fn packet(&self, turn: usize, key: &FlowKey) -> Vec<u8> {
        const ACK: TcpFlags = TcpFlags::ACK;
        let from = (key.source, key.source_port);
        let to = (key.destination, key.destination_port);
        let build = match self.manner {
            Manner::Tcp => {
                let (flags, sequence, acknowledgment, payload) = match turn {
                    0 => (TcpFlags::SYN, 100, 0, ""),
                    1 => (TcpFlags::SYN | ACK, 500, 101, ""),
                    2 => (ACK, 101, 501, ""),
                    3 => (TcpFlags::PSH | ACK, 501, 101, "welcome"),
                    4 => (TcpFlags::PSH | ACK, 101, 508, "thanks"),
                    5 => (TcpFlags::FIN | ACK, 508, 107, ""),
                    6 => (TcpFlags::FIN | ACK, 107, 509, ""),
                    _ => (ACK, 509, 108, ""),
                };
                build::tcp(from, to, flags)
                    .sequence(sequence)
                    .acknowledgment(acknowledgment)
                    .payload(payload.as_bytes())
            }
            Manner::Udp => build::udp(from, to, &[turn as u8; 9]),
            Manner::Ping => {
                let echo = if turn.is_multiple_of(2) {
                    Echo::Request
                } else {
                    Echo::Reply
                };
                build::icmp_echo(echo, from.0, to.0, key.source_port, turn as u16, b"hello")
            }
            Manner::Gre => build::raw(Protocol::GRE, from.0, to.0, &[0, 0, 8, 0, turn as u8]),
        };
        build.identification(turn as u16 + 1).bytes()
    }
}

/// One packet of a conversation.
#[derive(Clone)]
pub(crate) struct Leg {
    pub(crate) by_client: bool,
    pub(crate) given: Vec<u8>,
    pub(crate) ended: Ended,
    pub(crate) noted: Vec<Noted>,
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.by_client { "client" } else { "server" };
        writeln!(f, "{who}: {}", describe(&self.given))?;
        for stop in &self.noted {
            writeln!(
                f,
                "  {:?} {:?} {:?}",
                stop.stage, stop.element, stop.decision
            )?;
        }
        writeln!(
            f,
            "  {:?}: {}",
            self.ended.walked,
            describe(&self.ended.bytes)
        )
    }
}

impl Leg {
    /// The elements that translated or carried the packet at a public door, in order.
    pub(crate) fn doors(&self) -> Vec<Element> {
        let own = self.noted.iter().filter(|stop| !stop.generated);
        own.filter(|stop| match stop.stage {
            Stage::Eip | Stage::NatGateway => matches!(stop.decision, Decision::Pass(_)),
            _ => false,
        })
        .map(|stop| stop.element)
        .collect()
    }

    /// The door by which it came in, where it came from the internet.
    pub(crate) fn entry(&self) -> Option<Element> {
        let inbound = |stop: &&Noted| {
            let translated = Decision::Pass(Outcome::DestinationTranslated);
            matches!(stop.stage, Stage::Eip | Stage::NatGateway) && stop.decision == translated
        };
        self.noted
            .iter()
            .rev()
            .find(inbound)
            .map(|stop| stop.element)
    }

    pub(crate) fn place(&self) -> Option<Place> {
        match self.ended.verdict() {
            Verdict::Delivered(place) => Some(place),
            _ => None,
        }
    }
}

/// A conversation that was.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    /// Where the client's packets really leave.
    pub(crate) client: Source,
    /// Where the first one arrived.
    pub(crate) server: Option<Source>,
    /// The flow as the server sees its own packets.
    pub(crate) answers: Option<FlowKey>,
    pub(crate) legs: Vec<Leg>,
}

impl Talk {
    /// How many packets of it arrived, in a row from the first.
    pub(crate) fn arrived(&self) -> usize {
        self.legs
            .iter()
            .take_while(|leg| leg.place().is_some())
            .count()
    }
}

/// Lets two hosts talk in an empty network.
pub(crate) fn converse(program: &Program, call: &Call) -> Talk {
    talk(&mut Run::new(program), call)
}

/// Lets two hosts talk until a packet is lost or goes elsewhere.
pub(crate) fn talk(run: &mut Run<'_>, call: &Call) -> Talk {
    let mut talk = Talk {
        client: attribute(run.program, call.client.0).unwrap_or(Source::Internet),
        server: None,
        answers: None,
        legs: Vec::new(),
    };
    let mut now = run.state.now();
    for turn in 0..TURNS {
        let by_client = turn.is_multiple_of(2);
        let (source, key) = if by_client {
            (talk.client, call.key())
        } else {
            let (Some(server), Some(key)) = (talk.server, talk.answers) else {
                break;
            };
            (server, key)
        };
        let given = call.packet(turn, &key);
        let (ended, noted) = run.watch(&sent(now, source, given.clone()));
        now = Nanos(now.0 + call.gap);
        let leg = Leg {
            by_client,
            given,
            ended,
            noted,
        };
        let place = leg.place();
        if turn == 0 {
            talk.client = left_by(&leg.noted).map_or(talk.client, Source::Nic);
            // What a host sends itself never enters the network.
            let entered = !matches!(place, Some(Place::Nic(_)))
                || leg
                    .noted
                    .iter()
                    .any(|stop| stop.stage == Stage::SecurityGroupIngress);
            talk.server = place.filter(|_| entered).and_then(answering);
            let headers = Headers::parse(&leg.ended.bytes);
            talk.answers = headers
                .ok()
                .and_then(|headers| FlowKey::of(&headers))
                .map(|key| key.reversed());
        }
        let back = place.and_then(answering);
        let other = if by_client {
            talk.server
        } else {
            Some(talk.client)
        };
        // What comes from somebody else is no answer, and nobody answers it.
        let expected = if by_client {
            talk.answers
        } else {
            Some(call.key())
        };
        let understood = expected.is_some_and(|key| leg.ended.key() == key.reversed());
        talk.legs.push(leg);
        if back.is_none() || back != other || !understood {
            break;
        }
    }
    talk
}

/// The nic by which a packet of a cvm really leaves.
fn left_by(noted: &[Noted]) -> Option<NicId> {
    noted
        .iter()
        .find_map(|stop| match (stop.stage, stop.element) {
            (Stage::HostEgress, Element::Nic(nic)) => Some(nic),
            _ => None,
        })
}

/// Who answers there.
fn answering(place: Place) -> Option<Source> {
    match place {
        Place::Nic(nic) => Some(Source::Nic(nic)),
        Place::Internet => Some(Source::Internet),
        Place::External(external) => Some(Source::External(external)),
        Place::NatGateway(_) => None,
    }
}

/// Enough of them come to something, by every way, for what is said of them to mean something.
#[test]
fn dialogues_go_every_way() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = dialogues();
    let (mut complete, mut ways) = (0, std::collections::BTreeMap::<&str, u32>::new());
    for _ in 0..400 {
        let Dialogue { text, calls } = strategy.new_tree(&mut runner).unwrap().current();
        let program = net(&text);
        for call in &calls {
            let talk = converse(&program, call);
            if talk.arrived() < TURNS {
                continue;
            }
            complete += 1;
            let first = &talk.legs[0];
            for stop in &first.noted {
                if matches!(stop.decision, Decision::Pass(_)) {
                    *ways.entry(stop.stage.name()).or_default() += 1;
                }
            }
            if let Some(Element::NatGateway(_)) = first.entry() {
                *ways.entry("dnat").or_default() += 1;
            }
        }
    }
    for way in [
        "eip",
        "nat-gateway",
        "peering",
        "dnat",
        "security-group-ingress",
    ] {
        assert!(
            ways.get(way).is_some_and(|&n| n >= 5),
            "{way}: {complete} complete, {ways:?}"
        );
    }
    assert!(complete > 100, "{complete} complete, {ways:?}");
}
