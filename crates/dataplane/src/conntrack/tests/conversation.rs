//! A small language for conversations.
//!
//! Each line is a packet and what becomes of it:
//!
//! ```text
//! > S isn=1000        => SYN_SENT 120
//! < SA                => SYN_RECV 60
//! > A                 => ESTABLISHED 432000
//! > A len=10          => ESTABLISHED 300
//! wait 299
//! < A ack=-10         => ignored ESTABLISHED 1
//! ```
//!
//! `>` is the original direction, `<` the reply. The word after it names TCP
//! flags (S, A, F, R, U, P), or `udp`, `icmp:TYPE`, `gre`, `esp`. Every end
//! sends its next sequence number and acknowledges all it has been sent;
//! `seq=±n` and `ack=±n` shift one packet, `seq==n`/`ack==n` set it, `isn=n`
//! begins anew, `len=`, `win=`, `scale=`, `sackok` and `sack=±n` say the rest.
//! Lost packets of the other end are written with `lost`: they are seen, but
//! nobody acknowledges them.
//!
//! The answer is the judgement (nothing for `Pass`), the state, and the seconds
//! until the connection is forgotten.

use super::super::{Direction, Judgement, Opening, Settings, Tracker};
use crate::Nanos;
use std::net::Ipv4Addr;
use vpcsim_network::{Conntrack, TcpWindow};
use vpcsim_packet::{Headers, Icmp, IcmpBody, Protocol, Tcp, TcpFlags, Transport, Udp};

/// Checks a conversation under `tcp_window: ignore`.
pub(super) fn check(conversation: &str) {
    compare(conversation, TcpWindow::Ignore, true);
}

/// Checks a conversation under `tcp_window: track`.
pub(super) fn check_tracked(conversation: &str) {
    compare(conversation, TcpWindow::Track, true);
}

pub(super) fn compare(conversation: &str, window: TcpWindow, loose: bool) {
    let settings = Settings { window, loose };
    let mut talk = Talk::default();
    let mut wanted = String::new();
    let mut got = String::new();
    for line in conversation.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(&first) = words.first() else {
            continue;
        };
        if first == "wait" {
            let seconds: f64 = words[1].parse().expect("seconds");
            talk.now.0 += (seconds * 1e9) as u64;
            continue;
        }
        let arrow = words.iter().position(|&word| word == "=>").expect("=>");
        wanted += &format!("{}\n", words.join(" "));
        let answer = talk.packet(&words[..arrow], &settings);
        got += &format!("{} => {answer}\n", words[..arrow].join(" "));
    }
    assert_eq!(wanted, got, "\nwanted:\n{wanted}\ngot:\n{got}");
}

struct Talk {
    now: Nanos,
    deadline: Nanos,
    tracker: Option<Tracker>,
    /// The next sequence number of each end.
    next: [u32; 2],
    /// What each end acknowledges.
    acknowledges: [u32; 2],
    timeouts: Conntrack,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            now: Nanos(1_700_000_000_000_000_000),
            deadline: Nanos(0),
            tracker: None,
            next: [1_000_000, 5_000_000],
            acknowledges: [5_000_000, 1_000_000],
            timeouts: Conntrack::default(),
        }
    }
}

impl Talk {
    fn packet(&mut self, words: &[&str], settings: &Settings) -> String {
        let direction = match words[0] {
            ">" => Direction::Original,
            "<" => Direction::Reply,
            other => panic!("direction {other}"),
        };
        let (headers, bytes) = self.build(words[1], &words[2..], direction);
        let mut said = String::new();
        if self.deadline <= self.now && self.tracker.take().is_some() {
            said += "gone ";
        }
        if let Some(tracker) = &mut self.tracker {
            let judgement = tracker.update(&bytes, &headers, direction, self.now, settings);
            self.deadline = tracker.deadline(judgement, self.deadline, self.now, &self.timeouts);
            match judgement {
                Judgement::Pass => {}
                Judgement::Ignored => said += "ignored ",
                Judgement::Invalid(reason) => said += &format!("{reason:?} "),
                Judgement::Ends => {
                    self.tracker = None;
                    return said + "ends";
                }
                Judgement::Reopen => {
                    said += "reopen ";
                    self.tracker = None;
                }
            }
        }
        if self.tracker.is_none() {
            let tracker = match Tracker::open(&bytes, &headers, self.now, settings) {
                Opening::Opens(tracker) => tracker,
                Opening::MidStream(tracker) => {
                    said += "midstream ";
                    tracker
                }
                Opening::Invalid(reason) => return said + &format!("{reason:?}"),
            };
            self.deadline = self.now.after_seconds(tracker.timeout(&self.timeouts));
            self.tracker = Some(tracker);
        }
        let tracker = self.tracker.as_ref().expect("a tracker");
        let left = self.deadline.since(self.now) / 1_000_000_000;
        said + &format!("{} {left}", tracker.state_name())
    }

