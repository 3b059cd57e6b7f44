//! The capture is one that the network lets through, every packet of it.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::ops::ControlFlow;
use vpcsim_bench::{Size, program, write_capture};
use vpcsim_capture::Reader;
use vpcsim_replay::{Input, Options, replay};

fn capture(packets: u64, size: Size) -> Vec<u8> {
    let mut file = Vec::new();
    write_capture(&mut file, 500, packets, size).unwrap();
    file
}

#[test]
fn every_packet_is_delivered() {
    let program = program(100).unwrap();
    for (packets, size) in [(700, Size::Least), (5_000, Size::Imix)] {
        let input = Input {
            name: "made up".into(),
            reader: Reader::from_stream(Cursor::new(capture(packets, size))).unwrap(),
        };
        let report = replay(
            &program,
            vec![input],
            &Options::default(),
            &mut (),
            &mut |_| ControlFlow::Continue(()),
        )
        .unwrap();
        assert_eq!(report.packets, packets);
        assert_eq!(report.verdicts.delivered, packets, "{report:#?}");
        assert_eq!(report.nat[0].sessions, 500);
    }
}

#[test]
fn the_same_arguments_make_the_same_bytes() {
    assert_eq!(capture(3_000, Size::Imix), capture(3_000, Size::Imix));
}
