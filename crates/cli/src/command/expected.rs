//! What a network file expects: one request is tried, of many all are decided.

use vpcsim_dataplane::{Program, Source};
use vpcsim_network::{Claim, ClaimEnd, ClaimEnds, Expectation, ExpectationEnd, Mark, PortRange};
use vpcsim_reach::{Counter, End, Failure, Prover, Reach};
use vpcsim_replay::{Expected, disappointment, expectations, trace_packet};

/// Packets of equal-cost ways that are tried until one does what was found of some.
const TRIES: u32 = 256;
/// Rules of what fails that are kept.
const MOST_RULES: usize = 100;

/// Everything that a network expects, in file order, each with where it stands.
pub(super) fn expected(program: &Program, reach: &Reach<'_>) -> (Vec<Expected>, Vec<Mark>) {
    let network = program.network();
    let prover = Prover::new(reach);
    let prove = |claim: &Claim| proved(program, reach, &prover, claim);
    let tried = expectations(program).into_iter().zip(&network.expectations);
    let tried = tried.map(|(expected, declared)| {
        let proof = of_everybody(declared, &expected).filter(|_| expected.holds);
        let expected = proof.as_ref().map(prove).unwrap_or(expected);
        (declared.mark, expected)
    });
    let claims = network
        .claims
        .iter()
        .map(|claim| (claim.mark, prove(claim)));
    let mut all: Vec<(Mark, Expected)> = tried.chain(claims).collect();
    all.sort_by_key(|(mark, _)| mark.offset);
    let (marks, expected) = all.into_iter().unzip();
    (expected, marks)
}

/// What one request with somebody on the internet stands for: the same with everybody there.
fn of_everybody(declared: &Expectation, expected: &Expected) -> Option<Claim> {
    if ![declared.from, declared.to].contains(&ExpectationEnd::Internet) {
        return None;
    }
    let ends = |end, text: &str| ClaimEnds {
        list: vec![ClaimEnd::One(end)],
        text: text.to_owned(),
    };
    let ports = expected.port.map_or(PortRange::ALL, |port| PortRange {
        first: port,
        last: port,
    });
    Some(Claim {
        from: ends(declared.from, &expected.from),
        to: ends(declared.to, &expected.to),
        protocol: declared.protocol,
        ports: vec![ports],
        is: declared.is,
        mark: declared.mark,
    })
}

/// Decides a claim; what does otherwise is traced.
fn proved(
    program: &Program,
    reach: &Reach<'_>,
    prover: &Prover<'_, '_>,
    claim: &Claim,
) -> Expected {
    let mut expected = Expected::of_claim(claim);
    let counter = match prover.decide(claim).failure {
        None => return expected,
        Some(Failure::AboutNobody) => {
            expected.holds = false;
            expected.why =
                Some("nobody is asked: who sends is all who is to be reached".to_owned());
            return expected;
        }
        Some(Failure::Counter(counter)) => counter,
    };
    expected.holds = false;
    let rules = counter.packets.rules();
    expected.fails = rules
        .iter()
        .take(MOST_RULES)
        .map(ToString::to_string)
        .collect();
    replay(program, reach, claim, &counter, &mut expected);
    expected
}

/// Traces a packet that does otherwise. Among equal ways the walk takes one, so there several
/// are tried.
fn replay(
    program: &Program,
    reach: &Reach<'_>,
    claim: &Claim,
    counter: &Counter,
    expected: &mut Expected,
) {
    let source = match counter.from {
        End::Cvm(cvm) => Source::Cvm(cvm),
        End::Internet => Source::Internet,
        End::External(external) => Source::External(external),
    };
    let from = reach.end_name(counter.from);
    let ends = (from.as_str(), claim.to.text.as_str());
    let is_there = |place| counter.is_there(reach, place);
    let tries = if counter.chose { TRIES } else { 1 };
    for key in counter.examples(tries) {
        let trace = trace_packet(program, source, &key, ends, &is_there);
        if let Some(why) = disappointment(claim.is, &trace) {
            expected.why = Some(format!("{key}: {why}"));
            expected.trace = Some(trace);
            return;
        }
        expected.trace.get_or_insert(trace);
    }
    let why = if counter.chose {
        "on one of the equal ways that the network may choose"
    } else {
        "the proof says so and this trace does not: one of the two is wrong, please report it"
    };
    expected.why = Some(why.to_owned());
}
