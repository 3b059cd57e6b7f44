//! What fires in the example networks, all of it, and where.

use std::fs;
use std::path::Path;
use vpcsim_network::{Levels, Network};

/// Scenario, lint, line. Those that show a failure have it found; `reference` and `demo` are
/// no models to copy.
const FIRES: &[(&str, &str, u32)] = &[
    ("acl-inbound-only", "acl-blocks-replies", 14),
    ("demo", "acl-blocks-replies", 92),
    ("demo", "forwarding-loop", 110),
    ("demo", "one-way-peering", 116),
    ("demo", "open-to-world", 58),
    ("demo", "refused-dnat", 159),
    ("demo", "route-outside-peer", 107),
    ("demo", "strict-rp-filter", 209),
    ("demo", "unused-eip", 149),
    ("dnat-internal-port", "refused-dnat", 17),
    ("dual-nic-policy-rules", "open-nic", 16),
    ("dual-nic-rp-filter-all-0", "forgotten-rp-filter", 22),
    ("dual-nic-rp-filter-all-0", "open-nic", 17),
    ("dual-nic-rp-filter-off", "open-nic", 16),
    ("dual-nic-rp-filter-strict", "open-nic", 17),
    ("dual-nic-rp-filter-strict", "strict-rp-filter", 17),
    ("peering-not-transitive", "route-outside-peer", 29),
    ("peering-not-transitive", "route-outside-peer", 39),
    ("peering-route-on-one-side", "one-way-peering", 22),
    ("peering-wrong-destination", "one-way-peering", 27),
    ("peering-wrong-destination", "route-outside-peer", 23),
    ("reference", "one-way-peering", 59),
    ("reference", "open-nic", 123),
    ("reference", "refused-dnat", 97),
    ("reference", "refused-dnat", 98),
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate does no I/O; its scenarios are files"
)]
fn what_fires_in_the_scenarios() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut fired = Vec::new();
    for entry in fs::read_dir(scenarios).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(path.join("network.yaml")) else {
            continue;
        };
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, findings) = Network::check(&name, &text).unwrap();
        for view in findings.views(&Levels::default()) {
            fired.push((name.clone(), view.lint, view.line));
        }
    }
    fired.sort();
    let fired: Vec<_> = fired
        .iter()
        .map(|(name, lint, line)| (name.as_str(), *lint, *line))
        .collect();
    assert_eq!(fired, FIRES);
}
