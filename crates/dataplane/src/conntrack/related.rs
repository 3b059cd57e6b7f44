//! ICMP errors belong to the flow of the packet they quote.

use super::{ConnectionId, Direction, Table, Zone};
use std::net::Ipv4Addr;
use vpcsim_packet::Quoted;

impl<V> Table<V> {
    /// The connection whose packet an ICMP error quotes, and the direction in
    /// which the *error* travels: against the quoted packet.
    ///
    /// As the kernel does (`nf_conntrack_inet_error`), the error is found where
    /// an answer to the quoted packet would be: by the reversed key. So it
    /// works on both sides of a translation, for quotations as each side sees
    /// them, and for quoted ICMP queries. And as there, an error that is not
    /// sent to where that answer would go (`destination` is the outer one)
    /// belongs to nothing; nor does a quotation without ports.
    pub fn lookup_error(
        &self,
        zone: Zone,
        destination: Ipv4Addr,
        quoted: &Quoted,
    ) -> Option<(ConnectionId, Direction)> {
        if quoted.later_fragment {
            return None;
        }
        let answer = quoted.key.reversed();
        if answer.destination != destination {
            return None;
        }
        self.lookup(zone, &answer)
    }
}
