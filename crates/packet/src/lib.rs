//! IPv4, TCP, UDP and ICMP as bytes: views, flow keys, checksum deltas, rewriting and building.
