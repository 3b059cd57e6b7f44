//! Fast and slow are the same: what is remembered of walks, the trackers that places share and the
//! batches that packets come in change no verdict, no byte and nothing that is left behind.

use crate::crowd::crowds;
use crate::world::{Ended, World, any_world, cases, changed, describe};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fmt;
use vpcsim_dataplane::{Arrival, Batch, Nanos, Program, State, Use, advance};
use vpcsim_network::{AclPort, Mtu, Network, OnRuleChange, SourceCheck, TcpWindow};
use vpcsim_packet::{Headers, Transport};
use vpcsim_testkit::strategy::Sent;

/// One more packet of a flow that is there already.
#[derive(Debug, Clone)]
struct Again {
    /// Of which packet of the conversation.
    which: prop::sample::Index,
    /// Of any; else of those that flows mostly consist of.
    rare: bool,
    /// Time since the one before.
    gap: u64,
    /// Bytes that come after it.
    longer: usize,
    ttl: Option<u8>,
    /// What its checksums become.
    checksum: Option<u16>,
}

fn again() -> impl Strategy<Value = Again> {
    let gap = prop_oneof![
        16 => 0_u64..1_000_000,
        4 => 0_u64..3_000_000_000,
        2 => 1_000_000_000_u64..60_000_000_000,
        1 => 100_000_000_000_u64..1_000_000_000_000,
    ];
    (
        (any::<prop::sample::Index>(), prop::bool::weighted(0.15)),
        gap,
        prop_oneof![6 => Just(0_usize), 2 => 1_usize..40, 1 => 1_000_usize..3_000],
        prop_oneof![8 => Just(None), 1 => (0_u8..4).prop_map(Some)],
        prop_oneof![8 => Just(None), 1 => Just(Some(0)), 1 => Just(Some(0xffff)), 1 => any::<u16>().prop_map(Some)],
    )
        .prop_map(|((which, rare), gap, longer, ttl, checksum)| Again {
            which,
            rare,
            gap,
            longer,
            ttl,
            checksum,
        })
}

/// The conversation, and then its packets again and again in any order.
fn long_conversation(sent: &[Sent], more: &[Again]) -> Vec<Sent> {
    let mut all = sent.to_vec();
    let mut time = sent.last().map_or(0, |last| last.time.0);
    // Openings and endings come once more at times; what flows carry in between, most of the time.
    let common: Vec<&Sent> = sent.iter().filter(|sent| is_common(sent)).collect();
    for again in more {
        time += again.gap;
        let rare = common.is_empty() || again.rare;
        let mut packet = if rare {
            sent[again.which.index(sent.len())].clone()
        } else {
            common[again.which.index(common.len())].clone()
        };
        packet.time = Nanos(time);
        alter(&mut packet.bytes, again);
        all.push(packet);
    }
    all
}

/// Without SYN, FIN or RST.
fn is_common(sent: &Sent) -> bool {
    Headers::parse(&sent.bytes).is_ok_and(|headers| match headers.transport {
        Transport::Tcp(tcp) => tcp.flags.0 & 7 == 0,
        _ => true,
    })
}

fn alter(bytes: &mut Vec<u8>, again: &Again) {
    let Ok(headers) = Headers::parse(bytes) else {
        return;
    };
    let longer = headers.total_len + again.longer;
    if again.longer > 0 && headers.total_len == bytes.len() && longer < 65_536 {
        bytes.resize(longer, 0x5a);
        bytes[2..4].copy_from_slice(&(longer as u16).to_be_bytes());
    }
    if let Some(ttl) = again.ttl {
        bytes[8] = ttl;
    }
    if let Some(checksum) = again.checksum {
        bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
        let at = headers.header_len + if headers.protocol.0 == 6 { 16 } else { 6 };
        if let Some(field) = bytes.get_mut(at..at + 2) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
    }
}

