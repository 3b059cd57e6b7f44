//! The few changes that the comparison makes to packets, written without the code under test.

/// A big-endian word; 0 beyond the end.
pub(crate) fn word(packet: &[u8], at: usize) -> u16 {
    match packet.get(at..at + 2) {
        Some(bytes) => u16::from_be_bytes([bytes[0], bytes[1]]),
        None => 0,
    }
}

/// Writes a big-endian word where the packet is long enough.
pub(crate) fn put(packet: &mut [u8], at: usize, value: u16) {
    if let Some(bytes) = packet.get_mut(at..at + 2) {
        bytes.copy_from_slice(&value.to_be_bytes());
    }
}

/// Replaces a word and moves the checksum at `sum` by the difference (RFC 1624, equation 3).
pub(crate) fn replace(packet: &mut [u8], at: usize, value: u16, sum: usize) {
    let old = word(packet, at);
    put(packet, at, value);
    let mut total = u32::from(!word(packet, sum)) + u32::from(!old) + u32::from(value);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    put(packet, sum, !(total as u16));
}

/// Length of the IPv4 header.
pub(crate) fn header_len(packet: &[u8]) -> usize {
    usize::from(packet.first().copied().unwrap_or(0) & 15) * 4
}

/// What a router does to a packet that it passes on: TTL − 1.
pub(crate) fn one_hop(packet: &mut [u8]) {
    if packet.len() >= 20 {
        let ttl = word(packet, 8);
        replace(packet, 8, ttl.wrapping_sub(0x100), 10);
    }
}

/// Sets the IP identification to 0, for packets whose maker chooses it freely.
pub(crate) fn forget_identification(packet: &mut [u8]) {
    replace(packet, 4, 0, 10);
}

/// Whether it is an ICMP error (RFC 1122 §3.2.2).
pub(crate) fn is_icmp_error(packet: &[u8]) -> bool {
    packet.get(9) == Some(&1)
        && word(packet, 6) & 0x1fff == 0
        && packet
            .get(header_len(packet))
            .is_some_and(|kind| matches!(kind, 3 | 4 | 5 | 11 | 12))
}

/// How many bytes of a packet a person is shown.
const SHOWN: usize = 96;

/// The first bytes, 16 a row, for a person.
pub(crate) fn hex(packet: &[u8]) -> String {
    let shown = &packet[..packet.len().min(SHOWN)];
    let rows = shown.chunks(16).map(|row| {
        let bytes: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(" ")
    });
    let mut text = rows.collect::<Vec<_>>().join("\n        ");
    if packet.len() > SHOWN {
        text += &format!(" … {} bytes in all", packet.len());
    }
    text
}
