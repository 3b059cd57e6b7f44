//! The generators keep their promises.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;
use vpcsim_dataplane::{Nanos, State, Verdict, walk};
use vpcsim_network::Network;
use vpcsim_packet::{Headers, Verdict as Checksum, verify_checksums};
use vpcsim_testkit::strategy::{hostile_bytes, networks, packet, worlds};
use vpcsim_testkit::{attribute, net};

proptest! {
    #![proptest_config(Config::with_cases(2_000))]

    #[test]
    fn networks_are_valid(text in networks()) {
        if let Err(errors) = Network::from_yaml("generated.yaml", &text) {
            panic!("{errors}\n{text}");
        }
    }

    #[test]
    fn packets_are_whole_and_their_checksums_right(bytes in packet()) {
        let headers = Headers::parse(&bytes);
        prop_assert!(headers.is_ok(), "{headers:?}");
        let headers = headers.unwrap();
        prop_assert_eq!(headers.total_len, bytes.len());
        let report = verify_checksums(&bytes, &headers);
        prop_assert_eq!(report.ip, Checksum::Right);
        prop_assert_ne!(report.transport, Checksum::Wrong);
    }

    #[test]
    fn hostile_bytes_hurt_nobody(bytes in hostile_bytes()) {
        let _ = Headers::parse(&bytes);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(300))]

    #[test]
    fn conversations_are_in_the_order_of_time_and_from_where_they_belong(
        (text, sent) in worlds(),
    ) {
        let program = net(&text);
        prop_assert!(!sent.is_empty());
        prop_assert!(sent.is_sorted_by_key(|sent| sent.time));
        for packet in &sent {
            let headers = Headers::parse(&packet.bytes).unwrap();
            if let Some(place) = attribute(&program, headers.source) {
                prop_assert_eq!(place, packet.source);
            }
        }
    }
}

/// Not every packet is dropped at the first door: the worlds are worth walking.
#[test]
fn worlds_exercise_the_walk() {
    let mut runner = TestRunner::deterministic();
    let (mut delivered, mut reasons) = (0, BTreeSet::new());
    let strategy = worlds();
    for _ in 0..300 {
        let (text, sent) = strategy.new_tree(&mut runner).unwrap().current();
        let program = net(&text);
        let mut state = State::new(&program);
        for (id, packet) in (0..).zip(sent) {
            let arrival = vpcsim_dataplane::Arrival {
                id,
                time: Nanos(packet.time.0),
                source: packet.source,
            };
            let mut bytes = packet.bytes;
            match walk(
                &program,
                &mut state,
                arrival,
                &mut bytes,
                &mut (),
                &mut Vec::new(),
            )
            .verdict
            {
                Verdict::Delivered(_) => delivered += 1,
                Verdict::Dropped(drop) => {
                    reasons.insert(drop.reason);
                }
                _ => {}
            }
        }
    }
    println!("{delivered} delivered, {reasons:?}");
    assert!(delivered > 300, "{delivered}");
    assert!(reasons.len() >= 15, "{reasons:?}");
}