/// Changes of a network that leave what has names what it was.
pub(crate) fn change(network: &mut Network, number: u8) {
    let policies = &mut network.policies;
    match number % 11 {
        0 => {}
        1 => policies.mtu = Mtu::Icmp,
        2 => {
            policies.on_rule_change = OnRuleChange::Reevaluate;
            for group in &mut network.security_groups {
                group.ingress.clear();
            }
        }
        3 => policies.tcp_window = TcpWindow::Track,
        4 => {
            policies.conntrack.udp = 1;
            policies.conntrack.udp_stream = 0;
            policies.conntrack.tcp_unacknowledged = 2;
        }
        5 => {
            policies.fabric_ttl = 1;
            policies.acl_port = AclPort::Either;
        }
        6 => {
            for gateway in &mut network.nat_gateways {
                gateway.timeouts.udp = 2;
                gateway.timeouts.tcp_established = 20;
                gateway.max_connections = 2;
            }
        }
        7 => {
            policies.source_check = SourceCheck::Off;
            policies.conntrack.max = 2;
        }
        8 => {
            policies.conntrack.tcp_syn_sent = 3;
            policies.conntrack.tcp_syn_recv = 2;
            policies.conntrack.tcp_established = 5;
            for gateway in &mut network.nat_gateways {
                gateway.timeouts.tcp_half_open = 2;
                gateway.timeouts.tcp_established = 3;
            }
        }
        9 => {
            policies.mtu = Mtu::Silent;
            policies.conntrack.udp = 3;
            policies.conntrack.udp_stream = 9;
        }
        _ => {
            for route in network.route_tables.iter_mut().flat_map(|t| &mut t.routes) {
                route.enabled = false;
            }
        }
    }
}

/// A network, packets for it, what changes on the way, and the sizes of the batches.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) world: World,
    /// Before which packet the network changes, and how; the first is how it begins.
    pub(crate) swaps: Vec<(usize, u8)>,
    pub(crate) batches: Vec<usize>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (swaps, batches) = (&self.swaps, &self.batches);
        write!(f, "{:?}swaps {swaps:?}, batches {batches:?}", self.world)
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    case_in(any_world())
}

/// A case in one of these worlds.
pub(crate) fn case_in(worlds: impl Strategy<Value = World>) -> impl Strategy<Value = Case> {
    (
        worlds,
        vec(again(), 0..120),
        any::<u8>(),
        vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        vec(1_usize..40, 1..8),
    )
        .prop_map(|(mut world, more, first, swaps, batches)| {
            world.sent = long_conversation(&world.sent, &more);
            let places = swaps.iter();
            let mut swaps: Vec<_> = places
                .map(|(at, number)| (at.index(world.sent.len()), *number))
                .collect();
            swaps.sort_unstable();
            swaps.insert(0, (0, first));
            Case {
                world,
                swaps,
                batches,
            }
        })
}

/// All that can be seen of a run.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) ends: Vec<Ended>,
    pub(crate) usage: Vec<Use>,
    pub(crate) late: Vec<vpcsim_dataplane::Other>,
}

/// Sends everything in batches through one program after another.
fn run(programs: &[(usize, Program)], sent: &[Sent], batches: &[usize], state: State) -> Seen {
    let mut state = state;
    let mut batch = Batch::new();
    let mut sizes = batches.iter().cycle().copied();
    let mut size = sizes.next().unwrap_or(1);
    let mut ends = Vec::new();
    let mut now = 0;
    for (id, packet) in sent.iter().enumerate() {
        let program = &programs[now].1;
        if batch.len() >= size {
            finish(&mut batch, program, &mut state, &mut ends);
            size = sizes.next().unwrap_or(1);
        }
        while now + 1 < programs.len() && programs[now + 1].0 <= id {
            finish(&mut batch, &programs[now].1, &mut state, &mut ends);
            state.adopt(&programs[now].1, &programs[now + 1].1);
            now += 1;
        }
        let arrival = Arrival {
            id: id as u64,
            time: packet.time,
            source: packet.source,
        };
        batch.push(arrival, &packet.bytes);
    }
    let program = &programs[now].1;
    finish(&mut batch, program, &mut state, &mut ends);
    let mut late = Vec::new();
    let mut last = Vec::new();
    for seconds in [1, 10, 100, 1_000, 10_000, 500_000] {
        let later = state.now().after_seconds(seconds);
        advance(program, &mut state, later, &mut (), &mut late);
        last.push(state.usage(program));
    }
    Seen {
        ends,
        usage: last,
        late,
    }
}

