//! Any text as a network file: a network or errors that can be shown, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vpcsim_network::Network;

fuzz_target!(|text: &str| {
    if let Err(errors) = Network::from_yaml("fuzz.yaml", text) {
        assert!(!errors.to_string().is_empty());
    }
});
