//! A network file for a capture that has none.
//!
//! [`Learner`] sees each packet once. What it remembers are inside hosts and their conversations;
//! at the end these become a network in steps that build on each other, one file each:
//! `conversation` says what was one, `roles` who asked whom, `rules` what each host's rules have
//! to accept, `subnets` where hosts live, `hosts` what they are called and how they reach the
//! internet, `lines` and `widen` how rules are put together, `groups` who shares them, `plan` puts
//! it all together, and `write` writes it down.
//!
//! ```
//! use vpcsim_capture::{LinkType, Record};
//! use vpcsim_packet::build::udp;
//! use vpcsim_replay::learn::{LearnOptions, Learner};
//!
//! let (client, server) = (([10, 0, 1, 10], 40000), ([10, 0, 1, 53], 53));
//! let mut learner = Learner::new(LearnOptions::default());
//! learner.begin_capture("made-up.pcap", "none");
//! for packet in [udp(client, server, b"?"), udp(server, client, b"!")] {
//!     let packet = packet.bytes();
//!     learner.packet(&Record {
//!         time: 1_700_000_000_000_000_000,
//!         interface: 0,
//!         link_type: LinkType::RAW,
//!         original_len: packet.len() as u32,
//!         data: &packet,
//!     });
//! }
//! let learned = learner.finish()?;
//! assert!(learned.network.contains("- accept udp 53 from client-10-0-1-10"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conversation;
mod conversations;
mod groups;
mod hosts;
mod inside;
mod known;
mod learner;
mod lines;
mod machine;
mod plan;
mod roles;
mod rules;
mod run;
mod subnets;
mod summary;
mod widen;
mod write;

pub use conversations::ConversationId;
pub use learner::Learner;
pub use run::learn;
pub use summary::{Belongs, ConversationCounts, Parts, Renumbered, Source, Summary};

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_capture::CaptureError;

/// How a network is to be learned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LearnOptions {
    /// Who is inside; empty: private addresses (RFC 1918).
    pub inside: Vec<Ipv4Net>,
    /// Merge ports and peers that belong together.
    pub widen: bool,
}

/// A network that was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The network file.
    pub network: String,
    /// What it was learned from.
    pub summary: Summary,
}

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// A capture is damaged, or cannot be read on.
    #[error("{name}: {source}")]
    Capture {
        /// The capture.
        name: String,
        /// What is wrong with it.
        source: CaptureError,
    },
    /// No inside host sent anything.
    #[error("{}", nobody_inside(*packets, counts))]
    NobodyInside {
        /// Packets of all captures.
        packets: u64,
        /// What they are instead.
        counts: Belongs,
        /// Outside addresses that sent most to each other, with the packets of each.
        busiest: Vec<(Ipv4Addr, u64)>,
    },
}

fn nobody_inside(packets: u64, counts: &Belongs) -> String {
    if packets == 0 {
        return "there is nothing to learn from: no packets".to_owned();
    }
    let parts = [
        (counts.outside, "between addresses that are not inside"),
        (
            counts.nobody,
            "from or to loopback, multicast, broadcast or 0.0.0.0",
        ),
        (counts.not_ipv4, "not IPv4"),
        (counts.malformed, "malformed"),
    ];
    let known: u64 = parts.iter().map(|(packets, _)| packets).sum();
    let rest = (
        packets.saturating_sub(known),
        "to inside hosts that are silent, or from routers",
    );
    let parts = parts
        .iter()
        .chain([&rest])
        .filter(|(packets, _)| *packets > 0);
    let parts: Vec<String> = parts
        .map(|(packets, what)| format!("{packets} {what}"))
        .collect();
    format!(
        "none of {packets} packets was sent by an inside host: {}",
        parts.join(", ")
    )
}
