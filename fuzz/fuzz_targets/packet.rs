//! Any bytes as a packet.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vpcsim_testkit::fuzz::packet(bytes));
