//! The analysis and the walk say the same: of random networks, every packet that is drawn from a
//! set does in the simulator what the set says, and no other packet does.
//!
//! `VPCSIM_REACH_PAIRS` sets how many (network, packet) pairs are tried; 20 000 unless it says
//! otherwise.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod change;
mod claims;
mod packet;
mod unused;

use change::{Change, changed};
use packet::{Draw, Walked, walk_there_and_back, walk_with_rules};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::cell::Cell;
use std::fmt;
use vpcsim_dataplane::Program;
use vpcsim_packet::FlowKey;
use vpcsim_reach::{End, Outcome, Reach, Traced, Trip};
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::networks;

/// Packets for each network; more where very many are tried.
const PACKETS: u32 = 250;
const MORE_PACKETS: u32 = 1_000;

#[derive(Clone)]
struct World {
    text: String,
    changes: Vec<Change>,
    seed: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.text)?;
        writeln!(f, "changes: {:?}\nseed: {}", self.changes, self.seed)
    }
}

fn any_world() -> impl Strategy<Value = World> {
    (networks(), vec(any::<Change>(), 0..8), any::<u64>()).prop_map(|(text, changes, seed)| World {
        text,
        changes,
        seed,
    })
}

#[test]
fn packets_do_what_the_sets_say() {
    let pairs = std::env::var("VPCSIM_REACH_PAIRS")
        .ok()
        .and_then(|pairs| pairs.parse().ok());
    let pairs: u32 = pairs.unwrap_or(20_000);
    let packets = if pairs > 100_000 {
        MORE_PACKETS
    } else {
        PACKETS
    };
    let config = Config {
        cases: pairs.div_ceil(packets),
        max_shrink_iters: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let (tried, arrived) = (Cell::new(0_u32), Cell::new(0_u32));
    let decided = claims::Decided::default();
    let outcome = TestRunner::new(config).run(&any_world(), |world| {
        let program = changed(net(&world.text), &world.changes);
        let mut draw = Draw::new(world.seed, &program);
        let reach = Reach::new(&program);
        let ends = reach.all_ends();
        let said = unused::Said::of(&reach);
        let chosen: Vec<(End, Vec<Traced>)> = (0..5)
            .map(|_| draw.one_of(&ends))
            .map(|end| (end, reach.traced(end)))
            .filter(|(_, traced)| !traced.is_empty())
            .collect();
        for _ in 0..packets {
            if chosen.is_empty() {
                break;
            }
            let (end, traced) = &chosen[draw.below(chosen.len())];
            let Some(key) = draw.packet(*end, traced, &program) else {
                continue;
            };
            let (walked, rules) = walk_with_rules(&program, *end, &key);
            for (element, rule) in rules {
                let place = unused::place_of(&program, element, rule);
                prop_assert!(
                    place.is_none_or(|place| !said.has(place)),
                    "{end:?} sends {key}: {element:?} {rule:?} decides"
                );
            }
            tried.set(tried.get() + 1);
            arrived.set(arrived.get() + u32::from(walked.answered));
            check(&program, *end, traced, &key, &walked)?;
        }
        let (from, to) = (draw.one_of(&ends), draw.one_of(&ends));
        question(&program, &reach, (from, to), &mut draw)?;
        for _ in 0..3 {
            claims::decide(&program, &reach, &mut draw, &decided)?;
        }
        unused::rules(&program, &said)?;
        unused::routes(&program, &said)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    println!("{} pairs, {} answered", tried.get(), arrived.get());
    println!("claims: {decided:?}");
}

/// What happens to one packet is what one of the ways that it may take says.
fn check(
    program: &Program,
    end: End,
    traced: &[Traced],
    key: &FlowKey,
    walked: &Walked,
) -> Result<(), TestCaseError> {
    let ways: Vec<&Traced> = traced
        .iter()
        .filter(|way| way.packets.contains(key))
        .collect();
    let told = || {
        let outcomes: Vec<_> = ways
            .iter()
            .map(|way| {
                (
                    way.outcome,
                    way.answered.contains(key),
                    way.unanswered.contains(key),
                )
            })
            .collect();
        format!(
            "{end:?} sends {key}: the walk says {walked:?}, the sets {outcomes:?}\n{}",
            packet::told(program, end, key),
        )
    };
    prop_assert!(
        ways.iter().all(|way| way.outcome != Outcome::Undecided),
        "{}",
        told()
    );
    let agrees = |way: &&&Traced| {
        let answer = if walked.answered {
            &way.answered
        } else {
            &way.unanswered
        };
        way.outcome == walked.outcome && answer.contains(key)
    };
    prop_assert!(ways.iter().any(|way| agrees(&way)), "{}", told());
    Ok(())
}

/// What a question finds is what arrives.
fn question(
    program: &Program,
    reach: &Reach<'_>,
    (from, to): (End, End),
    draw: &mut Draw,
) -> Result<(), TestCaseError> {
    for trip in [Trip::Both, Trip::OneWay] {
        let found = reach.query(&[from], &[to], trip);
        prop_assert!(found.ever.covers(&found.always));
        for set in [&found.always, &found.ever.not()] {
            for _ in 0..10 {
                let Some(key) = draw.sendable(from, set, program) else {
                    continue;
                };
                let walked = walk_there_and_back(program, from, &key);
                let arrived = match trip {
                    Trip::Both => walked.answered && walked.end == Some(to),
                    Trip::OneWay => walked.end == Some(to),
                };
                let expected = std::ptr::eq(set, &found.always);
                prop_assert_eq!(
                    arrived,
                    expected,
                    "{:?} {:?} {:?} {}: {:?}",
                    from,
                    to,
                    trip,
                    key,
                    walked
                );
            }
        }
    }
    Ok(())
}
