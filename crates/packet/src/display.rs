//! How protocols, flags and flows are written out.

use crate::{FlowKey, Protocol, TcpFlags};
use std::fmt;

/// `tcp`, `udp`, `icmp`, …; `protocol 99` for those without a name here.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            1 => "icmp",
            2 => "igmp",
            4 => "ipip",
            6 => "tcp",
            17 => "udp",
            33 => "dccp",
            41 => "ipv6",
            47 => "gre",
            50 => "esp",
            51 => "ah",
            89 => "ospf",
            103 => "pim",
            112 => "vrrp",
            132 => "sctp",
            136 => "udplite",
            number => return write!(f, "protocol {number}"),
        })
    }
}

/// As tcpdump writes them: `[S]`, `[S.]`, `[P.]`, `[R]`, `[none]`.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: [(TcpFlags, &str); 8] = [
            (TcpFlags::FIN, "F"),
            (TcpFlags::SYN, "S"),
            (TcpFlags::RST, "R"),
            (TcpFlags::PSH, "P"),
            (TcpFlags::ACK, "."),
            (TcpFlags::URG, "U"),
            (TcpFlags::ECE, "E"),
            (TcpFlags::CWR, "W"),
        ];
        if self.0 == 0 {
            return f.write_str("[none]");
        }
        f.write_str("[")?;
        for (flag, letter) in LETTERS {
            if self.contains(flag) {
                f.write_str(letter)?;
            }
        }
        f.write_str("]")
    }
}

/// `tcp 10.0.0.1:1234 > 10.0.0.2:80`, `icmp echo-request id 7 10.0.0.1 > 10.0.0.2`,
/// `gre 10.0.0.1 > 10.0.0.2`.
impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            source,
            source_port,
            destination,
            destination_port,
        } = self;
        match *protocol {
            Protocol::TCP | Protocol::UDP => write!(
                f,
                "{protocol} {source}:{source_port} > {destination}:{destination_port}"
            ),
            Protocol::ICMP => {
                let [kind, code] = destination_port.to_be_bytes();
                write!(f, "icmp ")?;
                match icmp_name(kind) {
                    Some(name) => write!(f, "{name}")?,
                    None => write!(f, "type {kind}")?,
                }
                if crate::parse::is_query(kind) {
                    write!(f, " id {source_port}")?;
                } else {
                    write!(f, " code {code}")?;
                }
                write!(f, " {source} > {destination}")
            }
            _ => write!(f, "{protocol} {source} > {destination}"),
        }
    }
}

/// RFC 792, RFC 950, RFC 1256.
fn icmp_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "echo-reply",
        3 => "unreachable",
        4 => "source-quench",
        5 => "redirect",
        8 => "echo-request",
        9 => "router-advertisement",
        10 => "router-solicitation",
        11 => "time-exceeded",
        12 => "parameter-problem",
        13 => "timestamp-request",
        14 => "timestamp-reply",
        15 => "information-request",
        16 => "information-reply",
        17 => "mask-request",
        18 => "mask-reply",
        _ => return None,
    })
}
