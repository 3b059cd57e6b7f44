//! Ethernet, its tags, 802.2, and the Linux "cooked" headers that borrow its types.

use super::{Carried, Odd, Other, u8_at, u16_at};

const IPV4: u16 = 0x0800;
/// Values up to this one are the length of an 802.3 frame, not a type (IEEE 802.3 §3.2.6).
const LENGTH_MAX: u16 = 1500;

/// Ethernet: two addresses, then a type or a length.
#[inline]
pub(super) fn ethernet(data: &[u8]) -> Result<Carried, Odd> {
    network_layer(data, u16_at(data, 12)?, 14)
}

/// Linux "cooked" captures: the type is at `type_at`, what it says starts at `header`.
pub(super) fn linux_cooked(data: &[u8], type_at: usize, header: usize) -> Result<Carried, Odd> {
    match u16_at(data, type_at)? {
        // LINUX_SLL_P_802_2: no type, an 802.2 header follows.
        4 => llc(data, header, None),
        ethertype if ethertype <= LENGTH_MAX => Err(Odd::Other(Other::Ethertype(ethertype))),
        ethertype => network_layer(data, ethertype, header),
    }
}

/// What follows at `at`, looking through VLAN tags.
#[inline]
pub(super) fn network_layer(
    data: &[u8],
    mut ethertype: u16,
    mut at: usize,
) -> Result<Carried, Odd> {
    let mut vlan = None;
    loop {
        match ethertype {
            IPV4 if at <= data.len() => return Ok(Carried { offset: at, vlan }),
            IPV4 => return Err(Odd::Short { wanted: at }),
            // 802.1Q, 802.1ad and the tags used before it; each moves on by 4 bytes, so this ends.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                vlan = Some(u16_at(data, at)? & 0x0fff);
                ethertype = u16_at(data, at + 2)?;
                at += 4;
            }
            0..=LENGTH_MAX => return llc(data, at, vlan),
            other => return Err(Odd::Other(Other::from_ethertype(other))),
        }
    }
}

/// An 802.2 header, with SNAP (RFC 1042) or without.
fn llc(data: &[u8], at: usize, vlan: Option<u16>) -> Result<Carried, Odd> {
    let (destination, source, control) =
        (u8_at(data, at)?, u8_at(data, at + 1)?, u8_at(data, at + 2)?);
    match (destination, source, control) {
        // SNAP: an organisation (zero for Ethernet, 0000f8 for bridges) and a type of its own.
        (0xaa, 0xaa, 0x03) => {
            let organisation = [
                u8_at(data, at + 3)?,
                u8_at(data, at + 4)?,
                u8_at(data, at + 5)?,
            ];
            let ethertype = u16_at(data, at + 6)?;
            match (organisation, ethertype) {
                ([0, 0, 0] | [0, 0, 0xf8], IPV4) => Ok(Carried {
                    offset: at + 8,
                    vlan,
                }),
                ([0, 0, 0] | [0, 0, 0xf8], other) => Err(Odd::Other(Other::from_ethertype(other))),
                _ => Err(Odd::Other(Other::Llc(destination))),
            }
        }
        // The service access point of IP itself (RFC 1042 calls it 6).
        (0x06, 0x06, 0x03) => Ok(Carried {
            offset: at + 3,
            vlan,
        }),
        _ => Err(Odd::Other(Other::Llc(destination))),
    }
}
