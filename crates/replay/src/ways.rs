//! The ways that packets of known flows take, by what they count for.
//!
//! The flow cache remembers a number with each flow; here is what it stands for. Flows that meet
//! the same rules and are seen by the same nics share one, so there are about as many as a network
//! has pairs of places that talk.

use crate::flow_log::sight::Sighting;
use crate::rules::Credit;
use hashbrown::HashMap;
use std::sync::Arc;
use vpcsim_network::NicId;
use vpcsim_packet::FlowKey;

/// Most ways that are told apart; packets beyond them are walked each.
const MOST: usize = 1 << 20;

/// A nic that accepts the packets of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SeenBy {
    pub(crate) nic: NicId,
    /// As they ended; else as they came.
    pub(crate) translated: bool,
}

/// What a packet's stops come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    pub(crate) credits: Vec<Credit>,
    pub(crate) seen_by: Vec<SeenBy>,
}

impl Way {
    /// `None` where a nic sees packets neither as they came nor as they ended.
    pub(crate) fn of(
        credits: &[Credit],
        sightings: &[Sighting],
        before: &FlowKey,
        after: &FlowKey,
    ) -> Option<Self> {
        let seen_by = sightings.iter().map(|sighting| {
            let translated = sighting.flow != *before;
            let is_known = !translated || sighting.flow == *after;
            (is_known && sighting.accepted).then_some(SeenBy {
                nic: sighting.nic,
                translated,
            })
        });
        Some(Self {
            credits: credits.to_vec(),
            seen_by: seen_by.collect::<Option<_>>()?,
        })
    }
}

/// All ways, each with how many packets took it by its number.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    numbers: HashMap<Arc<Way>, u32>,
    ways: Vec<(Arc<Way>, u64)>,
}

impl Ways {
    /// The number of a way; `None` when there are too many.
    pub(crate) fn number(&mut self, way: Way) -> Option<u32> {
        if let Some(&number) = self.numbers.get(&way) {
            return Some(number);
        }
        if self.ways.len() >= MOST {
            return None;
        }
        let (number, way) = (self.ways.len() as u32, Arc::new(way));
        self.numbers.insert(way.clone(), number);
        self.ways.push((way, 0));
        Some(number)
    }

    /// A packet takes a way: the nics that see it.
    pub(crate) fn take(&mut self, number: u32) -> &[SeenBy] {
        match self.ways.get_mut(number as usize) {
            Some((way, packets)) => {
                *packets += 1;
                &way.seen_by
            }
            None => &[],
        }
    }

    /// What packets have counted for since this was asked last.
    pub(crate) fn drain(&mut self, mut add: impl FnMut(Credit, u64)) {
        for (way, packets) in &mut self.ways {
            let packets = std::mem::take(packets);
            for &credit in &way.credits {
                add(credit, packets);
            }
        }
    }
}
