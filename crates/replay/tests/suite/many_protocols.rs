//! A real client's capture, the client mapped to a host behind a nat gateway: what leaves has the
//! gateway's address and checksums as valid as they came, what comes back reaches the host, and
//! nothing is lost that the rules allow.

use crate::support::{OFFICE, check, corpus, drops, program};
use std::io;
use std::net::Ipv4Addr;
use vpcsim_capture::link::{Link, ipv4_payload};
use vpcsim_capture::{Reader, Record};
use vpcsim_dataplane::{Drop, Place};
use vpcsim_packet::{ChecksumReport, Headers, verify_checksums};
use vpcsim_replay::{Mapping, Options, Replay, Sink};

const LAPTOP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(172, 16, 1, 10);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// What ended since the last look.
#[derive(Default)]
struct Last(Vec<(Option<Place>, Vec<u8>)>);

impl Sink for Last {
    fn delivered(&mut self, place: Place, _: u64, _: u32, bytes: &[u8]) -> io::Result<()> {
        self.0.push((Some(place), bytes.to_vec()));
        Ok(())
    }

    fn dropped(&mut self, _: &Drop, _: u64, _: u32, bytes: &[u8]) -> io::Result<()> {
        self.0.push((None, bytes.to_vec()));
        Ok(())
    }
}

fn checksums(bytes: &[u8]) -> (Headers, ChecksumReport) {
    let headers = Headers::parse(bytes).unwrap();
    (headers, verify_checksums(bytes, &headers))
}

fn ipv4<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    match ipv4_payload(record.link_type, record.data, record.original_len) {
        Link::Ipv4 { offset, .. } => Some(&record.data[offset..]),
        _ => None,
    }
}

#[test]
fn a_mapped_client_behind_a_gateway_loses_nothing_that_the_rules_allow() {
    let Some(corpus) = corpus() else {
        return;
    };
    let program = program(OFFICE);
    let options = Options {
        map: vec![Mapping::parse(&program, "10.0.0.1=client").unwrap()],
        keep_drops: true,
        ..Options::default()
    };
    let mut reader = Reader::open(corpus.join("cl_many_protocols.pcap")).unwrap();
    let mut replay = Replay::new(&program, &options);
    replay.begin_capture("cl_many_protocols.pcap", "pcap");
    let (mut left, mut came_back, mut lost_outbound) = (0, 0, 0);
    while let Some(record) = reader.next_record().unwrap() {
        let mut last = Last::default();
        replay.packet(&record, &mut last).unwrap();
        replay.flush(&mut last).unwrap();
        let Some(before) = ipv4(&record) else {
            continue;
        };
        let Ok(headers) = Headers::parse(before) else {
            continue;
        };
        let captured = verify_checksums(before, &headers);
        for (place, bytes) in last.0 {
            let (now, report) = checksums(&bytes);
            // As valid as they came, whatever was translated on the way.
            assert_eq!(report, captured, "{headers:?} became {now:?}");
            match place.map(|place| program.place_name(place)).as_deref() {
                Some("internet") => {
                    assert_eq!((headers.source, now.source), (LAPTOP, GATEWAY));
                    assert_eq!(headers.destination, now.destination);
                    left += 1;
                }
                Some("client/eth0") => {
                    assert_eq!((headers.destination, now.destination), (LAPTOP, CLIENT));
                    assert_eq!(headers.source, now.source);
                    came_back += 1;
                }
                Some(elsewhere) => panic!("delivered at {elsewhere}: {headers:?}"),
                None if headers.source == LAPTOP => lost_outbound += 1,
                None => {}
            }
        }
    }
    let report = replay.finish(&mut ()).unwrap();
    check(&report);
    // Everything that the laptop sent left, and all but one that was sent to it came back.
    assert_eq!((left, came_back, lost_outbound), (1965, 2696, 0));
    assert_eq!(
        drops(&report),
        [
            // Not of this network: 20 pings between strangers (10.118.10.x, 10.209.20.x, under
            // two VLAN tags), and what the home router broadcasts (RIP).
            ("no-such-public-address at internet: internet".into(), 21),
            // The capture starts in the middle of this connection, with the server's segment:
            // the gateway learns of it when the laptop answers.
            ("no-public-path at internet: address 172.16.1.10".into(), 1),
        ]
    );
    let lost = |needle: &str| {
        let rows = report.dropped_flows.iter();
        let rows = rows.filter(|row| row.flow.contains(needle));
        rows.map(|row| row.packets).sum::<u64>()
    };
    assert_eq!((lost("10.118.10."), lost("10.209.20.")), (10, 10));
    assert_eq!(lost("udp 10.0.0.138:520 > 10.0.0.255:520"), 1);
    assert_eq!(lost("tcp 173.192.82.194:80 > 172.16.1.10:55181"), 1);
    // 4 ARP, 16 IPv6, 6 CDP.
    assert_eq!(report.verdicts.not_ipv4, 26);
    // 252 flows left, the last of them within the gateway's memory.
    assert_eq!(report.nat[0].sessions_peak, 252);
}
