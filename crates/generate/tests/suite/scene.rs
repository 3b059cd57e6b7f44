//! Scenes of any network: in order, the same each time, and nothing breaks.

use proptest::prelude::*;
use vpcsim_generate::{Framing, GenOptions, Scene, Traffic, generate};
use vpcsim_network::Network;
use vpcsim_testkit::strategy::networks;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_network_has_a_scene(text in networks(), seed in any::<u64>()) {
        let network = Network::from_yaml("generated.yaml", &text).unwrap();
        let traffic = Traffic { seed, flows: 60, ..Traffic::default() };
        let scene = Scene::new(&network, &traffic);
        prop_assert!(scene.kinds() > 0);
        let packets: Vec<_> = scene.packets().collect();
        prop_assert!(packets.is_sorted_by_key(|packet| packet.time));
        prop_assert!(scene.packets().eq(packets));
    }
}

#[test]
fn what_is_not_ip_is_left_out_of_raw_captures() {
    let text = include_str!("../../../../scenarios/demo/network.yaml");
    let network = Network::from_yaml("demo", text).unwrap();
    let options = |framing| GenOptions {
        traffic: Traffic {
            flows: 400,
            ..Traffic::default()
        },
        network: Some(&network),
        framing,
        ..GenOptions::default()
    };
    let framed = generate(&options(Framing::Ethernet), &mut Vec::new()).unwrap();
    let raw = generate(&options(Framing::Raw), &mut Vec::new()).unwrap();
    let other = |protocols: &std::collections::BTreeMap<_, u64>| protocols["not ipv4"];
    assert_eq!(
        other(&framed.protocols),
        2 * other(&raw.protocols),
        "ARP and IPv6 come in pairs"
    );
    assert_eq!(framed.packets - raw.packets, other(&raw.protocols));
}
