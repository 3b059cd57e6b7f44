//! A trace with what it met, for who has to act on it.

use super::follow::{Follow, Followed};
use super::view::Trace;
use super::{Question, TraceError, answer, cause, choose};
use crate::Endpoint;
use answer::Answer;
use vpcsim_dataplane::{Decision, Drop, Element, Place, Program, Rule, Source, Stage, Verdict};
use vpcsim_network::{CvmId, NicId, RouteTableId};
use vpcsim_packet::{FlowKey, Protocol};

/// A trace, and the same in terms of the network.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) trace: Trace,
    /// What was sent: nothing in it is left open.
    pub(crate) question: Question,
    /// The way of the request, and of the reply where there is one.
    pub(crate) ways: Vec<Way>,
    pub(crate) end: End,
}

/// How a trace ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The reply is where the request came from.
    Reached,
    /// The last packet was dropped.
    Dropped(Drop),
    /// The last packet arrived, but not where it was to arrive.
    Elsewhere(Place),
    /// The request arrived at a host that listens on other ports.
    Deaf {
        cvm: CvmId,
        protocol: Protocol,
        port: u16,
    },
    /// Nothing more can be said.
    Unanswered,
}

/// The stops of one packet.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The flow of the packet as it started.
    pub(crate) start: Option<FlowKey>,
    pub(crate) passes: Vec<Pass>,
}

/// One stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) stage: Stage,
    pub(crate) element: Element,
    pub(crate) decision: Decision,
    pub(crate) rule: Option<Rule>,
    /// The flow as it leaves the stop.
    pub(crate) key: Option<FlowKey>,
}

impl Way {
    pub(super) fn new(start: Option<FlowKey>) -> Self {
        Self {
            start,
            passes: Vec::new(),
        }
    }

    /// The flow where the packet ended.
    pub(crate) fn last_key(&self) -> Option<FlowKey> {
        let last = self.passes.last().and_then(|pass| pass.key);
        last.or(self.start)
    }

    /// The last route table that was asked.
    pub(crate) fn table(&self) -> Option<RouteTableId> {
        self.passes
            .iter()
            .rev()
            .find_map(|pass| match pass.element {
                Element::RouteTable(table) => Some(table),
                _ => None,
            })
    }

    /// The last nic that the packet left by.
    pub(crate) fn sender(&self) -> Option<NicId> {
        self.passes
            .iter()
            .rev()
            .find_map(|pass| match (pass.stage, pass.element) {
                (Stage::SourceCheck, Element::Nic(nic)) => Some(nic),
                _ => None,
            })
    }
}

/// What to send, and where it has to arrive.
pub(super) struct Sending<'a> {
    /// Where it starts, in words.
    pub(super) from: String,
    /// Where it is to arrive, in words.
    pub(super) to: String,
    pub(super) source: Source,
    pub(super) protocol: Protocol,
    /// The port that the destination is asked at.
    pub(super) port: Option<u16>,
    pub(super) packet: Vec<u8>,
    /// Whether a place is where it is to arrive.
    pub(super) is_there: &'a dyn Fn(Place) -> bool,
}

/// Sends the request and what answers it.
pub(crate) fn run(
    program: &Program,
    from: Endpoint,
    to: Endpoint,
    question: Question,
) -> Result<Run, TraceError> {
    let chosen = choose::choose(program, from, to, question)?;
    let sending = Sending {
        from: from.text(program),
        to: to.text(program),
        source: chosen.source,
        protocol: chosen.protocol,
        port: chosen.port,
        packet: chosen.packet,
        is_there: &|place| choose::is_at(program, to, place),
    };
    Ok(send(program, sending))
}

/// Sends a packet and what answers it.
pub(super) fn send(program: &Program, sending: Sending<'_>) -> Run {
    let mut follow = Follow::new(program);
    let request = follow.packet("request", sending.source, sending.packet);
    let verdict = request.verdict;
    let mut run = Run {
        trace: Trace {
            from: sending.from,
            to: sending.to,
            protocol: sending.protocol.to_string(),
            port: sending.port,
            legs: vec![request.leg],
            reachable: false,
            why: None,
        },
        question: Question {
            protocol: Some(sending.protocol),
            port: sending.port,
        },
        ways: vec![request.way],
        end: End::Unanswered,
    };
    let place = match verdict {
        Verdict::Delivered(place) if (sending.is_there)(place) => place,
        other => {
            let wanted = run.trace.to.clone();
            return run.lost(program, other, wanted);
        }
    };
    let reply = match answer::answer(program, place, &request.bytes) {
        // The walk itself has answered.
        Answer::ByTheNetwork => request.generated.map(|generated| *generated),
        Answer::Reply { source, packet } => Some(follow.packet("reply", source, packet)),
        Answer::Deaf {
            cvm,
            protocol,
            port,
        } => {
            let host = &program.network().cvm(cvm).name;
            run.trace.why = Some(format!(
                "the request arrives, but nothing on {host} listens on {protocol} {port}"
            ));
            run.end = End::Deaf {
                cvm,
                protocol,
                port,
            };
            return run;
        }
        Answer::Nobody(why) => {
            run.trace.why = Some(why);
            return run;
        }
    };
    let Some(reply) = reply else {
        run.trace.why = Some(format!("nothing at {} answers", program.place_name(place)));
        return run;
    };
    run.settle(program, sending.source, reply)
}

impl Run {
    /// Whether the reply is where the request came from, as the answer to it.
    fn settle(mut self, program: &Program, source: Source, reply: Followed) -> Self {
        let verdict = reply.verdict;
        let (asked, answered) = (self.ways[0].start, reply.way.last_key());
        self.trace.legs.push(reply.leg);
        self.ways.push(reply.way);
        match verdict {
            Verdict::Delivered(place) if choose::is_origin(program, source, place) => {
                match (asked, answered) {
                    (Some(asked), Some(answer)) if answer != asked.reversed() => {
                        self.trace.why = Some(format!(
                            "the reply arrives as {answer}, which is no answer to {asked}"
                        ));
                    }
                    _ => {
                        self.trace.reachable = true;
                        self.end = End::Reached;
                    }
                }
                self
            }
            other => {
                let wanted = self.trace.from.clone();
                self.lost(program, other, wanted)
            }
        }
    }

    /// The last packet did not arrive at `wanted`.
    fn lost(mut self, program: &Program, verdict: Verdict, wanted: String) -> Self {
        self.end = match verdict {
            Verdict::Dropped(drop) => End::Dropped(drop),
            Verdict::Delivered(place) => End::Elsewhere(place),
            _ => End::Unanswered,
        };
        let reply = self.ways.len() > 1;
        let packet = if reply { "the reply" } else { "the request" };
        self.trace.why = Some(match verdict {
            Verdict::Delivered(place) => {
                let arrived = program.place_name(place);
                format!("{packet} arrives at {arrived}, not at {wanted}")
            }
            Verdict::Dropped(drop) => {
                let because = self
                    .ways
                    .last()
                    .map(|way| cause::because(program, way, reply, &drop));
                let because = because.unwrap_or_else(|| drop.reason.to_string());
                format!("{packet} is dropped at {}: {because}", drop.stage)
            }
            Verdict::NotIpv4 => format!("{packet} is not IPv4"),
            Verdict::Malformed(malformed) => format!("{packet} is malformed: {malformed}"),
            Verdict::Unattributed => format!("{packet} is nobody's"),
            Verdict::Held => format!("{packet} is held"),
        });
        self
    }
}
