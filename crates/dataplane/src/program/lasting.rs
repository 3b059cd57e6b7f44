//! Which flows last from packet to packet, whatever packets come.

use vpcsim_network::Network;

/// Of which protocols a connection that packets keep alive has always time left: no timeout is 0, and
/// none of a gateway gets shorter on the way to an established connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasting {
    pub(super) tcp: bool,
    pub(super) udp: bool,
}

impl Lasting {
    pub(super) fn of(network: &Network) -> Self {
        let nic = &network.policies.conntrack;
        let gateways = || network.nat_gateways.iter().map(|gateway| &gateway.timeouts);
        let established = [
            nic.tcp_established,
            nic.tcp_max_retrans,
            nic.tcp_unacknowledged,
        ];
        let handshake = [nic.tcp_syn_sent, nic.tcp_syn_recv];
        let mut tcp = established.iter().chain(&handshake);
        Self {
            tcp: tcp.all(|&seconds| seconds > 0)
                && gateways().all(|t| (1..=t.tcp_established).contains(&t.tcp_half_open)),
            udp: nic.udp > 0 && nic.udp_stream > 0 && gateways().all(|t| t.udp > 0),
        }
    }
}
