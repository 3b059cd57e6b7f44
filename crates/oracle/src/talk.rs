//! Random conversations: mostly as real ends talk, now and then as nobody should.

use crate::conversation::{Content, Flow, Side, Step};
use crate::rng::Rng;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use vpcsim_packet::{Protocol, TcpFlags};

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;
const FIN: TcpFlags = TcpFlags::FIN;
const RST: TcpFlags = TcpFlags::RST;

/// Maximum segment size, SACK permitted, window scale 7.
const OFFER: [u8; 12] = [2, 4, 5, 180, 4, 2, 3, 3, 7, 1, 1, 1];
/// Window scale 2 alone.
const SCALE: [u8; 4] = [3, 3, 2, 1];
/// A selective acknowledgment block, filled in.
const SACK: [u8; 4] = [1, 1, 5, 10];

/// What an end does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Syn,
    SynAck,
    Ack,
    Data,
    Fin,
    Rst,
    RstAck,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sender {
    next: u32,
    started: bool,
    window: u16,
}

/// One flow in conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    flow: Flow,
    client: Side,
    script: VecDeque<(Side, Act)>,
    senders: [Sender; 2],
    said: Vec<(Side, Content)>,
    /// How often in a hundred a packet is not what it should be.
    wild: usize,
    /// Routers that may complain.
    routers: Vec<(Side, Ipv4Addr)>,
}

impl Talk {
    /// A conversation that `client` opens.
    pub(crate) fn new(
        flow: Flow,
        client: Side,
        wild: usize,
        routers: &[(Side, Ipv4Addr)],
        rng: &mut Rng,
    ) -> Self {
        let mut talk = Self {
            flow,
            client,
            script: VecDeque::new(),
            senders: [Sender::default(); 2],
            said: Vec::new(),
            wild,
            routers: routers.to_vec(),
        };
        talk.write_script(rng);
        talk
    }

    /// The next packet.
    pub(crate) fn step(&mut self, rng: &mut Rng) -> Step {
        let (from, content) = self.content(rng);
        self.said.push((from, content.clone()));
        Step {
            flow: self.flow,
            from,
            content,
            identification: rng.next() as u16,
            tos: rng.pick(&[0, 0, 0, 0x10, 0xb8, 3]),
            dont_fragment: rng.chance(30),
            spoiled: rng.chance(3),
        }
    }

    fn content(&mut self, rng: &mut Rng) -> (Side, Content) {
        if !self.said.is_empty() && rng.chance(2 + self.wild / 2) {
            return self.complaint(rng);
        }
        if !self.said.is_empty() && rng.chance(self.wild / 3) {
            // Once more, perhaps with the roles swapped.
            let (from, content) = rng.pick(&self.said);
            let from = if rng.chance(10) { from.other() } else { from };
            if !matches!(content, Content::Error { .. }) {
                return (from, content);
            }
        }
        match self.flow.protocol {
            Protocol::TCP => self.segment(rng),
            Protocol::UDP => (self.speaker(rng), self.datagram(rng)),
            Protocol::ICMP => self.query(rng),
            _ => {
                let length = rng.pick(&[8, 20, 64]);
                (self.speaker(rng), Content::Other { length })
            }
        }
    }

    /// The client first, then either.
    fn speaker(&self, rng: &mut Rng) -> Side {
        if (self.said.is_empty() && !rng.chance(self.wild)) || rng.chance(50) {
            self.client
        } else {
            self.client.other()
        }
    }

    fn datagram(&self, rng: &mut Rng) -> Content {
        let lie = if rng.chance(self.wild / 5) {
            rng.pick(&[1, 100, 0xfffc])
        } else {
            0
        };
        Content::Udp {
            length: rng.pick(&[0, 1, 31, 512]),
            lie,
            checksum: !rng.chance(20),
        }
    }

    fn query(&self, rng: &mut Rng) -> (Side, Content) {
        let from = self.speaker(rng);
        let kind = match from == self.client {
            true => rng.pick(&[8, 8, 8, 8, 13, 17, 15]),
            false => rng.pick(&[0, 0, 0, 0, 14, 18, 16]),
        };
        let odd = rng.chance(self.wild / 2);
        let kind = if odd {
            rng.pick(&[0, 8, 9, 10, 14, 13, 19, 30, 40, 42])
        } else {
            kind
        };
        let content = Content::Query {
            kind,
            code: u8::from(rng.chance(self.wild / 10)),
            shift: u16::from(rng.chance(self.wild / 3)),
            number: rng.below(4) as u16,
            length: rng.pick(&[0, 1, 56]),
        };
        (from, content)
    }

    /// An ICMP error about something that was said, or about something that was not.
    fn complaint(&self, rng: &mut Rng) -> (Side, Content) {
        let (teller, quoted) = rng.pick(&self.said);
        if matches!(quoted, Content::Error { .. }) {
            return (teller, quoted);
        }
        // Usually who received it complains.
        let from = if rng.chance(95) {
            teller.other()
        } else {
            teller
        };
        let on_the_way = self.routers.iter().filter(|(side, _)| *side == from);
        let on_the_way: Vec<Ipv4Addr> = on_the_way.map(|(_, router)| *router).collect();
        let router = (!on_the_way.is_empty() && rng.chance(50)).then(|| rng.pick(&on_the_way));
        let (kind, code) = rng.pick(&[(3, 3), (3, 1), (3, 4), (11, 0), (4, 0), (12, 0), (5, 1)]);
        let content = Content::Error {
            kind,
            code,
            quoted: Box::new(quoted),
            quote: rng.pick(&[8, 8, 20, 64, 548]),
            router,
            shift: u16::from(rng.chance(15)),
        };
        (from, content)
    }

