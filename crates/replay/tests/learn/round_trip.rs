//! Learn, then replay, packet by packet.

use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use vpcsim_capture::link::{Link, ipv4_payload};
use vpcsim_capture::{LinkType, Reader, Record};
use vpcsim_dataplane::{Drop, Place, Program};
use vpcsim_network::{Levels, Network};
use vpcsim_packet::{FlowKey, Headers};
use vpcsim_replay::learn::{LearnError, LearnOptions, Learned, Learner};
use vpcsim_replay::{Options, Replay, Sink, drop_text};

/// A captured frame.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) time: u64,
    pub(crate) link_type: LinkType,
    pub(crate) original_len: u32,
    pub(crate) data: Vec<u8>,
}

impl Frame {
    /// An IPv4 packet without a link header.
    pub(crate) fn raw(time: u64, data: Vec<u8>) -> Self {
        Self {
            time,
            link_type: LinkType::RAW,
            original_len: data.len() as u32,
            data,
        }
    }

    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            time: self.time,
            interface: 0,
            link_type: self.link_type,
            original_len: self.original_len,
            data: &self.data,
        }
    }

    /// Its flow, where it names one.
    pub(crate) fn flow(&self) -> Option<FlowKey> {
        FlowKey::of(&self.headers()?)
    }

    fn headers(&self) -> Option<Headers> {
        match ipv4_payload(self.link_type, &self.data, self.original_len) {
            Link::Ipv4 { offset, .. } => Headers::parse(self.data.get(offset..)?).ok(),
            _ => None,
        }
    }
}

/// Packets a millisecond apart.
pub(crate) fn frames(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<Frame> {
    const START: u64 = 1_700_000_000_000_000_000;
    let times = (0..).map(|number| START + number * 1_000_000);
    times
        .zip(packets)
        .map(|(time, bytes)| Frame::raw(time, bytes))
        .collect()
}

/// All frames of a file, up to where it is damaged.
pub(crate) fn read(path: &Path) -> Vec<Frame> {
    let mut reader = Reader::open(path).unwrap();
    let mut frames = Vec::new();
    while let Ok(Some(record)) = reader.next_record() {
        frames.push(Frame {
            time: record.time,
            link_type: record.link_type,
            original_len: record.original_len,
            data: record.data.to_vec(),
        });
    }
    frames
}

pub(crate) fn inside(ranges: &[&str]) -> LearnOptions {
    LearnOptions {
        inside: ranges
            .iter()
            .map(|range| range.parse::<Ipv4Net>().unwrap())
            .collect(),
        widen: false,
    }
}

/// What was learned, and which frames belong to a completed conversation.
pub(crate) fn learned(
    frames: &[Frame],
    options: &LearnOptions,
) -> (Result<Learned, LearnError>, Vec<bool>) {
    let mut learner = Learner::new(options.clone());
    learner.begin_capture("made/up.pcap", "none");
    let ids: Vec<_> = frames
        .iter()
        .map(|frame| learner.packet(&frame.record()))
        .collect();
    let completed = ids
        .iter()
        .map(|id| id.is_some_and(|id| learner.is_completed(id)));
    let completed = completed.collect();
    (learner.finish(), completed)
}

/// The same, of frames that have something to learn from.
#[track_caller]
pub(crate) fn network(frames: &[Frame], options: &LearnOptions) -> String {
    learned(frames, options).0.unwrap().network
}

/// The network of a file, which is valid and at which no lint fires.
#[track_caller]
pub(crate) fn checked(text: &str) -> Program {
    match Network::check("learned.yaml", text) {
        Ok((network, findings)) => {
            let findings = findings.views(&Levels::default());
            assert!(findings.is_empty(), "{findings:?}\n{text}");
            Program::new(network)
        }
        Err(errors) => panic!("{errors:?}\n{text}"),
    }
}

/// What ended since the last look.
#[derive(Default)]
struct Ends(Vec<Result<Place, Drop>>);

impl Sink for Ends {
    fn delivered(&mut self, place: Place, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        self.0.push(Ok(place));
        Ok(())
    }

    fn dropped(&mut self, drop: &Drop, _: u64, _: u32, _: &[u8]) -> io::Result<()> {
        self.0.push(Err(*drop));
        Ok(())
    }
}

/// Learns and replays; asserts that every packet of a completed conversation arrives where its
/// destination lives. How many those are; none where there was nothing to learn.
#[track_caller]
pub(crate) fn delivers(name: &str, frames: &[Frame], options: &LearnOptions) -> usize {
    let (learned, completed) = learned(frames, options);
    let learned = match learned {
        Ok(learned) => learned,
        Err(LearnError::NobodyInside { .. }) => {
            assert!(!completed.contains(&true), "{name}");
            return 0;
        }
        Err(error) => panic!("{name}: {error}"),
    };
    let text = &learned.network;
    let program = checked(text);
    let renumbered = &learned.summary.renumbered;
    let moved: BTreeMap<Ipv4Addr, Ipv4Addr> = renumbered
        .iter()
        .map(|host| (host.captured, host.address))
        .collect();
    let options = Options {
        keep_drops: true,
        ..Options::default()
    };
    let mut replay = Replay::new(&program, &options);
    let mut count = 0;
    for ((number, frame), completed) in frames.iter().enumerate().zip(completed) {
        let mut ends = Ends::default();
        replay.packet(&frame.record(), &mut ends).unwrap();
        replay.flush(&mut ends).unwrap();
        if !completed {
            continue;
        }
        count += 1;
        let headers = frame.headers().unwrap();
        let captured = headers.destination;
        let destination = moved.get(&captured).copied().unwrap_or(captured);
        let home = match program.sender(destination) {
            Some(cvm) => format!("{}/eth0", program.network().cvm(cvm).name),
            None => "internet".to_owned(),
        };
        let arrived = match ends.0.first() {
            Some(Ok(place)) => program.place_name(*place),
            Some(Err(drop)) => drop_text(&program, drop),
            None => "nowhere".to_owned(),
        };
        assert_eq!(
            arrived,
            home,
            "{name}: packet {}: {headers:?}\n{text}",
            number + 1
        );
    }
    let belongs = learned.summary.belongs;
    assert_eq!(belongs.completed, count as u64, "{name}");
    let all = [
        belongs.completed,
        belongs.incomplete,
        belongs.outside,
        belongs.nobody,
        belongs.fragments,
        belongs.beyond,
        belongs.not_ipv4,
        belongs.malformed,
    ];
    assert_eq!(
        all.iter().sum::<u64>(),
        frames.len() as u64,
        "{name}: {belongs:?}"
    );
    count
}
