//! What is counted over remembered ways is what a plain count over every stop of every packet
//! says, whatever the cache remembers.

#[path = "naive.rs"]
mod naive;

use super::Watch;
use crate::flow_log::FlowLogOptions;
use crate::replay::Options;
use crate::rules::RuleReport;
use crate::sink::Sink;
use naive::{Logged, Naive};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io;
use vpcsim_dataplane::{Arrival, Batch, Decision, Drop, Nanos, Place, Program, State, walk};
use vpcsim_flowlog::Record;
use vpcsim_packet::{Headers, Transport};
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::{Sent, worlds};

const WINDOW: u32 = 60;

/// Keeps records as lines.
#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn delivered(&mut self, _: Place, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn dropped(&mut self, _: &Drop, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn flow_record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.0.push(record.to_string());
        Ok(())
    }
}

/// A conversation, and what its flows carry in between twice more: soon after, and in another
/// window.
fn long(sent: &[Sent]) -> Vec<Sent> {
    let is_common = |sent: &&Sent| {
        Headers::parse(&sent.bytes).is_ok_and(|headers| match headers.transport {
            // Without SYN, FIN or RST.
            Transport::Tcp(tcp) => tcp.flags.0 & 7 == 0,
            _ => true,
        })
    };
    let mut all = sent.to_vec();
    let mut time = sent.last().map_or(0, |last| last.time.0);
    for gap in [1_000_000, 7_000_000_000] {
        time += gap;
        for packet in sent.iter().filter(is_common).cycle().take(3 * sent.len()) {
            time += 1_000;
            let time = Nanos(time);
            all.push(Sent {
                time,
                ..packet.clone()
            });
        }
    }
    all
}

fn arrival(id: usize, sent: &Sent) -> Arrival {
    Arrival {
        id: id as u64,
        time: sent.time,
        source: sent.source,
    }
}

/// In batches of this size, with so many flow entries: the report, the log, and how many packets
/// took a remembered way.
fn watched(
    program: &Program,
    sent: &[Sent],
    size: usize,
    entries: usize,
) -> (RuleReport, Vec<String>, u64) {
    let options = Options {
        rules: true,
        flow_log: Some(FlowLogOptions {
            window_seconds: WINDOW,
            ..FlowLogOptions::default()
        }),
        ..Options::default()
    };
    let mut watch = Watch::new(program, &options).expect("both are asked for");
    let mut state = State::new(program).with_flow_cache(entries);
    let (mut batch, mut lines) = (Batch::new(), Lines::default());
    for (number, chunk) in sent.chunks(size).enumerate() {
        for (at, packet) in chunk.iter().enumerate() {
            batch.push(arrival(number * size + at, packet), &packet.bytes);
        }
        batch.run(program, &mut state, &mut watch);
        batch.clear();
        watch.pass_on(&mut lines).expect("lines are taken");
    }
    let (rules, _) = watch.finish(&mut lines).expect("lines are taken");
    (rules.expect("asked for"), lines.0, state.cache_hits())
}

/// Every packet walked, every stop counted the plain way.
fn counted<'p>(program: &'p Program, sent: &[Sent]) -> Naive<'p> {
    let mut naive = Naive::new(program);
    let mut state = State::naive(program);
    for (id, packet) in sent.iter().enumerate() {
        let (mut bytes, mut others) = (packet.bytes.clone(), Vec::new());
        naive.begin(&packet.bytes);
        walk(
            program,
            &mut state,
            arrival(id, packet),
            &mut bytes,
            &mut |stop: &vpcsim_dataplane::Stop<'_>| naive.stop(stop),
            &mut others,
        );
    }
    naive
}

/// Rows that something met: flows, packets, and judged packets but for the end of `snat`, which a
/// plain count cannot tell.
fn met(report: &RuleReport) -> BTreeMap<String, (u64, u64, u64)> {
    let rows = report.rows.iter().filter(|row| row.packets > 0);
    rows.map(|row| {
        let at = row.position.map_or(row.rule.clone(), |at| at.to_string());
        let judged = if (row.list, row.position) == ("snat", None) {
            0
        } else {
            row.judged
        };
        let name = format!("{} {} {at}", row.element, row.list);
        (name, (row.flows, row.packets, judged))
    })
    .collect()
}

/// What a log says by nic, flow, window and action, whatever the order.
fn logged(lines: &[String]) -> Logged {
    let mut logged = Logged::new();
    for line in lines {
        let fields: Vec<_> = line.split(' ').collect();
        let number = |at: usize| fields[at].parse::<u64>().expect("a number");
        let key = [&fields[2..8], &fields[10..11], &fields[12..13]].concat();
        let known = logged.insert(key.join(" "), (number(8), number(9)));
        assert_eq!(known, None, "one record for a flow and window: {line}");
        assert_eq!(number(11), number(10) + u64::from(WINDOW), "{line}");
    }
    logged
}

/// `PROPTEST_CASES` scales them: 256 runs them as they stand.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: (asked.cases / 4).max(1),
        ..asked
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn remembered_ways_count_like_a_plain_count((text, sent) in worlds()) {
        let (program, sent) = (net(&text), long(&sent));
        let naive = counted(&program, &sent);
        let (first, log, _) = watched(&program, &sent, 1, 0);
        prop_assert_eq!(met(&first), naive.rules());
        prop_assert_eq!(logged(&log), naive.log(WINDOW));
        for (size, entries) in [(7, 1), (64, 5), (1000, usize::MAX)] {
            let (report, lines, _) = watched(&program, &sent, size, entries);
            prop_assert_eq!(&report, &first, "{} flow entries", entries);
            prop_assert_eq!(&lines, &log, "{} flow entries", entries);
        }
    }

    /// Every flow that a list judges is decided by one of its rows, and by one only: the rows' flows
    /// add up to the list's, told apart without any rule.
    #[test]
    fn the_flows_of_a_list_add_up((text, sent) in worlds()) {
        let program = net(&text);
        let naive = counted(&program, &sent);
        let (report, _, _) = watched(&program, &sent, 64, usize::MAX);
        let mut sums = BTreeMap::<String, (u64, u64)>::new();
        for row in report.rows.iter().filter(|row| row.judged > 0) {
            let sum = sums.entry(format!("{} {}", row.element, row.list)).or_default();
            sum.0 += row.flows;
            sum.1 += row.judged;
        }
        for (list, judged) in naive.judged_lists() {
            let sum = sums.remove(&list);
            prop_assert_eq!(sum, Some(judged), "{}", list);
        }
        prop_assert!(sums.keys().all(|list| list.ends_with(" snat")), "{:?}", sums);
    }
}

#[test]
fn the_cases_do_take_remembered_ways() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut hits, mut packets) = (0, 0);
    for _ in 0..20 {
        let (text, sent) = worlds().new_tree(&mut runner).expect("a world").current();
        let sent = long(&sent);
        hits += watched(&net(&text), &sent, 64, usize::MAX).2;
        packets += sent.len() as u64;
    }
    assert!(hits * 10 > packets, "{hits} of {packets}");
}
