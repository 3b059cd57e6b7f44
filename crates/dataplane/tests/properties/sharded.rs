//! One worker equals several: the states of all shards together are as good as one state. SEMANTICS
//! §12, "Same inputs, same bytes out: on every run, with every number of workers".

use crate::cached::{Case, Seen, case, case_in, change, same};
use crate::crowd::crowds;
use crate::world::{Ended, cases, changed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, VecDeque};
use vpcsim_dataplane::{
    Arrival, Batch, InOrder, Nanos, Other, Place, Program, Round, Rounds, Shards, State, Use,
    Verdict, Walked, Work, advance,
};
use vpcsim_network::Network;
use vpcsim_testkit::strategy::Sent;

/// What carries packets.
trait Carrier {
    fn carry(&mut self, program: &Program, packets: &[(Arrival, &[u8])]) -> Vec<Ended>;
    fn adopt(&mut self, old: &Program, new: &Program);
    fn usage(&self, program: &Program) -> Use;
    /// Lets so many seconds pass.
    fn pause(&mut self, program: &Program, seconds: u32) -> Vec<Other>;
}

impl Carrier for State {
    fn carry(&mut self, program: &Program, packets: &[(Arrival, &[u8])]) -> Vec<Ended> {
        let mut batch = Batch::new();
        for (arrival, bytes) in packets {
            batch.push(*arrival, bytes);
        }
        batch.run(program, self, &mut ());
        batch.ended().map(kept).collect()
    }

    fn adopt(&mut self, old: &Program, new: &Program) {
        State::adopt(self, old, new);
    }

    fn usage(&self, program: &Program) -> Use {
        State::usage(self, program)
    }

    fn pause(&mut self, program: &Program, seconds: u32) -> Vec<Other> {
        let mut late = Vec::new();
        let later = self.now().after_seconds(seconds);
        advance(program, self, later, &mut (), &mut late);
        late
    }
}

impl Carrier for Shards {
    fn carry(&mut self, program: &Program, packets: &[(Arrival, &[u8])]) -> Vec<Ended> {
        let mut round = Round::new();
        for (arrival, bytes) in packets {
            self.push(program, &mut round, *arrival, bytes);
        }
        self.run(program, &mut round);
        tells_the_same(&round);
        let ends: Vec<_> = round.ended().map(kept).collect();
        for (ended, (arrival, _)) in round.ended().zip(packets) {
            assert_eq!(ended.arrival, *arrival);
        }
        ends
    }

    fn adopt(&mut self, old: &Program, new: &Program) {
        Shards::adopt(self, old, new);
    }

    fn usage(&self, program: &Program) -> Use {
        Shards::usage(self, program)
    }

    fn pause(&mut self, program: &Program, seconds: u32) -> Vec<Other> {
        let mut late = Vec::new();
        self.advance(program, self.now().after_seconds(seconds), &mut late);
        late
    }
}

/// Shards of which several rounds are under way, each lane as far on as luck will have it.
struct Ahead {
    shards: Shards,
    /// Packets of a round.
    size: usize,
    /// Most rounds under way.
    most: usize,
    luck: u32,
    /// Rounds that were dealt out while another one was under way.
    overlapped: usize,
}

/// A round under way, and the works that are not done yet.
struct UnderWay {
    round: Round,
    left: Vec<Work>,
    done: Vec<Work>,
}

impl Ahead {
    fn new(shards: Shards, size: usize, most: usize) -> Self {
        Self {
            shards,
            size,
            most,
            luck: 1,
            overlapped: 0,
        }
    }

    fn luck(&mut self, below: usize) -> usize {
        self.luck = self
            .luck
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.luck >> 16) as usize % below
    }

    /// The first round comes back. Until then each lane does its works of that one, and of some later.
    fn collect(&mut self, program: &Program, under_way: &mut VecDeque<UnderWay>) -> Vec<Ended> {
        for lane in 0..self.shards.workers() {
            let rounds = 1 + self.luck(under_way.len());
            for UnderWay { left, done, .. } in under_way.iter_mut().take(rounds) {
                let at = left.iter().position(|work| work.lane() == lane);
                if let Some(mut work) = at.map(|at| left.swap_remove(at)) {
                    work.run(program);
                    done.push(work);
                }
            }
        }
        let mut first = under_way.pop_front().expect("a round under way");
        assert!(first.left.is_empty());
        self.shards.collect(program, &mut first.round, first.done);
        tells_the_same(&first.round);
        first.round.ended().map(kept).collect()
    }
}

