//! SEMANTICS §6, §9, §11, §12: expiry only removes.

use crate::world::{Run, World, any_world, cases, reason, sent};
use proptest::prelude::*;
use vpcsim_dataplane::{DropReason, Nanos, Verdict};

/// Longer than anything is remembered: the kernel's five days, and then some.
const FOREVER: u64 = 10 * 86_400 * 1_000_000_000;

/// The same packets, later.
fn later(world: &World, by: u64) -> Vec<vpcsim_testkit::strategy::Sent> {
    let shifted = world.sent.iter();
    shifted
        .map(|packet| {
            sent(
                Nanos(packet.time.0 + by),
                packet.source,
                packet.bytes.clone(),
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(80))]

    /// Nothing is remembered for ever: after a long silence all packets meet an empty network.
    #[test]
    fn a_long_silence_leaves_nothing_behind(world in any_world()) {
        let program = world.program();
        let mut used = Run::new(&program);
        used.send_all(&world.sent);
        let last = used.state.now().0;
        used.advance(Nanos(last + FOREVER));
        let usage = used.state.usage(&program);
        prop_assert_eq!(usage.connections, 0);
        prop_assert!(usage.gateways.iter().all(|gateway| gateway.sessions == 0));
        let again = later(&world, last + FOREVER);
        let mut fresh = Run::new(&program);
        for (packet, id) in again.iter().zip(0_u64..) {
            let (mut here, there) = (used.send(packet), fresh.send(packet));
            for other in &mut here.others {
                // Numbered on from the first time.
                other.id -= world.sent.len() as u64;
            }
            prop_assert_eq!(here, there, "{}", id);
        }
    }

    /// When the clock is looked at between two packets makes no difference to them.
    #[test]
    fn many_small_steps_are_one_long_one(
        world in any_world(),
        looks in prop::collection::vec(any::<u64>(), 4),
    ) {
        let program = world.program();
        let (mut leaping, mut stepping) = (Run::new(&program), Run::new(&program));
        let (mut leapt, mut stepped) = (Vec::new(), Vec::new());
        let mut times: Vec<u64> = world.sent.iter().map(|sent| sent.time.0).collect();
        times.push(times.last().unwrap() + FOREVER);
        for (number, packet) in world.sent.iter().enumerate() {
            let (here, there) = (leaping.send(packet), stepping.send(packet));
            prop_assert_eq!((&here.walked, &here.bytes), (&there.walked, &there.bytes), "{}", number);
            leapt.extend(here.others);
            stepped.extend(there.others);
            let span = times[number + 1] - times[number];
            let mut stops: Vec<u64> = looks.iter().map(|look| look % (span + 1)).collect();
            stops.sort_unstable();
            for stop in stops {
                let before = stepping.state.usage(&program);
                stepped.extend(stepping.advance(Nanos(times[number] + stop)));
                let after = stepping.state.usage(&program);
                prop_assert!(after.connections <= before.connections);
                prop_assert!(after.fragments_held <= before.fragments_held);
                let sessions = before.gateways.iter().zip(&after.gateways);
                prop_assert!(sessions.into_iter().all(|(old, new)| new.sessions <= old.sessions));
            }
        }
        leapt.extend(leaping.advance(Nanos(times[times.len() - 1])));
        stepped.extend(stepping.advance(Nanos(times[times.len() - 1])));
        prop_assert_eq!(leapt, stepped);
    }

    /// What the rules of a group deny now they deny later too: forgetting flows lets nobody in.
    #[test]
    fn what_the_rules_deny_now_they_deny_later(
        world in any_world(),
        which in any::<prop::sample::Index>(),
        wait in prop_oneof![0_u64..200_000_000_000, Just(FOREVER)],
    ) {
        let program = world.program();
        let mut now = Run::new(&program);
        let mut denied = Vec::new();
        for (number, packet) in world.sent.iter().enumerate() {
            let drop = reason(now.send(packet).verdict());
            if drop == Some(DropReason::SecurityGroupDeny) {
                denied.push(number);
            }
        }
        if denied.is_empty() {
            return Ok(());
        }
        let number = *which.get(&denied);
        let mut later = Run::new(&program);
        later.send_all(&world.sent[..number]);
        let packet = &world.sent[number];
        let ended = later.send(&sent(Nanos(packet.time.0 + wait), packet.source, packet.bytes.clone()));
        // A later fragment waits again for its first one, which is forgotten.
        let stopped = matches!(ended.verdict(), Verdict::Dropped(_) | Verdict::Held);
        prop_assert!(stopped, "{number} passes {wait} ns later: {ended:?}");
    }
}
