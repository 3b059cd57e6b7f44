//! Any bytes as a capture: every record is within bounds, and reading ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use vpcsim_capture::Reader;
use vpcsim_capture::link::ipv4_payload;

fuzz_target!(|bytes: Vec<u8>| {
    let Ok(mut reader) = Reader::from_stream(Cursor::new(bytes)) else { return };
    while let Ok(Some(record)) = reader.next_record() {
        let _ = ipv4_payload(record.link_type, record.data, record.original_len);
    }
});
