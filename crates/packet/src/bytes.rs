//! Big-endian reads and writes that skip what is not there.

/// The 16 bits at `at`.
#[inline]
pub(crate) fn get16(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*field))
}

/// The 32 bits at `at`.
#[inline]
pub(crate) fn get32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*field))
}

/// Writes 16 bits at `at`; nothing when they are not all there.
#[inline]
pub(crate) fn put16(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<2>())
    {
        *field = value.to_be_bytes();
    }
}

/// Writes 32 bits at `at`; nothing when they are not all there.
#[inline]
pub(crate) fn put32(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(field) = bytes
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<4>())
    {
        *field = value.to_be_bytes();
    }
}

/// The bytes that belong to a packet of `total_len`: without what a capture carries after it
/// (Ethernet padding, a frame check sequence).
#[inline]
pub(crate) fn within(packet: &[u8], total_len: usize) -> &[u8] {
    packet.get(..total_len).unwrap_or(packet)
}