impl Carrier for Ahead {
    fn carry(&mut self, program: &Program, packets: &[(Arrival, &[u8])]) -> Vec<Ended> {
        let (mut ends, mut under_way) = (Vec::new(), VecDeque::new());
        for packets in packets.chunks(self.size) {
            let mut round = Round::new();
            for (arrival, bytes) in packets {
                self.shards.push(program, &mut round, *arrival, bytes);
            }
            if under_way.len() == self.most {
                ends.extend(self.collect(program, &mut under_way));
            }
            let left = loop {
                match self.shards.deal(program, &mut round) {
                    Some(works) => break works,
                    None => ends.extend(self.collect(program, &mut under_way)),
                }
            };
            self.overlapped += usize::from(!under_way.is_empty());
            let done = Vec::new();
            under_way.push_back(UnderWay { round, left, done });
        }
        while !under_way.is_empty() {
            ends.extend(self.collect(program, &mut under_way));
        }
        ends
    }

    fn adopt(&mut self, old: &Program, new: &Program) {
        self.shards.adopt(old, new);
    }

    fn usage(&self, program: &Program) -> Use {
        self.shards.usage(program)
    }

    fn pause(&mut self, program: &Program, seconds: u32) -> Vec<Other> {
        self.shards.pause(program, seconds)
    }
}

/// What a round tells in order: where packets arrived, and what became of the others.
#[derive(Default)]
struct Told<'a> {
    arrived: Vec<(usize, Place, Nanos, &'a [u8])>,
    others: Vec<(usize, Arrival, Ended)>,
}

impl<'a> InOrder<'a> for Told<'a> {
    fn arrived(&mut self, number: usize, place: Place, time: Nanos, bytes: &'a [u8]) {
        self.arrived.push((number, place, time, bytes));
    }

    fn ended(&mut self, number: usize, ended: vpcsim_dataplane::Ended<'a>) {
        self.others.push((number, ended.arrival, kept(ended)));
    }
}

/// However a round is asked what became of its packets, it says the same: one by one, those that simply
/// arrived apart, and these by sums.
fn tells_the_same(round: &Round) {
    if !round.is_plain() {
        return;
    }
    let (mut told, mut wanted) = (Told::default(), Told::default());
    for (number, ended) in round.ended().enumerate() {
        match ended.walked {
            Walked {
                verdict: Verdict::Delivered(place),
                cut: false,
            } if ended.others.is_empty() => {
                wanted.arrived(number, place, ended.arrival.time, ended.bytes);
            }
            _ => wanted.ended(number, ended),
        }
    }
    round.tell_in_order(&mut told);
    assert!(told.arrived == wanted.arrived && told.others == wanted.others);
    told.others.clear();
    round.for_each_other(|number, ended| told.ended(number, ended));
    assert!(told.others == wanted.others);
    let mut sums: BTreeMap<Place, u64> = BTreeMap::new();
    for sum in round.arrived() {
        *sums.entry(sum.place).or_default() += sum.packets;
    }
    let mut counts: BTreeMap<Place, u64> = BTreeMap::new();
    for (_, place, ..) in wanted.arrived {
        *counts.entry(place).or_default() += 1;
    }
    assert_eq!(sums, counts);
}

fn kept(ended: vpcsim_dataplane::Ended<'_>) -> Ended {
    Ended {
        walked: ended.walked,
        bytes: ended.bytes.to_vec(),
        others: ended.others.to_vec(),
    }
}

/// Sends everything in rounds through one program after another.
fn run(
    programs: &[(usize, Program)],
    sent: &[Sent],
    sizes: &[usize],
    carrier: &mut impl Carrier,
) -> Seen {
    let (mut ends, mut usage) = (Vec::new(), Vec::new());
    let mut sizes = sizes.iter().cycle();
    let (mut now, mut next) = (0, 0);
    while next < sent.len() {
        while now + 1 < programs.len() && programs[now + 1].0 <= next {
            carrier.adopt(&programs[now].1, &programs[now + 1].1);
            now += 1;
        }
        let mut last = (next + sizes.next().unwrap_or(&1)).min(sent.len());
        if let Some((swap, _)) = programs.get(now + 1) {
            last = last.min(*swap);
        }
        let packets = (next..).zip(&sent[next..last]).map(|(id, packet)| {
            let arrival = Arrival {
                id: id as u64,
                time: packet.time,
                source: packet.source,
            };
            (arrival, packet.bytes.as_slice())
        });
        let program = &programs[now].1;
        ends.extend(carrier.carry(program, &packets.collect::<Vec<_>>()));
        usage.push(carrier.usage(program));
        next = last;
    }
    let program = &programs[now].1;
    let mut late = Vec::new();
    for seconds in [1, 10, 100, 1_000, 10_000, 500_000] {
        late.extend(carrier.pause(program, seconds));
        usage.push(carrier.usage(program));
    }
    Seen { ends, usage, late }
}

