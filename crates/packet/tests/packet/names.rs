//! How flows, protocols and flags are written (SEMANTICS §1: one vocabulary).

use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

fn flow(packet: &[u8]) -> String {
    FlowKey::of(&Headers::parse(packet).unwrap())
        .unwrap()
        .to_string()
}

/// SEMANTICS §1: a flow is a 5-tuple; for ICMP the identifier stands in place of ports.
#[test]
fn flows_read_as_they_run() {
    let syn = build::tcp((A, 1234), (B, 80), TcpFlags::SYN).bytes();
    assert_eq!(flow(&syn), "tcp 10.0.0.1:1234 > 10.0.0.2:80");
    let dns = build::udp((A, 5353), (B, 53), b"").bytes();
    assert_eq!(flow(&dns), "udp 10.0.0.1:5353 > 10.0.0.2:53");
    let ping = build::icmp_echo(Echo::Request, A, B, 7, 1, b"").bytes();
    assert_eq!(flow(&ping), "icmp echo-request id 7 10.0.0.1 > 10.0.0.2");
    let key = FlowKey::of(&Headers::parse(&ping).unwrap()).unwrap();
    assert_eq!(
        key.reversed().to_string(),
        "icmp echo-reply id 7 10.0.0.2 > 10.0.0.1"
    );
    let error = build::icmp(A, B, 3, 1, [0; 4], b"").bytes();
    assert_eq!(flow(&error), "icmp unreachable code 1 10.0.0.1 > 10.0.0.2");
    let odd = build::icmp(A, B, 200, 3, [0; 4], b"").bytes();
    assert_eq!(flow(&odd), "icmp type 200 code 3 10.0.0.1 > 10.0.0.2");
    let gre = build::raw(Protocol::GRE, A, B, b"").bytes();
    assert_eq!(flow(&gre), "gre 10.0.0.1 > 10.0.0.2");
    let unnamed = build::raw(Protocol(99), A, B, b"").bytes();
    assert_eq!(flow(&unnamed), "protocol 99 10.0.0.1 > 10.0.0.2");
}

/// As tcpdump(8) writes flags.
#[test]
fn flags_read_as_in_tcpdump() {
    for (flags, text) in [
        (TcpFlags(0), "[none]"),
        (TcpFlags::SYN, "[S]"),
        (TcpFlags::SYN | TcpFlags::ACK, "[S.]"),
        (TcpFlags::PSH | TcpFlags::ACK, "[P.]"),
        (TcpFlags::FIN | TcpFlags::PSH | TcpFlags::URG, "[FPU]"),
        (TcpFlags(0xff), "[FSRP.UEW]"),
    ] {
        assert_eq!(flags.to_string(), text);
    }
}

/// A packet of a flow is of that flow, in both directions.
#[test]
fn a_packet_of_a_flow_is_of_that_flow() {
    for packet in [
        build::tcp((A, 1234), (B, 80), TcpFlags::SYN).bytes(),
        build::udp((A, 5353), (B, 53), b"").bytes(),
        build::icmp_echo(Echo::Request, A, B, 7, 1, b"").bytes(),
        build::raw(Protocol::ESP, A, B, b"").bytes(),
    ] {
        let key = FlowKey::of(&Headers::parse(&packet).unwrap()).unwrap();
        for key in [key, key.reversed()] {
            let packet = build::of_flow(&key).bytes();
            assert_eq!(FlowKey::of(&Headers::parse(&packet).unwrap()), Some(key));
        }
        assert_eq!(key.reversed().reversed(), key);
    }
}
