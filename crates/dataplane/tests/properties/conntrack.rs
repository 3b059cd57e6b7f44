//! SEMANTICS §6: the security group of one nic against a model of Linux connection tracking,
//! written naively: a list of flows, the kernel's table of states as it stands in
//! `nf_conntrack_proto_tcp.c`, and the rules.
//!
//! The nic has an eip, so that nothing else stands between the stranger and the group.

use crate::world::{Run, cases, describe, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Decision, Nanos, Outcome, Source, Stage};
use vpcsim_network::NicId;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags};
use vpcsim_testkit::net;

const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
const EIP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// The timeouts of a case, in seconds, by the kernel's names.
#[derive(Debug, Clone, Copy)]
struct Timeouts([u32; 14]);

const NAMES: [&str; 14] = [
    "tcp_syn_sent",
    "tcp_syn_recv",
    "tcp_established",
    "tcp_fin_wait",
    "tcp_close_wait",
    "tcp_last_ack",
    "tcp_time_wait",
    "tcp_close",
    "udp",
    "udp_stream",
    "icmp",
    "gre",
    "gre_stream",
    "generic",
];

impl Timeouts {
    fn of(&self, name: &str) -> u64 {
        let at = NAMES.iter().position(|known| *known == name).unwrap();
        u64::from(self.0[at])
    }
}

/// What the group accepts as a first packet.
#[derive(Debug, Clone, Copy)]
struct Rules {
    ingress: bool,
    egress: bool,
}

#[derive(Clone, Copy)]
struct Case {
    timeouts: Timeouts,
    rules: Rules,
    /// Policy `mid_stream: drop`.
    strict: bool,
}

impl Case {
    fn yaml(&self) -> String {
        let list = |accepts: bool, side: &str| {
            if accepts {
                format!("[accept all {side} any]")
            } else {
                "[]".to_owned()
            }
        };
        let timeouts: Vec<String> = NAMES
            .iter()
            .zip(self.timeouts.0)
            .map(|(name, seconds)| format!("{name}: {seconds}"))
            .collect();
        format!(
            "
policies:
  mid_stream: {}
  conntrack: {{tcp_unacknowledged: 5000, tcp_max_retrans: 5000, {}}}
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
security_groups: {{web: {{ingress: {}, egress: {}}}}}
eips: {{web: {{address: {EIP}, bind: web}}}}
cvms: {{web: {{subnet: web, address: {HOST}, security_groups: [web]}}}}
",
            if self.strict { "drop" } else { "judge" },
            timeouts.join(", "),
            list(self.rules.ingress, "from"),
            list(self.rules.egress, "to"),
        )
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.yaml())
    }
}

#[derive(Debug, Clone, Copy)]
enum Content {
    Tcp {
        flags: u8,
        sequence: u32,
        acknowledgment: u32,
    },
    Udp,
    Ping {
        reply: bool,
    },
    Gre,
    Esp,
    /// An ICMP error about the packet that the other end could have sent.
    Error {
        about_tcp: bool,
    },
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Milliseconds before it.
    wait: u64,
    /// From the stranger to the host.
    ingress: bool,
    /// Which of two flows.
    port: u16,
    content: Content,
}

