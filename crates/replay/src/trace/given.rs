//! A packet that somebody else has chosen.

use super::run::{Sending, send};
use super::view::Trace;
use vpcsim_dataplane::{Place, Program, Source};
use vpcsim_packet::build::{of_flow, tcp};
use vpcsim_packet::{FlowKey, Protocol, TcpFlags};

/// Follows the first packet of a given flow from where it starts, and the reply back.
///
/// `from` and `to` are what the two ends are called; `is_there` says whether a place is where the
/// packet has to arrive. Such a packet is what a proof over all packets ends with.
pub fn trace_packet(
    program: &Program,
    source: Source,
    key: &FlowKey,
    (from, to): (&str, &str),
    is_there: &dyn Fn(Place) -> bool,
) -> Trace {
    let ports = matches!(key.protocol, Protocol::TCP | Protocol::UDP);
    let sending = Sending {
        from: from.to_owned(),
        to: to.to_owned(),
        source,
        protocol: key.protocol,
        port: ports.then_some(key.destination_port),
        packet: first(key),
        is_there,
    };
    send(program, sending).trace
}

/// The first packet of a flow.
fn first(key: &FlowKey) -> Vec<u8> {
    let ends = (
        (key.source, key.source_port),
        (key.destination, key.destination_port),
    );
    match key.protocol {
        Protocol::TCP => tcp(ends.0, ends.1, TcpFlags::SYN).sequence(1).bytes(),
        _ => of_flow(key).bytes(),
    }
}
