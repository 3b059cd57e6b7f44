//! One packet that nobody captured, and its reply: every stop with what it decided.
//!
//! The stops are those of [`vpcsim_dataplane::walk`], seen through its
//! [`Observer`](vpcsim_dataplane::Observer): a trace cannot disagree with a replay.

mod answer;
mod choose;
mod follow;
mod question;
mod view;

pub use question::{Question, TraceError};
pub use view::{Change, ElementView, Leg, RuleView, StopView, Trace, VerdictView};

use crate::Endpoint;
use answer::Answer;
use follow::{Follow, Followed};
use vpcsim_dataplane::{Place, Program, Verdict};

/// Follows one packet from `from` to `to`, and its reply back.
///
/// The packet is the first of a flow: a TCP SYN, a UDP datagram or an ICMP echo request. The reply
/// is made from the packet as it looks where it arrived, and meets the connections and sessions
/// that the packet left behind.
///
/// # Errors
/// When the question cannot be put: a port without a protocol that has ports, or an end that
/// nobody is at.
pub fn trace(
    program: &Program,
    from: Endpoint,
    to: Endpoint,
    question: Question,
) -> Result<Trace, TraceError> {
    let chosen = choose::choose(program, from, to, question)?;
    let mut follow = Follow::new(program);
    let request = follow.packet("request", chosen.source, chosen.packet.clone());
    let mut trace = Trace {
        from: from.text(program),
        to: to.text(program),
        protocol: chosen.protocol.to_string(),
        port: chosen.port,
        legs: vec![request.leg],
        reachable: false,
        why: None,
    };
    let place = match request.verdict {
        Verdict::Delivered(place) => place,
        other => {
            trace.why = Some(format!("the request is {}", verdict_word(&other)));
            return Ok(trace);
        }
    };
    if !choose::is_at(program, to, place) {
        let arrived = program.place_name(place);
        trace.why = Some(format!(
            "the request arrives at {arrived}, not at {}",
            trace.to
        ));
        return Ok(trace);
    }
    let reply = match answer::answer(program, place, &request.bytes) {
        // The walk itself has answered.
        Answer::ByTheNetwork => request.generated.map(|generated| *generated),
        Answer::Reply { source, packet } => Some(follow.packet("reply", source, packet)),
        Answer::Nobody(why) => {
            trace.why = Some(why);
            return Ok(trace);
        }
    };
    let Some(reply) = reply else {
        trace.why = Some(format!("nothing at {} answers", program.place_name(place)));
        return Ok(trace);
    };
    settle(program, from, chosen.source, &mut trace, reply);
    Ok(trace)
}

/// Whether the reply is where the request came from.
fn settle(
    program: &Program,
    from: Endpoint,
    source: vpcsim_dataplane::Source,
    trace: &mut Trace,
    reply: Followed,
) {
    trace.legs.push(reply.leg);
    match reply.verdict {
        Verdict::Delivered(place) if choose::is_origin(program, source, place) => {
            trace.reachable = true;
        }
        Verdict::Delivered(place) => {
            let (arrived, from) = (program.place_name(place), from.text(program));
            trace.why = Some(format!("the reply arrives at {arrived}, not at {from}"));
        }
        other => trace.why = Some(format!("the reply is {}", verdict_word(&other))),
    }
}

/// How a sentence about a packet that did not arrive ends.
fn verdict_word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Delivered(Place::Internet) => "delivered to the internet".to_owned(),
        Verdict::Delivered(_) => "delivered".to_owned(),
        Verdict::Dropped(drop) => format!("dropped at {}: {}", drop.stage, drop.reason),
        Verdict::NotIpv4 => "not IPv4".to_owned(),
        Verdict::Malformed(malformed) => format!("malformed: {malformed}"),
        Verdict::Unattributed => "nobody's".to_owned(),
        Verdict::Held => "held".to_owned(),
    }
}
