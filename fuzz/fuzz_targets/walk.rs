//! Arbitrary bytes at arbitrary places with arbitrary time steps through a network that has one
//! of everything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use vpcsim_dataplane::{Arrival, Nanos, Program, Source, State, walk};
use vpcsim_network::{CvmId, ExternalId, Network, NicId};

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let text = include_str!("../../scenarios/reference/network.yaml");
    Program::new(Network::from_yaml("reference", text).expect("the reference network is valid"))
});

fuzz_target!(|packets: Vec<(u8, u32, Vec<u8>)>| {
    let mut state = State::new(&PROGRAM);
    let mut others = Vec::new();
    let mut time = 0;
    let network = PROGRAM.network();
    for (id, (place, step, mut bytes)) in (0..).zip(packets) {
        time += u64::from(step) * 1000;
        let source = match place % 4 {
            0 => Source::Internet,
            1 => Source::Cvm(CvmId(u32::from(place / 4) % network.cvms.len() as u32)),
            2 => Source::Nic(NicId(u32::from(place / 4) % network.nics.len() as u32)),
            _ => Source::External(ExternalId(0)),
        };
        let arrival = Arrival { id, time: Nanos(time), source };
        walk(&PROGRAM, &mut state, arrival, &mut bytes, &mut (), &mut others);
        others.clear();
    }
});
