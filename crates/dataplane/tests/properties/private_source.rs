//! SEMANTICS §2.6, §9: what reaches the internet has a public source.

use crate::world::{Run, any_world, cases};
use proptest::prelude::*;
use vpcsim_dataplane::{Place, Verdict};
use vpcsim_packet::Headers;

proptest! {
    #![proptest_config(cases(160))]

    /// Not only no private one: one of the cloud's own eips, whoever sent it.
    #[test]
    fn a_packet_on_the_internet_never_shows_a_private_source(world in any_world()) {
        let program = world.program();
        let mut run = Run::new(&program);
        for (id, sent) in world.sent.iter().enumerate() {
            for (verdict, bytes) in run.send(sent).all() {
                if verdict != Verdict::Delivered(Place::Internet) {
                    continue;
                }
                let source = Headers::parse(bytes).unwrap().source;
                prop_assert!(!program.is_private(source), "{id} shows {source}");
                prop_assert!(program.eip_of_public(source).is_some(), "{id} comes from {source}");
            }
        }
    }
}
