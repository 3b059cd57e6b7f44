//! One record, and how it looks as a line of text.

use std::fmt;
use std::net::Ipv4Addr;

/// The version that records carry (the documented samples have 2).
pub const VERSION: u8 = 2;

/// The fields of a record by their documented names, in their documented order.
pub const FIELDS: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

/// The packets of one direction of a flow at one nic within one window.
///
/// Two fields are always the same and stand in no field here: `version` ([`VERSION`]), and
/// `log-status`, `OK`: nothing is skipped, and what saw no packet has no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The account that the nic belongs to.
    pub account_id: &'a str,
    /// The nic.
    pub interface_id: &'a str,
    /// Source address as the nic sees it.
    pub source: Ipv4Addr,
    /// Destination address as the nic sees it.
    pub destination: Ipv4Addr,
    /// Source port, of ICMP the identifier; 0 for what has none.
    pub source_port: u16,
    /// Destination port, of ICMP the type in bits 0 to 7 and the code in bits 8 to 15; 0 for what
    /// has none.
    pub destination_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Packets.
    pub packets: u64,
    /// Their bytes from the IPv4 header on.
    pub bytes: u64,
    /// When the window began, in seconds since 1970.
    pub start: u64,
    /// When it ended, in seconds since 1970.
    pub end: u64,
    /// What became of the packets at the nic.
    pub action: Action,
}

/// What a nic's security groups and its subnet's acl did with packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// They let them pass.
    Accept,
    /// One of them denied them.
    Reject,
}

impl Action {
    /// The word in a record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
        }
    }
}

/// The record's `log-status`.
pub(crate) const STATUS: &str = "OK";

impl fmt::Display for Record<'_> {
    /// The line of a text log: fields in order, a space between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account_id,
            interface_id,
            source,
            destination,
            source_port,
            destination_port,
            protocol,
            packets,
            bytes,
            start,
            end,
            action,
        } = self;
        let (account, nic, action) = (Word(account_id), Word(interface_id), action.name());
        write!(
            f,
            "{VERSION} {account} {nic} {source} {destination} {source_port} {destination_port} \
             {protocol} {packets} {bytes} {start} {end} {action} {STATUS}"
        )
    }
}

/// A name as one field of a line: nothing that would end the field, and `-` where it is empty.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        let ends_field = |c: char| c.is_whitespace() || c.is_control();
        let mut parts = self.0.split(ends_field);
        f.write_str(parts.next().unwrap_or_default())?;
        parts.try_for_each(|part| write!(f, "_{part}"))
    }
}
