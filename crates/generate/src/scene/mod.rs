//! What a capture taken inside a network would show.

mod act;
mod cast;
mod local;
mod oddities;
mod probes;
mod public;
mod routes;
mod take;

use crate::merge::{Live, Merge};
use crate::random::Random;
use crate::{Packets, Traffic};
use act::Act;
use cast::Cast;
use take::{Style, Take};
use vpcsim_network::Network;

/// Conversations of a network, as a capture taken inside it would show them: private addresses
/// on both ways, even in what comes from the internet; requests, their answers where a host
/// would answer, and the noise that captures have.
///
/// Nothing here knows whether the network lets a packet pass: conversations that it forbids are
/// in the capture as they were before somebody forbade them, so that a replay has to find out.
/// What never has an answer (scans, hosts that are not there) has none here either.
///
/// The first conversations are one of every kind that the network has parts for: every route,
/// public address, dnat rule and nic has one of its own. After them come more, common ones most
/// often.
#[derive(Debug, Clone)]
pub struct Scene<'n> {
    cast: Cast<'n>,
    traffic: Traffic,
    style: Style,
    acts: Vec<(Act, u64)>,
}

impl<'n> Scene<'n> {
    /// A scene of `network`. Of `traffic` it takes `seed`, `start`, `duration`, `flows` (the
    /// number of conversations), `packets_per_flow` (the most requests in one of them), `sizes`
    /// and `retransmissions`.
    pub fn new(network: &'n Network, traffic: &Traffic) -> Self {
        let cast = Cast::new(network);
        let style = Style {
            sizes: traffic.sizes,
            requests: traffic.packets_per_flow,
            retransmissions: traffic.retransmissions,
        };
        let mut acts = act::playable(&cast, style);
        shuffle(&mut acts, &mut Random::stream(traffic.seed, u64::MAX));
        Self {
            cast,
            traffic: traffic.clone(),
            style,
            acts,
        }
    }

    /// How many conversations it takes to have one of every kind.
    pub fn kinds(&self) -> usize {
        self.acts.len()
    }

    /// The packets, in the order of time. Memory is for live conversations only.
    pub fn packets(&self) -> Packets<'n> {
        let scene = self.clone();
        let starts = (0..self.traffic.flows).map_while(move |number| scene.conversation(number));
        Packets(Merge::new(Box::new(starts)))
    }

    fn conversation(&self, number: u64) -> Option<Live> {
        let mut random = Random::stream(self.traffic.seed, number);
        let start = self.traffic.slot(number, &mut random);
        let mut take = Take::new(&self.cast, self.style, start, random.clone());
        // An act that finds no partner this time leaves a gap, not an end.
        let _ = self.act(number, &mut random)?.play(&mut take);
        Some(Box::new(take.finish().into_iter()))
    }

    fn act(&self, number: u64, random: &mut Random) -> Option<Act> {
        let first_round = usize::try_from(number).ok().and_then(|n| self.acts.get(n));
        if let Some(&(act, _)) = first_round {
            return Some(act);
        }
        let total = self.acts.iter().map(|(_, weight)| weight).sum();
        let mut left = random.below(total);
        self.acts.iter().find_map(|&(act, weight)| {
            let hit = left < weight;
            left = left.saturating_sub(weight);
            hit.then_some(act)
        })
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last as u64 + 1) as usize);
    }
}
