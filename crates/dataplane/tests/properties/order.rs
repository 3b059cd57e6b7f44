//! The order of flows that have nothing to do with each other does not matter.

use crate::world::{Run, World, cases, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Nanos, Source, Walked};
use vpcsim_network::Filtering;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::{Headers, TcpFlags};
use vpcsim_testkit::strategy::networks;
use vpcsim_testkit::{attribute, net};

/// Some flows with ports, identifiers and datagrams of their own, in an order that keeps each.
fn flows() -> impl Strategy<Value = (World, Vec<usize>)> {
    networks().prop_flat_map(|text| {
        let program = net(&text);
        let network = program.network();
        let nics = network.nics.iter().map(|nic| nic.address());
        let mut people: Vec<_> = nics
            .chain(network.eips.iter().map(|eip| eip.address))
            .collect();
        people.extend((1..=4).map(|last| Ipv4Addr::new(198, 51, 100, last)));
        let person = || prop::sample::select(people.clone());
        let flow = (person(), person(), 0_u8..4);
        let order = vec(any::<prop::sample::Index>(), 40);
        (Just(text), vec(flow, 2..6), order).prop_map(|(text, flows, order)| {
            let program = net(&text);
            let mut queues: Vec<Vec<Vec<u8>>> = flows
                .iter()
                .zip(0..)
                .map(|(&(client, server, manner), number)| flow_of(client, server, manner, number))
                .collect();
            let (mut all, mut owners) = (Vec::new(), Vec::new());
            for which in order.iter().cycle() {
                let waiting: Vec<usize> = (0..queues.len())
                    .filter(|&at| !queues[at].is_empty())
                    .collect();
                if waiting.is_empty() {
                    break;
                }
                let flow = *which.get(&waiting);
                let bytes = queues[flow].remove(0);
                let from = Headers::parse(&bytes).unwrap().source;
                let source = attribute(&program, from).unwrap_or(Source::Internet);
                all.push(sent(Nanos(0), source, bytes));
                owners.push(flow);
            }
            (World { text, sent: all }, owners)
        })
    })
}

/// Packets of one flow, as a capture inside shows them.
fn flow_of(client: Ipv4Addr, server: Ipv4Addr, manner: u8, number: u16) -> Vec<Vec<u8>> {
    let (from, to) = ((client, 40_000 + number), (server, 7_000 + number));
    let builds: Vec<Build> = match manner {
        0 => vec![
            build::tcp(from, to, TcpFlags::SYN),
            build::tcp(to, from, TcpFlags::SYN | TcpFlags::ACK),
            build::tcp(from, to, TcpFlags::ACK),
            build::tcp(to, from, TcpFlags::RST),
        ],
        1 => vec![build::udp(from, to, b"?"), build::udp(to, from, b"!")],
        2 => vec![
            build::icmp_echo(Echo::Request, client, server, number, 1, b""),
            build::icmp_echo(Echo::Reply, server, client, number, 1, b""),
        ],
        _ => vec![build::udp(from, to, &[7; 900]), build::udp(to, from, b"!")],
    };
    let pieces = builds
        .into_iter()
        .flat_map(|build| build.identification(number + 1).fragments(576));
    pieces.collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn the_order_of_unrelated_flows_does_not_matter((world, owners) in flows()) {
        let program = world.changed(|network| {
            // What flows share: a ceiling of connections, and mappings that anybody may use.
            network.policies.filtering = Filtering::EndpointDependent;
            for gateway in &mut network.nat_gateways {
                gateway.max_connections = 1_000;
            }
        });
        let mut mixed: Vec<(usize, Walked, Vec<u8>)> = Vec::new();
        let mut run = Run::new(&program);
        for (sent, flow) in world.sent.iter().zip(&owners) {
            let ended = run.send(sent);
            mixed.push((*flow, ended.walked, ended.bytes));
        }
        mixed.sort_by_key(|(flow, ..)| *flow);
        let mut order: Vec<_> = owners.iter().zip(&world.sent).collect();
        order.sort_by_key(|(flow, _)| **flow);
        let mut run = Run::new(&program);
        for ((&flow, sent), mixed) in order.into_iter().zip(mixed) {
            let ended = run.send(sent);
            prop_assert_eq!((flow, ended.walked, ended.bytes), mixed);
        }
    }
}
