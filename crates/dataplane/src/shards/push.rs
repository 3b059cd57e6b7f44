//! Packets as they come: their clock, their fragments, their shard.

use super::Shards;
use super::round::{At, Round, Stays, Turn};
use crate::bucket::Cost;
use crate::fragments::Later;
use crate::walk::{
    Arrival, Fragment, Other, Role, Walked, fragment_key, fragment_timeout, is_wrong,
};
use crate::{Program, Verdict};
use vpcsim_packet::{FlowKey, Glance, Headers};

impl Shards {
    /// Adds a packet to a round: its bytes from the IPv4 header on. Numbers of packets must
    /// increase. Packets are carried in the order in which they are pushed, whatever round they
    /// are pushed into.
    pub fn push(&mut self, program: &Program, round: &mut Round, arrival: Arrival, bytes: &[u8]) {
        self.push_known(
            program,
            round,
            arrival,
            bytes,
            Glance::of(bytes).as_ref(),
            0,
        );
    }

    /// Adds a packet of which it is known what a [glance](Glance::of) at it says, and what it weighs in
    /// [sums](Round::arrived) of those that arrive.
    pub fn push_known(
        &mut self,
        program: &Program,
        round: &mut Round,
        arrival: Arrival,
        bytes: &[u8],
        glance: Option<&Glance>,
        weight: u32,
    ) {
        if round.is_empty() {
            round.set_out(self.workers(), !self.joined);
        }
        self.clock = self.clock.max(arrival.time);
        let clock = self.clock;
        if self.fragments.next_expiry().is_some_and(|at| at <= clock) {
            let mut early = Vec::new();
            self.time_out(&mut early);
            if !early.is_empty() {
                round.early.push((round.len(), early));
            }
        }
        round.bytes += bytes.len();
        let mut turn = Turn {
            id: arrival.id,
            clock,
            time: arrival.time,
            cost: Cost::Once(0),
            at: At::Shard(0),
        };
        let carried = Arrival {
            time: clock,
            ..arrival
        };
        if let Some(glance) = glance {
            let shard = self.steering.of_glance(program, arrival.source, glance);
            turn.cost = self.costs.of_plain(glance.shape.total_len().into());
            round.mixes |= shard.is_none();
            let shard = shard.unwrap_or(0);
            turn.at = At::Shard(shard);
            let lane = round.lane(shard);
            round.lanes[lane]
                .batch
                .push_weighing(carried, bytes, weight);
        } else {
            self.push_rare(program, round, &mut turn, carried, bytes, weight);
        }
        round.turns.push(turn);
    }

    /// Adds a packet that is anything but TCP or UDP in one piece.
    fn push_rare(
        &mut self,
        program: &Program,
        round: &mut Round,
        turn: &mut Turn,
        arrival: Arrival,
        bytes: &[u8],
        weight: u32,
    ) {
        let headers = match Headers::parse(bytes) {
            Ok(headers) if bytes[0] >> 4 == 4 => headers,
            // The walk says what it is: it touches nothing.
            _ => {
                round.lanes[0].batch.push_weighing(arrival, bytes, weight);
                return;
            }
        };
        let mut len = headers.total_len;
        let Arrival { id, source, .. } = arrival;
        let known = FlowKey::of(&headers);
        let is_fragment = known.is_none() || headers.more_fragments;
        let wrong = program.verify_checksums() && is_wrong(bytes, &headers);
        let (mut flow, mut fragment) = (known.unwrap_or_else(|| fragment_key(&headers)), None);
        if is_fragment && !wrong {
            let fragments = &mut self.fragments;
            let released = match known {
                Some(flow) => fragments.first(source, &headers, flow, arrival.time),
                None => match fragments.later(source, &headers, id, bytes, arrival.time) {
                    Later::Follow(first) => {
                        flow = first;
                        Vec::new()
                    }
                    Later::Held => return round.stay(turn, arrival, Verdict::Held, bytes),
                    Later::Overflow => {
                        let verdict = Verdict::Dropped(fragment_timeout());
                        return round.stay(turn, arrival, verdict, bytes);
                    }
                },
            };
            len += released.iter().map(|held| held.bytes.len()).sum::<usize>();
            fragment = Some(Fragment { flow, released });
        }
        let shard = self.steering.of_packet(program, source, &headers, &flow);
        turn.cost = self.costs.of_any(len);
        round.mixes |= shard.is_none();
        let shard = shard.unwrap_or(0);
        turn.at = At::Shard(shard);
        let lane = round.lane(shard);
        let batch = &mut round.lanes[lane].batch;
        batch.push_known(arrival, bytes, weight, fragment);
    }

    /// Fragments that have waited too long.
    pub(super) fn time_out(&mut self, others: &mut Vec<Other>) {
        self.fragments.expire(self.clock, |fragment| {
            let (id, bytes) = (fragment.id, fragment.bytes);
            let verdict = Verdict::Dropped(fragment_timeout());
            let walked = Walked {
                verdict,
                cut: false,
            };
            others.push(Other::new(id, Role::Captured, walked, bytes));
        });
    }
}

impl Round {
    /// A packet stays where it is.
    fn stay(&mut self, turn: &mut Turn, arrival: Arrival, verdict: Verdict, bytes: &[u8]) {
        turn.at = At::Here;
        self.stays.push(Stays {
            arrival,
            walked: Walked {
                verdict,
                cut: false,
            },
            bytes: bytes.to_vec(),
        });
    }
}
