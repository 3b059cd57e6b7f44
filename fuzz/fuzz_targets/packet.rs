//! Any bytes as a packet: parsing, rewriting there and back, errors, fragments.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{
    FlowKey, Headers, Rewrite, decrement_ttl, fragment, rewrite, rewrite_quoted, verify_checksums,
};

fuzz_target!(|bytes: Vec<u8>| {
    let mut bytes = bytes;
    let Ok(mut headers) = Headers::parse(&bytes) else { return };
    let _ = verify_checksums(&bytes, &headers);
    let _ = icmp::error(&bytes, &headers, headers.destination, IcmpError::TimeExceeded);
    let _ = icmp::echo_reply(&bytes, &headers);
    let _ = fragment(&bytes, &headers, 576);
    let Some(key) = FlowKey::of(&headers) else { return };
    let to = FlowKey { source: headers.destination, source_port: 1024, ..key };
    let change = Rewrite::between(&key, &to);
    rewrite_quoted(&mut bytes, &mut headers, &change);
    rewrite(&mut bytes, &mut headers, &change);
    decrement_ttl(&mut bytes, &mut headers);
    let again = Headers::parse(&bytes).expect("a rewritten packet is still a packet");
    assert_eq!(again.source, headers.source);
    assert_eq!(again.ttl, headers.ttl);
});
