//! Random conversations.

use crate::round_trip::{Frame, delivers, inside, learned};
use proptest::prelude::*;
use vpcsim_replay::learn::LearnOptions;
use vpcsim_testkit::strategy::worlds;

/// Everybody private, some ranges of it beside public addresses, or one range.
fn options() -> impl Strategy<Value = LearnOptions> {
    let ranges = prop_oneof![
        3 => Just([].as_slice()),
        1 => Just(["10.0.0.0/9", "198.51.100.0/30", "172.16.0.0/12"].as_slice()),
        1 => Just(["10.1.0.0/20"].as_slice()),
    ];
    (ranges, any::<bool>()).prop_map(|(ranges, widen)| LearnOptions {
        widen,
        ..inside(ranges)
    })
}

proptest! {
    #[test]
    fn no_packet_of_a_completed_conversation_is_lost((_, sent) in worlds(), options in options()) {
        let frames: Vec<_> = sent.into_iter().map(|s| Frame::raw(s.time.0, s.bytes)).collect();
        delivers("random", &frames, &options);
        let text = || format!("{:?}", learned(&frames, &options).0);
        prop_assert_eq!(text(), text());
    }
}
