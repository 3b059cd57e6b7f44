//! The command line.

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ipnet::Ipv4Net;
use std::path::PathBuf;
use vpcsim_bench::MOST_FLOWS;
use vpcsim_generate::ProtocolMix;
use vpcsim_network::Lint;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// How a run can end.
pub(crate) const STATUS: [(u8, &str); 3] = [
    (0, "done"),
    (
        1,
        "the answer is no: a traced packet does not arrive, an expectation does not hold, a denied lint fires, a measured packet is wrong",
    ),
    (
        2,
        "bad input or usage: mistakes in the network file, an unreadable capture, an unknown place, nothing replayed",
    ),
];

fn status() -> String {
    let lines = STATUS.map(|(number, meaning)| format!("  {number}  {meaning}"));
    format!("Exit status:\n{}", lines.join("\n"))
}

/// Run packets through your cloud network before you do.
///
/// vpcsim reads a network from a YAML file (vpcs, subnets, security groups, acls, route tables, NAT gateways,
/// eips, peerings, cvms) and says what every packet of a capture meets in it.
#[derive(Debug, Parser)]
#[command(name = "vpcsim", version, styles = STYLES, max_term_width = 100, after_help = status())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colours; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, display_order = 900, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Replay(Replay),
    Trace(Trace),
    Reach(Reach),
    Check(Check),
    Demo(Demo),
    Gen(Gen),
    Bench(Bench),
    /// Print the JSON Schema of the network file, for editors
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
    /// Print the manual page, of vpcsim or of one of its commands
    Man {
        /// Command to print the page of
        command: Option<String>,
    },
}

impl Command {
    /// Whether errors are to be JSON too.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Replay(args) => args.json,
            Self::Trace(args) => args.json,
            Self::Reach(args) => args.json,
            Self::Check(args) => args.json,
            Self::Demo(args) => args.json,
            Self::Bench(args) => args.json,
            _ => false,
        }
    }
}

/// Run the packets of captures through a network and report what became of them
///
/// Each packet starts where it was captured: at the cvm whose address is its source, or on the internet when
/// its source is public. `--at` and `--map` say otherwise, for captures from elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Captures (pcap or pcapng, plain, gzip or zstd), one after the other; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) out: Out,

    /// Place where all packets start: CVM, CVM/NIC or `internet`
    #[arg(long, value_name = "PLACE")]
    pub(crate) at: Option<String>,

    /// Take packets from or to ADDR for packets from or to CVM; may be repeated
    #[arg(long, value_name = "ADDR=CVM")]
    pub(crate) map: Vec<String>,

    /// Drop packets with a wrong checksum
    #[arg(long)]
    pub(crate) verify_checksums: bool,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where packets go after a replay.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write delivered packets, as they look where they arrive, to a pcapng file with one interface per
    /// place; `-` is standard output, and the report then goes to standard error
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Write dropped packets too, each with a comment that says why
    #[arg(long, requires = "output")]
    pub(crate) with_drops: bool,
}

/// Follow one packet and its reply from stop to stop
///
/// The packet is the first of a flow: a TCP SYN, a UDP datagram or an ICMP echo request. What it leaves behind
/// (connections, NAT sessions) is there when the reply comes. A trace that does not arrive, or whose reply does
/// not, ends with status 1, and with the smallest changes to the network file that let both through: each has
/// been tried.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Where the packet starts: CVM, CVM/NIC, address or `internet`
    pub(crate) from: String,

    /// Where it goes: CVM, CVM/NIC, address or `internet`
    pub(crate) to: String,

    /// Protocol [default: tcp where a port is given, else icmp]
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Protocol>,

    /// Destination port [default: the first that the destination listens on, else 80 for tcp, 53 for udp]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// Ask for everything that the destination listens on, instead of one protocol and port
    #[arg(long, conflicts_with_all = ["protocol", "port", "apply"])]
    pub(crate) all: bool,

    /// Changes to the network file to look for, at most, where it does not arrive; 0 is none
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) fixes: usize,

    /// Write the network file with fix N in it to --output
    #[arg(long, value_name = "N", requires = "output")]
    pub(crate) apply: Option<usize>,

    /// File that the changed network is written to; it may be the network file itself
    #[arg(short, long, value_name = "FILE", requires = "apply")]
    pub(crate) output: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Protocols that a trace can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// The first segment of a connection (SYN), and the SYN-ACK
    Tcp,
    /// A datagram, and one back
    Udp,
    /// An echo request, and the echo reply
    Icmp,
}

