//! SEMANTICS §9: no two live sessions share public address, port, protocol, remote address and
//! remote port. Seen from outside: while a session lives, what carries its public side comes from
//! its inside end and goes there.

use crate::world::{Run, cases, describe, sent};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Nanos, Place, Program, Source, Verdict};
use vpcsim_network::NicId;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{FlowKey, Protocol, TcpFlags};
use vpcsim_testkit::net;

/// Eight hosts behind one gateway, and a server of theirs behind a port of it.
fn network(affinity: bool, independent: bool, two_eips: bool) -> String {
    let filtering = if independent {
        "endpoint-independent"
    } else {
        "endpoint-dependent"
    };
    let eips = if two_eips { "[a, b]" } else { "[a]" };
    let mut text = format!(
        "
policies: {{filtering: {filtering}}}
vpcs:
  shop: {{cidr: 10.0.0.0/16, route_table: out, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}
route_tables: {{out: {{vpc: shop, routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
eips: {{a: {{address: 203.0.113.1}}, b: {{address: 203.0.113.2}}}}
nat_gateways:
  gw:
    vpc: shop
    eips: {eips}
    affinity: {affinity}
    dnat: [{{eip: a, protocol: tcp, port: 2000, to: 10.0.1.10, to_port: 80}}]
cvms:
"
    );
    for host in 0..8 {
        text += &format!("  c{host}: {{subnet: web, address: 10.0.1.1{host}}}\n");
    }
    text
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Seconds before it.
    wait: u64,
    from_outside: bool,
    host: u8,
    port: u16,
    remote: (u8, u16),
    manner: u8,
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![12 => Just(0_u64), 4 => 1_u64..40, 1 => 100_u64..250];
    let remote = (1_u8..3, prop::sample::select(vec![80_u16, 443]));
    // Ports of one class, a reserved one, and one below 1024.
    let port = prop::sample::select(vec![2000_u16, 2000, 2001, 2065, 53]);
    (
        wait,
        prop::bool::weighted(0.2),
        0_u8..8,
        port,
        remote,
        0_u8..4,
    )
        .prop_map(|(wait, from_outside, host, port, remote, manner)| Step {
            wait,
            from_outside,
            host,
            port,
            remote,
            manner,
        })
}

impl Step {
    fn protocol(&self) -> Protocol {
        match self.manner {
            0 | 1 => Protocol::TCP,
            2 => Protocol::UDP,
            _ => Protocol::ICMP,
        }
    }

    fn is_syn(&self) -> bool {
        self.manner == 0
    }

    fn bytes(&self) -> Vec<u8> {
        let remote = (Ipv4Addr::new(198, 51, 100, self.remote.0), self.remote.1);
        let inside = (Ipv4Addr::new(10, 0, 1, 10 + self.host), self.port);
        let public = (Ipv4Addr::new(203, 0, 113, 1), self.port);
        let (from, to) = if self.from_outside {
            (remote, public)
        } else {
            (inside, remote)
        };
        let build = match self.protocol() {
            Protocol::TCP if self.manner == 0 => build::tcp(from, to, TcpFlags::SYN),
            Protocol::TCP => build::tcp(from, to, TcpFlags::ACK),
            Protocol::UDP => build::udp(from, to, b"hello"),
            _ => {
                let echo = if self.from_outside {
                    Echo::Reply
                } else {
                    Echo::Request
                };
                build::icmp_echo(echo, from.0, to.0, self.port, 1, b"")
            }
        };
        build.bytes()
    }
}

/// No session without a RST or a FIN ends sooner than this after a packet that prolongs it (§9).
fn shortest_life(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::TCP => 120,
        Protocol::UDP => 180,
        _ => 30,
    }
}

/// Who is behind a public side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Behind {
    inside: FlowKey,
    /// Until when at least.
    until: Nanos,
    /// A SYN opened it: as in the kernel, until that is answered no segment prolongs it.
    by_syn: bool,
}

#[derive(Default)]
struct Sessions(HashMap<FlowKey, Behind>);

impl Sessions {
    fn see(
        &mut self,
        outside: FlowKey,
        inside: FlowKey,
        syn: bool,
        now: Nanos,
    ) -> Result<(), TestCaseError> {
        let until = now.after_seconds(shortest_life(outside.protocol));
        let fresh = Behind {
            inside,
            until,
            by_syn: syn,
        };
        let known = self.0.entry(outside).or_insert(fresh);
        if known.until <= now {
            *known = fresh;
            return Ok(());
        }
        let owner = known.inside;
        prop_assert!(owner == inside, "{outside} is of {owner}, and of {inside}");
        if !known.by_syn && !syn {
            known.until = until;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn no_two_live_sessions_share_a_public_side(
        [affinity, independent, two_eips] in any::<[bool; 3]>(),
        steps in vec(step(), 1..80),
    ) {
        let program = net(&network(affinity, independent, two_eips));
        let mut run = Run::new(&program);
        let mut sessions = Sessions::default();
        let mut now = Nanos(0);
        for (number, step) in steps.iter().enumerate() {
            now = now.after_seconds(step.wait as u32);
            let host = NicId(u32::from(step.host));
            let source = if step.from_outside { Source::Internet } else { Source::Nic(host) };
            let packet = sent(now, source, step.bytes());
            let given = key(&packet.bytes);
            let ended = run.send(&packet);
            match ended.verdict() {
                Verdict::Delivered(Place::Internet) => sessions.see(ended.key(), given, step.is_syn(), now)?,
                Verdict::Delivered(Place::Nic(_)) => {
                    sessions.see(given.reversed(), ended.key().reversed(), step.is_syn(), now)?;
                }
                _ => {}
            }
            // Preserved where nothing stands against it (§9): the first packet of all.
            if number == 0 && !step.from_outside && step.port != 2000 {
                prop_assert_eq!(ended.key().source_port, step.port);
            }
        }
        answers_go_home(&program, &mut run, &sessions, now)?;
    }
}

/// Whoever answers the public side of a live session reaches its inside end.
fn answers_go_home(
    program: &Program,
    run: &mut Run<'_>,
    sessions: &Sessions,
    now: Nanos,
) -> Result<(), TestCaseError> {
    let mut live: Vec<_> = sessions
        .0
        .iter()
        .filter(|(_, behind)| behind.until > now)
        .collect();
    live.sort();
    for (outside, Behind { inside, .. }) in live {
        let answer = build::of_flow(&outside.reversed()).bytes();
        let ended = run.send(&sent(now, Source::Internet, answer.clone()));
        let home = program.owner_anywhere(inside.source).unwrap().1;
        let vpcsim_dataplane::Owner::Nic(nic) = home else {
            continue;
        };
        prop_assert_eq!(
            ended.verdict(),
            Verdict::Delivered(Place::Nic(nic)),
            "{}",
            describe(&answer)
        );
        prop_assert_eq!(ended.key(), inside.reversed());
    }
    Ok(())
}

fn key(bytes: &[u8]) -> FlowKey {
    FlowKey::of(&vpcsim_packet::Headers::parse(bytes).unwrap()).unwrap()
}