fn finish(batch: &mut Batch, program: &Program, state: &mut State, ends: &mut Vec<Ended>) {
    batch.run(program, state, &mut ());
    ends.extend(batch.ended().map(|ended| Ended {
        walked: ended.walked,
        bytes: ended.bytes.to_vec(),
        others: ended.others.to_vec(),
    }));
    batch.clear();
}

/// Says the first difference.
pub(crate) fn same(truth: &Seen, memo: &Seen) -> Result<(), String> {
    let ends = truth.ends.iter().zip(&memo.ends);
    if let Some((at, (slow, fast))) = ends.enumerate().find(|(_, (slow, fast))| slow != fast) {
        return Err(format!(
            "packet {at}: {:?} {}, and not {:?} {}; beside it {:?} and {:?}",
            slow.walked,
            describe(&slow.bytes),
            fast.walked,
            describe(&fast.bytes),
            slow.others,
            fast.others
        ));
    }
    let left = truth.usage.iter().zip(&memo.usage);
    if let Some((slow, fast)) = left.into_iter().find(|(slow, fast)| slow != fast) {
        return Err(format!("left behind: {slow:?}, and not {fast:?}"));
    }
    (truth == memo)
        .then_some(())
        .ok_or_else(|| "what ended late".to_owned())
}

proptest! {
    #![proptest_config(cases(400))]

    /// DESIGN's first idea: the cache is a memo of the walk. SEMANTICS §12: the same bytes out.
    #[test]
    fn cached_equals_uncached(case in case()) {
        equals_uncached(&case)?;
    }

    /// The same where doors have no limits, hosts compete for ports and meet at each other's public
    /// addresses.
    #[test]
    fn cached_equals_uncached_in_a_crowd(case in case_in(crowds())) {
        equals_uncached(&case)?;
    }
}

fn equals_uncached(case: &Case) -> Result<(), TestCaseError> {
    let (text, sent) = (&case.world.text, &case.world.sent);
    let swaps = case.swaps.iter();
    let programs: Vec<_> = swaps
        .map(|(at, number)| (*at, changed(text, |network| change(network, *number))))
        .collect();
    let first = &programs[0].1;
    let truth = run(&programs, sent, &[1], State::naive(first));
    let all = usize::MAX;
    for (entries, ends) in [
        (0, 0),
        (0, 1),
        (1, 8),
        (2, 0),
        (5, all),
        (all, 0),
        (all, 1),
        (all, all),
    ] {
        let state = State::new(first)
            .with_flow_cache(entries)
            .with_ends_a_turn(ends);
        let memo = run(&programs, sent, &case.batches, state);
        same(&truth, &memo).map_err(|what| {
            TestCaseError::fail(format!(
                "with {entries} flow entries, {ends} ends a turn: {what}"
            ))
        })?;
    }
    Ok(())
}

#[test]
fn the_cases_do_repeat_walks() {
    let mut runner = TestRunner::deterministic();
    let (mut hits, mut packets) = (0, 0);
    for _ in 0..100 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let program = case.world.program();
        let mut state = State::new(&program);
        let mut batch = Batch::new();
        for (id, sent) in (0..).zip(&case.world.sent) {
            let (time, source) = (sent.time, sent.source);
            batch.push(Arrival { id, time, source }, &sent.bytes);
        }
        batch.run(&program, &mut state, &mut ());
        hits += state.cache_hits();
        packets += batch.len() as u64;
    }
    assert!(hits * 20 > packets, "{hits} of {packets}");
}
