//! Conversations by number.

use crate::network::{self, HOSTS, REMOTE_PORT, REMOTES};
use crate::random::shuffle;
use std::net::Ipv4Addr;
use vpcsim_packet::Protocol;

/// An address and a port.
pub(crate) type End = (Ipv4Addr, u16);

/// One conversation that an inside host opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) protocol: Protocol,
    /// Number of the inside host.
    pub(crate) host: u32,
    pub(crate) inside: End,
    pub(crate) remote: End,
}

impl Flow {
    /// The flow of a number. Every other one is TCP, the rest UDP; hosts, remote hosts and ports
    /// are scattered over all there are, and no two numbers have the same ends.
    pub(crate) fn number(number: u32) -> Self {
        // 4 bits of host, 13 of remote, 15 of port, as clients choose them: 32768 and above.
        let bits = shuffle(number);
        let host = bits % HOSTS;
        let remote = bits / HOSTS % REMOTES;
        let port = bits / (HOSTS * REMOTES);
        Self {
            protocol: [Protocol::UDP, Protocol::TCP][number as usize % 2],
            host,
            inside: (network::host(host), 0x8000 | port as u16),
            remote: (network::remote(remote), REMOTE_PORT),
        }
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.protocol == Protocol::TCP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn flows_differ_and_are_half_tcp() {
        let flows: Vec<_> = (0..100_000).map(Flow::number).collect();
        let ends: HashSet<_> = flows
            .iter()
            .map(|flow| (flow.inside, flow.remote))
            .collect();
        assert_eq!(ends.len(), flows.len());
        assert_eq!(flows.iter().filter(|flow| flow.is_tcp()).count(), 50_000);
    }
}
