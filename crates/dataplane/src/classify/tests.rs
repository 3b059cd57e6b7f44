//! The classifier finds what a linear scan finds.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn linear(rules: &[Pattern], service: u32, peer: u32) -> Option<usize> {
    let holds = |set: &[Span], n| set.iter().any(|s| s.first <= n && n <= s.last);
    rules
        .iter()
        .position(|rule| holds(&rule.services, service) && holds(&rule.peers, peer))
}

/// Few numbers, so that rules meet; the ends of the range are among them.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        0..40_u32,
        (0..3_u32).prop_map(|n| u32::MAX - n),
        any::<u32>()
    ]
}

fn set() -> impl Strategy<Value = Vec<Span>> {
    let span = (number(), 0..8_u32).prop_map(|(first, more)| Span {
        first,
        last: first.saturating_add(more),
    });
    prop_oneof![
        1 => Just(vec![Span::ALL]),
        4 => vec(span, 0..4).prop_map(join),
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    (set(), set()).prop_map(|(services, peers)| Pattern::new(services, peers.into()))
}

proptest! {
    #[test]
    fn the_first_rule_that_matches_decides(
        rules in vec(pattern(), 0..200),
        packets in vec((number(), number()), 100),
    ) {
        let classifier = Classifier::new(&rules);
        for (service, peer) in packets {
            let expected = linear(&rules, service, peer);
            prop_assert_eq!(classifier.first(service, peer), expected);
        }
    }
}

#[test]
fn a_list_longer_than_a_part_keeps_its_order() {
    let only = |n: u32| Span { first: n, last: n };
    let rules: Vec<_> = (0..3 * Part::RULES as u32 - 7)
        .map(|n| Pattern::new(vec![only(n % 5_000)], [only(n % 6_000)].into()))
        .collect();
    let classifier = Classifier::new(&rules);
    for (service, peer) in (0..6_100)
        .step_by(37)
        .flat_map(|s| [(s, s), (s, s + 1_000)])
    {
        let expected = linear(&rules, service, peer);
        assert_eq!(
            classifier.first(service, peer),
            expected,
            "{service} {peer}"
        );
    }
}

#[test]
fn an_empty_list_matches_nothing() {
    assert_eq!(Classifier::new(&[]).first(0, 0), None);
}

#[test]
fn rules_with_the_same_peers_share_rows() {
    let only = |n: u32| Span { first: n, last: n };
    let peers: Rc<[Span]> = (0..500).map(|n| only(n * 2)).collect();
    let rules: Vec<_> = (0..100)
        .map(|n| Pattern::new(vec![only(n)], peers.clone()))
        .collect();
    let classifier = Classifier::new(&rules);
    // Nobody, and all hundred: two rows without words and with two.
    assert_eq!(classifier.parts[0].peers.words.len(), 2 + (2 + 2));
}
