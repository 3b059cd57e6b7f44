//! A TCP segment as tracking reads it.

use super::judgement::Invalid;
use super::tcp_states::Class;
use vpcsim_packet::{Headers, Shape, Tcp, TcpFlags};

/// RFC 9293 §3.1: a header without options.
const MIN_HEADER_LEN: usize = 20;

#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) class: Class,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    /// The sequence number after the segment; SYN and FIN count for one each.
    pub(super) end: u32,
    /// Unscaled.
    pub(super) window: u16,
    /// The acknowledgment counts.
    acknowledges: bool,
    /// The options; empty where there are none or the capture cut them off.
    pub(super) options: &'a [u8],
}

impl<'a> Segment<'a> {
    #[inline]
    pub(super) fn of(packet: &'a [u8], headers: &Headers, tcp: &Tcp) -> Result<Self, Invalid> {
        let room = headers.total_len.saturating_sub(headers.header_len);
        // A small first fragment may end inside the options.
        let cut = tcp.header_len > room && !headers.more_fragments;
        if tcp.header_len < MIN_HEADER_LEN || cut {
            return Err(Invalid::Malformed);
        }
        let class = Class::of(tcp.flags).ok_or(Invalid::Flags)?;
        let phantom = u32::from(tcp.flags.contains(TcpFlags::SYN))
            + u32::from(tcp.flags.contains(TcpFlags::FIN));
        // An IPv4 payload is shorter than 2^16, an offloaded one than 2^32.
        let length = tcp.payload_len as u32;
        let options = packet
            .get(headers.header_len + MIN_HEADER_LEN..headers.header_len + tcp.header_len)
            .unwrap_or_default();
        Ok(Self {
            class,
            sequence: tcp.sequence,
            acknowledgment: tcp.acknowledgment,
            end: tcp.sequence.wrapping_add(length).wrapping_add(phantom),
            window: tcp.window,
            acknowledges: tcp.flags.contains(TcpFlags::ACK),
            options,
        })
    }

    /// A segment that neither opens nor ends anything, of a packet that was looked at.
    #[inline]
    pub(super) fn in_the_middle(packet: &'a [u8], shape: &Shape) -> Option<Self> {
        let at = usize::from(shape.header_len());
        let segment = packet.get(at..)?;
        let tcp = segment.first_chunk::<MIN_HEADER_LEN>()?;
        let class = Class::of(TcpFlags(tcp[13])).filter(|class| *class == Class::Ack)?;
        let header_len = usize::from(tcp[12] >> 4) * 4;
        let length = usize::from(shape.total_len()).checked_sub(at + header_len)?;
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        Some(Self {
            class,
            sequence,
            acknowledgment: u32::from_be_bytes([tcp[8], tcp[9], tcp[10], tcp[11]]),
            end: sequence.wrapping_add(length as u32),
            window: u16::from_be_bytes([tcp[14], tcp[15]]),
            acknowledges: true,
            options: segment.get(MIN_HEADER_LEN..header_len).unwrap_or_default(),
        })
    }

    #[inline]
    pub(super) fn has_ack(&self) -> bool {
        match self.class {
            Class::Ack | Class::Fin | Class::SynAck => true,
            Class::Syn => false,
            Class::Rst => self.acknowledges,
        }
    }

    #[inline]
    pub(super) fn has_syn(&self) -> bool {
        matches!(self.class, Class::Syn | Class::SynAck)
    }
}
