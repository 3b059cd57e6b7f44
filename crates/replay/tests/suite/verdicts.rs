//! Every kind of verdict, by packets made for it.

use crate::support::{
    Frame, OFFICE, SECOND, START, bytes, drops, go_on, input, packets, program, run,
};
use std::ops::ControlFlow;
use vpcsim_capture::LinkType;
use vpcsim_packet::build::{Echo, icmp_echo, tcp, udp};
use vpcsim_packet::{FlowKey, Headers, TcpFlags};
use vpcsim_replay::{Options, replay};

const CLIENT: [u8; 4] = [172, 16, 1, 10];
const WEB: [u8; 4] = [172, 16, 2, 10];
const GATEWAY: [u8; 4] = [203, 0, 113, 10];
const WEB_EIP: [u8; 4] = [203, 0, 113, 20];
const STRANGER: [u8; 4] = [198, 51, 100, 9];

fn syn(from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Vec<u8> {
    tcp(from, to, TcpFlags::SYN).bytes()
}

fn ethernet(time: u64, ethertype: u16, payload: &[u8]) -> Frame {
    let mut data = vec![2; 12];
    data.extend(ethertype.to_be_bytes());
    data.extend(payload);
    Frame {
        time,
        link_type: LinkType::ETHERNET,
        original_len: data.len() as u32,
        data,
    }
}

#[test]
fn every_verdict_is_counted_where_it_belongs() {
    let program = program(OFFICE);
    let first_of_two = udp((CLIENT, 4000), (STRANGER, 53), &[7; 3000]).fragments(1500);
    let mut frames = packets([
        // Delivered: by the gateway, by the acl's leave, beyond the vpn.
        syn((CLIENT, 4000), (STRANGER, 443)),
        syn((CLIENT, 4001), (WEB, 80)),
        syn((CLIENT, 4002), ([192, 168, 3, 4], 80)),
        // Dropped by an acl's rule, and by a group's end.
        syn((CLIENT, 4003), (WEB, 23)),
        syn((CLIENT, 4004), (WEB, 443)),
        // A stranger knocks.
        syn((STRANGER, 4005), (GATEWAY, 22)),
        syn((STRANGER, 4006), (WEB_EIP, 80)),
        icmp_echo(Echo::Request, STRANGER, GATEWAY, 9, 1, b"hello").bytes(),
        // Nobody's.
        syn(([172, 16, 1, 99], 4007), (STRANGER, 80)),
        syn(([0, 0, 0, 0], 4008), (STRANGER, 80)),
        syn(([224, 0, 0, 5], 4008), (STRANGER, 80)),
        // Too broken.
        vec![0x45, 0, 0],
        // Without its first fragment.
        first_of_two[1].clone(),
    ]);
    let time = START + SECOND;
    frames.push(ethernet(time, 0x0806, &[0; 28]));
    frames.push(ethernet(time, 0x86dd, &[0x60; 40]));
    frames.push(ethernet(time, 0x8847, &[0; 28]));
    // IPv6 under the wrong ethertype.
    frames.push(ethernet(time, 0x0800, &[0x60; 40]));
    frames.push(Frame {
        time,
        link_type: LinkType::ETHERNET,
        original_len: 60,
        data: vec![0; 5],
    });
    frames.push(Frame {
        time,
        link_type: LinkType(127),
        original_len: 90,
        data: vec![0; 90],
    });
    let options = Options {
        keep_drops: true,
        ..Options::default()
    };
    let (report, kept) = run(&program, &options, &frames);
    let verdicts = report.verdicts;
    assert_eq!(report.packets, 19);
    assert_eq!(
        drops(&report),
        [
            (
                "acl-deny at acl-ingress: acl edge, ingress 1 (line 18)".into(),
                1
            ),
            ("no-nat-session at nat-gateway: nat gateway gw".into(), 1),
            (
                "security-group-deny at security-group-ingress: security group servers, ingress \
                 implicit deny (line 12)"
                    .into(),
                1
            ),
        ]
    );
    assert_eq!(verdicts.delivered, 5);
    assert_eq!(verdicts.dropped, 3);
    assert_eq!(verdicts.not_ipv4, 5);
    assert_eq!(verdicts.malformed, 2);
    assert_eq!(verdicts.unattributed, 3);
    assert_eq!(verdicts.held, 1);
    assert_eq!(kept.dropped.len(), 3);

    // The ping to the gateway is answered by it.
    assert_eq!(report.generated.total, 1);
    assert_eq!(report.generated.delivered, 1);
    // The five that were delivered, and the answer.
    assert_eq!(kept.delivered.len(), 6);
    let named: Vec<_> = report
        .places
        .iter()
        .map(|row| (&*row.name, row.packets))
        .collect();
    assert_eq!(
        named,
        [
            ("web/eth0", 2),
            ("external:branch", 1),
            ("internet", 1),
            ("nat:gw", 1)
        ]
    );
    let kinds: Vec<_> = report
        .not_ipv4
        .iter()
        .map(|row| (&*row.kind, row.packets))
        .collect();
    assert_eq!(
        kinds,
        [
            ("IPv6", 2),
            ("ARP", 1),
            ("MPLS", 1),
            ("unsupported link type RADIOTAP (127)", 1)
        ]
    );
    let malformed: Vec<_> = report.malformed.iter().map(|row| &*row.what).collect();
    assert_eq!(
        malformed,
        [
            "cut within the ETHERNET (1) header",
            "ipv4 header of 3 bytes at byte 0: wanted 20 or more"
        ]
    );
    assert!(
        report
            .link_types
            .iter()
            .any(|row| row.name == "RADIOTAP (127)" && !row.supported)
    );
    assert!(
        report
            .warnings
            .iter()
            .any(|text| text.contains("RADIOTAP (127)")),
        "{report:?}"
    );
    let nat = &report.nat[0];
    assert_eq!(
        (&*nat.gateway, nat.sessions, nat.sessions_peak),
        ("gw", 1, 1)
    );
    assert_eq!(nat.max_connections, 1_000_000);
    assert_eq!((&*nat.eips[0].name, nat.eips[0].sessions), ("gw-1", 1));
}

#[test]
fn held_fragments_get_their_verdict_when_the_first_one_comes() {
    let program = program(OFFICE);
    let ping = icmp_echo(Echo::Request, CLIENT, STRANGER, 9, 1, &[7; 4000]);
    let fragments = ping.identification(77).fragments(1500);
    assert_eq!(fragments.len(), 3);
    let order = [2, 1, 0].map(|at: usize| fragments[at].clone());
    let mut frames = packets(order);
    // Captured on an Ethernet: lengths on the link are longer than the packets.
    for frame in &mut frames {
        let wrapped = ethernet(frame.time, 0x0800, &frame.data);
        *frame = wrapped;
    }
    let total: u32 = frames.iter().map(|frame| frame.original_len).sum();
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(drops(&report), []);
    assert_eq!(report.verdicts.delivered, 3);
    assert_eq!(report.verdicts.held, 0);
    assert_eq!(report.places[0].bytes, u64::from(total));
    let internet = kept.at(&program, "internet");
    assert_eq!(internet.len(), 3);
    for ended in internet {
        // All leave when the first one came, translated like it.
        assert_eq!(ended.time, START + 2_000_000);
        assert_eq!(ended.original_len as usize, ended.bytes.len());
        let headers = Headers::parse(&ended.bytes).unwrap();
        assert_eq!(headers.source.octets(), GATEWAY);
    }
}

#[test]
fn a_fragmented_datagram_passes_a_gateway_in_order() {
    let program = program(OFFICE);
    let datagram = udp((CLIENT, 4000), (STRANGER, 53), &[7; 4000]).identification(7);
    let (report, kept) = run(
        &program,
        &Options::default(),
        &packets(datagram.fragments(1500)),
    );
    assert_eq!(drops(&report), []);
    assert_eq!(kept.at(&program, "internet").len(), 3);
}

#[test]
fn held_fragments_time_out() {
    let program = program(OFFICE);
    let fragments = udp((CLIENT, 4000), (STRANGER, 53), &[7; 3000]).fragments(1500);
    let mut frames = packets([fragments[1].clone(), syn((CLIENT, 1), (STRANGER, 2))]);
    frames[1].time = START + 31 * SECOND;
    let (report, kept) = run(
        &program,
        &Options {
            keep_drops: true,
            ..Options::default()
        },
        &frames,
    );
    assert_eq!(
        drops(&report),
        [("fragment-timeout at packet: packet".into(), 1)]
    );
    assert_eq!(report.verdicts.held, 0);
    assert_eq!(kept.dropped[0].1.time, START + 31 * SECOND);
}

#[test]
fn pieces_of_a_cut_packet_are_written_and_the_packet_counted_once() {
    let program = program(&format!("{OFFICE}policies: {{mtu: icmp}}\n"));
    let big = icmp_echo(Echo::Request, CLIENT, STRANGER, 9, 1, &[7; 4000]);
    let stubborn = udp((CLIENT, 4001), (STRANGER, 53), &[7; 4000]).dont_fragment(true);
    let frames = packets([bytes(&big), bytes(&stubborn)]);
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(
        drops(&report),
        [("too-big at mtu: nic client/eth0".into(), 1)]
    );
    assert_eq!((report.verdicts.delivered, report.verdicts.dropped), (1, 1));
    assert_eq!(kept.at(&program, "internet").len(), 3);
    // Fragmentation needed, to the sender.
    assert_eq!((report.generated.total, report.generated.delivered), (1, 1));
    assert_eq!(kept.at(&program, "client/eth0").len(), 1);
}

#[test]
fn a_held_fragment_that_is_cut_is_written_in_pieces_alone() {
    let program = program(&format!("{OFFICE}policies: {{mtu: icmp}}\n"));
    let ping = icmp_echo(Echo::Request, CLIENT, STRANGER, 9, 1, &[7; 4000]);
    let [first, later] = &ping.identification(7).fragments(2100)[..] else {
        panic!("two fragments wanted");
    };
    let frames = packets([later.clone(), first.clone()]);
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(report.verdicts.delivered, 2, "{report:#?}");
    // Two pieces of each.
    let internet = kept.at(&program, "internet");
    assert_eq!(internet.len(), 4);
    let payload: usize = internet.iter().map(|ended| ended.bytes.len() - 20).sum();
    assert_eq!(payload, 4008);
    for ended in internet {
        assert!(ended.bytes.len() <= 1500);
        let headers = Headers::parse(&ended.bytes).unwrap();
        assert_eq!(headers.source.octets(), GATEWAY);
    }
}

#[test]
fn what_ethernet_pads_is_cut_off_and_super_packets_are_not() {
    let program = program(OFFICE);
    let tiny = syn((CLIENT, 4000), (STRANGER, 443));
    let mut padded = tiny.clone();
    padded.resize(60, 0xee);
    let mut offloaded = tcp((CLIENT, 4000), (STRANGER, 443), TcpFlags::ACK)
        .payload(&[1; 200])
        .bytes();
    offloaded[2..4].fill(0);
    let frames = [
        ethernet(START, 0x0800, &padded),
        ethernet(START + 1, 0x0800, &offloaded),
    ];
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(report.bytes, 74 + 14 + offloaded.len() as u64);
    let internet = kept.at(&program, "internet");
    assert_eq!(internet[0].bytes.len(), tiny.len());
    assert_eq!(internet[0].original_len as usize, tiny.len());
    assert_eq!(internet[1].bytes.len(), offloaded.len());
    assert_eq!((internet[0].time, internet[1].time), (START, START + 1));
}

#[test]
fn packets_cut_by_the_snap_length_keep_their_length() {
    let program = program(OFFICE);
    let whole = udp((CLIENT, 4000), (STRANGER, 53), &[7; 1000]).bytes();
    let mut frames = packets([whole[..40].to_vec()]);
    frames[0].original_len = whole.len() as u32;
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(report.bytes, whole.len() as u64);
    let (_, ended) = &kept.delivered[0];
    assert_eq!(ended.bytes.len(), 40);
    assert_eq!(ended.original_len as usize, whole.len());
}

#[test]
fn a_capture_taken_inside_gets_its_replies_back() {
    let program = program(OFFICE);
    let ack = TcpFlags::SYN | TcpFlags::ACK;
    let frames = packets([
        syn((CLIENT, 4000), (STRANGER, 443)),
        // As seen inside: the gateway has translated it already.
        tcp((STRANGER, 443), (CLIENT, 4000), ack).bytes(),
        // From the internet to a server, as its nic saw it.
        syn((STRANGER, 5000), (WEB, 80)),
        // To somebody without a public side, in no session.
        syn((STRANGER, 5000), (CLIENT, 22)),
    ]);
    let (report, kept) = run(&program, &Options::default(), &frames);
    assert_eq!(
        drops(&report),
        [("no-public-path at internet: address 172.16.1.10".into(), 1)]
    );
    let back = &kept.at(&program, "client/eth0")[0].bytes;
    let key = FlowKey::of(&Headers::parse(back).unwrap()).unwrap();
    assert_eq!(key.to_string(), "tcp 198.51.100.9:443 > 172.16.1.10:4000");
    assert_eq!(kept.at(&program, "web/eth0").len(), 1);
}

#[test]
fn several_captures_share_one_clock() {
    let program = program(OFFICE);
    let query = udp((CLIENT, 4000), (STRANGER, 53), b"?").bytes();
    let answer = udp((STRANGER, 53), (CLIENT, 4000), b"!").bytes();
    let mut later = packets([answer.clone()]);
    // An hour before the query.
    later[0].time = START - 3600 * SECOND;
    let inputs = vec![
        input("first", crate::support::capture(&packets([query]))),
        input("second", crate::support::capture(&later)),
    ];
    let mut calls = 0;
    let report = replay(
        &program,
        inputs,
        &Options::default(),
        &mut (),
        &mut |progress| {
            calls += 1;
            assert_eq!(progress.packets, progress.input as u64 + 1);
            assert!(progress.bytes_read > 0);
            ControlFlow::Continue(())
        },
    );
    let report = report.unwrap();
    // Its session still lives: the clock did not go back, nor did an hour pass.
    assert_eq!(report.verdicts.delivered, 2);
    assert_eq!(calls, 2);
    let captures: Vec<_> = report
        .captures
        .iter()
        .map(|row| (&*row.name, row.packets))
        .collect();
    assert_eq!(captures, [("first", 1), ("second", 1)]);
    assert!(
        report.warnings[0].contains("1 packet(s) have a time before"),
        "{report:?}"
    );
    let timing = report.timing;
    assert_eq!(
        timing.capture_start.unwrap(),
        "2023-11-14T21:13:20.000000000Z"
    );
    assert_eq!(
        timing.capture_end.unwrap(),
        "2023-11-14T22:13:20.000000000Z"
    );
}

/// A capture that pauses: what comes after the pause is looked at with the clock.
struct Pausing {
    before: std::io::Cursor<Vec<u8>>,
    after: std::io::Cursor<Vec<u8>>,
}

impl std::io::Read for Pausing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.before.read(into)?;
        if read > 0 {
            return Ok(read);
        }
        if self.after.position() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        self.after.read(into)
    }
}

