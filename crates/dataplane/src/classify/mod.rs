//! First match over a list of rules, by intersecting bit vectors.
//!
//! A rule asks two things of a flow's first packet: its service (protocol and port, [`service`])
//! and the address of its other end. Each is a number. For each of the two the list cuts all
//! numbers into intervals, and an interval has a row ([`rows`]): a bit for every rule that holds
//! there. The rule that decides is the first bit that is set in the rows of both. A rule to which
//! one of the two is all the same has no bit: the rows of the other name the first of those.

mod rows;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use crate::intervals::{Span, join};
use rows::{NONE, Rows, Want};
use std::rc::Rc;

/// What a rule matches.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    services: Vec<Span>,
    peers: Rc<[Span]>,
}

impl Pattern {
    /// A service among `services` (numbers of [`service`]) and another end among `peers`, of which
    /// no two overlap.
    pub(crate) fn new(services: Vec<Span>, peers: Rc<[Span]>) -> Self {
        Self {
            services: join(services),
            peers,
        }
    }
}

/// A list of rules, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Classifier {
    parts: Box<[Part]>,
}

impl Classifier {
    /// Compiles rules in their order.
    pub(crate) fn new(rules: &[Pattern]) -> Self {
        let parts = rules.chunks(Part::RULES).map(Part::new).collect();
        Self { parts }
    }

    /// The position, from 0, of the first rule that matches a service and a peer's address.
    #[inline]
    pub(crate) fn first(&self, service: u32, peer: u32) -> Option<usize> {
        let parts = (0..).step_by(Part::RULES).zip(&self.parts);
        let mut hits = parts.filter_map(|(before, part)| Some(before + part.first(service, peer)?));
        hits.next()
    }
}

/// At most [`Part::RULES`] rules: in longer lists the rows would grow with the square of the
/// rules.
#[derive(Debug, Clone)]
struct Part {
    services: Rows,
    peers: Rows,
}

impl Part {
    /// What the summary of a row can speak of.
    const RULES: usize = 64 * 64;

    fn new(rules: &[Pattern]) -> Self {
        let is_any = |set: &[Span]| set == [Span::ALL];
        let want = |rule: &Pattern| match (is_any(&rule.services), is_any(&rule.peers)) {
            (_, true) => (Want::First, Want::Nothing),
            (true, false) => (Want::Nothing, Want::First),
            (false, false) => (Want::Bit, Want::Bit),
        };
        let services = rules.iter().map(|rule| (&rule.services[..], want(rule).0));
        let peers = rules.iter().map(|rule| (&rule.peers[..], want(rule).1));
        Self {
            services: Rows::new(services),
            peers: Rows::new(peers),
        }
    }

    #[inline]
    fn first(&self, service: u32, peer: u32) -> Option<usize> {
        let (services, peers) = (self.services.row(service), self.peers.row(peer));
        let mut first = services.first.min(peers.first);
        let mut common = services.summary & peers.summary;
        while common != 0 {
            let number = common.trailing_zeros();
            if u64::from(number * 64) > first {
                break;
            }
            let both = services.word(number) & peers.word(number);
            if both != 0 {
                first = first.min(u64::from(number * 64 + both.trailing_zeros()));
                break;
            }
            common &= common - 1;
        }
        (first != NONE).then_some(first as usize)
    }
}
