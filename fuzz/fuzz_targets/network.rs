//! Any text as a network file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vpcsim_testkit::fuzz::network(bytes));
