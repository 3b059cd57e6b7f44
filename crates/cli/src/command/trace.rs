//! `vpcsim trace`.

use super::network_text;
use super::replay::unknown;
use crate::args::{self, Trace};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use std::fs;
use vpcsim_packet::Protocol;
use vpcsim_replay::fix::{Advice, Ask, AskError, Fix, advise, advise_all};
use vpcsim_replay::trace::Question;

/// Follows one packet and its reply, and says what would let them through. Not reachable is the
/// answer "no".
pub(crate) fn run(args: &Trace, output: &Output) -> Result<Status, Failure> {
    let text = network_text(&args.network)?;
    let ask = Ask {
        name: &args.network.display().to_string(),
        text: &text,
        from: &args.from,
        to: &args.to,
        question: Question {
            protocol: args.protocol.map(protocol),
            port: args.port,
        },
    };
    if args.all {
        return everything(args, &ask, output);
    }
    let most = args.fixes.max(args.apply.unwrap_or(0));
    let mut advice = advise(&ask, most).map_err(failed)?;
    if let (Some(number), Some(path)) = (args.apply, &args.output) {
        let fix = chosen(&advice, number)?;
        fs::write(path, &fix.text)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
    }
    advice.fixes.truncate(args.fixes);
    if args.json {
        output.json(&advice)?;
    } else {
        output.print(&render::trace::text(&advice.trace, output.width()))?;
        output.print(&render::fix::text(&advice, args.fixes > 0, output.width()))?;
    }
    Ok(if advice.trace.reachable {
        Status::Done
    } else {
        Status::No
    })
}

/// Every protocol and port of the target.
fn everything(args: &Trace, ask: &Ask<'_>, output: &Output) -> Result<Status, Failure> {
    let all = advise_all(ask, args.fixes).map_err(failed)?;
    if args.json {
        output.json(&all)?;
    } else {
        output.print(&render::services::text(&all, output.width()))?;
    }
    Ok(if all.reachable {
        Status::Done
    } else {
        Status::No
    })
}

/// The fix of that number.
fn chosen(advice: &Advice, number: usize) -> Result<&Fix, Failure> {
    let fix = number.checked_sub(1).and_then(|at| advice.fixes.get(at));
    fix.ok_or_else(|| match (advice.fixes.len(), &advice.no_fix) {
        _ if advice.trace.reachable => Failure::new("there is nothing to fix: it arrives"),
        (_, Some(reason)) => Failure::new("there is no fix to apply").with_help(reason),
        (last, None) => Failure::new(format!("there is no fix {number}: they are 1 to {last}")),
    })
}

fn failed(error: AskError) -> Failure {
    match error {
        AskError::Network(errors) => Failure::Network(errors),
        AskError::Endpoint(error) => unknown(error),
        AskError::Trace(error) => Failure::new(error.to_string()),
    }
}

pub(super) fn protocol(protocol: args::Protocol) -> Protocol {
    match protocol {
        args::Protocol::Tcp => Protocol::TCP,
        args::Protocol::Udp => Protocol::UDP,
        args::Protocol::Icmp => Protocol::ICMP,
    }
}
