//! `vpcsim trace`.

use super::network;
use super::replay::unknown;
use crate::args::{self, Trace};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use vpcsim_dataplane::Program;
use vpcsim_packet::Protocol;
use vpcsim_replay::trace::Question;
use vpcsim_replay::{Endpoint, trace};

/// Follows one packet and its reply. Not reachable is the answer "no".
pub(crate) fn run(args: &Trace, output: &Output) -> Result<Status, Failure> {
    let program = Program::new(network(&args.network)?);
    let from = Endpoint::parse(&program, &args.from).map_err(unknown)?;
    let to = Endpoint::parse(&program, &args.to).map_err(unknown)?;
    let question = Question {
        protocol: args.protocol.map(protocol),
        port: args.port,
    };
    let trace = trace(&program, from, to, question).map_err(|e| Failure::new(e.to_string()))?;
    if args.json {
        output.json(&trace)?;
    } else {
        output.print(&render::trace::text(&trace, output.width()))?;
    }
    Ok(if trace.reachable {
        Status::Done
    } else {
        Status::No
    })
}

fn protocol(protocol: args::Protocol) -> Protocol {
    match protocol {
        args::Protocol::Tcp => Protocol::TCP,
        args::Protocol::Udp => Protocol::UDP,
        args::Protocol::Icmp => Protocol::ICMP,
    }
}
