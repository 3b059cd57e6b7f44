//! A capture, packet by packet.

use super::conversations::{ConversationId, Conversations};
use super::hosts::Sender;
use super::inside::{Inside, Side, block, net};
use super::plan::{Plan, Seen};
use super::summary::{Belongs, ConversationCounts, Parts, Renumbered, Source, Summary};
use super::write::{second, write};
use super::{LearnError, LearnOptions, Learned};
use crate::frame::{Frame, frame};
use crate::tally::Tally;
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use vpcsim_capture::Record;
use vpcsim_dataplane::Nanos;
use vpcsim_packet::{Headers, IcmpBody, Transport};

/// Most inside addresses that become hosts.
const MOST_HOSTS: usize = 1 << 16;
/// Most outside addresses that are counted, and how many of them a hint names.
const MOST_OUTSIDE: usize = 1024;
const NAMED: usize = 3;

/// Learns a network from packets that come one by one.
///
/// Memory is for inside hosts and their conversations, up to a ceiling of each; what lies beyond
/// is counted, and the summary says so.
#[derive(Debug)]
pub struct Learner {
    options: LearnOptions,
    inside: Inside,
    conversations: Conversations,
    senders: HashMap<Ipv4Addr, Sender>,
    /// Packets by sender where both ends are outside, ICMP errors aside.
    outside: Tally<Ipv4Addr>,
    avoid: BTreeSet<Ipv4Net>,
    captures: Vec<Source>,
    counts: Belongs,
    /// Packets of inside addresses beyond [`MOST_HOSTS`].
    nameless: u64,
    earliest: Option<u64>,
    latest: u64,
    warnings: Vec<String>,
}

impl Learner {
    /// One that has seen nothing.
    pub fn new(options: LearnOptions) -> Self {
        Self {
            inside: Inside::new(&options.inside),
            options,
            conversations: Conversations::default(),
            senders: HashMap::new(),
            outside: Tally::new(MOST_OUTSIDE),
            avoid: BTreeSet::new(),
            captures: Vec::new(),
            counts: Belongs::default(),
            nameless: 0,
            earliest: None,
            latest: 0,
            warnings: Vec::new(),
        }
    }

    /// The packets from here on are of another capture.
    pub fn begin_capture(&mut self, name: &str, format: &str) {
        self.captures.push(Source {
            name: name.to_owned(),
            format: format.to_owned(),
            packets: 0,
        });
    }

    /// Something is odd about the capture begun last.
    pub fn capture_warning(&mut self, text: &str) {
        let name = self.captures.last().map_or("", |capture| &capture.name);
        self.warnings.push(format!("{name}: {text}"));
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.captures.iter().map(|capture| capture.packets).sum()
    }

    /// Takes a captured packet; the conversation that it belongs to. None for what has no inside
    /// host in it, for later fragments whose first one did not come before them, and for what is
    /// no whole IPv4 packet.
    pub fn packet(&mut self, record: &Record<'_>) -> Option<ConversationId> {
        if let Some(capture) = self.captures.last_mut() {
            capture.packets += 1;
        }
        self.latest = self.latest.max(record.time);
        self.earliest = Some(self.earliest.map_or(record.time, |e| e.min(record.time)));
        let bytes = match frame(record) {
            Frame::Ipv4 { bytes, .. } => bytes,
            Frame::NotIpv4(_) => {
                self.counts.not_ipv4 += 1;
                return None;
            }
            Frame::Truncated { .. } => {
                self.counts.malformed += 1;
                return None;
            }
        };
        let Ok(headers) = Headers::parse(bytes) else {
            self.counts.malformed += 1;
            return None;
        };
        let ends = [headers.source, headers.destination];
        match ends.map(|end| self.inside.of(end)) {
            [Side::Nobody, _] => {
                self.counts.nobody += 1;
                return None;
            }
            [source, Side::Nobody] => {
                self.counts.nobody += 1;
                // It talks to nobody that could answer, but it is there.
                if source == Side::Inside {
                    self.sender(&headers);
                }
                return None;
            }
            [Side::Outside, Side::Outside] => {
                self.counts.outside += 1;
                if !is_error(&headers) {
                    self.outside.add(&headers.source, 0);
                }
                return None;
            }
            [source, destination] => {
                if source == Side::Inside {
                    self.sender(&headers);
                }
                for (side, end) in [source, destination].into_iter().zip(ends) {
                    if side == Side::Outside && block(end).is_some() {
                        self.avoid.extend(net(end, 16));
                    }
                }
            }
        }
        let beyond = self.conversations.beyond();
        let now = Nanos(self.latest);
        let id = self.conversations.take(bytes, &headers, now, &self.inside);
        if id.is_none() && self.conversations.beyond() == beyond {
            self.counts.fragments += 1;
        }
        id
    }

