//! Every capture of the shared corpus reads to the counts of its manifest.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use vpcsim_capture::{
    Reader,
    link::{Link, ipv4_payload},
};

const COLUMNS: [&str; 6] = ["packets", "ipv4", "tcp", "udp", "icmp", "frags"];

/// Where our count differs from the manifest's, and why that is right: file, column, ours, reason.
const EXCEPTIONS: &[(&str, &str, u64, &str)] = &[
    ("big_mpls_10k.pcap", "ipv4", 0, MPLS),
    ("big_mpls_10k.pcap", "tcp", 0, MPLS),
    ("big_mpls_10k.pcap", "icmp", 0, MPLS),
    ("nat_base.pcap", "ipv4", 150, MPLS_SIX),
    ("nat_base.pcap", "icmp", 12, MPLS_SIX),
    ("nat_base_pnat.pcap", "ipv4", 150, MPLS_SIX),
    ("nat_base_pnat.pcap", "icmp", 12, MPLS_SIX),
    ("nat_base_portmap.pcap", "ipv4", 150, MPLS_SIX),
    ("nat_base_portmap.pcap", "icmp", 12, MPLS_SIX),
    ("fmt_80211_radiotap.pcap", "ipv4", 0, RADIO),
    ("fmt_80211_radiotap.pcap", "udp", 0, RADIO),
];

const MPLS: &str = "all IPv4 is under MPLS labels: a provider's core, which no VPC nic sees";
const MPLS_SIX: &str =
    "six pings are under an MPLS label: a provider's core, which no VPC nic sees";
const RADIO: &str =
    "802.11 with a radiotap header: not among the link types read, reported by name";

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/captures"
    ));
    if path.join("MANIFEST.tsv").exists() {
        return Some(path);
    }
    eprintln!(
        "NOT CHECKED: {} is absent, no capture of the corpus was read",
        path.display()
    );
    None
}

/// Counts in the order of [`COLUMNS`], and everything the reader had to say.
fn count(path: &Path) -> ([u64; 6], Vec<String>) {
    let mut counts = [0; 6];
    let mut reader = Reader::open(path).expect("a capture");
    let mut notes = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                counts[0] += 1;
                if let Link::Ipv4 { offset, .. } =
                    ipv4_payload(record.link_type, record.data, record.original_len)
                {
                    counts[1] += 1;
                    classify(&record.data[offset..], &mut counts);
                }
            }
            Ok(None) => break,
            Err(error) => {
                notes.push(error.to_string());
                break;
            }
        }
    }
    notes.extend(reader.warnings().iter().map(ToString::to_string));
    (counts, notes)
}

/// The manifest's rules, as its numbers show them: whatever the link layer calls IPv4 counts as `ipv4`; the
/// rest only with a sound header (version 4, header within the data, total length 0 or at least the
/// header's); a transport protocol only in a first or only fragment, whatever is left of it.
fn classify(ip: &[u8], counts: &mut [u64; 6]) {
    let header = ip.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    if header < 20 || ip.len() < header || ip[0] >> 4 != 4 {
        return;
    }
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    if total != 0 && total < header {
        return;
    }
    let fragment = u16::from_be_bytes([ip[6], ip[7]]);
    counts[5] += u64::from(fragment & 0x3fff != 0);
    if fragment & 0x1fff != 0 {
        return;
    }
    match ip[9] {
        6 => counts[2] += 1,
        17 => counts[3] += 1,
        1 => counts[4] += 1,
        _ => {}
    }
}

#[test]
fn every_file_reads_to_the_counts_of_the_manifest() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let mut lines = manifest
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let place: BTreeMap<&str, usize> = head
        .iter()
        .enumerate()
        .map(|(index, name)| (*name, index))
        .collect();
    let mut wrong = Vec::new();
    for line in lines {
        let file = line[place["file"]];
        let (counts, notes) = count(&corpus.join(file));
        for note in &notes {
            println!("{file}: {note}");
        }
        for (ours, column) in counts.into_iter().zip(COLUMNS) {
            let theirs: u64 = line[place[column]].parse().unwrap();
            let wanted = match EXCEPTIONS.iter().find(|e| (e.0, e.1) == (file, column)) {
                Some(&(_, _, ours, reason)) => {
                    assert_ne!(
                        ours, theirs,
                        "{file} {column} needs no exception any more: {reason}"
                    );
                    ours
                }
                None => theirs,
            };
            if ours != wanted {
                wrong.push(format!("{file} {column}: {wanted} wanted, {ours} counted"));
            }
        }
        assert_eq!(
            notes.is_empty(),
            line[place["reader_note"]].is_empty(),
            "{file}: {notes:?}"
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What the file's packets carry that is not IPv4, by name.
fn others(file: &Path) -> BTreeMap<String, u64> {
    let mut others = BTreeMap::new();
    let mut reader = Reader::open(file).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let name = match ipv4_payload(record.link_type, record.data, record.original_len) {
            Link::Ipv4 { .. } => continue,
            Link::Other(other) => other.to_string(),
            Link::Unsupported(link_type) => link_type.to_string(),
            Link::Truncated { .. } => "truncated".to_owned(),
        };
        *others.entry(name).or_insert(0) += 1;
    }
    others
}

#[test]
fn what_the_exceptions_leave_out_is_counted_by_name() {
    let Some(corpus) = corpus() else { return };
    assert_eq!(others(&corpus.join("big_mpls_10k.pcap"))["MPLS"], 10_503);
    assert_eq!(
        others(&corpus.join("fmt_ppp_mpls_traceroute.pcap"))["MPLS"],
        9
    );
    assert_eq!(
        others(&corpus.join("fmt_80211_radiotap.pcap"))["RADIOTAP (127)"],
        1
    );
    assert_eq!(others(&corpus.join("nat_base.pcap"))["MPLS"], 16);
}

#[test]
fn the_formats_of_the_manifest_are_recognised() {
    let Some(corpus) = corpus() else { return };
    for (file, wanted) in [
        ("bad_fuzz_2006_be.pcap", "pcap, microseconds, big-endian"),
        ("fmt_ns_be.pcap", "pcap, nanoseconds, big-endian"),
        ("fmt_ns_le_sll.pcap", "pcap, nanoseconds, little-endian"),
        (
            "fmt_modified_kuznetzov.pcap",
            "modified pcap, microseconds, little-endian",
        ),
        ("fmt_ng_be_complex.pcapng", "pcapng, big-endian"),
        ("fmt_ng_le_be_sections.pcapng", "pcapng, little-endian"),
    ] {
        assert_eq!(
            Reader::open(corpus.join(file))
                .unwrap()
                .format()
                .to_string(),
            wanted,
            "{file}"
        );
    }
    for (file, interfaces) in [
        ("fmt_ng_11ifs_null_eth_raw.pcapng", 11),
        ("fmt_ng_le_be_sections.pcapng", 5),
        ("cl_ssh.pcapng", 1),
    ] {
        let mut reader = Reader::open(corpus.join(file)).unwrap();
        while reader.next_record().unwrap().is_some() {}
        assert_eq!(reader.interfaces().len(), interfaces, "{file}");
    }
}
