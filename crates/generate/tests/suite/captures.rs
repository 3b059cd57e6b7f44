//! The captures in `pcaps/` are what their commands make, byte for byte. Run with
//! `VPCSIM_WRITE_PCAPS=1` to write them anew.

use std::path::PathBuf;
use std::process::Command;
use vpcsim_generate::{Format, Framing, GenOptions, SizeMix, Summary, Traffic, generate};
use vpcsim_network::Network;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn network(path: &str) -> Option<Network> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    match Network::from_yaml(path, &text) {
        Ok(network) => Some(network),
        Err(errors) => panic!("{errors}"),
    }
}

/// Generates and compares. `name` is in `pcaps/`.
fn check(name: &str, network: Option<Network>, traffic: Traffic, largest: usize) -> Summary {
    let path = root().join("pcaps").join(name);
    let options = GenOptions {
        traffic,
        network: network.as_ref(),
        format: Format::of_name(&path),
        framing: Framing::Ethernet,
    };
    let mut bytes = Vec::new();
    let summary = generate(&options, &mut bytes).unwrap();
    if std::env::var_os("VPCSIM_WRITE_PCAPS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    println!("{name}: {} bytes, {summary:?}", bytes.len());
    assert!(bytes.len() < largest, "{} bytes", bytes.len());
    assert!(
        std::fs::read(&path).unwrap() == bytes,
        "{name} is not what its command makes"
    );
    summary
}

#[test]
fn the_demo() {
    let traffic = Traffic {
        seed: 2026,
        flows: 360,
        duration: 90_000_000_000,
        packets_per_flow: 2,
        sizes: SizeMix::Imix,
        ..Traffic::default()
    };
    let network = network("scenarios/demo/network.yaml");
    let summary = check("demo.pcapng", network, traffic, 600 << 10);
    assert!(summary.packets >= 2_000, "a few thousand");
}

#[test]
fn web_behind_nat() {
    let traffic = Traffic {
        seed: 7,
        flows: 60,
        duration: 20_000_000_000,
        packets_per_flow: 3,
        sizes: SizeMix::Min64,
        clients: ["10.0.1.10/32", "10.0.1.11/32", "10.0.1.12/32"]
            .map(|client| client.parse().unwrap())
            .to_vec(),
        ..Traffic::default()
    };
    check("web-behind-nat.pcap", None, traffic, 100 << 10);
}

#[test]
fn the_readme_names_sums_and_commands() {
    let readme = std::fs::read_to_string(root().join("pcaps/README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("pcaps")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "README.md" {
            continue;
        }
        assert!(
            readme.contains(&format!("vpcsim gen -o pcaps/{name} ")),
            "{name}"
        );
        // Of coreutils; where that is missing, the sum goes unchecked, not the bytes.
        let Ok(output) = Command::new("sha256sum").arg(&path).output() else {
            continue;
        };
        let output = String::from_utf8(output.stdout).unwrap();
        let sum = output.split(' ').next().unwrap();
        assert!(readme.contains(sum), "{name} has sha256 {sum}");
    }
}
