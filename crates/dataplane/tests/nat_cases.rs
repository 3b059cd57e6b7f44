//! docs/nat-cases.md: every behaviour once, in order, and every test that it names is there.

const PAGE: &str = include_str!("../../../docs/nat-cases.md");

/// The tests of one file, or of all files of one folder.
fn source(file: &str) -> &'static str {
    match file {
        "adopt" => include_str!("adopt.rs"),
        "checksums" => include_str!("checksums.rs"),
        "dnat" => include_str!("dnat.rs"),
        "fragments" => include_str!("fragments.rs"),
        "icmp_errors" => include_str!("icmp_errors.rs"),
        "mtu" => include_str!("mtu.rs"),
        "nat_gateway" => concat!(
            include_str!("nat_gateway/ceilings.rs"),
            include_str!("nat_gateway/choice_of_address.rs"),
            include_str!("nat_gateway/filtering.rs"),
            include_str!("nat_gateway/hairpin.rs"),
            include_str!("nat_gateway/icmp.rs"),
            include_str!("nat_gateway/mid_stream.rs"),
            include_str!("nat_gateway/protocols.rs"),
            include_str!("nat_gateway/reopening.rs"),
            include_str!("nat_gateway/timeouts.rs"),
            include_str!("nat_gateway/whom_it_serves.rs"),
        ),
        "nat_ports" => include_str!("nat_ports.rs"),
        "policies" => include_str!("policies.rs"),
        "security_group" => concat!(
            include_str!("security_group/closing.rs"),
            include_str!("security_group/icmp_errors.rs"),
            include_str!("security_group/mid_stream.rs"),
            include_str!("security_group/no_group.rs"),
            include_str!("security_group/order.rs"),
            include_str!("security_group/rules.rs"),
            include_str!("security_group/timeouts.rs"),
            include_str!("security_group/tracking.rs"),
        ),
        other => panic!("docs/nat-cases.md names the file or folder {other}"),
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
