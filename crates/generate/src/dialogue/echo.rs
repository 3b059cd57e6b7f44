//! Pings.

use super::{Desk, Speaker};
use crate::Packet;
use vpcsim_packet::build::{self, Echo as Half};

const HEADERS: usize = 28;

/// Echo requests with one identifier (the client's port), and their replies.
#[derive(Debug, Clone)]
pub(crate) struct Echo {
    desk: Desk,
    sequence: u64,
}

impl Echo {
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk, sequence: 0 }
    }

    fn talk(&mut self) {
        let (client, server) = (self.desk.client.address, self.desk.server.address);
        let (identifier, sequence) = (self.desk.client.port, self.sequence as u16);
        let payload = self.desk.payload(HEADERS);
        let half = |half, from, to| build::icmp_echo(half, from, to, identifier, sequence, payload);
        self.desk
            .say(Speaker::Client, half(Half::Request, client, server));
        self.desk.round_trip();
        if self.desk.manner.replies {
            self.desk
                .say(Speaker::Server, half(Half::Reply, server, client));
        }
        self.desk.pause();
    }
}

impl Iterator for Echo {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.desk.ready.pop_front() {
                return Some(packet);
            }
            if self.sequence == self.desk.manner.requests {
                return None;
            }
            self.sequence += 1;
            self.talk();
        }
    }
}
