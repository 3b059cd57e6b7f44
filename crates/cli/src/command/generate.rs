//! `vpcsim gen`.

use super::captures::is_standard;
use super::{destination, network};
use crate::args::{Gen, Link, Size};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render::number::{bytes, count, counted};
use std::io::{BufWriter, ErrorKind};
use vpcsim_capture::WriteError;
use vpcsim_generate::{Format, Framing, GenError, GenOptions, SizeMix, Summary, Traffic, generate};

/// Writes a capture, and says what is in it.
pub(crate) fn run(args: &Gen, output: &Output) -> Result<Status, Failure> {
    let network = args.network.as_deref().map(network).transpose()?;
    let options = GenOptions {
        traffic: traffic(args),
        network: network.as_ref(),
        format: Format::of_name(&args.output),
        framing: match args.link {
            Link::Ethernet => Framing::Ethernet,
            Link::Raw => Framing::Raw,
        },
    };
    let (name, stream) = destination(&args.output)?;
    match generate(&options, &mut BufWriter::new(stream)) {
        Ok(summary) => {
            let text = text(&name, &summary);
            if is_standard(&args.output) {
                output.note(&text);
            } else {
                output.print(&text)?;
            }
            Ok(Status::Done)
        }
        Err(GenError::Write(WriteError::Io(error))) if error.kind() == ErrorKind::BrokenPipe => {
            Ok(Status::Done)
        }
        Err(GenError::Write(error)) => Err(Failure::new(format!("cannot write {name}: {error}"))),
        Err(error) => Err(Failure::new(error.to_string())),
    }
}

fn traffic(args: &Gen) -> Traffic {
    let traffic = Traffic {
        seed: args.seed,
        duration: args.duration,
        flows: args.flows,
        packets_per_flow: args.packets,
        sizes: match args.size {
            Size::Least => SizeMix::Min64,
            Size::Imix => SizeMix::Imix,
            Size::Most => SizeMix::Full1500,
        },
        protocols: args.protocols,
        handshakes: !args.no_handshakes,
        replies: !args.no_replies,
        retransmissions: args.retransmissions,
        clients: args.clients.clone(),
        servers: args.servers.clone(),
        ..Traffic::default()
    };
    match args.rate {
        Some(rate) => traffic.flows_per_second(rate),
        None => traffic,
    }
}

fn text(name: &str, summary: &Summary) -> String {
    let protocols: Vec<_> = summary
        .protocols
        .iter()
        .map(|(protocol, packets)| format!("{protocol} {}", count(*packets)))
        .collect();
    format!(
        "{name}: {}, {} ({})\n",
        counted(summary.packets, "packet"),
        bytes(summary.bytes),
        protocols.join(", ")
    )
}