/// Say who reaches whom and on what, for every packet at once
///
/// The answer is exact: what is not in it does not arrive. Reachable means that the answer comes back too, whichever
/// of equal ways both take. Without --from and --to it is a table of everybody; with both, a question that nothing
/// answers ends with status 1. PLACE is a cvm, `internet`, `external:NAME`, `group:NAME`, `subnet:NAME`, `vpc:NAME`
/// or `any`.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Network file (YAML); with --diff the old one and the new one
    #[arg(required = true, num_args = 1..=2, value_name = "NETWORK")]
    pub(crate) networks: Vec<PathBuf>,

    /// Say what became reachable from one network file to another, and what was lost; status 1 if anything
    #[arg(long)]
    pub(crate) diff: bool,

    /// Who sends
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: Option<String>,

    /// Who is to be reached
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: Option<String>,

    /// Packets of this protocol only
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<ReachProtocol>,

    /// Packets to this port only, or to ports such as 8000-8100
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    pub(crate) port: Option<(u16, u16)>,

    /// Ask for the first packet alone, whether or not there is an answer
    #[arg(long)]
    pub(crate) one_way: bool,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Protocols that a question can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReachProtocol {
    /// Connections
    Tcp,
    /// Datagrams
    Udp,
    /// ICMP messages
    Icmp,
    /// Tunnels
    Gre,
}

/// `80` or `8000-8100`.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("a port such as 443, or ports such as 8000-8100".to_owned()),
    }
}

/// Read a network file, say what is wrong with it, and try what it expects
///
/// Mistakes make the file invalid and end with status 2. Lints find what is valid and hurts all the same: each has
/// a name, says where and why, and how to mend it. They warn, unless they are denied or allowed here or in the
/// file's `lints` section; a name is stronger than `all`, and what is said here stronger than what the file says.
///
/// What the file expects of the network (`expect`) is tried, request and reply. What does not hold is shown with its
/// trace, and ends with status 1.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Lints that end with status 1 when they find something: names, or `all`; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',', value_parser = lints())]
    pub(crate) deny: Vec<LintName>,

    /// Lints that say nothing: names, or `all`; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',', value_parser = lints(), hide_possible_values = true)]
    pub(crate) allow: Vec<LintName>,

    /// Write the answer as JUnit XML too, for build servers: a test case for each lint and each expectation;
    /// `-` is standard output, and the text then goes to standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// A lint, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LintName(pub(crate) Option<Lint>);

fn lints() -> impl TypedValueParser<Value = LintName> {
    let lints = Lint::ALL.iter();
    let names = lints.map(|lint| PossibleValue::new(lint.name()).help(lint.summary()));
    let all = PossibleValue::new("all").help("every lint that is not named");
    PossibleValuesParser::new(names.chain([all])).map(|name| LintName(Lint::find(&name)))
}

/// Replay a built-in capture through a built-in network
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) out: Out,

    /// Write the network and the capture into a directory instead, to be changed and replayed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "json"])]
    pub(crate) save: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make synthetic traffic from a seed
///
/// The same arguments make the same bytes, on every machine. Without a network there are so many flows between
/// clients and servers. With one the traffic is what a capture taken inside it would show: conversations over
/// every route, address and rule, allowed or not.
#[derive(Debug, Args)]
pub(crate) struct Gen {
    /// Capture to write: pcap where the name ends in .pcap or .cap, else pcapng; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Network file (YAML) that the capture is taken in
    #[arg(long, conflicts_with_all = ["protocols", "no_handshakes", "no_replies", "clients", "servers"])]
    pub(crate) network: Option<PathBuf>,

