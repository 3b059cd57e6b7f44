//! Lints against the walk: what a lint says of any network is what packets meet in it, and where
//! it is silent they meet nothing of the kind.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use vpcsim_dataplane::{
    Arrival, Decision, Element, Nanos, Outcome, Place, Program, Rule, RuleList, Source, State,
    Stop, Verdict, walk,
};
use vpcsim_network::{
    AclPort, EipTarget, Finding, Levels, Lint, Mark, Network, Nic, NicId, RuleProtocol,
};
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{tcp, udp};
use vpcsim_testkit::net;
use vpcsim_testkit::strategy::{networks, worlds};

/// Networks that each test looks at.
const CASES: u32 = 400;

/// Clients on the internet: one that the generator's rules know, one that they do not.
const CLIENTS: [Ipv4Addr; 2] = [Ipv4Addr::new(198, 51, 100, 7), Ipv4Addr::new(8, 8, 8, 8)];

fn findings(text: &str) -> Vec<Finding> {
    let (_, findings) = Network::check("generated.yaml", text).unwrap();
    let all = Levels::default();
    findings
        .judged(&all)
        .map(|(_, finding)| finding.clone())
        .collect()
}

fn of(found: &[Finding], lint: Lint) -> BTreeSet<u32> {
    let of_lint = found.iter().filter(|finding| finding.lint == lint);
    of_lint.map(|finding| finding.mark.offset).collect()
}

/// Looks at networks, of which enough have to have something to show.
fn each<T>(strategy: impl Strategy<Value = T>, mut look: impl FnMut(T) -> usize) {
    let mut runner = TestRunner::deterministic();
    let mut fired = 0;
    for _ in 0..CASES {
        fired += look(strategy.new_tree(&mut runner).unwrap().current());
    }
    println!("{fired} findings in {CASES} networks");
    assert!(
        fired > 20,
        "only {fired} findings: the networks show nothing"
    );
}

/// Where a rule that decided is declared.
fn declared(network: &Network, element: Element, rule: Rule) -> Option<Mark> {
    let at = rule.position? as usize - 1;
    Some(match (element, rule.list) {
        (Element::SecurityGroup(id), RuleList::Ingress) => {
            network.security_group(id).ingress[at].mark
        }
        (Element::SecurityGroup(id), RuleList::Egress) => {
            network.security_group(id).egress[at].mark
        }
        (Element::Acl(id), RuleList::Ingress) => network.acl(id).ingress[at].mark,
        (Element::Acl(id), RuleList::Egress) => network.acl(id).egress[at].mark,
        (Element::NatGateway(id), RuleList::Snat) => network.nat_gateway(id).snat[at].mark,
        _ => return None,
    })
}

/// How a packet ends, and the declared rules that decided on its way.
fn sent(program: &Program, source: Source, mut bytes: Vec<u8>) -> (Verdict, Vec<Mark>) {
    let mut rules = Vec::new();
    let mut observer = |stop: &Stop<'_>| {
        if let Some(rule) = stop.rule {
            rules.extend(declared(program.network(), stop.element, rule));
        }
    };
    let arrival = Arrival {
        id: 0,
        time: Nanos(0),
        source,
    };
    let mut state = State::new(program);
    let walked = walk(
        program,
        &mut state,
        arrival,
        &mut bytes,
        &mut observer,
        &mut Vec::new(),
    );
    (walked.verdict, rules)
}

fn syn(from: Ipv4Addr, to: Ipv4Addr, port: u16) -> Vec<u8> {
    tcp((from, 50_000), (to, port), TcpFlags::SYN).bytes()
}

/// `covered-rule`, `empty-group-peer`, `unused-snat-rule`, `unused-nat-gateway`: whatever is
/// sent, the rule does not decide, and the gateway translates nothing that goes out.
#[test]
fn what_is_said_to_be_never_used_never_is() {
    each(worlds(), |(text, conversation)| {
        let found = findings(&text);
        let unused: Vec<&Finding> = found
            .iter()
            .filter(|finding| {
                matches!(
                    finding.lint,
                    Lint::CoveredRule
                        | Lint::EmptyGroupPeer
                        | Lint::UnusedSnatRule
                        | Lint::UnusedNatGateway
                )
            })
            .collect();
        let program = net(&text);
        let network = program.network();
        let mut state = State::new(&program);
        for (id, packet) in (0..).zip(conversation) {
            let mut observer = |stop: &Stop<'_>| {
                let mut used = Vec::new();
                if let Some(rule) = stop.rule {
                    used.extend(declared(network, stop.element, rule));
                }
                if let (Element::NatGateway(gateway), Decision::Pass(Outcome::SourceTranslated)) =
                    (stop.element, stop.decision)
                {
                    used.push(network.nat_gateway(gateway).mark);
                }
                for mark in used {
                    let said = unused.iter().find(|finding| finding.mark == mark);
                    assert!(said.is_none(), "{said:#?}\n{stop:?}\n{text}");
                }
            };
            let arrival = Arrival {
                id,
                time: packet.time,
                source: packet.source,
            };
            let mut bytes = packet.bytes;
            let others = &mut Vec::new();
            walk(
                &program,
                &mut state,
                arrival,
                &mut bytes,
                &mut observer,
                others,
            );
        }
        unused.len()
    });
}

