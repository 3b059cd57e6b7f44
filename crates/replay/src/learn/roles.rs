//! Who is client and who is server.

use super::conversation::Conversation;
use super::known::service_name;
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Protocol};

/// Ports below this are for services (RFC 6335).
const SYSTEM_PORTS: u16 = 1024;

/// How many conversations each address and port takes part in: a service has many, the port that
/// a client asks from one.
#[derive(Debug, Default)]
pub(super) struct Ends(HashMap<(Ipv4Addr, Protocol, u16), u32>);

impl Ends {
    pub(super) fn of<'a>(completed: impl Iterator<Item = &'a Conversation>) -> Self {
        let mut ends = Self::default();
        for conversation in completed {
            for end in both(&conversation.key) {
                *ends.0.entry(end).or_default() += 1;
            }
        }
        ends
    }

    /// The way that leads from client to server.
    ///
    /// Of TCP the SYN says it, or the SYN-ACK. Where neither was captured, and for UDP: the end
    /// with the port of a well-known service is the server; else the one that takes part in more
    /// conversations; else the one that was spoken to first. Of ICMP the request says it.
    pub(super) fn way_to_server(&self, conversation: &Conversation) -> usize {
        let key = &conversation.key;
        match key.protocol {
            Protocol::TCP => {
                let [here, there] = &conversation.sent;
                if here.syn != there.syn {
                    return usize::from(there.syn);
                }
                if here.syn_ack != there.syn_ack {
                    return usize::from(here.syn_ack);
                }
            }
            Protocol::UDP => {}
            Protocol::ICMP => {
                // Requests have the types 8, 13, 15 and 17, replies 0, 14, 16 and 18.
                return usize::from(!matches!(key.icmp_kind(), Some(8 | 13 | 15 | 17)));
            }
            _ => return 0,
        }
        let rank = |port| (service_name(port).is_none(), port >= SYSTEM_PORTS);
        let [source, destination] = both(key);
        let (from, to) = (rank(source.2), rank(destination.2));
        if from != to {
            return usize::from(from < to);
        }
        let busy = |end| self.0.get(&end).copied().unwrap_or(0);
        usize::from(busy(source) > busy(destination))
    }
}

/// Both ends of a flow.
fn both(key: &FlowKey) -> [(Ipv4Addr, Protocol, u16); 2] {
    [
        (key.source, key.protocol, key.source_port),
        (key.destination, key.protocol, key.destination_port),
    ]
}
