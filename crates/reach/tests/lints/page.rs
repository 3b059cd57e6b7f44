//! docs/lints.md: every lint has a section, its example fires, and the change mends it.

use crate::found;
use vpcsim_network::Lint;

const PAGE: &str = include_str!("../../../../docs/lints.md");

/// The first block of a language.
fn block<'a>(section: &'a str, language: &str) -> Vec<&'a str> {
    let (_, rest) = section
        .split_once(&format!("```{language}\n"))
        .unwrap_or_else(|| panic!("no {language} in {section}"));
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().collect()
}

/// Applies a diff without line numbers: each line of the old text is found after the one before.
fn changed(example: &[&str], diff: &[&str]) -> String {
    let mut lines: Vec<String> = example.iter().map(|line| (*line).to_owned()).collect();
    let mut at = 0;
    // What is added before the first old line goes in front of it.
    let mut waiting = Vec::new();
    for line in diff {
        let (mark, text) = line.split_at(1);
        match mark {
            "+" if at == 0 => waiting.push(text.to_owned()),
            "+" => {
                lines.insert(at, text.to_owned());
                at += 1;
            }
            _ => {
                let found = lines[at..].iter().position(|line| line == text);
                at += found.unwrap_or_else(|| panic!("no line {text:?}"));
                for new in waiting.drain(..) {
                    lines.insert(at, new);
                    at += 1;
                }
                if mark == "-" {
                    lines.remove(at);
                } else {
                    at += 1;
                }
            }
        }
    }
    lines.join("\n")
}

fn fires(yaml: &str) -> Vec<&'static str> {
    let (known, more) = found(yaml);
    let all = known.iter().chain(&more);
    all.map(|finding| finding.lint.name()).collect()
}

#[test]
fn every_lint_has_a_section_in_order() {
    let headings: Vec<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let names: Vec<&str> = Lint::ALL.iter().map(|lint| lint.name()).collect();
    assert_eq!(headings, names);
    for lint in Lint::ALL {
        let row = format!("| [{lint}](#{lint}) | {} |", lint.summary());
        assert!(PAGE.contains(&row), "{row}");
    }
}

#[test]
fn each_example_fires_and_its_change_mends_it() {
    for section in PAGE.split("\n## ").skip(1) {
        let (name, section) = section.split_once('\n').unwrap();
        let example = block(section, "yaml");
        assert_eq!(fires(&example.join("\n")), [name]);
        let mended = changed(&example, &block(section, "diff"));
        assert_eq!(fires(&mended), [""; 0], "{mended}");
    }
}
