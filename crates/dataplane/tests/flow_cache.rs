//! Which packets are walked and which take a remembered way. That both fare alike is the property
//! `cached`.

use std::net::Ipv4Addr;
use vpcsim_dataplane::{Arrival, Batch, Nanos, Program, Source, State, Verdict};
use vpcsim_packet::Headers;
use vpcsim_testkit::{Craft, attribute, net, tcp, udp};

const NETWORK: &str = "
vpcs:
  shop: {cidr: 10.0.0.0/16, route_table: out, subnets: {web: {cidr: 10.0.1.0/24}}}
route_tables: {out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips: {gw: {address: 203.0.113.10}}
nat_gateways: {gw: {eips: [gw]}}
security_groups: {all: {egress: [accept all to any]}}
cvms: {web: {subnet: web, address: 10.0.1.10, security_groups: [all]}}
";

const WEB: &str = "10.0.1.10:4000";
const EIP: &str = "203.0.113.10:4000";
const SERVER: &str = "198.51.100.7:443";

/// Sends packets one a batch, all of which arrive; whether each was walked.
fn walked(program: &Program, state: &mut State, sent: &[Craft]) -> Vec<bool> {
    walked_from(None, program, state, sent)
}

/// The same of packets that all come from somewhere, whatever their source is.
fn walked_from(
    from: Option<Source>,
    program: &Program,
    state: &mut State,
    sent: &[Craft],
) -> Vec<bool> {
    let mut batch = Batch::new();
    let walked = (1..).zip(sent).map(|(id, packet)| {
        let bytes = packet.bytes();
        let source = Headers::parse(&bytes).expect("made here").source;
        let arrival = Arrival {
            id,
            time: Nanos(1_000 * id),
            source: from
                .or_else(|| attribute(program, source))
                .expect("somebody's"),
        };
        let before = state.cache_hits();
        batch.clear();
        batch.push(arrival, &bytes);
        batch.run(program, state, &mut ());
        let ended = batch.ended().next().expect("it has ended");
        let verdict = ended.walked.verdict;
        assert!(
            matches!(verdict, Verdict::Delivered(_)),
            "{id}: {verdict:?}"
        );
        state.cache_hits() == before
    });
    walked.collect()
}

#[test]
fn datagrams_are_walked_once_a_direction() {
    let program = net(NETWORK);
    let (asks, answers) = (udp(WEB, SERVER), udp(SERVER, EIP));
    let sent = [&asks, &asks, &answers, &asks, &answers, &asks].map(Craft::clone);
    let walks = walked(&program, &mut State::new(&program), &sent);
    assert_eq!(walks, [true, false, true, false, false, false]);
}

/// Of a flow from an end to itself the second packet is an answer to the first (kernel: it finds the reply
/// tuple), so that it may become a stream.
#[test]
fn a_flow_that_answers_itself_is_walked_until_it_is_answered() {
    let program = net(&format!("policies: {{source_check: off}}\n{NETWORK}"));
    let web = attribute(&program, Ipv4Addr::new(10, 0, 1, 10));
    let own = udp(SERVER, SERVER);
    let sent = [&own, &own, &own].map(Craft::clone);
    let walks = walked_from(web, &program, &mut State::new(&program), &sent);
    assert_eq!(walks, [true, true, true]);
}

#[test]
fn a_connection_is_walked_once_a_direction_until_it_closes() {
    let program = net(NETWORK);
    let (client, server) = (tcp(WEB, SERVER), tcp(SERVER, EIP));
    let sent = [
        client.clone().syn().sequence(100),
        server.clone().syn_ack().sequence(900).acknowledgment(101),
        client.clone().ack().sequence(101).acknowledgment(901),
        server.clone().ack().sequence(901).acknowledgment(101),
        client.clone().ack().sequence(101).acknowledgment(901),
        client.clone().fin().sequence(101).acknowledgment(901),
        server.clone().ack().sequence(901).acknowledgment(102),
    ];
    let walks = walked(&program, &mut State::new(&program), &sent);
    assert_eq!(walks, [true, true, false, false, false, true, true]);
}

/// A session whose deadline comes nearer when the connection is established nobody looks after.
#[test]
fn a_connection_is_remembered_late_where_its_session_may_be_shortened() {
    let shorter = "{eips: [gw], timeouts: {tcp_half_open: 30, tcp_established: 10}}";
    let program = net(&NETWORK.replace("{eips: [gw]}", shorter));
    let state = &mut State::new(&program);
    let (client, server) = (tcp(WEB, SERVER), tcp(SERVER, EIP));
    let sent = [
        client.clone().syn().sequence(100),
        client.clone().syn().sequence(100),
        server.clone().syn_ack().sequence(900).acknowledgment(101),
        client.clone().ack().sequence(101).acknowledgment(901),
        client.clone().ack().sequence(101).acknowledgment(901),
    ];
    let walks = walked(&program, state, &sent);
    assert_eq!(walks, [true, true, true, true, false]);
    let asks = udp(WEB, SERVER);
    assert_eq!(
        walked(&program, state, &[asks.clone(), asks]),
        [true, false]
    );
}
