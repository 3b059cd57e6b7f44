//! SEMANTICS §3, §4, §9: what is translated on its way there is translated back on its way here.

use crate::dialogue::{Call, Dialogue, Leg, Talk, dialogues, talk};
use crate::world::{Run, cases, describe, sent};
use proptest::prelude::*;
use vpcsim_dataplane::{Place, Source, Stage};
use vpcsim_network::Network;
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, IcmpBody, Transport};

/// Vpc hops take no time to live, so that packets can be compared byte by byte.
fn no_hops(network: &mut Network) {
    network.policies.fabric_ttl = 0;
}

proptest! {
    #![proptest_config(cases(160))]

    /// Each end sees every packet of the other as if it spoke with the address that it called:
    /// the same bytes, checksums included.
    #[test]
    fn there_and_back_is_the_identity(Dialogue { text, calls } in dialogues()) {
        let program = crate::world::changed(&text, no_hops);
        for call in &calls {
            let talk = talk(&mut Run::new(&program), call);
            let Some(answers) = talk.answers else { continue };
            // A capture taken inside shows the client's packets translated already (§12).
            if talk.client == Source::Internet && program.is_private(call.server.0) {
                continue;
            }
            let Some(first) = talk.legs.first() else { continue };
            for (turn, leg) in talk.legs.iter().enumerate().skip(1) {
                let (place, mut doors) = (leg.place(), leg.doors());
                if !leg.by_client {
                    doors.reverse();
                }
                // Where the way back is another one there is nothing to undo.
                if place.is_none() || doors != first.doors() || !same_way(&talk, first, leg) {
                    continue;
                }
                let seen_as = if leg.by_client { answers.reversed() } else { call.key().reversed() };
                let expected = call.packet(turn, &seen_as);
                prop_assert!(
                    leg.ended.bytes == expected,
                    "turn {turn}: expected {}\n{talk:#?}", describe(&expected)
                );
            }
        }
    }

    /// A router on the internet complains: the sender gets back what it sent (RFC 5508 §4).
    #[test]
    fn a_complaint_quotes_to_its_receiver_what_that_had_sent(
        Dialogue { text, calls } in dialogues(),
        error in prop::sample::select(vec![IcmpError::TimeExceeded, IcmpError::HostUnreachable]),
    ) {
        let program = crate::world::changed(&text, no_hops);
        for call in &calls {
            let mut run = Run::new(&program);
            let first = Call { gap: 0, ..*call };
            let talk = talk(&mut run, &first);
            if let Some(leg) = talk.legs.first()
                && leg.place() == Some(Place::Internet)
                && let Source::Nic(nic) = talk.client
            {
                complain(&mut run, &talk, leg, nic, error)?;
            }
        }
    }
}

fn same_way(talk: &Talk, first: &Leg, leg: &Leg) -> bool {
    let place = leg.place();
    let to = if leg.by_client { first.place() } else { None };
    let client = match talk.client {
        Source::Nic(nic) => Some(Place::Nic(nic)),
        Source::Internet => Some(Place::Internet),
        _ => None,
    };
    place == if leg.by_client { to } else { client }
}

fn complain(
    run: &mut Run<'_>,
    talk: &Talk,
    leg: &Leg,
    nic: vpcsim_network::NicId,
    error: IcmpError,
) -> Result<(), TestCaseError> {
    let router = "198.51.100.99".parse().unwrap();
    let headers = Headers::parse(&leg.ended.bytes).unwrap();
    let Some(complaint) = icmp::error(&leg.ended.bytes, &headers, router, error) else {
        return Ok(());
    };
    let now = run.state.now();
    let (ended, noted) = run.watch(&sent(now, Source::Internet, complaint.clone()));
    if ended.verdict() != vpcsim_dataplane::Verdict::Delivered(Place::Nic(nic)) {
        let stage = ended.dropped().map(|drop| drop.stage);
        // A group knows the flow only at the nic that it left by, if that has the address.
        let owner = run.program.owner(
            run.program.vpc_of(nic),
            Headers::parse(&leg.given).unwrap().source,
        );
        let home = owner == Some(vpcsim_dataplane::Owner::Nic(nic));
        let stateful = stage == Some(Stage::NatGateway)
            || (home && stage == Some(Stage::SecurityGroupIngress));
        prop_assert!(!stateful, "{ended:?} {noted:?}\n{talk:#?}");
        return Ok(());
    }
    let headers = Headers::parse(&ended.bytes).unwrap();
    let Transport::Icmp(message) = headers.transport else {
        return Err(TestCaseError::fail("no complaint any more"));
    };
    let IcmpBody::Error(quoted) = message.body else {
        return Err(TestCaseError::fail("quotes nothing any more"));
    };
    let quotation = &ended.bytes[quoted.offset..];
    prop_assert_eq!(
        quotation,
        &leg.given[..quotation.len()],
        "{}",
        describe(quotation)
    );
    Ok(())
}

/// Found by the properties above: a host with its eip in direct mode whose table sends it by a
/// gateway got no answers.
#[test]
fn a_host_in_direct_mode_may_use_a_gateway() {
    let mut lab = vpcsim_testkit::Lab::new(
        "
vpcs: {shop: {cidr: 10.0.0.0/16, route_table: out, subnets: {web: {cidr: 10.0.1.0/24}}}}
route_tables: {out: {vpc: shop, routes: [{to: 0.0.0.0/0, via: nat/gw}]}}
eips:
  own: {address: 203.0.113.1, bind: web, mode: direct}
  gw: {address: 203.0.113.2}
nat_gateways: {gw: {vpc: shop, eips: [gw]}}
cvms: {web: {subnet: web, address: 10.0.1.10}}
",
    );
    let syn = lab.send(vpcsim_testkit::tcp("203.0.113.1:40000", "198.51.100.1:80"));
    syn.delivered_at("internet");
    let reply = lab.reply_to(&syn);
    reply.delivered_at("web/eth0");
    assert_eq!(reply.flow(), "tcp 198.51.100.1:80 > 203.0.113.1:40000");
}
