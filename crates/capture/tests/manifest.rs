//! Every capture of the shared corpus reads to the counts of its manifest.

use std::{collections::BTreeMap, fs, path::PathBuf};

use vpcsim_capture::{
    Reader,
    link::{Link, ipv4_payload},
};

const COLUMNS: [&str; 6] = ["packets", "ipv4", "tcp", "udp", "icmp", "frags"];

/// Where our count differs from the manifest's, and why that is right.
const EXCEPTIONS: &[(&str, &str, u64, &str)] = &[];

fn corpus() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures"));
    if path.join("MANIFEST.tsv").exists() {
        return Some(path);
    }
    eprintln!("NOT CHECKED: {} is absent, no capture of the corpus was read", path.display());
    None
}

/// Counts in the order of [`COLUMNS`], by the manifest's rules.
fn count(path: &std::path::Path) -> ([u64; 6], Vec<String>) {
    let mut counts = [0; 6];
    let mut reader = Reader::open(path).expect("a capture");
    let mut notes = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                counts[0] += 1;
                match ipv4_payload(record.link_type, record.data, record.original_len) {
                    Link::Ipv4 { offset, .. } => classify(&record.data[offset..], &mut counts),
                    _ => {}
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

fn classify(ip: &[u8], counts: &mut [u64; 6]) {
    counts[1] += 1;
    let header = ip.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    if header < 20 || ip.len() < header {
        return;
    }
    let fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff;
    counts[5] += u64::from(fragment != 0);
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
    let mut lines = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let place: BTreeMap<&str, usize> = head.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let mut wrong = Vec::new();
    for line in lines {
        let file = line[place["file"]];
        let (counts, notes) = count(&corpus.join(file));
        for note in &notes {
            println!("{file}: {note}");
        }
        for (ours, column) in counts.into_iter().zip(COLUMNS) {
            let theirs: u64 = line[place[column]].parse().unwrap();
            let wanted = EXCEPTIONS.iter().find(|e| (e.0, e.1) == (file, column)).map_or(theirs, |e| e.2);
            if ours != wanted {
                wrong.push(format!("{file} {column}: {wanted} wanted, {ours} counted"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
