//! Longest prefix match alone, from the table of a host (3 prefixes) over that of a subnet (50) to
//! one the size of the internet's (1 000 000). More than half of the prefixes are /24, few are
//! shorter than /16, and they nest. `longest` asks for the best route, `all` for every one that
//! matches, as the route step does where a route may be unusable. Each look-up is for another
//! address inside some prefix: the caches see what a large table does to them.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ipnet::Ipv4Net;
use std::hint::black_box;
use std::net::Ipv4Addr;
use vpcsim_benches::short;
use vpcsim_dataplane::Lpm;

/// Addresses asked in turn.
const ADDRESSES: usize = 65_536;

/// A xorshift: the same tables and addresses on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    fn prefix(&mut self) -> Ipv4Net {
        let (kind, more) = (self.next() % 1_024, (self.next() % 4) as u8);
        let len = match kind {
            0 => 8 + more,
            1..8 => 12 + more,
            8..70 => 16 + more,
            70..400 => 20 + more,
            400..1_000 => 24,
            _ => 28 + more,
        };
        Ipv4Net::new(self.next().into(), len).map_or(Ipv4Net::default(), |net| net.trunc())
    }

    fn address_in(&mut self, prefix: Ipv4Net) -> Ipv4Addr {
        let host = self.next() & u32::from(prefix.hostmask());
        Ipv4Addr::from(u32::from(prefix.network()) | host)
    }
}

fn lpm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lpm");
    short(&mut group);
    for count in [3, 50, 1_000, 100_000, 1_000_000] {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let prefixes: Vec<_> = (0..count).map(|_| numbers.prefix()).collect();
        let mut inside = || {
            let prefix = prefixes[numbers.next() as usize % prefixes.len()];
            numbers.address_in(prefix)
        };
        let addresses: Vec<_> = (0..ADDRESSES).map(|_| inside()).collect();
        let table = Lpm::new(prefixes.iter().copied().zip(0_u32..));
        let mut addresses = addresses.iter().copied().cycle();
        group.bench_function(BenchmarkId::new("longest", count), |bencher| {
            bencher.iter(|| {
                addresses
                    .next()
                    .map(|to| black_box(table.longest(to)).copied())
            });
        });
        group.bench_function(BenchmarkId::new("all", count), |bencher| {
            bencher.iter(|| {
                let matches = addresses.next().map(|to| table.matches(to));
                let values = matches
                    .into_iter()
                    .flatten()
                    .flat_map(|values| values.iter());
                black_box(values.copied().fold(0, u32::wrapping_add))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lpm);
criterion_main!(benches);