    fn build(&mut self, kind: &str, words: &[&str], direction: Direction) -> (Headers, Vec<u8>) {
        let number = |name: &str| -> Option<i64> {
            words
                .iter()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_start_matches('=').parse().expect("number"))
        };
        let absolute = |name: &str| {
            words
                .iter()
                .any(|word| word.starts_with(&format!("{name}==")))
        };
        let length = number("len").unwrap_or(0) as usize;
        let (protocol, header_len, transport) = match kind {
            "udp" => {
                let length = (8 + length) as u16;
                let said = number("says").map_or(length, |says| says as u16);
                let udp = Udp {
                    source_port: 1111,
                    destination_port: 53,
                    length: said,
                };
                (Protocol::UDP, 8, Transport::Udp(udp))
            }
            "gre" => (Protocol::GRE, 4, Transport::Other),
            "esp" => (Protocol::ESP, 8, Transport::Other),
            icmp if icmp.starts_with("icmp:") => {
                let kind: u8 = icmp[5..].parse().expect("type");
                let body = match kind {
                    0 | 8 | 13..=18 => IcmpBody::Query {
                        identifier: 7,
                        sequence: 1,
                    },
                    _ => IcmpBody::Other,
                };
                let message = Icmp {
                    kind,
                    code: 0,
                    body,
                };
                (Protocol::ICMP, 8, Transport::Icmp(message))
            }
            flags => {
                let flags = flags.chars().fold(TcpFlags(0), |all, letter| {
                    all | match letter {
                        'S' => TcpFlags::SYN,
                        'A' => TcpFlags::ACK,
                        'F' => TcpFlags::FIN,
                        'R' => TcpFlags::RST,
                        'U' => TcpFlags::URG,
                        'P' => TcpFlags::PSH,
                        '0' => TcpFlags(0),
                        other => panic!("flag {other}"),
                    }
                });
                let me = direction.index();
                if let Some(isn) = number("isn") {
                    self.next[me] = isn as u32;
                }
                let place = |name: &str, usual: u32| match number(name) {
                    Some(value) if absolute(name) => value as u32,
                    Some(shift) => usual.wrapping_add(shift as u32),
                    None => usual,
                };
                let sequence = place("seq", self.next[me]);
                let acknowledgment = match flags.contains(TcpFlags::ACK) {
                    true => place("ack", self.acknowledges[me]),
                    false => 0,
                };
                let mut options = Vec::new();
                if let Some(scale) = number("scale") {
                    options.extend([1, 3, 3, scale as u8]);
                }
                if words.contains(&"sackok") {
                    options.extend([1, 1, 4, 2]);
                }
                if let Some(shift) = number("sack") {
                    let edge = acknowledgment.wrapping_add(shift as u32);
                    options.extend([1, 1, 5, 10]);
                    options.extend(edge.wrapping_sub(1).to_be_bytes());
                    options.extend(edge.to_be_bytes());
                }
                if number("seq").is_none() && !flags.contains(TcpFlags::RST) {
                    let phantom = u32::from(flags.contains(TcpFlags::SYN))
                        + u32::from(flags.contains(TcpFlags::FIN));
                    self.next[me] = sequence.wrapping_add(length as u32 + phantom);
                    if !words.contains(&"lost") {
                        self.acknowledges[1 - me] = self.next[me];
                    }
                }
                let header_len = 20 + options.len();
                let tcp = Tcp {
                    source_port: 1111,
                    destination_port: 80,
                    sequence,
                    acknowledgment,
                    flags,
                    window: number("win").unwrap_or(10_000) as u16,
                    header_len,
                    payload_len: length,
                };
                let bytes = [vec![0; 40], options].concat();
                return (
                    headers(Protocol::TCP, header_len + length, Transport::Tcp(tcp)),
                    bytes,
                );
            }
        };
        (headers(protocol, header_len + length, transport), vec![])
    }
}

pub(super) fn headers(protocol: Protocol, ip_payload: usize, transport: Transport) -> Headers {
    Headers {
        source: Ipv4Addr::new(10, 0, 0, 1),
        destination: Ipv4Addr::new(10, 0, 0, 2),
        protocol,
        ttl: 64,
        tos: 0,
        identification: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        total_len: 20 + ip_payload,
        transport,
    }
}