    /// An inside host sent a packet.
    fn sender(&mut self, headers: &Headers) {
        let known = self.senders.len();
        let sender = match self.senders.get_mut(&headers.source) {
            Some(sender) => sender,
            None if known < MOST_HOSTS => self.senders.entry(headers.source).or_default(),
            None => {
                self.nameless += 1;
                return;
            }
        };
        sender.packets += 1;
        sender.is_host |= !is_error(headers);
    }

    /// Whether both ends of a conversation talked to each other: the learned network delivers all
    /// of its packets.
    ///
    /// TCP: each end acknowledged the other, with a segment that is no reset. ICMP: a request and
    /// its reply. Everything else: a packet each way. ICMP errors and later fragments belong to
    /// the conversation that they speak of, or whose first fragment came before them.
    pub fn is_completed(&self, id: ConversationId) -> bool {
        let conversation = self.conversations.list().get(id.0 as usize);
        conversation.is_some_and(|conversation| conversation.is_completed())
    }

    /// The network that was learned.
    ///
    /// # Errors
    /// When no inside host was seen.
    pub fn finish(self) -> Result<Learned, LearnError> {
        let senders = self
            .senders
            .iter()
            .map(|(address, sender)| (*address, *sender))
            .collect();
        let seen = Seen {
            conversations: &self.conversations,
            senders: &senders,
            inside: &self.inside,
            avoid: &self.avoid,
        };
        let plan = Plan::new(&seen, self.options.widen);
        if plan.hosts.is_empty() {
            return Err(self.nobody());
        }
        let moved = plan.hosts.iter().filter(|host| !host.has_own_address());
        let renumbered: Vec<Renumbered> = moved
            .map(|host| Renumbered {
                captured: host.captured,
                address: host.home.address,
                cvm: host.name.clone(),
            })
            .collect();
        let summary = self.summary(&plan, renumbered);
        let network = write(&plan, &self.head(&summary));
        Ok(Learned { network, summary })
    }

    /// Why there is nothing to learn.
    fn nobody(&self) -> LearnError {
        let mut busiest: Vec<(Ipv4Addr, u64)> = self
            .outside
            .iter()
            .map(|(address, count)| (*address, count.packets))
            .collect();
        busiest.sort_by_key(|&(address, packets)| (Reverse(packets), address));
        busiest.truncate(NAMED);
        LearnError::NobodyInside {
            packets: self.packets(),
            counts: self.counts,
            busiest,
        }
    }

    fn summary(&self, plan: &Plan, renumbered: Vec<Renumbered>) -> Summary {
        let all = || self.conversations.list().iter();
        let packets = |completed: bool| {
            let some = all().filter(|c| c.is_completed() == completed);
            some.map(|c| c.packets() + c.errors).sum()
        };
        let belongs = Belongs {
            completed: packets(true),
            incomplete: packets(false),
            beyond: self.conversations.beyond(),
            ..self.counts
        };
        let mut warnings = self.warnings.clone();
        if belongs.beyond > 0 {
            warnings.push(format!(
                "{} packets belong to conversations beyond the first {}: nothing was learned from them",
                belongs.beyond,
                self.conversations.list().len()
            ));
        }
        if self.nameless > 0 {
            warnings.push(format!(
                "{} packets were sent by inside addresses beyond the first {MOST_HOSTS}: these are no cvms",
                self.nameless
            ));
        }
        Summary {
            captures: self.captures.clone(),
            packets: self.packets(),
            belongs,
            conversations: ConversationCounts::of(all()),
            network: Parts::of(plan),
            renumbered,
            warnings,
        }
    }

    /// What stands at the top of the file.
    fn head(&self, summary: &Summary) -> String {
        let files: Vec<String> = self.captures.iter().map(|c| file_name(&c.name)).collect();
        let span = self.earliest.map_or(String::new(), |earliest| {
            format!(", {} to {}", second(earliest), second(self.latest))
        });
        let rules = if self.options.widen {
            "What completed conversations needed is allowed, and what is like it (--widen)."
        } else {
            "What completed conversations needed is allowed, and nothing else."
        };
        format!(
            "Learned by `vpcsim learn` from {}\n({} packets{span}).\n\n{rules}\nBehind each rule stands what it was learned from; the times are UTC.\n",
            files.join(", "),
            summary.packets,
        )
    }
}

fn is_error(headers: &Headers) -> bool {
    match headers.transport {
        Transport::Icmp(icmp) => matches!(icmp.body, IcmpBody::Error(_)),
        _ => false,
    }
}

/// The last part of a capture's name, without what would end a comment.
fn file_name(name: &str) -> String {
    let path = Path::new(name);
    let name = path
        .file_name()
        .map_or(name.into(), |name| name.to_string_lossy());
    let printable = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ';
    name.chars()
        .map(|c| if printable(c) { c } else { '?' })
        .collect()
}
