//! The reference file, which uses every key once, decodes into the model it means.

use vpcsim_network::*;

const REFERENCE: &str = include_str!("../../../scenarios/reference/network.yaml");

fn reference() -> Network {
    match Network::from_yaml("network.yaml", REFERENCE) {
        Ok(network) => network,
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn the_reference_file_is_a_network() {
    let network = reference();
    assert_eq!(network.vpcs.len(), 2);
}
