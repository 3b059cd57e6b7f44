//! Random conversations.

use crate::round_trip::{Frame, delivers, inside, learned};
use proptest::prelude::*;
use vpcsim_replay::learn::LearnOptions;
use vpcsim_testkit::strategy::worlds;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_packet_of_a_completed_conversation_is_lost(
        (_, sent) in worlds(),
        widen in any::<bool>(),
        public in any::<bool>(),
    ) {
        let frames: Vec<_> = sent.into_iter().map(|s| Frame::raw(s.time.0, s.bytes)).collect();
        let options = LearnOptions {
            widen,
            ..if public { inside(&["10.0.0.0/9", "198.51.100.0/30", "172.16.0.0/12"]) } else { LearnOptions::default() }
        };
        delivers("random", &frames, &options);
        let text = |result| format!("{result:?}");
        prop_assert_eq!(text(learned(&frames, &options).0), text(learned(&frames, &options).0));
    }
}
