//! One call from options to a capture file.

use crate::{Framing, Packet, Packets, Scene, Traffic};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use vpcsim_capture::{PcapWriter, Resolution, WriteError, Writer};
use vpcsim_network::Network;

/// What to generate, and how to write it.
#[derive(Debug, Clone, Default)]
pub struct GenOptions<'a> {
    /// The traffic. With a `network` it is a [`Scene`] of it: `seed`, `start`, `duration`,
    /// `flows`, `packets_per_flow`, `sizes` and `retransmissions` say what they say here; who
    /// talks to whom, and how, comes from the network.
    pub traffic: Traffic,
    /// The network that the capture is taken in; `None`: plain traffic between `clients` and
    /// `servers`.
    pub network: Option<&'a Network>,
    /// The file format.
    pub format: Format,
    /// The link header.
    pub framing: Framing,
}

/// The file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Format {
    /// Classic pcap with nanoseconds.
    Pcap,
    /// pcapng with one interface, `capture`.
    #[default]
    Pcapng,
}

impl Format {
    /// By the file's name: `.pcap` and `.cap` are classic pcap, everything else is pcapng.
    pub fn of_name(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("pcap" | "cap") => Self::Pcap,
            _ => Self::Pcapng,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets.
    pub packets: u64,
    /// Their bytes, link headers included.
    pub bytes: u64,
    /// The time of the first packet, in nanoseconds since 1970; 0 where there is none.
    pub first: u64,
    /// The time of the last one.
    pub last: u64,
    /// Packets by what they are: `tcp`, `udp`, `icmp`, `other ipv4`, `not ipv4`.
    pub protocols: BTreeMap<&'static str, u64>,
}

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenError {
    /// The options describe traffic without packets.
    #[error("nothing to generate: {0}")]
    Nothing(&'static str),
    /// The output refused it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Generates traffic and writes it as a capture. Same options, same bytes: on every machine, in
/// every run, in every version.
///
/// # Errors
/// When the options describe no packet at all (then nothing is written), or the output refuses
/// the bytes.
pub fn generate(options: &GenOptions<'_>, out: &mut dyn Write) -> Result<Summary, GenError> {
    let traffic = &options.traffic;
    let packets = match options.network {
        Some(network) => Scene::new(network, traffic).packets(),
        None => traffic.packets(),
    };
    let mut packets = packets.peekable();
    if packets.peek().is_none() {
        return Err(GenError::Nothing(reason(options)));
    }
    let mut summary = Summary::default();
    match options.format {
        Format::Pcap => {
            let link_type = options.framing.link_type();
            let mut writer = PcapWriter::new(out, Resolution::Nanos, link_type, 0)?;
            write(packets, options.framing, &mut summary, |time, frame| {
                writer.write(time, frame.len() as u32, frame)
            })?;
            writer.finish()?;
        }
        Format::Pcapng => {
            let mut writer = Writer::new(out)?;
            let link_type = options.framing.link_type();
            let interface = writer.add_interface("capture", link_type, 0, None)?;
            write(packets, options.framing, &mut summary, |time, frame| {
                writer.write(interface, time, frame.len() as u32, frame, None)
            })?;
            writer.finish()?;
        }
    }
    Ok(summary)
}

fn reason(options: &GenOptions<'_>) -> &'static str {
    let traffic = &options.traffic;
    if traffic.flows == 0 {
        "no flows are wanted"
    } else if options.network.is_some() {
        "the network has nobody who could talk"
    } else if traffic.clients.is_empty() {
        "there are no clients"
    } else if traffic.servers.is_empty() {
        "there are no servers"
    } else {
        "flows without handshakes and without packets are silent"
    }
}

fn write(
    packets: std::iter::Peekable<Packets<'_>>,
    framing: Framing,
    summary: &mut Summary,
    mut write: impl FnMut(u64, &[u8]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let mut frame = Vec::with_capacity(2048);
    for packet in packets {
        if !framing.frame(&packet, &mut frame) {
            continue;
        }
        write(packet.time, &frame)?;
        summary.count(&packet, frame.len());
    }
    Ok(())
}

impl Summary {
    fn count(&mut self, packet: &Packet, len: usize) {
        if self.packets == 0 {
            self.first = packet.time;
        }
        self.last = packet.time;
        self.packets += 1;
        self.bytes += len as u64;
        let protocol = packet.bytes.get(9).filter(|_| packet.is_ipv4());
        let name = match protocol {
            Some(1) => "icmp",
            Some(6) => "tcp",
            Some(17) => "udp",
            Some(_) => "other ipv4",
            None => "not ipv4",
        };
        *self.protocols.entry(name).or_default() += 1;
    }
}
