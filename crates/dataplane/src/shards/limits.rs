//! The limits that shards share, and whether a round may come to one.

use super::round::Turn;
use super::{Round, Shards};
use crate::Program;
use crate::bucket::Cost;
use crate::nat::MOST_TO_A_DESTINATION;
use vpcsim_network::{Mtu, Network};

impl Shards {
    /// Whether a packet of the round may come to a ceiling or empty a bucket, whatever the others
    /// do, those of rounds under way among them. If not, what the states know of each other's
    /// connections makes no difference.
    pub(super) fn may_reach_a_limit(&mut self, program: &Program, round: &Round) -> bool {
        let packets = round.len() + self.under_way.packets;
        let more = packets * self.steering.most_meetings();
        self.may_fill_a_nic(program, more)
            || self.may_fill_a_gateway(program, more)
            || self.may_empty_a_bucket(&round.turns)
    }

    fn may_fill_a_nic(&self, program: &Program, more: usize) -> bool {
        let network = program.network();
        let most = network.policies.conntrack.max as usize;
        // Most often all of them together would fit into one nic.
        self.sum(|level| level.flows) + more > most
            && (0..network.nics.len()).any(|nic| self.sum(|level| level.of_nic(nic)) + more > most)
    }

    fn may_fill_a_gateway(&self, program: &Program, more: usize) -> bool {
        let mut all = 0;
        for (number, gateway) in program.network().nat_gateways.iter().enumerate() {
            let sessions = self.sum(|level| level.of_gateway(number));
            if sessions + more > gateway.max_connections as usize {
                return true;
            }
            all += sessions;
        }
        all > 0 && self.sum(|level| level.destination_peak) + more > MOST_TO_A_DESTINATION
    }

    fn may_empty_a_bucket(&mut self, turns: &[Turn]) -> bool {
        if !self.buckets.are_limited() {
            return false;
        }
        if self.steering.loops() {
            return true;
        }
        let Some(first) = turns.first() else {
            return false;
        };
        if self.under_way.rounds == 0 {
            self.under_way.emptiest = self.buckets.emptiest(first.clock);
        }
        let costs = turns.iter().map(|turn| (turn.clock, turn.cost));
        !self.under_way.emptiest.bear(costs)
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
