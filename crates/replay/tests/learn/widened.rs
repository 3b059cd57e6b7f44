//! `--widen`.

use crate::corpus::captures;
use crate::round_trip::{delivers, frames, learned};
use vpcsim_packet::{TcpFlags, build};
use vpcsim_replay::learn::LearnOptions;

const ACK: TcpFlags = TcpFlags::ACK;

fn connections(clients: impl Iterator<Item = ([u8; 4], [u8; 4], u16)>) -> Vec<Vec<u8>> {
    let each = clients
        .enumerate()
        .flat_map(|(number, (client, server, port))| {
            let (client, server) = ((client, 40_000 + number as u16), (server, port));
            [
                build::tcp(client, server, TcpFlags::SYN).bytes(),
                build::tcp(server, client, TcpFlags::SYN | ACK).bytes(),
                build::tcp(client, server, ACK).bytes(),
            ]
        });
    each.collect()
}

/// Rules without comments.
fn rules(packets: Vec<Vec<u8>>) -> Vec<String> {
    let options = LearnOptions {
        widen: true,
        ..LearnOptions::default()
    };
    let frames = frames(packets);
    delivers("widened", &frames, &options);
    let text = learned(&frames, &options).0.unwrap().network;
    let rules = text
        .lines()
        .filter(|line| line.trim_start().starts_with("- accept"));
    rules
        .map(|line| line.split("  #").next().unwrap().trim().to_owned())
        .collect()
}

const SERVER: [u8; 4] = [10, 0, 2, 20];

#[test]
fn hosts_of_a_subnet_become_the_subnet() {
    let clients = (10..14).map(|last| ([10, 0, 1, last], SERVER, 443));
    assert!(rules(connections(clients)).contains(&"- accept tcp 443 from 10.0.1.0/24".to_owned()));
}

#[test]
fn many_strangers_become_everybody_but_not_at_a_database() {
    let strangers = |port| (10..14).map(move |last| ([198, 51, 100, last], SERVER, port));
    assert_eq!(
        rules(connections(strangers(443))),
        ["- accept tcp 443 from any"]
    );
    let database = rules(connections(strangers(5432)));
    assert_eq!(
        database,
        ["- accept tcp 5432 from postgres-10-0-2-20-from-postgres-5432"]
    );
}

#[test]
fn high_ports_become_all_of_them() {
    let data = [21, 50_001, 50_009, 61_000].map(|port| ([10, 0, 1, 10], SERVER, port));
    assert!(
        rules(connections(data.into_iter()))
            .contains(&"- accept tcp 21,1024-65535 from client-10-0-1-10".to_owned())
    );
}

/// Ports in a row that cross the line are all kept.
#[test]
fn low_ports_stay_beside_high_ones() {
    let row = [1022, 1023, 1024, 1025, 1026, 50_000].map(|port| ([10, 0, 1, 10], SERVER, port));
    let rules = rules(connections(row.into_iter()));
    assert!(rules[0].starts_with("- accept tcp 1022"), "{rules:?}");
    assert_eq!(rules.len(), 2, "{rules:?}");
}

#[test]
fn a_real_network_gets_fewer_rules() {
    for (name, frames) in captures(&["cl_many", "cl_http", "cl_quic"]) {
        let count = |widen| {
            let options = LearnOptions {
                widen,
                ..LearnOptions::default()
            };
            let text = learned(&frames, &options).0.unwrap().network;
            text.lines().count()
        };
        assert!(count(true) < count(false), "{name}");
    }
}
