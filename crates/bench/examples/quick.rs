use std::time::Duration;
use vpcsim_bench::{Options, Size, measure};
fn main() {
    let mut args = std::env::args().skip(1);
    let seconds: f64 = args.next().unwrap().parse().unwrap();
    for flows in args {
        let options = Options {
            flows: flows.parse().unwrap(),
            size: Size::Least,
            rules: 100,
            duration: Duration::from_secs_f64(seconds),
        };
        let m = measure(&options, &mut |_| {}).unwrap();
        println!(
            "{:>9} flows {:7.2} ns floor {:6.2} ratio {:.2} conn {:.0}/s rss {:?} MiB",
            m.flows,
            m.ns_per_packet,
            m.floor_ns,
            m.floor_ratio,
            m.connections_per_second,
            m.rss_bytes.map(|b| b >> 20)
        );
    }
}