fn programs(case: &Case) -> Vec<(usize, Program)> {
    let text = &case.world.text;
    let swaps = case.swaps.iter();
    swaps
        .map(|(at, number)| {
            let program = changed(text, |network| {
                change(network, *number);
                if *number >= 128 {
                    lead_elsewhere(network);
                }
            });
            (*at, program)
        })
        .collect()
}

/// Sessions outlive the DNAT rules that they began by, and ports that were free are reserved.
fn lead_elsewhere(network: &mut Network) {
    for gateway in &mut network.nat_gateways {
        let last = gateway.dnat.pop();
        let mut to_port = last.map_or(0, |dnat| dnat.to_port);
        for dnat in &mut gateway.dnat {
            to_port = std::mem::replace(&mut dnat.to_port, to_port);
        }
    }
}

/// Cases whose packets may come with times before that of an earlier one (§12).
fn disordered(cases: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let back = vec((any::<Index>(), 0_u64..50_000_000_000), 0..6);
    (cases, back).prop_map(|(mut case, back)| {
        for (which, by) in back {
            let time = &mut which.get_mut(&mut case.world.sent).time.0;
            *time = time.saturating_sub(by);
        }
        case
    })
}

proptest! {
    #![proptest_config(cases(400))]

    /// Any network, any packets, program swaps, rounds of any size: the same verdicts, bytes, order
    /// and use of tables.
    #[test]
    fn one_worker_equals_several(case in disordered(case()), patience in 0_u64..60) {
        equals_several(&case, patience)?;
    }

    /// The same where hosts compete for ports and meet at each other's public addresses.
    #[test]
    fn one_worker_equals_several_in_a_crowd(case in disordered(case_in(crowds())), patience in 0_u64..60) {
        equals_several(&case, patience)?;
    }
}

fn equals_several(case: &Case, patience: u64) -> Result<(), TestCaseError> {
    let programs = programs(case);
    let (sent, sizes) = (&case.world.sent, &case.batches);
    let first = &programs[0].1;
    let one = run(&programs, sent, sizes, &mut State::new(first));
    for workers in [1, 2, 3, 7] {
        let mut shards = Shards::new(first, workers).with_patience(patience);
        let several = run(&programs, sent, sizes, &mut shards);
        same(&one, &several)
            .map_err(|what| TestCaseError::fail(format!("with {workers} workers: {what}")))?;
    }
    for (workers, size, most) in [(2, 1, 4), (3, 3, 2), (3, 4, 9)] {
        let shards = Shards::new(first, workers).with_patience(patience);
        let mut ahead = Ahead::new(shards, size, most);
        let several = run(&programs, sent, sizes, &mut ahead);
        same(&one, &several).map_err(|what| {
            TestCaseError::fail(format!(
                "{workers} workers, {most} rounds of {size}: {what}"
            ))
        })?;
    }
    Ok(())
}

#[test]
fn the_cases_do_run_in_parallel_and_in_order() {
    let mut runner = TestRunner::deterministic();
    let cases = [case().boxed(), case_in(crowds()).boxed()];
    for cases in cases {
        let mut all = Rounds::default();
        for _ in 0..60 {
            let case = cases.new_tree(&mut runner).unwrap().current();
            let programs = programs(&case);
            let mut shards = Shards::new(&programs[0].1, 3).with_patience(20);
            run(&programs, &case.world.sent, &case.batches, &mut shards);
            all.parallel += shards.rounds().parallel;
            all.in_order += shards.rounds().in_order;
        }
        assert!(all.parallel > 100 && all.in_order > 100, "{all:?}");
    }
}

#[test]
fn rounds_of_the_cases_are_under_way_together_in_parallel_and_in_order() {
    let mut runner = TestRunner::deterministic();
    let (mut rounds, mut overlapped) = (Rounds::default(), 0);
    for _ in 0..60 {
        let case = case_in(crowds()).new_tree(&mut runner).unwrap().current();
        let programs = programs(&case);
        let shards = Shards::new(&programs[0].1, 3).with_patience(20);
        let mut ahead = Ahead::new(shards, 2, 4);
        run(&programs, &case.world.sent, &case.batches, &mut ahead);
        overlapped += ahead.overlapped as u64;
        rounds.parallel += ahead.shards.rounds().parallel;
        rounds.in_order += ahead.shards.rounds().in_order;
    }
    assert!(rounds.parallel > 100 && rounds.in_order > 100, "{rounds:?}");
    // More than either kind alone.
    assert!(
        overlapped > rounds.parallel.max(rounds.in_order),
        "{overlapped} of {rounds:?}"
    );
}
