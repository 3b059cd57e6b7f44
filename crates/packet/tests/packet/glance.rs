//! `Glance` says what `Headers::parse` says, of the packets that it takes, and writes what
//! `rewrite` writes (SEMANTICS §11).

use crate::generate::{change, ends, hostile_with_headers, shape};
use proptest::prelude::*;
use vpcsim_packet::checksum::Delta;
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

/// What turns one flow into another, one hop further.
fn step(from: &FlowKey, to: &FlowKey, ttl: u8) -> Change {
    let moved = Delta::NONE
        .replace32(from.source.to_bits(), to.source.to_bits())
        .replace32(from.destination.to_bits(), to.destination.to_bits());
    let word = |ttl: u8| u16::from_be_bytes([ttl, from.protocol.0]);
    Change {
        addresses: addresses(to).to_be_bytes(),
        ports: ports(to).to_be_bytes(),
        ttl_down: 1,
        ip: moved.replace16(word(ttl), word(ttl - 1)).into(),
        transport: moved
            .replace16(from.source_port, to.source_port)
            .replace16(from.destination_port, to.destination_port)
            .into(),
    }
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
        checksum in prop_oneof![Just(None), Just(Some(0_u16)), Just(Some(0xffff)), any::<u16>().prop_map(Some)],
    ) {
        let mut packet = packet;
        prop_assume!(packet[8] > 0);
        let Some(glance) = Glance::of(&packet) else {
            return Ok(());
        };
        if let Some(checksum) = checksum {
            let at = usize::from(glance.shape.header_len()) + if glance.shape.is_tcp() { 16 } else { 6 };
            packet[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
            packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        }
        let (mut slow, mut fast) = (packet.clone(), packet);
        let mut headers = Headers::parse(&slow).unwrap();
        let from = glance.key();
        rewrite(&mut slow, &mut headers, &change);
        decrement_ttl(&mut slow, &mut headers);
        let to = FlowKey::of(&headers).unwrap();
        glance.shape.write(&mut fast, &step(&from, &to, glance.shape.ttl()));
        prop_assert_eq!(slow, fast);
    }
}
