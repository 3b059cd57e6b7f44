//! The table's promises, one by one.

use super::super::{Direction, Table, TrackId, Zone};
use crate::Nanos;
use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Protocol, Quoted};

const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const NIC: Zone = Zone(3);

pub(super) const TRACK: TrackId = TrackId(0);

/// From one port to another of one host: reversible in every way.
pub(super) fn key(source_port: u16, destination_port: u16) -> FlowKey {
    udp(INSIDE, source_port, INSIDE, destination_port)
}

fn udp(
    source: Ipv4Addr,
    source_port: u16,
    destination: Ipv4Addr,
    destination_port: u16,
) -> FlowKey {
    FlowKey {
        protocol: Protocol::UDP,
        source,
        source_port,
        destination,
        destination_port,
    }
}

fn quote(key: FlowKey) -> Quoted {
    Quoted {
        offset: 28,
        header_len: 20,
        key,
        later_fragment: false,
    }
}

#[test]
fn a_connection_is_found_by_both_keys_in_its_own_zone_only() {
    let mut table = Table::new();
    let original = udp(INSIDE, 1111, SERVER, 53);
    let reply = original.reversed();
    let id = table
        .insert(NIC, original, reply, TRACK, Nanos(9), ())
        .expect("free");
    assert_eq!(
        table.lookup(NIC, &original),
        Some((id, Direction::Original))
    );
    assert_eq!(table.lookup(NIC, &reply), Some((id, Direction::Reply)));
    // SEMANTICS §6: a reply that leaves by another nic finds no flow there.
    assert_eq!(table.lookup(Zone(4), &reply), None);
}

#[test]
fn alive_before_its_deadline_and_gone_at_it() {
    // Seen on kernel 6.18 with a timeout of 2 s: alive at 1.97 s, gone at 2.00 s.
    let mut table = Table::new();
    let deadline = Nanos(0).after_seconds(2);
    let id = table
        .insert(NIC, key(1, 2), key(2, 1), TRACK, deadline, ())
        .expect("free");
    table.expire(Nanos(1_999_999_999), |_, _| panic!("too early"));
    assert!(table.get(id).is_some());
    let mut gone = Vec::new();
    table.expire(deadline, |id, _| gone.push(id));
    assert_eq!(gone, [id]);
    assert_eq!(table.get(id), None);
    assert_eq!(table.lookup(NIC, &key(1, 2)), None);
}

#[test]
fn a_deadline_may_move_either_way_and_expiry_only_removes() {
    let mut table = Table::new();
    let ids: Vec<_> = (0..100)
        .map(|n| {
            let deadline = Nanos(u64::from(n % 7) + 10);
            table
                .insert(NIC, key(n, 1000), key(1000, n), TRACK, deadline, n)
                .expect("free")
        })
        .collect();
    table.set_deadline(ids[50], Nanos(5));
    table.set_deadline(ids[0], Nanos(90));
    table.set_deadline(ids[0], Nanos(80));
    let mut gone = Vec::new();
    table.expire(Nanos(5), |_, connection| gone.push(connection.value));
    assert_eq!(gone, [50]);
    let before: Vec<_> = table
        .iter()
        .filter(|(_, connection)| connection.deadline() > Nanos(12))
        .map(|(id, connection)| (id, connection.clone()))
        .collect();
    gone.clear();
    table.expire(Nanos(12), |_, connection| gone.push(connection.value));
    // By deadline, then by id.
    let due = (0..3).flat_map(|due| (0..100).filter(move |n| n % 7 == due));
    assert_eq!(gone, due.filter(|&n| n != 0 && n != 50).collect::<Vec<_>>());
    let after: Vec<_> = table
        .iter()
        .map(|(id, connection)| (id, connection.clone()))
        .collect();
    assert_eq!(before, after);
    table.expire(Nanos(80), |_, _| {});
    assert!(table.is_empty());
    assert_eq!(table.next_expiry(), None);
}

#[test]
fn an_id_never_names_a_later_connection() {
    let mut table = Table::new();
    let first = table
        .insert(NIC, key(1, 2), key(2, 1), TRACK, Nanos(5), "first")
        .expect("free");
    assert!(table.remove(first).is_some());
    let second = table
        .insert(NIC, key(1, 2), key(2, 1), TRACK, Nanos(5), "second")
        .expect("free");
    assert_ne!(first, second);
    assert_eq!(table.get(first), None);
    assert_eq!(table.remove(first), None);
    assert!(!table.set_deadline(first, Nanos(0)));
    assert_eq!(table.get(second).map(|found| found.value), Some("second"));
}

