//! Captures made for the scenarios: what their conversations were is learned again.

use crate::corpus::EVERYBODY;
use crate::round_trip::{Frame, delivers, inside};
use std::fs;
use std::path::Path;
use vpcsim_generate::{Scene, Traffic};
use vpcsim_network::{EipMode, Network};

#[test]
fn of_what_is_made_for_a_scenario_no_conversation_is_lost() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut tried = 0;
    let mut directories: Vec<_> = fs::read_dir(scenarios)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    directories.sort();
    for directory in directories {
        let Ok(text) = fs::read_to_string(directory.join("network.yaml")) else {
            continue;
        };
        let name = directory.display().to_string();
        let network = Network::from_yaml(&name, &text).unwrap();
        // Who carries a public address is inside, too.
        let direct = network
            .eips
            .iter()
            .filter(|eip| eip.mode == EipMode::Direct);
        let direct: Vec<String> = direct.map(|eip| format!("{}/32", eip.address)).collect();
        let ranges = EVERYBODY
            .into_iter()
            .chain(direct.iter().map(String::as_str));
        let options = inside(&ranges.collect::<Vec<_>>());
        for seed in 1..=3 {
            let traffic = Traffic {
                seed,
                flows: 300,
                ..Traffic::default()
            };
            let packets = Scene::new(&network, &traffic).packets();
            let packets = packets.filter(|packet| packet.is_ipv4());
            let frames: Vec<_> = packets.map(|p| Frame::raw(p.time, p.bytes)).collect();
            assert!(delivers(&name, &frames, &options) > 0, "{name}");
        }
        tried += 1;
    }
    assert!(tried > 15, "only {tried} scenarios");
}
