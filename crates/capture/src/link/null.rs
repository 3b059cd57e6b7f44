//! BSD loopback: an address family in front of the packet.

use super::{Carried, Odd, Other};

const AF_INET: u32 = 2;
const HEADER: usize = 4;

/// NULL: the family in the byte order of the machine that captured, which may not be the file's.
pub(super) fn null(data: &[u8]) -> Result<Carried, Odd> {
    let Some(first) = data.first_chunk::<HEADER>() else {
        return Err(Odd::Short { wanted: HEADER });
    };
    // Families are small numbers: the order that makes the number small is the right one.
    family(u32::from_le_bytes(*first).min(u32::from_be_bytes(*first)))
}

/// LOOP: the family in network byte order.
pub(super) fn loopback(data: &[u8]) -> Result<Carried, Odd> {
    let Some(first) = data.first_chunk::<HEADER>() else {
        return Err(Odd::Short { wanted: HEADER });
    };
    family(u32::from_be_bytes(*first))
}

fn family(family: u32) -> Result<Carried, Odd> {
    match family {
        AF_INET => Ok(Carried {
            offset: HEADER,
            vlan: None,
        }),
        // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Err(Odd::Other(Other::Ipv6)),
        other => Err(Odd::Other(Other::Family(other))),
    }
}
