//! Which flows last from packet to packet, whatever packets come.

use crate::Nanos;
use crate::conntrack::Phase;
use vpcsim_network::Network;

/// Of which connections a packet that keeps them alive always leaves time for another one: no timeout
/// is 0. And of which no packet brings the deadline at a gateway nearer, where nobody would notice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasting {
    half_open: bool,
    established: bool,
    udp: bool,
    /// At least so long each of them lives after a packet that keeps it alive.
    least: Nanos,
}

impl Lasting {
    pub(super) fn of(network: &Network) -> Self {
        let nic = &network.policies.conntrack;
        let gateways = || network.nat_gateways.iter().map(|gateway| &gateway.timeouts);
        let lasts = |timeouts: &[u32]| timeouts.iter().all(|&seconds| seconds > 0);
        let established = lasts(&[
            nic.tcp_established,
            nic.tcp_max_retrans,
            nic.tcp_unacknowledged,
        ]) && gateways().all(|t| t.tcp_established > 0);
        let at_nics = [
            nic.tcp_established,
            nic.tcp_max_retrans,
            nic.tcp_unacknowledged,
            nic.tcp_syn_sent,
            nic.tcp_syn_recv,
            nic.udp,
            nic.udp_stream,
        ];
        let at_gateways = gateways().flat_map(|t| [t.tcp_established, t.tcp_half_open, t.udp]);
        let least = at_nics.into_iter().chain(at_gateways).min().unwrap_or(0);
        Self {
            half_open: established
                && lasts(&[nic.tcp_syn_sent, nic.tcp_syn_recv])
                && gateways().all(|t| (1..=t.tcp_established).contains(&t.tcp_half_open)),
            established,
            udp: lasts(&[nic.udp, nic.udp_stream]) && gateways().all(|t| t.udp > 0),
            least: Nanos(0).after_seconds(least),
        }
    }

    /// At least so long a connection that lasts lives after a packet that keeps it alive.
    pub(super) fn least(self) -> Nanos {
        self.least
    }

    pub(super) fn has(self, phase: Phase) -> bool {
        match phase {
            Phase::TcpHalfOpen => self.half_open,
            Phase::TcpEstablished => self.established,
            Phase::Udp => self.udp,
            Phase::TcpClosing | Phase::Icmp | Phase::Other => false,
        }
    }
}
