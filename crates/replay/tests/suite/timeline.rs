//! What happened when: the same counts as the report, spread over time.

use crate::support::corpus;
use std::ops::ControlFlow;
use std::path::Path;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::{Input, Options, Report, Timeline, Verdicts, replay};

fn scenario(name: &str) -> Program {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let text = std::fs::read_to_string(root.join(name).join("network.yaml")).unwrap();
    Program::new(Network::from_yaml(name, &text).unwrap())
}

fn replayed(program: &Program, capture: &Path, timeline: bool) -> Report {
    let options = Options {
        timeline,
        ..Options::default()
    };
    let inputs = vec![Input::open(capture).unwrap()];
    let go_on = &mut |_| ControlFlow::Continue(());
    replay(program, inputs, &options, &mut (), go_on).unwrap()
}

fn pcaps(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../pcaps")
        .join(name)
}

/// Every count of the timeline adds up to that of the report.
#[track_caller]
fn assert_adds_up(report: &Report, timeline: &Timeline) {
    let mut sum = Verdicts::default();
    let mut bytes = 0;
    for step in &timeline.steps {
        sum.delivered += step.verdicts.delivered;
        sum.dropped += step.verdicts.dropped;
        sum.not_ipv4 += step.verdicts.not_ipv4;
        sum.malformed += step.verdicts.malformed;
        sum.unattributed += step.verdicts.unattributed;
        sum.held += step.verdicts.held;
        bytes += step.bytes;
    }
    assert_eq!((sum, bytes), (report.verdicts, report.bytes));
    assert!(timeline.steps.len() <= 480);
    let dropped: u64 = timeline.drops.iter().map(|drop| drop.packets).sum();
    assert_eq!(dropped, report.verdicts.dropped);
    for drop in &timeline.drops {
        assert_eq!(drop.steps.iter().sum::<u64>(), drop.packets, "{drop:?}");
    }
    let pairs = &timeline.talks.pairs;
    let talked: u64 = pairs.iter().map(|pair| pair.packets).sum();
    let lost: u64 = pairs.iter().map(|pair| pair.dropped).sum();
    assert_eq!(talked, report.verdicts.delivered + report.verdicts.dropped);
    assert_eq!(lost, report.verdicts.dropped);
    let most = timeline.steps.iter().filter_map(|step| step.usage.as_ref());
    let most = most.map(|usage| usage.connections).max().unwrap_or(0);
    assert!(most <= report.connections.peak);
}

#[test]
fn counts_over_time_add_up_and_change_nothing() {
    for (network, capture) in [("demo", "demo.pcapng"), ("tour", "web-behind-nat.pcap")] {
        let program = scenario(network);
        let mut report = replayed(&program, &pcaps(capture), true);
        let timeline = report.timeline.take().unwrap();
        assert_adds_up(&report, &timeline);
        let mut plain = replayed(&program, &pcaps(capture), false);
        assert_eq!(plain.timeline, None);
        plain.timing = report.timing.clone();
        assert_eq!(plain, report);
        assert_eq!(
            replayed(&program, &pcaps(capture), true).timeline,
            Some(timeline)
        );
    }
}

#[test]
fn counts_over_time_add_up_for_captures_of_every_kind() {
    let Some(corpus) = corpus() else {
        return;
    };
    let program = scenario("tour");
    let mut seen = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let capture = file.unwrap().path();
        let options = Options {
            timeline: true,
            ..Options::default()
        };
        let Ok(input) = Input::open(&capture) else {
            continue;
        };
        let go_on = &mut |_| ControlFlow::Continue(());
        let report = match replay(&program, vec![input], &options, &mut (), go_on) {
            Ok(report) => report,
            Err(vpcsim_replay::ReplayError::Capture { report, .. }) => *report,
            Err(error) => panic!("{error}"),
        };
        assert_adds_up(&report, report.timeline.as_deref().unwrap());
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

/// What tables hold at the end of the last step is what they hold at the end.
#[test]
fn the_last_step_is_as_full_as_the_tables_at_the_end() {
    let program = scenario("tour");
    let report = replayed(&program, &pcaps("web-behind-nat.pcap"), true);
    let timeline = report.timeline.as_deref().unwrap();
    let last = timeline.steps.last().unwrap().usage.as_ref().unwrap();
    assert_eq!(last.sessions, [report.nat[0].sessions]);
    assert_eq!(timeline.gateways, ["gw"]);
    assert!(last.connections >= report.connections.now);
    let first = timeline.steps[0].usage.as_ref().unwrap();
    assert!(
        first.sessions < last.sessions,
        "sessions grow while hosts talk"
    );
}

/// Rules are told in their own words, with list and line.
#[test]
fn drops_over_time_name_their_rules() {
    let program = scenario("demo");
    let report = replayed(&program, &pcaps("demo.pcapng"), true);
    let drops = &report.timeline.as_deref().unwrap().drops;
    let unheld = drops
        .iter()
        .find(|drop| drop.reason == "havip-unheld")
        .unwrap();
    assert_eq!(
        unheld.text.as_deref(),
        Some("172.31.3.0/24 via havip/standby")
    );
    assert!(
        unheld
            .rule
            .as_deref()
            .unwrap()
            .starts_with("routes 7 (line ")
    );
    let implicit = drops.iter().find(|drop| drop.reason == "acl-deny").unwrap();
    assert_eq!(implicit.text, None);
}

/// A packet for a public port counts for the host behind it, whether or not it arrives.
#[test]
fn who_was_meant_is_told_of_what_did_not_arrive() {
    let program = scenario("demo");
    let report = replayed(&program, &pcaps("demo.pcapng"), true);
    let talks = &report.timeline.as_deref().unwrap().talks;
    let end = |name: &str| talks.ends.iter().position(|end| end == name).unwrap();
    // Gateway gw leads its port 8443 to app-1, whose group accepts it from nobody out there.
    let pair = talks
        .pairs
        .iter()
        .find(|pair| (pair.from, pair.to) == (end("internet"), end("app-1")))
        .unwrap();
    assert!(pair.dropped > 0 && pair.packets > pair.dropped, "{pair:?}");
}
