//! UDP: requests and answers.

use super::{Desk, Speaker};
use crate::Packet;
use vpcsim_packet::build;

const HEADERS: usize = 28;

/// A UDP flow.
#[derive(Debug, Clone)]
pub(crate) struct Udp {
    desk: Desk,
    left: u64,
}

impl Udp {
    pub(crate) fn new(desk: Desk) -> Self {
        let left = desk.manner.requests;
        Self { desk, left }
    }

    fn talk(&mut self) {
        let (client, server) = (self.desk.client.end(), self.desk.server.end());
        let request = self.desk.payload(HEADERS);
        self.desk
            .say(Speaker::Client, build::udp(client, server, request));
        self.desk.round_trip();
        if self.desk.manner.replies {
            let answer = self.desk.payload(HEADERS);
            self.desk
                .say(Speaker::Server, build::udp(server, client, answer));
        }
        self.desk.pause();
    }
}

impl Iterator for Udp {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.desk.ready.pop_front() {
                return Some(packet);
            }
            self.left = self.left.checked_sub(1)?;
            self.talk();
        }
    }
}