    fn segment(&mut self, rng: &mut Rng) -> (Side, Content) {
        if self.script.is_empty() {
            self.write_script(rng);
        }
        let planned = self.script.pop_front();
        let (from, act) = match planned {
            Some(planned) if !rng.chance(self.wild / 2) => planned,
            _ => {
                let acts = [
                    Act::Syn,
                    Act::SynAck,
                    Act::Ack,
                    Act::Data,
                    Act::Fin,
                    Act::Rst,
                    Act::RstAck,
                ];
                (rng.pick(&[Side::Inside, Side::Outside]), rng.pick(&acts))
            }
        };
        (from, self.act(from, act, rng))
    }

    fn act(&mut self, from: Side, act: Act, rng: &mut Rng) -> Content {
        let peer = self.senders[index(from.other())];
        let sender = &mut self.senders[index(from)];
        if !sender.started || act == Act::Syn {
            sender.started = true;
            sender.window = rng.pick(&[65_535, 65_535, 1_000, 100, 29_200]);
            // A later connection usually begins ahead of the old one.
            sender.next = match rng.below(4) {
                0 => rng.next() as u32,
                1 => 0xffff_ff00,
                _ => sender.next.wrapping_add(100_000),
            };
        }
        let mut options = Vec::new();
        let (mut flags, length) = match act {
            Act::Syn => (SYN, usize::from(rng.chance(5)) * 10),
            Act::SynAck => (SYN | ACK, 0),
            Act::Ack => (ACK, 0),
            Act::Data => (ACK | TcpFlags::PSH, rng.pick(&[1, 10, 100, 1_400])),
            Act::Fin => (FIN | ACK, usize::from(rng.chance(10)) * 20),
            Act::Rst => (RST, 0),
            Act::RstAck => (RST | ACK, 0),
        };
        if flags.contains(SYN) {
            options = rng.pick(&[Vec::new(), OFFER.to_vec(), OFFER.to_vec(), SCALE.to_vec()]);
        }
        let mut sequence = sender.next;
        let mut acknowledgment = if flags.contains(ACK) { peer.next } else { 0 };
        let counted = length as u32 + u32::from(flags.contains(SYN) || flags.contains(FIN));
        sender.next = sender.next.wrapping_add(counted);
        let mut window = sender.window;
        if rng.chance(self.wild) {
            // Around what the kernel's window check calls too old: a window, or 66 000.
            let old = rng.pick(&[1_000, 65_535, 66_000]) + rng.below(3) as u32 - 1;
            let shift = rng.pick(&[
                1,
                u32::MAX,
                100,
                70_000,
                70_000_u32.wrapping_neg(),
                1 << 31,
                old,
                old.wrapping_neg(),
            ]);
            match rng.below(6) {
                0 => sequence = sequence.wrapping_add(shift),
                1 => acknowledgment = acknowledgment.wrapping_add(shift),
                2 => window = rng.pick(&[0, 1, 500]),
                3 => flags = TcpFlags(rng.pick(&[0, 3, 6, 1, 8, 0x3f, 0x29, 0x14, 0x24, 0x52])),
                4 => sequence = 0,
                _ => {
                    options = SACK.to_vec();
                    let edge = peer.next.wrapping_add(rng.pick(&[0, 100, shift]));
                    options.extend_from_slice(&edge.wrapping_sub(50).to_be_bytes());
                    options.extend_from_slice(&edge.to_be_bytes());
                }
            }
        }
        Content::Tcp {
            flags,
            sequence,
            acknowledgment,
            window,
            options,
            length,
        }
    }

    fn write_script(&mut self, rng: &mut Rng) {
        use Act::{Ack, Data, Fin, Rst, RstAck, Syn, SynAck};
        let client = self.client;
        let server = client.other();
        let open: Vec<(Side, Act)> = match rng.below(12) {
            0 => vec![
                (client, Syn),
                (server, Syn),
                (client, SynAck),
                (server, SynAck),
            ],
            1 => vec![(client, Syn), (server, Syn), (client, Ack), (server, Ack)],
            2 => vec![(client, Syn), (client, Syn)],
            3 => vec![(client, Syn), (server, RstAck)],
            4 => vec![(client, Data), (server, Ack)],
            5 => vec![(server, Data), (client, Ack)],
            6 => vec![(server, SynAck), (client, Rst)],
            7 => vec![
                (client, Syn),
                (server, SynAck),
                (server, SynAck),
                (client, Ack),
            ],
            8 => vec![
                (client, Syn),
                (server, Ack),
                (client, Rst),
                (client, Syn),
                (server, SynAck),
            ],
            _ => vec![(client, Syn), (server, SynAck), (client, Ack)],
        };
        self.script.extend(open);
        for _ in 0..rng.below(5) {
            let from = rng.pick(&[client, server]);
            let act = rng.pick(&[Ack, Data, Data]);
            self.script.push_back((from, act));
        }
        let first = rng.pick(&[client, server]);
        let second = first.other();
        let close = match rng.below(7) {
            0 | 1 => vec![(first, Fin), (second, Ack), (second, Fin), (first, Ack)],
            2 => vec![(first, Fin), (second, Fin), (first, Ack)],
            3 => vec![(first, Fin), (second, Fin), (first, Ack), (second, Ack)],
            4 => vec![(first, Rst)],
            5 => vec![(first, RstAck), (second, Ack)],
            _ => Vec::new(),
        };
        self.script.extend(close);
        if rng.chance(40) {
            let from = rng.pick(&[client, server]);
            self.script.push_back((from, rng.pick(&[Data, Ack, Rst])));
        }
        if rng.chance(15) {
            self.client = server;
        }
    }
}

fn index(side: Side) -> usize {
    match side {
        Side::Inside => 0,
        Side::Outside => 1,
    }
}
