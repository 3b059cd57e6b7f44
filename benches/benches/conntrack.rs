//! Connection tracking by itself: the table by number of live flows, each of a nic and translated by a
//! gateway (made, found by either key, not found, expired), and what a packet of a live connection costs
//! its tracker.

use criterion::{
    BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use std::hint::black_box;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Nanos;
use vpcsim_dataplane::conntrack::{
    Begun, Direction, Opening, SessionKeys, Settings, TrackId, Tracker,
};
use vpcsim_network::{Conntrack, NatGatewayId, NicId, TcpWindow};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags, Transport, build};

const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const NIC: NicId = NicId(3);
const GATEWAY: NatGatewayId = NatGatewayId(0);
const START: Nanos = Nanos(1_700_000_000_000_000_000);
const LIVE: [u32; 3] = [1_024, 65_536, 1_048_576];

const SETTINGS: Settings = Settings {
    window: TcpWindow::Ignore,
    loose: true,
};

fn key(flow: u32) -> FlowKey {
    FlowKey {
        protocol: Protocol::UDP,
        source: INSIDE,
        source_port: 20_000 + (flow % 16_384) as u16,
        destination: Ipv4Addr::from(u32::from(Ipv4Addr::new(100, 64, 0, 0)) + flow / 16_384),
        destination_port: 443,
    }
}

fn datagram() -> (Vec<u8>, Headers) {
    parsed(
        build::udp(
            (INSIDE, 20_000),
            (Ipv4Addr::new(100, 64, 0, 1), 443),
            &[0; 18],
        )
        .bytes(),
    )
}

fn parsed(bytes: Vec<u8>) -> (Vec<u8>, Headers) {
    let headers = Headers::parse(&bytes).expect("a packet as it was built");
    (bytes, headers)
}

fn opened(packet: &(Vec<u8>, Headers)) -> Tracker {
    match Tracker::open(&packet.0, &packet.1, START, &SETTINGS) {
        Opening::Opens(tracker) => tracker,
        other => panic!("{other:?}"),
    }
}

/// When flow number `flow` of `flows` is gone: spread over ten seconds, in no order.
fn deadline(flow: u32, flows: u32) -> Nanos {
    let place = u64::from(flow) * 40_503 % u64::from(flows);
    Nanos(START.0 + place * 10_000_000_000 / u64::from(flows))
}

type Table = vpcsim_dataplane::conntrack::Table<u64, u64>;

fn insert(table: &mut Table, flow: u32, deadline: Nanos) {
    let inside = key(flow);
    let outside = FlowKey {
        source: PUBLIC,
        ..inside
    };
    let value = u64::from(flow);
    let begun = Begun::new(TrackId(flow), deadline);
    let slot = table.remember(NIC, &inside, &begun, value);
    let keys = SessionKeys {
        inside: &inside,
        outside: &outside,
        inbound: false,
    };
    let begun = Begun {
        beside: Some(slot),
        ..begun
    };
    table.translate(GATEWAY, &keys, &begun, value);
}

fn filled(flows: u32) -> Table {
    let mut table = Table::new();
    for flow in 0..flows {
        insert(&mut table, flow, deadline(flow, flows));
    }
    table
}

fn found(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conntrack/lookup");
    group.throughput(Throughput::Elements(1));
    for flows in LIVE {
        let table = filled(flows);
        for (name, first) in [("hit", 0), ("miss", flows)] {
            let mut next = 0;
            group.bench_function(BenchmarkId::new(name, flows), |bencher| {
                bencher.iter(|| {
                    // A step that is prime to the count visits all flows without locality.
                    next = (next + 40_503) % flows;
                    let key = key(first + next);
                    let key = if next % 2 == 0 { key } else { key.reversed() };
                    black_box(table.at_nic(NIC, &key))
                });
            });
        }
    }
    group.finish();
}

