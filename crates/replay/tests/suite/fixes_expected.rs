//! Every scenario says in its `expect` what does not get through in it: the first fix of that makes
//! it pass, unless the design of the platform forbids it.

use crate::fixes::{FORBIDDEN, advice, scenario, scenarios};
use std::fs;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::{Expected, expectations};

/// Not about one thing, and says nothing of what it expects.
const WITHOUT: &[&str] = &["demo"];

fn expected(name: &str, text: &str) -> Vec<Expected> {
    let network = Network::from_yaml(name, text);
    let network = network.unwrap_or_else(|errors| panic!("{}", errors.plain()));
    expectations(&Program::new(network))
}

fn reachable(expected: &Expected) -> bool {
    expected.trace.as_ref().is_some_and(|trace| trace.reachable)
}

#[test]
fn the_first_fix_of_what_a_scenario_expects_to_be_blocked_makes_it_pass() {
    let (mut fixed, mut forbidden) = (0, 0);
    for entry in fs::read_dir(scenarios()).unwrap() {
        let entry = entry.unwrap();
        if !entry.path().is_dir() {
            continue;
        }
        let name = entry.file_name().into_string().unwrap();
        let text = scenario(&name);
        let all = expected(&name, &text);
        assert_eq!(
            all.is_empty(),
            WITHOUT.contains(&&*name),
            "{name} expects nothing: what does it show?"
        );
        for (at, blocked) in (0..).zip(&all) {
            assert!(blocked.holds, "{name}: {blocked}");
            if blocked.is != "blocked" {
                continue;
            }
            assert!(!reachable(blocked), "{name}: {blocked}");
            let asked = match blocked.port {
                Some(port) => format!("{} {port}", blocked.protocol),
                None => blocked.protocol.clone(),
            };
            let (from, to) = (&blocked.from, &blocked.to);
            let advice = advice(&text, from, to, &asked);
            let Some(first) = advice.fixes.first() else {
                let known = FORBIDDEN
                    .iter()
                    .any(|known| (known.0, known.1, known.2) == (&*name, &**from, &**to));
                assert!(known, "{name}: {blocked} has no fix: {:?}", advice.no_fix);
                forbidden += 1;
                continue;
            };
            let after = &expected(&name, &first.text)[at as usize];
            assert!(reachable(after), "{name}: {after:#?}\n{}", first.diff);
            fixed += 1;
        }
    }
    assert!(
        fixed >= 15 && forbidden >= 1,
        "{fixed} fixed, {forbidden} forbidden"
    );
}
