//! The examples of docs/network-file.md are networks, and it names every key.

use vpcsim_network::Network;

const PAGE: &str = include_str!("../../../docs/network-file.md");

#[test]
fn the_first_example_is_a_network() {
    let example = PAGE
        .split_once("```yaml\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map_or("", |(example, _)| example);
    let network = Network::from_yaml("example.yaml", example);
    assert!(network.is_ok(), "{:?}", network.err());
}

#[test]
fn every_key_is_described() {
    let schema = Network::schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions {
        for key in definition["properties"].as_object().expect("keys").keys() {
            let named = PAGE.contains(&format!("`{key}`")) || PAGE.contains(&format!("{key}: "));
            assert!(named, "{name}.{key}");
        }
    }
}