#[test]
fn a_connection_with_a_key_that_is_partly_taken_changes_nothing() {
    // Two hosts behind one address that want the same port.
    let mut table = Table::new();
    let outside = udp(SERVER, 53, PUBLIC, 1111);
    let first = udp(INSIDE, 1111, SERVER, 53);
    let second = udp(Ipv4Addr::new(10, 0, 0, 2), 1111, SERVER, 53);
    let id = table
        .insert(NIC, first, outside, TRACK, Nanos(9), ())
        .expect("free");
    let occupied = table
        .insert(NIC, second, outside, TRACK, Nanos(9), ())
        .expect_err("taken");
    assert_eq!(
        (occupied.key, occupied.by, occupied.held),
        (Direction::Reply, id, Direction::Reply)
    );
    assert_eq!(table.lookup(NIC, &second), None);
    assert_eq!((table.len(), table.zone_len(NIC)), (1, 1));
    table.assert_sound();
}

#[test]
fn a_connection_to_itself_has_one_key() {
    let mut table = Table::new();
    let id = table
        .insert(NIC, key(7, 7), key(7, 7), TRACK, Nanos(9), ())
        .expect("free");
    assert_eq!(table.lookup(NIC, &key(7, 7)), Some((id, Direction::Reply)));
    assert!(table.remove(id).is_some());
    assert_eq!(table.lookup(NIC, &key(7, 7)), None);
    table.assert_sound();
}

#[test]
fn an_icmp_error_belongs_to_the_flow_it_quotes_and_travels_against_it() {
    // SEMANTICS §6.
    let mut table = Table::new();
    let original = udp(INSIDE, 1111, SERVER, 53);
    let reply = original.reversed();
    let id = table
        .insert(NIC, original, reply, TRACK, Nanos(9), ())
        .expect("free");
    let of = |destination, quoted| table.lookup_error(NIC, destination, &quoted);
    assert_eq!(of(INSIDE, quote(original)), Some((id, Direction::Reply)));
    assert_eq!(of(SERVER, quote(reply)), Some((id, Direction::Original)));
    // Not sent to where the quoted packet came from.
    assert_eq!(of(PUBLIC, quote(original)), None);
    let fragment = Quoted {
        later_fragment: true,
        ..quote(original)
    };
    assert_eq!(of(INSIDE, fragment), None);
    assert_eq!(of(INSIDE, quote(udp(INSIDE, 1112, SERVER, 53))), None);
}

#[test]
fn an_icmp_error_is_found_on_both_sides_of_a_translation() {
    // SEMANTICS §9, RFC 5508.
    let mut table = Table::new();
    let original = udp(INSIDE, 1111, SERVER, 53);
    let reply = udp(SERVER, 53, PUBLIC, 40_000);
    let id = table
        .insert(NIC, original, reply, TRACK, Nanos(9), ())
        .expect("free");
    // A router outside quotes the packet as it was after translation.
    let outside = quote(udp(PUBLIC, 40_000, SERVER, 53));
    assert_eq!(
        table.lookup_error(NIC, PUBLIC, &outside),
        Some((id, Direction::Reply))
    );
    // The inside host quotes the answer as it was after translation back.
    let inside = quote(udp(SERVER, 53, INSIDE, 1111));
    assert_eq!(
        table.lookup_error(NIC, SERVER, &inside),
        Some((id, Direction::Original))
    );
}

#[test]
fn an_icmp_error_may_quote_an_echo() {
    let mut table = Table::new();
    let echo = FlowKey {
        protocol: Protocol::ICMP,
        source: INSIDE,
        source_port: 77,
        destination: SERVER,
        destination_port: 8 << 8,
    };
    let id = table
        .insert(NIC, echo, echo.reversed(), TRACK, Nanos(9), ())
        .expect("free");
    assert_eq!(
        table.lookup_error(NIC, INSIDE, &quote(echo)),
        Some((id, Direction::Reply))
    );
    let other = FlowKey {
        source_port: 78,
        ..echo
    };
    assert_eq!(table.lookup_error(NIC, INSIDE, &quote(other)), None);
}

#[test]
fn memory_follows_the_live_connections() {
    // Half a million short flows, a thousand at a time, every deadline moved
    // later and back.
    let mut table = Table::new();
    for n in 0..500_000_u64 {
        table.expire(Nanos(n), |_, _| {});
        let key = udp(INSIDE, n as u16, SERVER, (n >> 16) as u16);
        let id = table
            .insert(NIC, key, key.reversed(), TRACK, Nanos(n + 500), n)
            .expect("free");
        table.set_deadline(id, Nanos(n + 5_000_000));
        table.set_deadline(id, Nanos(n + 1000));
    }
    assert_eq!((table.len(), table.peak()), (1000, 1000));
    assert!(table.room() <= 4096, "room for {}", table.room());
}
