//! SEMANTICS §12, and the promise that no input panics: hostile bytes, anywhere, any time.

use crate::counts::Ledger;
use crate::world::{Run, World, cases, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use vpcsim_dataplane::{Nanos, Source, Verdict};
use vpcsim_network::{CvmId, ExternalId, NicId};
use vpcsim_packet::Headers;
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::{hostile_bytes, networks, packet};

/// Any place of the network, any bytes, times that jump to both ends of the clock.
fn worlds_of_harm() -> impl Strategy<Value = World> {
    let time = prop_oneof![
        4 => 0_u64..100_000_000_000,
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ];
    let bytes = prop_oneof![3 => hostile_bytes(), 1 => packet()];
    let packets = vec((time, any::<prop::sample::Index>(), bytes), 1..40);
    (networks(), packets).prop_map(|(text, packets)| {
        let places = places(&text);
        let sent = packets
            .into_iter()
            .map(|(time, place, bytes)| sent(Nanos(time), *place.get(&places), bytes))
            .collect();
        World { text, sent }
    })
}

fn places(text: &str) -> Vec<Source> {
    let program = net(text);
    let network = program.network();
    let mut places = vec![Source::Internet];
    places.extend((0..network.cvms.len() as u32).map(|id| Source::Cvm(CvmId(id))));
    places.extend((0..network.nics.len() as u32).map(|id| Source::Nic(NicId(id))));
    places.extend((0..network.externals.len() as u32).map(|id| Source::External(ExternalId(id))));
    places
}

proptest! {
    #![proptest_config(cases(160))]

    #[test]
    fn hostile_bytes_get_a_verdict_and_hurt_nobody(
        world in worlds_of_harm(),
        verify in any::<bool>(),
    ) {
        let program = world.program().verifying_checksums(verify);
        let mut run = Run::new(&program);
        let mut ledger = Ledger::default();
        for sent in &world.sent {
            let (ended, _) = run.watch(sent);
            ledger.take(&ended);
            if let Verdict::Delivered(_) | Verdict::Dropped(_) = ended.verdict() {
                prop_assert!(Headers::parse(&ended.bytes).is_ok());
            }
            prop_assert_eq!(ended.bytes.len(), sent.bytes.len());
        }
        // At the end of the clock nothing can wait any longer.
        if run.state.now() < Nanos(u64::MAX - 30_000_000_000) {
            ledger.close(&mut run);
        }
    }
}
