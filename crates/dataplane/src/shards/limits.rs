//! The limits that shards share, and whether a round may come to one.

use super::round::Turn;
use super::{Round, Shards};
use crate::bucket::Cost;
use crate::conntrack::Zone;
use crate::nat::Sessions;
use crate::{Nanos, Program};
use vpcsim_network::{Mtu, NatGatewayId, Network};

impl Shards {
    /// Whether a packet of the round may come to a ceiling or empty a bucket, whatever the others
    /// do. If not, what the states know of each other's connections makes no difference.
    pub(super) fn may_reach_a_limit(&self, program: &Program, round: &Round) -> bool {
        let more = round.len() * self.steering.most_meetings();
        self.may_fill_a_nic(program, more)
            || self.may_fill_a_gateway(program, more)
            || self.may_empty_a_bucket(&round.turns)
    }

    fn may_fill_a_nic(&self, program: &Program, more: usize) -> bool {
        let network = program.network();
        let most = network.policies.conntrack.max as usize;
        let flows = |zone| {
            self.states
                .iter()
                .map(move |state| state.flows.zone_len(zone))
        };
        let all: usize = self.states.iter().map(|state| state.flows.len()).sum();
        let nics = (0..network.nics.len() as u32).map(Zone);
        // Most often all of them together would fit into one nic.
        all + more > most && { nics }.any(|nic| flows(nic).sum::<usize>() + more > most)
    }

    fn may_fill_a_gateway(&self, program: &Program, more: usize) -> bool {
        let gateways = (0..).map(NatGatewayId).zip(&program.network().nat_gateways);
        let mut all = 0;
        for (id, gateway) in gateways {
            let states = self.states.iter();
            let sessions: usize = states.map(|state| state.sessions.gateway_len(id)).sum();
            if sessions + more > gateway.max_connections as usize {
                return true;
            }
            all += sessions;
        }
        all > 0 && Sessions::may_fill(self.states.iter().map(|state| &state.sessions), more)
    }

    fn may_empty_a_bucket(&self, turns: &[Turn]) -> bool {
        let buckets = match self.states.first() {
            Some(all) if self.joined => &all.buckets,
            _ => &self.buckets,
        };
        if !buckets.are_limited() {
            return false;
        }
        if self.steering.loops() {
            return true;
        }
        let costs: Vec<(Nanos, Cost)> = turns.iter().map(|turn| (turn.clock, turn.cost)).collect();
        buckets.may_refuse(&costs)
    }
}

/// What packets of a network may cost a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    /// Whether packets cause others: errors of routers and links.
    answers: bool,
    /// Whether packets are cut.
    cuts: bool,
}

/// The longest ICMP error (RFC 1812 §4.3.2.3).
const LONGEST_ERROR: usize = 576;

impl Costs {
    pub(super) fn new(network: &Network) -> Self {
        let policies = &network.policies;
        Self {
            answers: policies.fabric_ttl > 0 || network.cvms.iter().any(|cvm| cvm.ip_forward),
            cuts: policies.mtu != Mtu::Ignore,
        }
    }

    /// Of a whole TCP or UDP packet of this length.
    pub(super) fn of_plain(self, len: usize) -> Cost {
        if self.answers || self.cuts {
            self.of_any(len)
        } else {
            Cost::Once(len)
        }
    }

    /// Of any packets of this length together: themselves, in pieces of eight bytes behind the
    /// longest header if they are cut, and an answer.
    pub(super) fn of_any(self, len: usize) -> Cost {
        let pieces = if self.cuts { len * 9 } else { len };
        Cost::AtMost(pieces + len + LONGEST_ERROR)
    }
}
