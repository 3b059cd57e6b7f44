//! Packet capture files: pcap and pcapng in and out, gzip and zstd, link layers.
