//! No text, however broken, makes the reader or a lint panic, and whatever they say stands in the
//! file.

use proptest::prelude::*;
use vpcsim_network::{Levels, Network};

const REFERENCE: &str = include_str!("../../../scenarios/reference/network.yaml");

/// Reads `text` and looks at everything an error or a finding has to say.
fn read(text: &str) {
    let errors = match Network::check("test.yaml", text) {
        Ok((_, findings)) => {
            for view in findings.views(&Levels::default()) {
                assert!(view.line > 0 && !view.text.is_empty(), "{view:?}");
                assert!(!view.help.is_empty() && !view.why.is_empty(), "{view:?}");
            }
            return;
        }
        Err(errors) => errors,
    };
    assert!(
        !errors.errors().is_empty(),
        "refused without a reason:\n{text}"
    );
    let mut last = 0;
    for (error, view) in errors.errors().iter().zip(errors.views()) {
        let (start, end) = (error.mark.offset, error.mark.offset + error.mark.len);
        assert!(text.is_char_boundary(start as usize) && text.is_char_boundary(end as usize));
        assert!(last <= start, "not in file order: {errors:?}");
        last = start;
        assert!(
            !view.kind.is_empty() && !view.help.is_empty() && view.line > 0,
            "{view:?}"
        );
        let words = [&*view.message, &*view.help];
        assert!(!words.concat().contains(char::is_control), "{view:?}");
    }
    assert_eq!(
        errors.plain().lines().count(),
        errors.errors().len(),
        "{errors:?}"
    );
}

#[test]
fn truncated_at_every_byte() {
    for end in (0..REFERENCE.len()).filter(|&end| REFERENCE.is_char_boundary(end)) {
        read(&REFERENCE[..end]);
    }
}

#[test]
fn a_byte_lost_at_every_place() {
    for at in (0..REFERENCE.len()).filter(|&at| REFERENCE.as_bytes()[at] != b' ') {
        let mut text = REFERENCE.to_owned();
        text.remove(at);
        read(&text);
    }
}

#[test]
fn a_byte_changed_at_every_place() {
    for (at, with) in (0..REFERENCE.len()).zip("0:{}[]&*'\"-/,. \n\té!|>%@`#?x9".chars().cycle()) {
        let mut text = REFERENCE.to_owned();
        text.replace_range(at..=at, with.encode_utf8(&mut [0; 4]));
        read(&text);
    }
}

#[test]
fn a_line_lost_at_every_place() {
    let lines: Vec<&str> = REFERENCE.lines().collect();
    for lost in 0..lines.len() {
        let rest: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != lost)
            .map(|(_, l)| *l)
            .collect();
        read(&rest.join("\n"));
    }
}

/// Words and marks that mean something to the reader, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "vpcs",
        "shop",
        "cidr",
        "subnets",
        "web",
        "cvms",
        "a",
        "nics",
        "eth0",
        "routes",
        "via",
        "security_groups",
        "ingress",
        "accept tcp 80 from any",
        "10.0.0.0/16",
        "10.0.1.0/24",
        "10.0.1.10",
        "address",
        "eips",
        "nat_gateways",
        "regions",
        "zones",
        "peerings",
        ": ",
        ":\n",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "<<: *a",
        "'",
        "\"",
        "? ",
        "- ",
        "| ",
        "> ",
        "--- ",
        "...",
        "!!str ",
        "~",
        "0",
        "\t",
        "é",
        "\r\n",
        "\u{feff}",
        "%",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_printable_lines(text in "([ -~é\t]{0,20}\n){0,8}") {
        read(&text);
    }

    #[test]
    fn any_fragments(text in fragments()) {
        read(&text);
    }

    #[test]
    fn any_word_anywhere_in_the_reference(at in 0..REFERENCE.len(), len in 0..40_usize, with in fragments()) {
        let end = (at + len).min(REFERENCE.len());
        let mut text = REFERENCE.to_owned();
        text.replace_range(at..end, &with);
        read(&text);
    }
}

/// Quotes let a name hold what ends a line or speaks to a terminal. Others are told of it, too, where
/// they name nothing.
#[test]
fn a_name_of_several_lines() {
    let text = r#"
regions: {north: {zones: ["zone\n1\e[31m"]}}
vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24, zone: "zone-9\r"}}}}
"#;
    read(text);
    let errors = Network::from_yaml("test.yaml", text).unwrap_err();
    assert_eq!(
        errors.plain(),
        r"test.yaml:2:27: `zone\n1\u{1b}[31m` is not a valid zone name; use letters, digits, `-`, `_` and `.`
test.yaml:3:75: there is no zone `zone-9\r`; known are `zone\n1\u{1b}[31m`; or declare it under `regions:`"
    );
}

/// A large network, right or wrong everywhere, takes time in proportion to its size.
#[test]
fn large_files() {
    let mut right =
        "vpcs: {shop: {cidr: 10.0.0.0/12, subnets: {web: {cidr: 10.0.0.0/16}}}}\ncvms:\n"
            .to_owned();
    let mut wrong = right.clone();
    for i in 256..10_256 {
        let address = format!("10.0.{}.{}", i / 256, i % 256);
        right += &format!("  cvm-{i}: {{subnet: web, address: {address}}}\n");
        wrong += &format!(
            "  cvm-{i}: {{subnet: web, address: 10.0.1.1, security_groups: [group-{i}]}}\n"
        );
    }
    assert!(Network::from_yaml("right.yaml", &right).is_ok());
    let errors = Network::from_yaml("wrong.yaml", &wrong).unwrap_err();
    assert_eq!(errors.errors().len(), 10_000 * 2 - 1);
}
