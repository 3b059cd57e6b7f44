//! What no conversation needed is dropped by the groups.

use crate::corpus::captures;
use crate::round_trip::{Frame, checked, frames, learned};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Arrival, Nanos, Program, Source, Stage, State, Verdict, walk};
use vpcsim_generate::Traffic;
use vpcsim_network::NicId;
use vpcsim_packet::{Protocol, TcpFlags, build};
use vpcsim_replay::learn::LearnOptions;

/// Nobody has it.
const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 19, 77, 77);
/// Nobody listens there.
const PORT: u16 = 1;

/// By host and direction of travel: peers and destination ports that a conversation had, of each
/// protocol.
type Flows = BTreeMap<(Ipv4Addr, bool), BTreeSet<(Protocol, Ipv4Addr, u16)>>;

fn flows(frames: &[Frame], completed: &[bool], moved: &BTreeMap<Ipv4Addr, Ipv4Addr>) -> Flows {
    let home = |address| moved.get(&address).copied().unwrap_or(address);
    let mut flows = Flows::new();
    for (frame, _) in frames
        .iter()
        .zip(completed)
        .filter(|(_, completed)| **completed)
    {
        let Some(key) = frame.flow() else { continue };
        let port = |port| match key.protocol {
            Protocol::TCP | Protocol::UDP => port,
            _ => 0,
        };
        let (source, destination) = (home(key.source), home(key.destination));
        let (from, to) = ((source, true), (destination, false));
        let port = port(key.destination_port);
        flows
            .entry(from)
            .or_default()
            .insert((key.protocol, destination, port));
        flows
            .entry(to)
            .or_default()
            .insert((key.protocol, source, port));
    }
    flows
}

/// Where the first packet of a flow ends.
fn fate(
    program: &Program,
    source: Source,
    from: Ipv4Addr,
    to: (Ipv4Addr, u16),
    udp: bool,
) -> Verdict {
    let from = (from, 50_007);
    let mut bytes = match udp {
        true => build::udp(from, to, b"?").bytes(),
        false => build::tcp(from, to, TcpFlags::SYN).bytes(),
    };
    let arrival = Arrival {
        id: 0,
        time: Nanos(1_800_000_000_000_000_000),
        source,
    };
    let mut state = State::new(program);
    walk(
        program,
        &mut state,
        arrival,
        &mut bytes,
        &mut (),
        &mut Vec::new(),
    )
    .verdict
}

fn is_denied(verdict: &Verdict, stage: Stage) -> bool {
    matches!(verdict, Verdict::Dropped(drop) if drop.stage == stage)
}

/// How many flows were tried.
fn try_strangers(name: &str, frames: &[Frame]) -> usize {
    let (learned, completed) = learned(frames, &LearnOptions::default());
    let learned = learned.unwrap();
    let program = checked(&learned.network);
    let renumbered = learned.summary.renumbered.iter();
    let moved = renumbered
        .map(|host| (host.captured, host.address))
        .collect();
    let flows = flows(frames, &completed, &moved);
    let mut tried = 0;
    for (number, nic) in program.network().nics.iter().enumerate() {
        let (host, source) = (nic.address(), Source::Nic(NicId(number as u32)));
        let none = BTreeSet::new();
        let own = |out| flows.get(&(host, out)).unwrap_or(&none);
        let seen = |out: bool, udp: bool, peer: Ipv4Addr, port: u16| {
            let protocol = if udp { Protocol::UDP } else { Protocol::TCP };
            own(out).contains(&(protocol, peer, port))
        };
        let peers: BTreeSet<Ipv4Addr> = own(true)
            .iter()
            .map(|flow| flow.1)
            .chain([STRANGER])
            .collect();
        let ports: BTreeSet<u16> = own(true).iter().map(|flow| flow.2).chain([PORT]).collect();
        for &peer in peers.iter().take(20) {
            for &port in ports.iter().take(20) {
                for udp in [false, true] {
                    let (out, to) = ((peer, port), (host, port));
                    if !seen(true, udp, peer, port) && peer != host {
                        let verdict = fate(&program, source, host, out, udp);
                        let text = &learned.network;
                        assert!(
                            is_denied(&verdict, Stage::SecurityGroupEgress),
                            "{name}: {host} to {out:?}: {verdict:?}\n{text}"
                        );
                        tried += 1;
                    }
                    // From who is inside the own group drops it; from outside it has to get to the
                    // nic, by an eip.
                    let from = match program.sender(peer) {
                        Some(cvm) => Source::Cvm(cvm),
                        None => Source::Internet,
                    };
                    if !seen(false, udp, peer, port) && peer != host {
                        let verdict = fate(&program, from, peer, to, udp);
                        let expected = match (&verdict, from) {
                            (Verdict::Dropped(drop), Source::Internet) => {
                                drop.stage == Stage::SecurityGroupIngress
                                    || drop.stage == Stage::Internet
                            }
                            (Verdict::Dropped(drop), _) => {
                                drop.stage == Stage::SecurityGroupIngress
                                    || drop.stage == Stage::SecurityGroupEgress
                            }
                            _ => false,
                        };
                        assert!(
                            expected,
                            "{name}: {peer} to {to:?}: {verdict:?}\n{}",
                            learned.network
                        );
                        tried += 1;
                    }
                }
            }
        }
    }
    tried
}

#[test]
fn a_new_port_or_a_new_peer_is_dropped_on_real_networks() {
    for (name, frames) in captures(&["cl_", "srv_"]) {
        assert!(try_strangers(&name, &frames) > 10, "{name}");
    }
}

#[test]
fn a_new_port_or_a_new_peer_is_dropped_on_made_up_ones() {
    let traffic = Traffic {
        flows: 200,
        clients: vec![
            "10.1.0.16/29".parse().unwrap(),
            "10.1.7.16/30".parse().unwrap(),
        ],
        servers: vec![
            "10.1.9.32/30".parse().unwrap(),
            "198.51.100.8/30".parse().unwrap(),
        ],
        ..Traffic::default()
    };
    let packets = traffic.packets().map(|packet| packet.bytes);
    assert!(try_strangers("made up", &frames(packets)) > 1000);
}
