//! Connections on their way from one state to others of the same program.

use crate::conntrack::TrackId;
use crate::steer::Steering;
use crate::swap::Moving;
use crate::{Program, State};
use hashbrown::HashMap;

/// Whether every connection of a state has one shard, seen from either side of its translation
/// and at every place that shares its tracker. Not so where a session has outlived the rule that
/// it began by, or the address of a stranger was translated.
pub(super) fn is_separable(program: &Program, steering: &Steering, state: &State) -> bool {
    let mut shards: HashMap<TrackId, u8> = HashMap::new();
    let mut agrees = |track, shard| *shards.entry(track).or_insert(shard) == shard;
    let flows = state.flows.iter().all(|(_, flow)| {
        let shard = steering.of_flow(program, &flow.original());
        agrees(flow.track, shard)
    });
    flows
        && state.sessions.iter().all(|(session, track, _)| {
            let inside = steering.of_flow(program, &session.inside);
            let outside = steering.of_flow(program, &session.outside);
            inside == outside && agrees(track, inside)
        })
}

/// The shards of the connections of a state.
pub(super) fn shards<'a>(
    program: &'a Program,
    steering: &'a Steering,
    state: &'a State,
) -> impl Iterator<Item = u8> + 'a {
    let flows = state.flows.iter().map(|(_, flow)| flow.original());
    let sessions = state.sessions.iter();
    let sides = sessions.flat_map(|(session, ..)| [session.inside, session.outside]);
    let keys = flows.chain(sides);
    keys.map(|key| steering.of_flow(program, &key))
}

/// Moves all connections of a state to others: to which one, their shard says. What the flow cache
/// remembers is forgotten.
pub(super) fn pour(
    program: &Program,
    steering: &Steering,
    from: &mut State,
    to: &mut [State],
    lane: impl Fn(u8) -> usize,
) {
    from.uncache_all(program);
    let mut moving = Moving::new(&from.tracks);
    for (_, flow) in &from.flows {
        let lane = lane(steering.of_flow(program, &flow.original()));
        moving.flow(&mut to[lane], flow.zone(), flow, flow.value);
    }
    for (session, track, deadline) in from.sessions.iter() {
        let lane = lane(steering.of_flow(program, &session.inside));
        moving.session(&mut to[lane], (track, deadline), session);
    }
    for state in to {
        state.now = state.now.max(from.now);
        state.generation = from.generation;
    }
}