/// `refused-dnat` where nobody's packet gets in by a rule, and nowhere else.
#[test]
fn a_forwarded_port_is_refused_where_nobody_gets_in() {
    each(networks(), |text| {
        let refused = of(&findings(&text), Lint::RefusedDnat);
        let program = net(&text);
        let network = program.network();
        for gateway in network
            .nat_gateways
            .iter()
            .filter(|gateway| gateway.enabled)
        {
            for rule in &gateway.dnat {
                let to = network.eip(rule.eip).address;
                let arrives = CLIENTS.iter().any(|&client| {
                    let bytes = match rule.protocol {
                        RuleProtocol::Udp => udp((client, 50_000), (to, rule.port), b"?").bytes(),
                        _ => syn(client, to, rule.port),
                    };
                    let (verdict, _) = sent(&program, Source::Internet, bytes);
                    matches!(verdict, Verdict::Delivered(Place::Nic(_)))
                });
                let said = refused.contains(&rule.mark.offset);
                // Under the other policies the client's port may decide, and there are many.
                let exact = network.policies.acl_port == AclPort::Destination;
                assert!(!(said && arrives), "{rule:?}\n{text}");
                assert!(said || arrives || !exact, "{rule:?}\n{text}");
            }
        }
        refused.len()
    });
}

/// `open-to-world` at the rules by which a stranger reaches SSH, and nowhere else.
#[test]
fn what_is_open_to_the_world_is_what_a_stranger_reaches() {
    let stranger = CLIENTS[1];
    // The lint leaves open whether a stopped host will run again.
    let running = networks().prop_map(|text| text.replace("running: false", "running: true"));
    each(running, |text| {
        let said = of(&findings(&text), Lint::OpenToWorld);
        let program = net(&text);
        let network = program.network();
        let mut reached = BTreeSet::new();
        for eip in &network.eips {
            let Some(EipTarget::Address(nic, _)) = eip.target else {
                continue;
            };
            for port in [22, 3306] {
                let (verdict, rules) =
                    sent(&program, Source::Internet, syn(stranger, eip.address, port));
                if !matches!(verdict, Verdict::Delivered(Place::Nic(_))) {
                    continue;
                }
                // The last rule that decided is the group's; a default group has no line.
                let groups: Vec<u32> = network
                    .security_groups
                    .iter()
                    .flat_map(|g| &g.ingress)
                    .map(|r| r.mark.offset)
                    .collect();
                let rule = rules
                    .last()
                    .filter(|mark| mark.line > 0 && groups.contains(&mark.offset));
                reached.insert(rule.map_or(network.nic(nic).mark.offset, |mark| mark.offset));
            }
        }
        assert_eq!(said, reached, "{text}");
        said.len()
    });
}

/// `strict-rp-filter`, `forgotten-rp-filter`: what comes from beyond the nic's subnet is dropped.
#[test]
fn a_nic_that_is_said_to_be_deaf_is() {
    each(networks(), |text| {
        let found = findings(&text);
        let program = net(&text);
        let network = program.network();
        let deaf: Vec<NicId> = network
            .nic_ids()
            .filter(|&id| {
                let name = format!("`{}`", network.nic_name(id));
                found.iter().any(|finding| {
                    matches!(finding.lint, Lint::StrictRpFilter | Lint::ForgottenRpFilter)
                        && finding.message.contains(&name)
                })
            })
            .collect();
        for &id in &deaf {
            let nic = network.nic(id);
            let others = network
                .nics
                .iter()
                .filter(|other| other.subnet != nic.subnet && other.cvm != nic.cvm);
            for other in others {
                let bytes = syn(other.address(), nic.address(), 80);
                let (verdict, _) = sent(&program, Source::Cvm(other.cvm), bytes);
                assert!(
                    verdict != Verdict::Delivered(Place::Nic(id)),
                    "{}\n{text}",
                    network.nic_name(id)
                );
            }
        }
        deaf.len()
    });
}

