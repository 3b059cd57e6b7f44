//! Connections that are over and have not ended yet: nobody can tell them from those that have. That this
//! is so for all packets is the property `cached`, which lets ends wait in several ways.

use vpcsim_dataplane::{Arrival, Batch, Nanos, Program, State, Use, Verdict};
use vpcsim_packet::Headers;
use vpcsim_testkit::{Craft, attribute, net, udp};

const NETWORK: &str = "
policies: {conntrack: {max: 3000}}
vpcs:
  shop: {cidr: 10.0.0.0/16, route_table: out, subnets: {web: {cidr: 10.0.1.0/24}}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips: {gw: {address: 203.0.113.10, bandwidth: unlimited}}
nat_gateways: {gw: {eips: [gw], bandwidth: unlimited}}
security_groups: {all: {egress: [accept all to any]}}
cvms:
  web: {subnet: web, address: 10.0.1.10, security_groups: [all]}
  shy: {subnet: web, address: 10.0.1.11, security_groups: [all]}
";

const SERVER: &str = "198.51.100.7:443";
/// After so long nobody remembers a datagram, at a nic or a gateway (§6, §9).
const SILENCE: u64 = 181;

/// A network, what it remembers, and its clock in seconds.
struct Net {
    program: Program,
    state: State,
    second: u64,
}

impl Net {
    /// One in which nothing ends of itself.
    fn waiting() -> Self {
        Self::waiting_in(NETWORK)
    }

    fn waiting_in(network: &str) -> Self {
        let program = net(network);
        let state = State::new(&program).with_ends_a_turn(0);
        Self {
            program,
            state,
            second: 1,
        }
    }

    /// Carries packets in one batch; where each arrives, from which source address and port.
    fn send(&mut self, sent: impl IntoIterator<Item = Craft>) -> Vec<String> {
        let mut batch = Batch::new();
        for packet in sent {
            let bytes = packet.bytes();
            let from = Headers::parse(&bytes).expect("made here").source;
            let arrival = Arrival {
                id: 0,
                time: Nanos(self.second * 1_000_000_000),
                source: attribute(&self.program, from).expect("somebody's"),
            };
            batch.push(arrival, &bytes);
        }
        batch.run(&self.program, &mut self.state, &mut ());
        let told = batch.ended().map(|ended| match ended.walked.verdict {
            Verdict::Delivered(_) => {
                let headers = Headers::parse(ended.bytes).expect("a packet");
                let key = vpcsim_packet::FlowKey::of(&headers).expect("whole");
                format!("{}:{}", key.source, key.source_port)
            }
            Verdict::Dropped(drop) => drop.reason.to_string(),
            other => format!("{other:?}"),
        });
        told.collect()
    }

    fn usage(&self) -> Use {
        self.state.usage(&self.program)
    }
}

fn from_port(port: u16) -> Craft {
    udp(&format!("10.0.1.10:{port}"), SERVER)
}

#[test]
fn what_ends_together_is_spread_over_batches() {
    let mut net = Net::waiting();
    net.state = State::new(&net.program);
    net.send((1000..3000).map(from_port));
    assert_eq!(net.usage().connections, 2000);
    net.second += SILENCE;
    let mut left = net.state.connections();
    for batch in 0..2000 {
        net.send([from_port(999)]);
        let now = net.state.connections();
        assert!(left - now <= 32, "{} ended with batch {batch}", left - now);
        assert_eq!(net.usage().connections, 1, "who counts finds none of them");
        left = now;
        if left == 1 {
            return;
        }
    }
    panic!("{left} have not ended");
}

#[test]
fn a_port_is_free_when_who_held_it_is_over() {
    let mut net = Net::waiting();
    let (web, shy) = (from_port(4000), udp("10.0.1.11:4000", SERVER));
    assert_eq!(
        net.send([web, shy.clone()]),
        ["203.0.113.10:4000", "203.0.113.10:4065"]
    );
    net.second += SILENCE;
    assert_eq!(net.send([shy]), ["203.0.113.10:4000"]);
}

#[test]
fn a_full_table_has_room_when_those_in_it_are_over() {
    let mut net = Net::waiting();
    net.send((1000..4000).map(from_port));
    assert_eq!(net.send([from_port(4000)]), ["conntrack-full"]);
    net.second += SILENCE;
    assert_eq!(net.send([from_port(4000)]), ["203.0.113.10:4000"]);
}

#[test]
fn what_is_over_raises_no_peak() {
    let mut net = Net::waiting();
    for port in 4000..4010 {
        net.send([from_port(port)]);
        net.second += SILENCE;
    }
    let Use {
        connections_peak,
        connections,
        gateways,
        ..
    } = net.usage();
    assert_eq!((connections, connections_peak), (1, 1));
    let gateway = &gateways[0];
    assert_eq!((gateway.sessions, gateway.sessions_peak), (1, 1));
}

/// Whether packets take its way together or, where they are counted against a limit, one by one.
#[test]
fn an_entry_is_gone_with_its_connection() {
    for bandwidth in ["unlimited", "100"] {
        let mut net = Net::waiting_in(&NETWORK.replace("unlimited", bandwidth));
        net.send([from_port(4000), from_port(4000)]);
        let hits = net.state.cache_hits();
        assert_eq!(hits, 1);
        // At the nic 30 s; the session at the gateway lives on.
        net.second += 31;
        assert_eq!(net.send([from_port(4000)]), ["203.0.113.10:4000"]);
        assert_eq!(net.state.cache_hits(), hits, "its first packet again");
    }
}
