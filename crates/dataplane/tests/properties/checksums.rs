//! SEMANTICS §11: checksums are updated by differences, so a right one stays right and a wrong
//! one wrong; and nothing else of a packet changes that no stage speaks of.

use crate::world::{Run, any_world, cases, sent};
use proptest::prelude::*;
use vpcsim_dataplane::Verdict;
use vpcsim_packet::{
    Headers, IcmpBody, Protocol, Transport, Verdict as Checksum, verify_checksums,
};

fn report(bytes: &[u8]) -> (Checksum, Checksum) {
    let headers = Headers::parse(bytes).unwrap();
    let report = verify_checksums(bytes, &headers);
    (report.ip, report.transport)
}

/// The checksum of the quoted packet's header, for an ICMP error.
fn quoted(bytes: &[u8]) -> Option<Checksum> {
    let headers = Headers::parse(bytes).ok()?;
    let Transport::Icmp(icmp) = headers.transport else {
        return None;
    };
    let IcmpBody::Error(quoted) = icmp.body else {
        return None;
    };
    let header = bytes.get(quoted.offset..quoted.offset + quoted.header_len)?;
    let right = vpcsim_packet::checksum::full(header) == 0;
    Some(if right {
        Checksum::Right
    } else {
        Checksum::Wrong
    })
}

/// Where the transport checksum stands in a segment.
fn checksum_at(headers: &Headers) -> Option<usize> {
    let at = match headers.protocol {
        Protocol::TCP => 16,
        Protocol::UDP => 6,
        Protocol::ICMP => 2,
        _ => return None,
    };
    (headers.fragment_offset == 0).then_some(headers.header_len + at)
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn right_checksums_stay_right(world in any_world()) {
        let program = world.program();
        let mut run = Run::new(&program);
        for (id, sent) in world.sent.iter().enumerate() {
            let before = report(&sent.bytes);
            let quotation = quoted(&sent.bytes);
            let ended = run.send(sent);
            if !matches!(ended.verdict(), Verdict::Delivered(_) | Verdict::Dropped(_)) {
                continue;
            }
            prop_assert_eq!(report(&ended.bytes), before, "{}", id);
            prop_assert_eq!(quoted(&ended.bytes), quotation, "{}", id);
            for other in &ended.others {
                let (ip, transport) = report(&other.bytes);
                prop_assert_eq!(ip, Checksum::Right, "beside {}: {:?}", id, other);
                prop_assert_ne!(transport, Checksum::Wrong, "beside {}: {:?}", id, other);
            }
        }
    }

    #[test]
    fn wrong_checksums_stay_wrong(
        world in any_world(),
        error in 1_u16..0xffff,
        of_header in any::<bool>(),
    ) {
        let program = world.program();
        let mut run = Run::new(&program);
        for (id, whole) in world.sent.iter().enumerate() {
            let headers = Headers::parse(&whole.bytes).unwrap();
            let at = if of_header { Some(10) } else { checksum_at(&headers) };
            let Some(at) = at else { continue };
            let mut bytes = whole.bytes.clone();
            let Some(field) = bytes.get_mut(at..at + 2) else { continue };
            let stored = u16::from_be_bytes([field[0], field[1]]);
            let wrong = stored ^ error;
            if headers.protocol == Protocol::UDP && !of_header && (stored == 0 || wrong == 0) {
                continue;
            }
            field.copy_from_slice(&wrong.to_be_bytes());
            let before = report(&bytes);
            let ended = run.send(&sent(whole.time, whole.source, bytes));
            if matches!(ended.verdict(), Verdict::Delivered(_) | Verdict::Dropped(_)) {
                prop_assert_eq!(report(&ended.bytes), before, "{}", id);
            }
        }
    }

    /// Addresses, ports, identifiers, the time to live, checksums and quotations: no stage speaks
    /// of anything else.
    #[test]
    fn nothing_else_of_a_packet_changes(world in any_world()) {
        let program = world.program();
        let mut run = Run::new(&program);
        for (id, sent) in world.sent.iter().enumerate() {
            let ended = run.send(sent);
            let Ok(headers) = Headers::parse(&sent.bytes) else { continue };
            let quotes = matches!(headers.transport, Transport::Icmp(icmp) if matches!(icmp.body, IcmpBody::Error(_)));
            let start = headers.header_len;
            let mut may: Vec<usize> = vec![8, 10, 11];
            may.extend(12..20);
            if let Some(at) = checksum_at(&headers) {
                may.extend([at, at + 1]);
                may.extend(match headers.protocol {
                    Protocol::ICMP => start + 4..start + 6,
                    _ => start..start + 4,
                });
            }
            let end = if quotes { start } else { sent.bytes.len() };
            for at in 0..end {
                let changed = ended.bytes[at] != sent.bytes[at];
                prop_assert!(!changed || may.contains(&at), "{id}: byte {at}");
            }
            if program.network().policies.fabric_ttl == 0
                && !program.network().cvms.iter().any(|cvm| cvm.ip_forward)
            {
                prop_assert_eq!(ended.bytes[8], sent.bytes[8], "{}: vpc hops take no ttl", id);
            }
        }
    }
}
