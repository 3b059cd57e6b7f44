//! Connections on their way from one state to others of the same program.

use crate::conntrack::TrackId;
use crate::nat::Session;
use crate::state::Flow;
use crate::steer::Steering;
use crate::swap::Moving;
use crate::{Program, State};
use hashbrown::HashMap;
use vpcsim_packet::FlowKey;

/// Whether every connection of a state has one shard, seen from either side of its translation
/// and at every place that shares its tracker. Not so where a session has outlived the rule that
/// it began by, or the address of a stranger was translated.
pub(super) fn is_separable(program: &Program, steering: &Steering, state: &State) -> bool {
    let mut shards: HashMap<TrackId, u8> = HashMap::new();
    state.flows.iter().all(|(_, record)| {
        let mut agrees = |key| {
            let shard = steering.of_flow(program, &key);
            *shards.entry(record.track()).or_insert(shard) == shard
        };
        keys(record).all(&mut agrees)
    })
}

/// The shards of the connections of a state.
pub(super) fn shards<'a>(
    program: &'a Program,
    steering: &'a Steering,
    state: &'a State,
) -> impl Iterator<Item = u8> + 'a {
    let keys = state.flows.iter().flat_map(|(_, record)| keys(record));
    keys.map(|key| steering.of_flow(program, &key))
}

/// A flow as its record has it, on either side of its translation.
fn keys(record: &Flow) -> impl Iterator<Item = FlowKey> {
    let outside = record.gateway().map(|_| record.outside());
    [record.inside()].into_iter().chain(outside)
}

/// Moves all connections of a state to others: to which one, their shard says. What the flow cache
/// remembers is forgotten.
pub(super) fn pour(
    program: &Program,
    steering: &Steering,
    from: &mut State,
    to: &mut [Box<State>],
    lane: impl Fn(u8) -> usize,
) {
    from.uncache_all(program);
    let mut moving = Moving::new(&from.tracks);
    for (_, record) in from.flows.iter() {
        let lane = lane(steering.of_flow(program, &record.inside()));
        let nic = record.nic().map(|nic| (nic, record.at_nic));
        moving.record(&mut to[lane], record, nic, Session::of(record));
    }
    for state in to {
        state.now = state.now.max(from.now);
    }
}
