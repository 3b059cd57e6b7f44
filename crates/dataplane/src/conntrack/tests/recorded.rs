//! Conversations recorded from a real kernel (`kernel-6.18.txt`), held against
//! the tracker: verdict, state, deadline and assurance after every segment.

use super::super::{Direction, Judgement, Opening, Settings, Tracker};
use super::conversation::headers;
use crate::Nanos;
use vpcsim_network::{Conntrack, TcpWindow};
use vpcsim_packet::{Headers, Protocol, Tcp, TcpFlags, Transport};

const SETTINGS: Settings = Settings {
    window: TcpWindow::Track,
    loose: true,
};

/// `conntrack` shows whole seconds, rounded down, a little after the segment.
const JITTER: u64 = 2;

#[test]
fn every_recorded_conversation_goes_as_the_kernel_had_it() {
    let recorded = include_str!("kernel-6.18.txt");
    let mut conversations = 0;
    for paragraph in recorded.split("\n\n") {
        let lines: Vec<&str> = paragraph
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        replay(&lines);
        conversations += 1;
    }
    assert!(conversations > 200, "{conversations}");
}

struct Live {
    tracker: Tracker,
    deadline: Nanos,
    /// Who sent its first segment.
    opener: char,
}

fn replay(lines: &[&str]) {
    let mut live: Option<Live> = None;
    for (n, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let passed = step(&mut live, &words);
        let (state, left, assured) = match &live {
            Some(live) => (
                live.tracker.state_name(),
                live.deadline.0 / 1_000_000_000,
                live.tracker.assured(),
            ),
            None => ("-", 0, false),
        };
        let got = (passed, state, assured);
        let wanted = (words[7] == "pass", words[8], words[10] == "assured");
        let wanted_left: u64 = words[9].parse().expect("seconds");
        assert!(
            got == wanted && left.abs_diff(wanted_left) <= JITTER,
            "{}\ngot {got:?} {left}",
            lines[..=n].join("\n")
        );
    }
}

/// Whether the segment passes. All of a conversation happens at once.
fn step(live: &mut Option<Live>, words: &[&str]) -> bool {
    let now = Nanos(0);
    let timeouts = Conntrack::default();
    let sender = if words[0] == ">" { '>' } else { '<' };
    let (headers, packet) = segment(words);
    if let Some(known) = live {
        let direction = if known.opener == sender {
            Direction::Original
        } else {
            Direction::Reply
        };
        let judgement = known
            .tracker
            .update(&packet, &headers, direction, now, &SETTINGS);
        known.deadline = known
            .tracker
            .deadline(judgement, known.deadline, now, &timeouts);
        if judgement == Judgement::Ends {
            *live = None;
        }
        if judgement != Judgement::Reopen {
            return judgement.belongs();
        }
    }
    let opening = Tracker::open(&packet, &headers, now, &SETTINGS);
    *live = match opening {
        Opening::Opens(tracker) | Opening::MidStream(tracker) => Some(Live {
            tracker,
            deadline: now.after_seconds(tracker.timeout(&timeouts)),
            opener: sender,
        }),
        Opening::Invalid(_) => None,
    };
    live.is_some()
}

fn segment(words: &[&str]) -> (Headers, Vec<u8>) {
    let number = |place: usize| words[place].parse::<u32>().expect("number");
    let digits = words[6].trim_matches('-');
    let options = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"));
    let packet: Vec<u8> = std::iter::repeat_n(0, 40).chain(options).collect();
    let tcp = Tcp {
        source_port: 1,
        destination_port: 2,
        sequence: number(2),
        acknowledgment: number(3),
        flags: TcpFlags(u8::from_str_radix(words[1], 16).expect("hex")),
        window: number(4) as u16,
        header_len: packet.len() - 20,
        payload_len: number(5) as usize,
    };
    let length = tcp.header_len + tcp.payload_len;
    (headers(Protocol::TCP, length, Transport::Tcp(tcp)), packet)
}
