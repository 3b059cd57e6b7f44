//! ICMP errors belong to the flow of the packet they quote.

use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Quoted};

/// The key by which the flow is found whose packet an ICMP error quotes. It is in the direction in which
/// the *error* travels: against the quoted packet.
///
/// As the kernel does (`nf_conntrack_inet_error`), the error is found where an answer to the quoted packet
/// would be: by the reversed key. So it works on both sides of a translation, for quotations as each side
/// sees them, and for quoted ICMP queries. And as there, an error that is not sent to where that answer
/// would go (`destination` is the outer one) belongs to nothing; nor does a quotation without ports.
pub fn answer_to(quoted: &Quoted, destination: Ipv4Addr) -> Option<FlowKey> {
    let answer = quoted.key.reversed();
    let fits = !quoted.later_fragment && answer.destination == destination;
    fits.then_some(answer)
}