fn made_and_expired(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conntrack");
    for flows in LIVE {
        group.sample_size(10);
        group.throughput(Throughput::Elements(u64::from(flows)));
        group.bench_function(BenchmarkId::new("insert", flows), |bencher| {
            bencher.iter_with_large_drop(|| filled(flows));
        });
        group.bench_function(BenchmarkId::new("expire", flows), |bencher| {
            bencher.iter_batched(
                || filled(flows),
                |mut table| {
                    // A batch of packets every ten microseconds.
                    let mut now = START;
                    while !table.is_empty() {
                        now.0 += 10_000;
                        table.expire(now, |_, gone| {
                            black_box(gone.at_nic);
                        });
                    }
                    table
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// TCP options of the SYNs, and of what comes after them.
struct Options {
    opening: &'static [u8],
    later: &'static [u8],
}

const NONE: Options = Options {
    opening: &[],
    later: &[],
};

/// As Linux sends them: size, SACK permitted, timestamps, scale; then timestamps alone.
const USUAL: Options = Options {
    opening: &[
        2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
    ],
    later: &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1],
};

/// A TCP connection whose two ends take turns.
struct Talk {
    /// What each end sends: data, or an acknowledgment alone.
    packets: [(Vec<u8>, Headers); 2],
    /// The next sequence number of each.
    next: [u32; 2],
    timeouts: Conntrack,
}

impl Talk {
    /// After the handshake: the server sends data, the client acknowledges it.
    fn new(options: Options) -> (Self, Tracker) {
        let (a, b) = ((INSIDE, 20_000), (Ipv4Addr::new(100, 64, 0, 1), 443));
        let ack = TcpFlags::ACK;
        let opening = |from, to, flags| {
            parsed(
                build::tcp(from, to, flags)
                    .tcp_options(options.opening)
                    .bytes(),
            )
        };
        let segment = |from, to, flags, payload: &[u8]| {
            let segment = build::tcp(from, to, flags).tcp_options(options.later);
            parsed(segment.payload(payload).bytes())
        };
        let mut tracker = opened(&opening(a, b, TcpFlags::SYN));
        let mut talk = Self {
            packets: [opening(b, a, TcpFlags::SYN | ack), segment(a, b, ack, &[])],
            next: [0, 1],
            timeouts: Conntrack::default(),
        };
        talk.turn(Direction::Reply, &mut tracker);
        talk.next[0] = 1;
        talk.packets[0] = segment(b, a, ack | TcpFlags::PSH, &[0; 100]);
        talk.turn(Direction::Original, &mut tracker);
        (talk, tracker)
    }

    fn turn(&mut self, direction: Direction, tracker: &mut Tracker) {
        let me = usize::from(direction == Direction::Original);
        let (bytes, headers) = &mut self.packets[me];
        if let Transport::Tcp(tcp) = &mut headers.transport {
            tcp.sequence = self.next[me];
            tcp.acknowledgment = self.next[1 - me];
            self.next[me] = self.next[me].wrapping_add(tcp.payload_len as u32);
        }
        let judgement = tracker.update(bytes, headers, direction, START, &SETTINGS);
        black_box(tracker.deadline(judgement, START, START, &self.timeouts));
    }
}

fn updated(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conntrack/update");
    group.throughput(Throughput::Elements(1));
    udp(&mut group);
    for (name, options) in [("tcp", NONE), ("tcp-timestamps", USUAL)] {
        let (mut talk, mut tracker) = Talk::new(options);
        let mut direction = Direction::Original;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                direction = direction.opposite();
                talk.turn(direction, &mut tracker);
            });
        });
        assert_eq!(tracker.state_name(), "ESTABLISHED");
    }
    group.finish();
}

fn udp(group: &mut criterion::BenchmarkGroup<'_, WallTime>) {
    let packet = datagram();
    let mut tracker = opened(&packet);
    let timeouts = Conntrack::default();
    let (mut now, mut deadline) = (START, START);
    let mut direction = Direction::Original;
    group.bench_function("udp", |bencher| {
        bencher.iter(|| {
            now.0 += 1_000;
            direction = direction.opposite();
            let (bytes, headers) = black_box(&packet);
            let judgement = tracker.update(bytes, headers, direction, now, &SETTINGS);
            deadline = tracker.deadline(judgement, deadline, now, &timeouts);
        });
    });
    black_box(deadline);
}

criterion_group!(benches, updated, found, made_and_expired);
criterion_main!(benches);
