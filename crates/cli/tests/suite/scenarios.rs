//! The example networks and captures.

use crate::harness::{Desk, top, vpcsim};
use std::fs;

#[test]
fn every_example_network_is_valid() {
    let mut checked = 0;
    for entry in fs::read_dir(top().join("scenarios")).unwrap() {
        let network = entry.unwrap().path().join("network.yaml");
        if network.exists() {
            vpcsim(["check".as_ref(), network.as_os_str()])
                .status(0)
                .shows(&["is valid"]);
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked}");
}

/// pcaps/README.md says which command made each example capture.
#[test]
fn every_example_capture_is_made_by_its_command() {
    let desk = Desk::new();
    let readme = fs::read_to_string(top().join("pcaps/README.md")).unwrap();
    let mut made = 0;
    for line in readme
        .lines()
        .filter_map(|line| line.trim().strip_prefix("vpcsim gen -o "))
    {
        let words: Vec<_> = line.split_whitespace().collect();
        let capture = words[0];
        let out = desk.path(&capture.replace('/', "-"));
        let arguments = words[1..].iter().map(|word| match *word {
            network if network.ends_with(".yaml") => top().join(network).display().to_string(),
            other => other.to_owned(),
        });
        vpcsim(
            ["gen".to_owned(), "-o".to_owned(), out.clone()]
                .into_iter()
                .chain(arguments),
        )
        .status(0);
        assert!(
            fs::read(out).unwrap() == fs::read(top().join(capture)).unwrap(),
            "{line}"
        );
        made += 1;
    }
    assert!(made >= 2, "only {made}");
}
