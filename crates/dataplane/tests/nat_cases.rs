//! docs/nat-cases.md: every behaviour once, in order, and every test that it names is there.

const PAGE: &str = include_str!("../../../docs/nat-cases.md");

fn source(file: &str) -> &'static str {
    match file {
        "adopt" => include_str!("adopt.rs"),
        "checksums" => include_str!("checksums.rs"),
        "dnat" => include_str!("dnat.rs"),
        "fragments" => include_str!("fragments.rs"),
        "icmp_errors" => include_str!("icmp_errors.rs"),
        "mtu" => include_str!("mtu.rs"),
        "nat_gateway" => include_str!("nat_gateway.rs"),
        "nat_ports" => include_str!("nat_ports.rs"),
        "policies" => include_str!("policies.rs"),
        "security_group" => include_str!("security_group.rs"),
        other => panic!("docs/nat-cases.md names the file {other}.rs"),
    }
}

#[test]
fn all_sixty_one_are_there_in_order() {
    let numbers = PAGE.lines().filter_map(|line| {
        let cell = line.strip_prefix("| ")?.split(" |").next()?;
        cell.parse::<u32>().ok()
    });
    assert!(numbers.eq(1..=61));
}

#[test]
fn the_tests_that_it_names_exist() {
    let mut named = 0;
    for line in PAGE.lines().filter(|line| line.starts_with("| ")) {
        // A name without a file is of the file before it.
        let mut file = "";
        for code in line.split('`').skip(1).step_by(2) {
            let name = match code.split_once("::") {
                Some((before, name)) => {
                    file = before;
                    name
                }
                None if code.contains('_') && !file.is_empty() => code,
                None => continue,
            };
            if name == "checksums_are_right" || name.contains(':') {
                continue;
            }
            assert!(
                source(file).contains(&format!("fn {name}()")),
                "{file}::{name}"
            );
            named += 1;
        }
    }
    assert!(named > 50, "{named}");
}