/// `acl-blocks-replies`: whoever gets in or out by the rule, the acl drops the answer.
#[test]
fn what_an_acl_is_said_not_to_answer_it_does_not() {
    each(networks(), |text| {
        let found = findings(&text);
        let found: Vec<&Finding> = found
            .iter()
            .filter(|f| f.lint == Lint::AclBlocksReplies)
            .collect();
        if found.is_empty() {
            return 0;
        }
        let mut looked = 0;
        let program = net(&text);
        let network = program.network();
        for from in &network.nics {
            for to in network.nics.iter().filter(|to| to.subnet != from.subnet) {
                let (asking, asked) = (from.address(), to.address());
                for port in [80, 443, 8080] {
                    let mut state = State::new(&program);
                    // What acls let pass, by acl and list, with the rule.
                    let mut passed = |cvm, mut bytes: Vec<u8>| {
                        let mut rules = Vec::new();
                        let mut observer = |stop: &Stop<'_>| {
                            if let (
                                Element::Acl(acl),
                                Decision::Pass(Outcome::Accepted),
                                Some(rule),
                            ) = (stop.element, stop.decision, stop.rule)
                            {
                                rules.push((acl, rule.list, declared(network, stop.element, rule)));
                            }
                        };
                        let arrival = Arrival {
                            id: 0,
                            time: Nanos(0),
                            source: Source::Cvm(cvm),
                        };
                        walk(
                            &program,
                            &mut state,
                            arrival,
                            &mut bytes,
                            &mut observer,
                            &mut Vec::new(),
                        );
                        rules
                    };
                    let there = passed(from.cvm, syn(asking, asked, port));
                    let flags = TcpFlags::SYN | TcpFlags::ACK;
                    let back = passed(to.cvm, tcp((asked, port), (asking, 50_000), flags).bytes());
                    for (acl, list, rule) in there {
                        let Some(finding) = found.iter().find(|f| Some(f.mark) == rule) else {
                            continue;
                        };
                        let (peer, answers) = match list {
                            RuleList::Ingress => (asking, RuleList::Egress),
                            _ => (asked, RuleList::Ingress),
                        };
                        // Of some it is said of one peer alone.
                        let everybody = !finding.message.contains(" from ")
                            && !finding.message.contains(" to ");
                        if everybody || finding.message.contains(&format!(" {peer},")) {
                            looked += 1;
                            let answered = back.iter().any(|(a, l, _)| (*a, *l) == (acl, answers));
                            assert!(!answered, "{peer} {port} {finding:#?}\n{text}");
                        }
                    }
                }
            }
        }
        looked
    });
}

/// `one-way-peering`: no answer comes back to whom it says, and where it is silent the table of
/// the other side leads back.
#[test]
fn over_a_peering_that_leads_one_way_no_answer_comes_back() {
    each(networks(), |text| {
        let found = findings(&text);
        let one_way: Vec<&Finding> = found
            .iter()
            .filter(|f| f.lint == Lint::OneWayPeering)
            .collect();
        let program = net(&text);
        let network = program.network();
        // By sending and answering subnet: whether an answer can be routed back.
        let mut back: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        // A host that is asked at a second nic may answer by another subnet.
        let first = |nic: &&Nic| nic.primary && network.cvm(nic.cvm).rules.is_empty();
        for from in network.nics.iter().filter(first) {
            for to in network.nics.iter().filter(first) {
                let (here, there) = (network.subnet(from.subnet), network.subnet(to.subnet));
                if here.vpc == there.vpc {
                    continue;
                }
                let answer = tcp(
                    (to.address(), 80),
                    (from.address(), 50_000),
                    TcpFlags::SYN | TcpFlags::ACK,
                )
                .bytes();
                let mut carried = false;
                let mut observer = |stop: &Stop<'_>| {
                    carried |= matches!(stop.element, Element::Peering(_));
                };
                let arrival = Arrival {
                    id: 0,
                    time: Nanos(0),
                    source: Source::Cvm(to.cvm),
                };
                let (mut state, mut bytes) = (State::new(&program), answer);
                walk(
                    &program,
                    &mut state,
                    arrival,
                    &mut bytes,
                    &mut observer,
                    &mut Vec::new(),
                );
                *back.entry((&here.name, &there.name)).or_default() |= carried;
            }
        }
        for finding in &one_way {
            let names: Vec<&str> = finding.message.split('`').skip(1).step_by(2).collect();
            let vpc_of = |subnet: &str| {
                subnet
                    .trim_start_matches('s')
                    .split('-')
                    .next()
                    .map(|v| format!("v{v}"))
            };
            let carried = back.iter().any(|((here, there), carried)| {
                let said = if finding.message.starts_with("vpc") {
                    vpc_of(here).as_deref() == Some(names[0])
                        && vpc_of(there).as_deref() == Some(names[1])
                } else {
                    *here == names[0] && *there == names[1]
                };
                said && *carried
            });
            assert!(!carried, "{finding:#?}\n{text}");
        }
        one_way.len()
    });
}
