//! What each target in fuzz/ does with its bytes, so that the committed corpora are replayed by
//! the ordinary tests too.

use crate::net;
use std::io::Cursor;
use std::net::Ipv4Addr;
use std::sync::LazyLock;
use vpcsim_capture::Reader;
use vpcsim_capture::link::{Link, ipv4_payload};
use vpcsim_dataplane::{Arrival, Nanos, Program, Role, Source, State, Verdict, advance, walk};
use vpcsim_network::{CvmId, ExternalId, Levels, Network, NicId};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{
    FlowKey, Headers, Rewrite, decrement_ttl, fragment, rewrite, rewrite_quoted, verify_checksums,
};

/// A target's name, which is its corpus' folder too, and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("capture", capture),
    ("network", network),
    ("packet", packet),
    ("walk", walk_anything),
];

/// Any bytes as a capture: every payload is within its record, and reading ends.
///
/// # Panics
/// When it does not hold.
pub fn capture(bytes: &[u8]) {
    let Ok(mut reader) = Reader::from_stream(Cursor::new(bytes.to_vec())) else {
        return;
    };
    while let Ok(Some(record)) = reader.next_record() {
        let payload = ipv4_payload(record.link_type, record.data, record.original_len);
        if let Link::Ipv4 { offset, .. } = payload {
            assert!(offset <= record.data.len());
        }
    }
}

/// Any text as a network file: a network and what lints say of it, or errors that can be shown.
///
/// # Panics
/// When it does not hold.
pub fn network(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Network::check("fuzz.yaml", text) {
        Ok((_, findings)) => {
            for finding in findings.views(&Levels::default()) {
                assert!(finding.line > 0 && !finding.text.is_empty());
            }
        }
        Err(errors) => {
            assert!(!errors.errors().is_empty());
            assert!(!errors.plain().is_empty());
        }
    }
}

/// Any bytes as a packet: rewriting keeps it a packet and does what it says; errors and fragments
/// are packets too.
///
/// # Panics
/// When it does not hold.
pub fn packet(bytes: &[u8]) {
    let Ok(mut headers) = Headers::parse(bytes) else {
        return;
    };
    let mut bytes = bytes.to_vec();
    let _ = verify_checksums(&bytes, &headers);
    let router = Ipv4Addr::new(192, 0, 2, 1);
    let made = [
        icmp::error(&bytes, &headers, router, IcmpError::TimeExceeded),
        icmp::echo_reply(&bytes, &headers),
    ];
    for made in made.into_iter().flatten() {
        assert!(Headers::parse(&made).is_ok());
    }
    for piece in fragment(&bytes, &headers, 576).unwrap_or_default() {
        assert!(Headers::parse(&piece).is_ok());
    }
    let Some(key) = FlowKey::of(&headers) else {
        return;
    };
    let to = FlowKey {
        source: router,
        source_port: 1024,
        ..key
    };
    let change = Rewrite::between(&key, &to);
    rewrite_quoted(&mut bytes, &mut headers, &change);
    rewrite(&mut bytes, &mut headers, &change);
    decrement_ttl(&mut bytes, &mut headers);
    assert_eq!(
        Headers::parse(&bytes),
        Ok(headers),
        "what is known of a packet is what it says"
    );
}

/// The network with one of everything.
static EVERYTHING: LazyLock<Program> =
    LazyLock::new(|| net(include_str!("../../../scenarios/reference/network.yaml")));

/// Arbitrary packets at arbitrary places with arbitrary steps in time: each has one verdict, now
/// or later. The bytes are records of one byte for the place, two for the step in tenths of a
/// second, one for the length, and the packet.
///
/// # Panics
/// When it does not hold.
pub fn walk_anything(mut bytes: &[u8]) {
    let program = &*EVERYTHING;
    let mut state = State::new(program);
    let mut others = Vec::new();
    let (mut time, mut id, mut held) = (0, 0, 0_usize);
    while let [place, step_high, step_low, length, rest @ ..] = bytes {
        let (packet, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        time += u64::from(u16::from_be_bytes([*step_high, *step_low])) * 100_000_000;
        let arrival = Arrival {
            id,
            time: Nanos(time),
            source: source(program, *place),
        };
        id += 1;
        let mut packet = packet.to_vec();
        let walked = walk(
            program,
            &mut state,
            arrival,
            &mut packet,
            &mut (),
            &mut others,
        );
        held += usize::from(walked.verdict == Verdict::Held);
        held -= settled(&mut others);
    }
    advance(program, &mut state, Nanos(u64::MAX), &mut (), &mut others);
    assert_eq!(
        held,
        settled(&mut others),
        "every held packet has its verdict in the end"
    );
}

fn settled(others: &mut Vec<vpcsim_dataplane::Other>) -> usize {
    others
        .drain(..)
        .filter(|other| other.role == Role::Captured)
        .count()
}

fn source(program: &Program, place: u8) -> Source {
    let (kind, number) = (place % 4, u32::from(place / 4));
    let network = program.network();
    let within = |all: usize| number % all as u32;
    match kind {
        0 => Source::Internet,
        1 => Source::Cvm(CvmId(within(network.cvms.len()))),
        2 => Source::Nic(NicId(within(network.nics.len()))),
        _ => Source::External(ExternalId(within(network.externals.len()))),
    }
}
