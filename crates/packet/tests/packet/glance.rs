//! `Glance` says what `Headers::parse` says, of the packets that it takes, and writes what
//! `rewrite` writes (SEMANTICS §11).

use crate::generate::{change, ends, hostile_with_headers, shape};
use proptest::prelude::*;
use vpcsim_packet::checksum::{Delta, InPlace};
use vpcsim_packet::{
    Change, FlowKey, Glance, Headers, Protocol, Transport, decrement_ttl, rewrite,
};

fn packet() -> impl Strategy<Value = Vec<u8>> {
    (shape(40), ends()).prop_map(|(shape, ends)| shape.between(ends).bytes())
}

fn ports(key: &FlowKey) -> u32 {
    u32::from(key.source_port) << 16 | u32::from(key.destination_port)
}

fn addresses(key: &FlowKey) -> u64 {
    u64::from(key.source.to_bits()) << 32 | u64::from(key.destination.to_bits())
}

/// By how much the checksums of the IPv4 header and of TCP or UDP change from one flow to another, one hop
/// further.
fn deltas(from: &FlowKey, to: &FlowKey, ttl: u8) -> [Delta; 2] {
    let moved = Delta::NONE
        .replace32(from.source.to_bits(), to.source.to_bits())
        .replace32(from.destination.to_bits(), to.destination.to_bits());
    let word = |ttl: u8| u16::from_be_bytes([ttl, from.protocol.0]);
    let transport = moved
        .replace16(from.source_port, to.source_port)
        .replace16(from.destination_port, to.destination_port);
    [moved.replace16(word(ttl), word(ttl - 1)), transport]
}

/// What a packet's checksums are before it is changed.
#[derive(Debug, Clone, Copy)]
enum Before {
    Right,
    Is(u16),
    /// Such that they are 0 afterwards.
    BecomesZero,
}

fn before() -> impl Strategy<Value = Before> {
    prop_oneof![
        Just(Before::Right),
        Just(Before::Is(0)),
        Just(Before::Is(0xffff)),
        any::<u16>().prop_map(Before::Is),
        Just(Before::BecomesZero),
    ]
}

fn agrees(packet: &[u8]) -> Result<(), TestCaseError> {
    let Some(glance) = Glance::of(packet) else {
        return Ok(());
    };
    let headers = Headers::parse(packet);
    prop_assert!(headers.is_ok(), "{headers:?}");
    let headers = headers.unwrap();
    prop_assert_eq!(FlowKey::of(&headers), Some(glance.key()));
    let is_tcp = matches!(headers.transport, Transport::Tcp(_));
    prop_assert_eq!(glance.shape.is_tcp(), is_tcp);
    prop_assert_eq!(glance.shape.ttl(), headers.ttl);
    prop_assert_eq!(usize::from(glance.shape.header_len()), headers.header_len);
    prop_assert_eq!(usize::from(glance.shape.total_len()), headers.total_len);
    prop_assert!(!headers.more_fragments && headers.fragment_offset == 0);
    Ok(())
}

proptest! {
    #[test]
    fn a_glance_says_what_the_headers_say(packet in packet()) {
        agrees(&packet)?;
        let headers = Headers::parse(&packet).unwrap();
        let whole = !headers.more_fragments && headers.fragment_offset == 0;
        let known = matches!(headers.protocol, Protocol::TCP | Protocol::UDP);
        prop_assert_eq!(Glance::of(&packet).is_some(), whole && known);
    }

    #[test]
    fn whatever_it_takes_of_hostile_bytes_has_such_headers((packet, _) in hostile_with_headers()) {
        agrees(&packet)?;
    }

    #[test]
    fn it_writes_what_rewriting_writes(
        packet in packet(),
        change in change(),
        before in before(),
    ) {
        let mut packet = packet;
        prop_assume!(packet[8] > 0);
        let Some(glance) = Glance::of(&packet) else {
            return Ok(());
        };
        let from = glance.key();
        let to = {
            let (mut packet, mut headers) = (packet.clone(), Headers::parse(&packet).unwrap());
            rewrite(&mut packet, &mut headers, &change);
            FlowKey::of(&headers).unwrap()
        };
        let deltas = deltas(&from, &to, glance.shape.ttl());
        let field = if glance.shape.is_tcp() { 16 } else { 6 };
        let fields = [10, usize::from(glance.shape.header_len()) + field];
        for (delta, at) in deltas.iter().zip(fields) {
            let checksum = match before {
                Before::Right => continue,
                Before::Is(checksum) => checksum,
                // ~(~HC + d) is 0 where HC is d.
                Before::BecomesZero => !delta.apply(0xffff),
            };
            packet[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        }
        let (mut slow, mut fast) = (packet.clone(), packet);
        let mut headers = Headers::parse(&slow).unwrap();
        rewrite(&mut slow, &mut headers, &change);
        decrement_ttl(&mut slow, &mut headers);
        let [ip, transport] = deltas.map(InPlace::from);
        let changed = Change {
            addresses: addresses(&to).to_be_bytes(),
            ports: ports(&to).to_be_bytes(),
            ip,
            transport,
            ttl_down: 1,
        };
        glance.shape.write(&mut fast, &changed);
        prop_assert_eq!(slow, fast);
    }
}