const SYN: u8 = 2;
const ACK: u8 = 16;

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        6 => 0_u64..900,
        3 => 1_000_u64..30_000,
        1 => 30_000_u64..200_000,
    ];
    // What TCPs send, and now and then what none does.
    let flags = prop_oneof![
        12 => prop::sample::select(vec![SYN, SYN, SYN | ACK, ACK, ACK, 8 | ACK, 1 | ACK, 4, 4 | ACK]),
        1 => any::<u8>().prop_map(|flags| flags & 0x3f),
    ];
    let number = || prop::sample::select(vec![100_u32, 101, 102, 500, 501]);
    let tcp =
        (flags, number(), number()).prop_map(|(flags, sequence, acknowledgment)| Content::Tcp {
            flags,
            sequence,
            acknowledgment,
        });
    let content = prop_oneof![
        8 => tcp,
        3 => Just(Content::Udp),
        3 => any::<bool>().prop_map(|reply| Content::Ping { reply }),
        1 => Just(Content::Gre),
        1 => Just(Content::Esp),
        2 => any::<bool>().prop_map(|about_tcp| Content::Error { about_tcp }),
    ];
    (wait, any::<bool>(), 1000_u16..1002, content).prop_map(|(wait, ingress, port, content)| Step {
        wait,
        ingress,
        port,
        content,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let rules =
        (any::<bool>(), any::<bool>()).prop_map(|(ingress, egress)| Rules { ingress, egress });
    let timeouts = prop::array::uniform14(1_u32..300);
    let kernel = Just([
        120, 60, 3600, 120, 60, 30, 120, 10, 30, 120, 30, 30, 180, 600,
    ]);
    let timeouts = prop_oneof![timeouts, kernel].prop_map(Timeouts);
    (timeouts, rules, prop::bool::weighted(0.3)).prop_map(|(timeouts, rules, strict)| Case {
        timeouts,
        rules,
        strict,
    })
}

impl Step {
    /// The packet between the host, as it calls itself or as it is called, and the stranger.
    fn bytes(&self, host: Ipv4Addr) -> Vec<u8> {
        let (here, there) = ((host, 80), (STRANGER, self.port));
        let (from, to) = if self.ingress {
            (there, here)
        } else {
            (here, there)
        };
        match self.content {
            Content::Tcp {
                flags,
                sequence,
                acknowledgment,
            } => {
                let build = build::tcp(from, to, TcpFlags(flags));
                build
                    .sequence(sequence)
                    .acknowledgment(acknowledgment)
                    .bytes()
            }
            Content::Udp => build::udp(from, to, b"hello").bytes(),
            Content::Ping { reply } => {
                let echo = if reply { Echo::Reply } else { Echo::Request };
                build::icmp_echo(echo, from.0, to.0, self.port, 1, b"").bytes()
            }
            Content::Gre => build::raw(Protocol::GRE, from.0, to.0, &[0, 0, 8, 0]).bytes(),
            Content::Esp => build::raw(Protocol::ESP, from.0, to.0, &[0; 8]).bytes(),
            Content::Error { about_tcp } => {
                let about = if about_tcp {
                    build::tcp(to, from, TcpFlags::SYN).bytes()
                } else {
                    build::udp(to, from, b"hello").bytes()
                };
                let headers = Headers::parse(&about).unwrap();
                icmp::error(&about, &headers, from.0, IcmpError::PortUnreachable).unwrap()
            }
        }
    }
}

/// The kernel's table: by direction, by kind of segment, from each state in the order of
/// `STATES`; `--` is invalid, `..` is ignored.
const STATES: [&str; 10] = ["NO", "SS", "SR", "ES", "FW", "CW", "LA", "TW", "CL", "S2"];
const TABLE: [[&str; 5]; 2] = [
    [
        /* syn    */ "SS SS .. .. .. .. .. SS SS S2",
        /* synack */ "-- -- SR -- -- -- -- -- -- SR",
        /* fin    */ "-- -- FW FW LA LA LA TW CL --",
        /* ack    */ "ES -- ES ES CW CW TW TW CL --",
        /* rst    */ "-- CL CL CL CL CL CL CL CL CL",
    ],
    [
        /* syn    */ "-- S2 -- -- -- -- -- SS -- S2",
        /* synack */ "-- SR .. .. .. .. .. .. .. SR",
        /* fin    */ "-- -- FW FW LA LA LA TW CL --",
        /* ack    */ "-- .. SR ES CW CW TW TW CL ..",
        /* rst    */ "-- CL CL CL CL CL CL CL CL CL",
    ],
];
const SYN_KIND: usize = 0;
const SYN_ACK_KIND: usize = 1;
const ACK_KIND: usize = 3;
const RST_KIND: usize = 4;

/// Which row of the table; none for flags that no TCP sends (`tcp_valid_flags`).
fn kind(flags: u8) -> Option<usize> {
    // PSH, and what is beyond URG, go with anything.
    match flags & 0x37 {
        0x02 | 0x22 => Some(SYN_KIND),
        0x12 => Some(SYN_ACK_KIND),
        0x11 | 0x31 => Some(2),
        0x10 | 0x30 => Some(ACK_KIND),
        0x04 | 0x14 => Some(RST_KIND),
        _ => None,
    }
}

/// What the kernel keeps of one flow.
struct Flow {
    first: FlowKey,
    state: &'static str,
    replied: bool,
    born: u64,
    deadline: u64,
    /// Which end sent the first FIN, if one did.
    closed: [bool; 2],
    simultaneous: bool,
    /// Kind, direction and end of the last segment that passed.
    last: Option<(usize, usize, u32)>,
    /// A SYN was let through in LAST_ACK: the next ACK against it is a challenge.
    challenge: bool,
}

struct Model {
    case: Case,
    flows: Vec<Flow>,
}

enum Answer {
    Belongs,
    Ends,
    Invalid,
    Reopens,
}

impl Model {
    /// Whether the group lets a packet pass, and whether as one of a known flow.
    fn passes(&mut self, step: &Step, bytes: &[u8], now: u64) -> (bool, bool) {
        self.flows.retain(|flow| flow.deadline > now);
        let rules = if step.ingress {
            self.case.rules.ingress
        } else {
            self.case.rules.egress
        };
        let key = FlowKey::of(&Headers::parse(bytes).unwrap()).unwrap();
        if let Content::Error { about_tcp } = step.content {
            // An answer to what it quotes would have the key of a packet in its own direction.
            let protocol = if about_tcp {
                Protocol::TCP
            } else {
                Protocol::UDP
            };
            let (from, to) = if step.ingress {
                (step.port, 80)
            } else {
                (80, step.port)
            };
            let answer = FlowKey {
                protocol,
                source_port: from,
                destination_port: to,
                ..key
            };
            let known = self.find(&answer).is_some();
            return (known || (rules && !self.case.strict), known);
        }
        if let Some((at, direction)) = self.find(&key) {
            let timeouts = self.case.timeouts;
            match self.flows[at].take(step, direction, now, &timeouts) {
                Answer::Belongs => return (true, true),
                Answer::Ends => {
                    self.flows.remove(at);
                    return (true, true);
                }
                Answer::Invalid => return (rules && !self.case.strict, false),
                Answer::Reopens => {
                    self.flows.remove(at);
                }
            }
        }
        match self.open(step, key, now) {
            Some(flow) if rules => {
                self.flows.push(flow);
                (true, false)
            }
            Some(_) => (false, false),
            None => (rules && !self.case.strict, false),
        }
    }

    fn find(&self, key: &FlowKey) -> Option<(usize, usize)> {
        self.flows.iter().enumerate().find_map(|(at, flow)| {
            if flow.first == *key {
                Some((at, 0))
            } else {
                (flow.first.reversed() == *key).then_some((at, 1))
            }
        })
    }

    /// The flow that a packet begins, if it can begin one.
    fn open(&self, step: &Step, first: FlowKey, now: u64) -> Option<Flow> {
        let (state, timeout) = match step.content {
            Content::Tcp { flags, .. } => match kind(flags)? {
                SYN_KIND => ("SS", "tcp_syn_sent"),
                ACK_KIND if !self.case.strict => ("ES", "tcp_established"),
                _ => return None,
            },
            Content::Udp => ("", "udp"),
            Content::Ping { reply: false } => ("", "icmp"),
            Content::Gre => ("", "gre"),
            Content::Esp => ("", "generic"),
            Content::Ping { reply: true } | Content::Error { .. } => return None,
        };
        let mut flow = Flow {
            first,
            state,
            replied: false,
            born: now,
            deadline: now + self.case.timeouts.of(timeout) * 1000,
            closed: [false; 2],
            simultaneous: false,
            last: None,
            challenge: false,
        };
        if let Content::Tcp { flags, .. } = step.content {
            flow.last = Some((kind(flags)?, 0, 0));
        }
        Some(flow)
    }
}

impl Flow {
    fn take(&mut self, step: &Step, direction: usize, now: u64, timeouts: &Timeouts) -> Answer {
        let name = match step.content {
            Content::Tcp {
                flags,
                sequence,
                acknowledgment,
            } => {
                let before = self.deadline;
                let answer =
                    self.segment(flags, (sequence, acknowledgment), direction, now, timeouts);
                if direction == 1 && matches!(answer, Answer::Belongs) {
                    self.replied = true;
                }
                if matches!(answer, Answer::Invalid) {
                    self.deadline = before;
                }
                return answer;
            }
            Content::Udp if self.replied && now - self.born > 2000 => "udp_stream",
            Content::Udp => "udp",
            Content::Ping { .. } => "icmp",
            Content::Gre if self.replied => "gre_stream",
            Content::Gre => "gre",
            Content::Esp | Content::Error { .. } => "generic",
        };
        self.deadline = now + timeouts.of(name) * 1000;
        self.replied |= direction == 1;
        Answer::Belongs
    }

    /// `nf_conntrack_tcp_packet`, with sequence numbers as `tcp_be_liberal` has them.
    fn segment(
        &mut self,
        flags: u8,
        (sequence, acknowledgment): (u32, u32),
        direction: usize,
        now: u64,
        timeouts: &Timeouts,
    ) -> Answer {
        let Some(kind) = kind(flags) else {
            return Answer::Invalid;
        };
        let end = sequence + u32::from(flags & SYN != 0) + u32::from(flags & 1 != 0);
        let column = STATES
            .iter()
            .position(|state| *state == self.state)
            .unwrap();
        let mut from = self.state;
        let mut to = TABLE[direction][kind].split(' ').nth(column).unwrap();
        if to == ".." {
            let against_ignored = matches!(self.last, Some((SYN_KIND, other, expected))
                if other != direction && expected == acknowledgment);
            if kind == SYN_ACK_KIND && against_ignored {
                // Both ends are in step with each other: so are we now.
                (from, to) = ("SS", "SR");
                self.closed = [false; 2];
                self.challenge = false;
            } else {
                return self.ignore(kind, direction, end);
            }
        }
        match to {
            "--" => return Answer::Invalid,
            "SS" if matches!(from, "TW" | "CL") => {
                let own_reset =
                    matches!(self.last, Some((RST_KIND, other, _)) if other == direction);
                if self.closed != [false; 2] || own_reset {
                    return Answer::Reopens;
                }
                return self.ignore(kind, direction, end);
            }
            "TW" if from == "LA" && kind == ACK_KIND && self.challenge => {
                let against = matches!(self.last, Some((SYN_KIND, other, _)) if other != direction);
                if against {
                    self.challenge = false;
                    return Answer::Belongs;
                }
            }
            "S2" => self.simultaneous = true,
            "SR" if kind == ACK_KIND && direction == 1 && self.simultaneous => to = "ES",
            _ => {}
        }
        self.last = Some((kind, direction, if kind == ACK_KIND { end } else { 0 }));
        if to == "FW" && from != "FW" {
            self.closed[direction] = true;
        }
        self.state = to;
        if !self.replied && kind == RST_KIND {
            return Answer::Ends;
        }
        if !self.replied && kind == SYN_KIND && from == "SS" {
            // Sent again, or from the other end at once: not prolonged.
            return Answer::Belongs;
        }
        let name = match to {
            "SS" | "S2" => "tcp_syn_sent",
            "SR" => "tcp_syn_recv",
            "ES" => "tcp_established",
            "FW" => "tcp_fin_wait",
            "CW" => "tcp_close_wait",
            "LA" => "tcp_last_ack",
            "TW" => "tcp_time_wait",
            _ => "tcp_close",
        };
        self.deadline = now + timeouts.of(if kind == RST_KIND { "tcp_close" } else { name }) * 1000;
        Answer::Belongs
    }

    /// Let through without being believed.
    fn ignore(&mut self, kind: usize, direction: usize, end: u32) -> Answer {
        self.last = Some((kind, direction, end));
        if kind == SYN_KIND && direction == 0 {
            self.simultaneous = false;
            self.challenge = self.state == "LA";
        }
        Answer::Belongs
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_group_tracks_as_the_model_does(case in case(), steps in vec(step(), 1..40)) {
        let program = net(&case.yaml());
        let mut run = Run::new(&program);
        let mut model = Model { case, flows: Vec::new() };
        let mut now = 0;
        for (number, step) in steps.iter().enumerate() {
            now += step.wait;
            let (source, host, stage) = if step.ingress {
                (Source::Internet, EIP, Stage::SecurityGroupIngress)
            } else {
                (Source::Nic(NicId(0)), HOST, Stage::SecurityGroupEgress)
            };
            let packet = sent(Nanos(now * 1_000_000), source, step.bytes(host));
            let (_, noted) = run.watch(&packet);
            let decision = noted.iter().find(|stop| stop.stage == stage).map(|stop| stop.decision);
            let passed = matches!(decision, Some(Decision::Pass(_)));
            let known = matches!(
                decision,
                Some(Decision::Pass(Outcome::Established | Outcome::Related))
            );
            let expected = model.passes(step, &step.bytes(HOST), now);
            prop_assert_eq!(
                (passed, known), expected,
                "{} at {} ms: {}, {:?}", number, now, describe(&packet.bytes), decision
            );
        }
    }
}
