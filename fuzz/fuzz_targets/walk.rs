//! Any packets at any places and times.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vpcsim_testkit::fuzz::walk_anything(bytes));