#[test]
fn who_watches_may_stop_a_replay_and_has_a_report_of_what_was_replayed() {
    let program = program(OFFICE);
    let file = crate::support::capture(&packets(
        (0..200).map(|port| syn((CLIENT, 4000 + port), (STRANGER, 443))),
    ));
    let (before, after) = file.split_at(file.len() / 2);
    let stream = Pausing {
        before: std::io::Cursor::new(before.to_vec()),
        after: std::io::Cursor::new(after.to_vec()),
    };
    let reader = vpcsim_capture::Reader::from_stream(stream).unwrap();
    let first = vpcsim_replay::Input {
        name: "first".to_owned(),
        reader,
    };
    let inputs = vec![first, input("never read", file)];
    let stop = &mut |_| ControlFlow::Break(());
    let report = replay(&program, inputs, &Options::default(), &mut (), stop).unwrap();
    assert!((16..200).contains(&report.packets), "{}", report.packets);
    assert_eq!(report.packets, report.verdicts.total());
    assert_eq!(
        report.warnings,
        ["first: interrupted: the rest was not read"]
    );
}

#[test]
fn a_cut_capture_is_a_warning_and_a_damaged_one_an_error_with_its_report() {
    let program = program(OFFICE);
    let file = crate::support::capture(&packets([
        syn((CLIENT, 4000), (STRANGER, 443)),
        syn((CLIENT, 4001), (STRANGER, 443)),
    ]));
    let cut = file[..file.len() - 10].to_vec();
    let replayed = |file| {
        let inputs = vec![input("cut.pcapng", file)];
        replay(&program, inputs, &Options::default(), &mut (), &mut go_on)
    };
    let report = replayed(cut).unwrap();
    assert_eq!(report.packets, 1);
    assert!(
        report.warnings[0].starts_with("cut.pcapng: cut short"),
        "{report:?}"
    );

    let mut damaged = file;
    let last = damaged.len() - 1;
    damaged[last] = 0xff;
    match replayed(damaged) {
        Err(vpcsim_replay::ReplayError::Capture { name, report, .. }) => {
            assert_eq!(name, "cut.pcapng");
            assert_eq!(report.verdicts.total(), report.packets);
            assert_eq!(report.captures[0].warnings.len(), 1);
        }
        other => panic!("an error wanted, got {other:?}"),
    }
}
