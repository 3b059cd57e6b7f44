//! Every real capture through private clients behind a nat gateway.

use crate::support::{OFFICE, check, corpus, go_on, program};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use vpcsim_capture::Reader;
use vpcsim_capture::link::{Link, ipv4_payload};
use vpcsim_dataplane::Program;
use vpcsim_replay::{Endpoint, FlowLogOptions, Input, Mapping, Options, ReplayError, replay};

/// The private address that most packets of a capture come from.
fn busiest(path: &Path) -> Option<Ipv4Addr> {
    let mut reader = Reader::open(path).ok()?;
    let mut sources: BTreeMap<Ipv4Addr, u32> = BTreeMap::new();
    while let Ok(Some(record)) = reader.next_record() {
        if let Link::Ipv4 { offset, .. } =
            ipv4_payload(record.link_type, record.data, record.original_len)
            && let Some(&[a, b, c, d]) = record.data.get(offset + 12..offset + 16)
        {
            *sources.entry(Ipv4Addr::new(a, b, c, d)).or_default() += 1;
        }
    }
    let private = sources
        .into_iter()
        .filter(|(address, _)| address.is_private());
    private
        .max_by_key(|(_, packets)| *packets)
        .map(|(address, _)| address)
}

/// How many packets the manifest says a file has.
fn manifest(corpus: &Path) -> Vec<(String, u64)> {
    let text = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split('\t').collect();
    let column = header.iter().position(|name| *name == "packets").unwrap();
    let row = |line: &str| {
        let cells: Vec<_> = line.split('\t').collect();
        (cells[0].to_owned(), cells[column].parse().unwrap())
    };
    lines.map(row).collect()
}

fn counted(program: &Program, path: &Path, options: &Options) -> u64 {
    let inputs = vec![Input::open(path).unwrap()];
    let report = match replay(program, inputs, options, &mut (), &mut go_on) {
        Ok(report) => report,
        // Damaged on purpose: what came before counts all the same.
        Err(ReplayError::Capture { report, .. }) => *report,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    check(&report);
    assert_eq!(
        report.generated.total,
        report.generated.delivered + report.generated.dropped
    );
    report.packets
}

#[test]
fn counts_add_up_on_every_capture() {
    let Some(corpus) = corpus() else {
        return;
    };
    let plain = program(OFFICE);
    let strict = program(&format!(
        "{OFFICE}policies: {{mid_stream: drop, tcp_window: track, mtu: icmp, fabric_ttl: 1}}\n"
    ));
    let files = manifest(&corpus);
    assert!(files.len() > 40, "the corpus has {} files", files.len());
    for (file, packets) in files {
        let path = corpus.join(&file);
        for program in [&plain, &strict] {
            let place = |text| Endpoint::parse(program, text).unwrap().source(program);
            let map: Vec<_> = busiest(&path)
                .map(|address| Mapping {
                    address,
                    cvm: vpcsim_network::CvmId(0),
                })
                .into_iter()
                .collect();
            let ways = [
                (None, Vec::new()),
                (None, map.clone()),
                (Some(place("client")), Vec::new()),
                (Some(place("web/eth0")), map),
                (Some(place("internet")), Vec::new()),
                (Some(place("external:branch")), Vec::new()),
            ];
            for (at, map) in ways {
                let options = Options {
                    at,
                    map,
                    keep_drops: true,
                    timeline: true,
                    rules: at.is_none(),
                    flow_log: at.is_none().then(FlowLogOptions::default),
                    ..Options::default()
                };
                assert_eq!(counted(program, &path, &options), packets, "{file}");
            }
        }
    }
}
