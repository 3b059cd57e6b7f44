//! SEMANTICS §8: both sides of a peering need a route.

use crate::dialogue::{Dialogue, Manner, converse, dialogues};
use crate::world::{cases, changed};
use proptest::prelude::*;
use vpcsim_dataplane::Source;
use vpcsim_network::NextHop;

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn without_both_routes_no_handshake_completes(
        Dialogue { text, calls } in dialogues(),
        side in prop::collection::vec(any::<bool>(), 10),
    ) {
        let program = changed(&text, |network| {
            for table in &mut network.route_tables {
                table.routes.retain(|route| match route.next_hop {
                    NextHop::Peering(id) => {
                        let kept = network.peerings[id.index()].vpcs[usize::from(side[id.index()])];
                        table.vpc == kept
                    }
                    _ => true,
                });
            }
        });
        for call in calls.iter().filter(|call| call.manner == Manner::Tcp) {
            let vpc = |address| program.owner_anywhere(address).map(|(vpc, _)| vpc);
            let (Some(here), Some(there)) = (vpc(call.client.0), vpc(call.server.0)) else {
                continue;
            };
            let talk = converse(&program, call);
            let inside = matches!(talk.server, Some(Source::Nic(_)));
            prop_assert!(here == there || !inside || talk.arrived() < 3, "{talk:#?}");
        }
    }
}
