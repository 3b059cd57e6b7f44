//! Whatever comes: a comparison does not panic, its counts add up and its tables do not grow with
//! packets.

use crate::diff::{adds_up, amount, compare, compared, is_empty};
use crate::hostile::damaged;
use crate::support::{OFFICE, SECOND, START, capture, go_on, input, packets, program};
use vpcsim_capture::{LinkType, Reader, Record};
use vpcsim_packet::build::udp;
use vpcsim_replay::diff::{Diff, Side, diff};
use vpcsim_replay::{Endpoint, Input, Mapping};

#[test]
fn damaged_packets_of_every_link_type_add_up() {
    let frames = damaged(40_000);
    let office = program(OFFICE);
    is_empty(&compare(&office, &office, &frames));
    let strict = OFFICE.replace("203.0.113.10", "203.0.113.11");
    let strict = strict.replace(
        "  client-2: {subnet: clients",
        "  client-3: {subnet: clients",
    );
    let strict = program(&format!(
        "{strict}policies: {{mid_stream: drop, mtu: icmp, fabric_ttl: 1}}\n"
    ));
    let report = compare(&office, &strict, &frames);
    for change in [&report.lost, &report.allowed, &report.moved] {
        assert!(change.total.packets > 0, "{report:#?}");
    }
    let place = |text| Endpoint::parse(&office, text).unwrap().source(&office);
    let mapped = Side {
        at: Some(place("client")),
        map: vec![Mapping::parse(&office, "198.51.100.9=client-2").unwrap()],
        ..Side::new("old", &office)
    };
    let elsewhere = Side {
        at: Some(place("internet")),
        absent: vec![[198, 51, 100, 9].into()],
        ..Side::new("new", &office)
    };
    let report = compared(&mapped, &elsewhere, &frames);
    assert!(report.new.verdicts.unattributed > 0);
}

#[test]
fn a_damaged_capture_gives_what_was_compared_until_there() {
    let frames = packets((0..10).map(|port| {
        udp(
            ([172, 16, 1, 10], 4000 + port),
            ([172, 16, 2, 10], 53),
            b"?",
        )
        .bytes()
    }));
    let mut file = capture(&frames);
    // A block that says it is shorter than its own header.
    file.extend([6, 0, 0, 0, 4, 0, 0, 0]);
    let (office, none) = (
        program(OFFICE),
        OFFICE.replace("accept udp all", "drop udp all"),
    );
    let none = program(&none);
    let sides = [Side::new("old", &office), Side::new("new", &none)];
    let ended = diff(
        &sides[0],
        &sides[1],
        vec![input("broken", file)],
        usize::MAX,
        &mut go_on,
    );
    let error = ended.unwrap_err();
    assert_eq!(error.name, "broken");
    assert!(error.to_string().starts_with("broken: "), "{error}");
    let report = *error.report;
    adds_up(&report);
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(amount(&report.lost), (10, 10));
}

#[test]
fn several_captures_are_compared_one_after_the_other() {
    let office = program(OFFICE);
    let none = program(&OFFICE.replace("accept udp all", "drop udp all"));
    let query = packets([udp(([172, 16, 1, 10], 4000), ([172, 16, 2, 10], 53), b"?").bytes()]);
    let open = |name: &str| Input {
        name: name.to_owned(),
        reader: Reader::from_stream(std::io::Cursor::new(capture(&query))).unwrap(),
    };
    let sides = [Side::new("old", &office), Side::new("new", &none)];
    let report = diff(
        &sides[0],
        &sides[1],
        vec![open("a"), open("b")],
        usize::MAX,
        &mut go_on,
    )
    .unwrap();
    assert_eq!(amount(&report.lost), (1, 2));
    let names: Vec<_> = report
        .captures
        .iter()
        .map(|capture| (&*capture.name, capture.packets))
        .collect();
    assert_eq!(names, [("a", 1), ("b", 1)]);
}

/// Queries of their own flow each, over a year.
fn flood(diff: &mut Diff<'_>, total: u64, mut look: impl FnMut(&Diff<'_>)) {
    let step = 365 * 86_400 * SECOND / total;
    for number in 0..total {
        let port = 1024 + (number % 60_000) as u16;
        let server = [
            198,
            51,
            100 + (number / 15_000_000) as u8,
            (number / 60_000 % 250) as u8,
        ];
        let query = udp(([172, 16, 1, 10], port), (server, 53), b"?").bytes();
        diff.packet(&Record {
            time: START + number * step,
            interface: 0,
            link_type: LinkType::RAW,
            original_len: query.len() as u32,
            data: &query,
        });
        if number % 50_000 == 0 {
            look(diff);
        }
    }
}

/// What the documentation promises of its tables.
const MOST_FLOWS: usize = 1 << 20;
const MOST_LISTED: usize = 1 << 16;

/// Packets of the year; 10 million with `VPCSIM_LONG_TESTS` set.
fn many() -> u64 {
    match std::env::var_os("VPCSIM_LONG_TESTS") {
        Some(_) => 10_000_000,
        None => 300_000,
    }
}

#[test]
fn a_year_of_packets_needs_tables_for_live_flows() {
    let office = program(OFFICE);
    let side = Side::new("office", &office);
    let mut diff = Diff::new(&side, &side);
    diff.begin_capture("made up", "none");
    let total = many();
    let step = 365 * 86_400 * SECOND / total;
    // A gateway remembers UDP for 180 s.
    let live = ((180 * SECOND).div_ceil(step) as usize + 1) * 2;
    flood(&mut diff, total, |diff| {
        let usage = diff.usage();
        assert!(usage.connections <= live, "{usage:?}");
        assert!(usage.flows <= MOST_FLOWS, "{usage:?}");
        assert_eq!((usage.listed, usage.held), (0, 0));
    });
    let report = diff.finish(usize::MAX);
    adds_up(&report);
    is_empty(&report);
    assert_eq!(report.flows, total);
    assert!(report.flows_forgotten >= total.saturating_sub(MOST_FLOWS as u64));
}

#[test]
fn a_flood_that_is_lost_is_counted_whole_and_listed_in_part() {
    let office = program(OFFICE);
    let none = program(&OFFICE.replace("      - {to: 0.0.0.0/0, via: nat/gw}\n", ""));
    let (old, new) = (Side::new("old", &office), Side::new("new", &none));
    let mut diff = Diff::new(&old, &new);
    diff.begin_capture("made up", "none");
    flood(&mut diff, 200_000, |diff| {
        assert!(diff.usage().listed <= MOST_LISTED);
    });
    let report = diff.finish(usize::MAX);
    adds_up(&report);
    assert_eq!(amount(&report.lost), (200_000, 200_000));
    assert_eq!(report.lost.flows.len(), MOST_LISTED);
    assert_eq!(report.lost.causes.len(), 1);
    assert_eq!(report.lost.causes[0].amount.flows, 200_000);
}