    /// Number that everything random comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Flows; with a network, conversations
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) flows: u64,

    /// Packets with data that a client sends in one flow; with a network, at most
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) packets: u64,

    /// Size of packets with data
    #[arg(long, value_enum, default_value_t = Size::Imix)]
    pub(crate) size: Size,

    /// Seconds over which flows begin
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) duration: u64,

    /// Flows that begin in a second, instead of --duration
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub(crate) rate: Option<u64>,

    /// TCP segments with data that are sent twice, of a hundred
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    pub(crate) retransmissions: u8,

    /// Protocols, and how often each
    #[arg(long, value_name = "MIX", default_value = "tcp=70,udp=25,icmp=5", value_parser = protocols)]
    pub(crate) protocols: ProtocolMix,

    /// Leave out how TCP connections open and close
    #[arg(long)]
    pub(crate) no_handshakes: bool,

    /// Leave out what servers send
    #[arg(long)]
    pub(crate) no_replies: bool,

    /// Where clients live
    #[arg(
        long,
        value_name = "CIDR",
        value_delimiter = ',',
        default_value = "10.0.1.0/24"
    )]
    pub(crate) clients: Vec<Ipv4Net>,

    /// Where servers live
    #[arg(
        long,
        value_name = "CIDR",
        value_delimiter = ',',
        default_value = "198.51.100.0/24"
    )]
    pub(crate) servers: Vec<Ipv4Net>,

    /// Link header of each packet
    #[arg(long, value_enum, default_value_t = Link::Ethernet)]
    pub(crate) link: Link,
}

/// Sizes of packets with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// The smallest Ethernet frames
    #[value(name = "64")]
    Least,
    /// Frames of 64, 594 and 1518 bytes, 7 : 4 : 1
    Imix,
    /// The largest IPv4 packets of an Ethernet
    #[value(name = "1500")]
    Most,
}

/// Link headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Link {
    /// An Ethernet header
    Ethernet,
    /// None: IPv4 packets alone
    Raw,
}

/// Measure how fast packets pass on this machine
///
/// Packets of live flows, half UDP, half TCP, in both directions, go through source check, security group, acl,
/// routes and a NAT gateway and back. Beside them, on the same packets, runs a bare loop: what no NAT can leave
/// out. A sample of what comes out is checked; if a packet is wrong, no number is shown and the status is 1.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Live flows, at most 10000000
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=MOST_FLOWS.into()))]
    pub(crate) flows: u32,

    /// Size of packets
    #[arg(long, value_enum, default_value_t = FrameSize::Least)]
    pub(crate) size: FrameSize,

    /// Rules of the security group; the last one matches
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rules: u32,

    /// How long live flows are measured, beside the time that it takes to open them
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) seconds: u64,

    /// Workers that share the flows
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: u32,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Sizes of packets that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FrameSize {
    /// The smallest Ethernet frames
    #[value(name = "64")]
    Least,
    /// Frames of 512 bytes
    #[value(name = "512")]
    Middle,
    /// The largest IPv4 packets of an Ethernet
    #[value(name = "1500")]
    Most,
    /// Frames of 64, 594 and 1518 bytes, 7 : 4 : 1
    Imix,
}

/// Seconds, in nanoseconds.
fn seconds(text: &str) -> Result<u64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is wanted, such as 10 or 0.5".to_owned())?;
    // The range is what a u64 of nanoseconds holds, and keeps out NaN.
    if (0.0..1.8e10).contains(&seconds) {
        Ok((seconds * 1e9) as u64)
    } else {
        Err("from 0 to 18,000,000,000 seconds".to_owned())
    }
}

/// `tcp`, `tcp,udp` or `tcp=70,udp=25,icmp=5`.
fn protocols(text: &str) -> Result<ProtocolMix, String> {
    let mut mix = ProtocolMix {
        tcp: 0,
        udp: 0,
        icmp: 0,
    };
    for part in text.split(',') {
        let (name, parts) = part.split_once('=').unwrap_or((part, "1"));
        let parts = parts
            .trim()
            .parse()
            .map_err(|_| format!("`{parts}` is no number: `{}=70` is wanted", name.trim()))?;
        match name.trim() {
            "tcp" => mix.tcp = parts,
            "udp" => mix.udp = parts,
            "icmp" => mix.icmp = parts,
            other => return Err(format!("`{other}` is none of tcp, udp and icmp")),
        }
    }
    if mix.tcp == 0 && mix.udp == 0 && mix.icmp == 0 {
        return Err("no protocol is left".to_owned());
    }
    Ok(mix)
}
