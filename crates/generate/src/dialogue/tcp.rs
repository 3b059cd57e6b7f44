//! TCP: a handshake, requests and answers, an end.

use super::{Desk, Speaker};
use crate::Packet;
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build;

/// MSS 1460 (RFC 9293 §3.7.1).
const MSS: [u8; 4] = [2, 4, 5, 180];
const HEADERS: usize = 40;

/// A TCP connection.
#[derive(Debug, Clone)]
pub(crate) struct Tcp {
    desk: Desk,
    /// The next sequence number of each side.
    client_next: u32,
    server_next: u32,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// So many requests are left.
    Talk(u64),
    Close,
    Done,
}

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;

impl Tcp {
    pub(crate) fn new(mut desk: Desk) -> Self {
        let client_next = desk.random.next() as u32;
        let server_next = desk.random.next() as u32;
        let phase = if desk.manner.handshakes {
            Phase::Open
        } else {
            Phase::Talk(desk.manner.requests)
        };
        Self {
            desk,
            client_next,
            server_next,
            phase,
        }
    }

    fn segment(&mut self, speaker: Speaker, flags: TcpFlags, payload: &[u8]) {
        let desk = &self.desk;
        let (client, server) = (desk.client.end(), desk.server.end());
        let (from, to, sequence, acknowledgment) = match speaker {
            Speaker::Client => (client, server, self.client_next, self.server_next),
            Speaker::Server => (server, client, self.server_next, self.client_next),
        };
        let mut packet = build::tcp(from, to, flags)
            .sequence(sequence)
            .dont_fragment(true)
            .payload(payload);
        if flags.contains(ACK) {
            packet = packet.acknowledgment(acknowledgment);
        }
        if flags.contains(SYN) {
            packet = packet.tcp_options(&MSS);
        }
        let again = !payload.is_empty()
            && self.desk.manner.retransmissions > 0
            && self
                .desk
                .random
                .chance(self.desk.manner.retransmissions.into());
        self.desk.say(speaker, packet.clone());
        if again {
            self.desk.round_trip();
            self.desk.say(speaker, packet);
        }
        let counted = flags.contains(SYN) || flags.contains(TcpFlags::FIN);
        let next = match speaker {
            Speaker::Client => &mut self.client_next,
            Speaker::Server => &mut self.server_next,
        };
        *next = next.wrapping_add(payload.len() as u32 + u32::from(counted));
    }

    fn open(&mut self) {
        self.segment(Speaker::Client, SYN, &[]);
        self.desk.round_trip();
        if self.desk.manner.replies {
            self.segment(Speaker::Server, SYN | ACK, &[]);
            self.desk.wait(20_000);
        } else {
            // The server's SYN is not in the capture, but it counts.
            self.server_next = self.server_next.wrapping_add(1);
        }
        self.segment(Speaker::Client, ACK, &[]);
        self.desk.wait(50_000);
    }

    fn talk(&mut self) {
        let push = TcpFlags::PSH | ACK;
        let request = self.desk.payload(HEADERS);
        self.segment(Speaker::Client, push, request);
        self.desk.round_trip();
        if self.desk.manner.replies {
            let answer = self.desk.payload(HEADERS);
            self.segment(Speaker::Server, push, answer);
            self.desk.wait(40_000);
            self.segment(Speaker::Client, ACK, &[]);
        }
        self.desk.pause();
    }

    fn close(&mut self) {
        let replies = self.desk.manner.replies;
        // One connection in eight ends by a reset.
        if self.desk.random.below(8) == 0 {
            let by_server = replies && self.desk.random.chance(50);
            let speaker = if by_server {
                Speaker::Server
            } else {
                Speaker::Client
            };
            return self.segment(speaker, TcpFlags::RST | ACK, &[]);
        }
        self.segment(Speaker::Client, TcpFlags::FIN | ACK, &[]);
        self.desk.round_trip();
        if replies {
            self.segment(Speaker::Server, TcpFlags::FIN | ACK, &[]);
            self.desk.wait(20_000);
        } else {
            self.server_next = self.server_next.wrapping_add(1);
        }
        self.segment(Speaker::Client, ACK, &[]);
    }
}

impl Iterator for Tcp {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.desk.ready.pop_front() {
                return Some(packet);
            }
            self.phase = match self.phase {
                Phase::Open => {
                    self.open();
                    Phase::Talk(self.desk.manner.requests)
                }
                Phase::Talk(0) if self.desk.manner.handshakes => Phase::Close,
                Phase::Talk(0) | Phase::Done => return None,
                Phase::Talk(left) => {
                    self.talk();
                    Phase::Talk(left - 1)
                }
                Phase::Close => {
                    self.close();
                    Phase::Done
                }
            };
        }
    }
}
