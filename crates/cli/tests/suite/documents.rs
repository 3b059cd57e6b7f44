//! What README.md and pages of docs/ show is what the command prints.
#![cfg(unix)]

use crate::harness::{command, ran, top, vpcsim};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A shown command, and what is shown below it.
struct Example {
    line: String,
    output: Vec<String>,
}

/// The `$ vpcsim ...` commands of a document's console blocks.
fn examples(document: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line != "```console" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        for part in block.chunk_by(|_, next| !next.starts_with("$ ")) {
            // What `bench` prints is another thing each time: bench.rs looks at it.
            let timed = part[0].starts_with("$ vpcsim bench");
            if part[0].starts_with("$ vpcsim ") && !timed {
                examples.push(Example {
                    line: part[0].to_owned(),
                    output: part[1..].iter().map(|line| (*line).to_owned()).collect(),
                });
            }
        }
    }
    examples
}

/// Without how long it took.
fn timeless(line: &str) -> String {
    match (line.find(", in "), line.find("/s)")) {
        (Some(from), Some(to)) => format!("{}{}", &line[..from], &line[to..]),
        _ => line.trim_end().to_owned(),
    }
}

/// Whether lines are those shown; `...` stands for any number of them.
fn matches(shown: &[String], lines: &[String]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| timeless(first) == timeless(line) && matches(rest, lines)),
    }
}

#[track_caller]
fn check(document: &str, at_least: usize) {
    let desk = TempDir::new().unwrap();
    for name in ["scenarios", "pcaps"] {
        symlink(
            top().join(name).canonicalize().unwrap(),
            desk.path().join(name),
        )
        .unwrap();
    }
    // The files that the documents tell people to write.
    let tour = fs::read_to_string(top().join("scenarios/tour/network.yaml")).unwrap();
    let (accept, drop) = ("      - accept all to any", "      - drop udp 53 to any\n");
    let changed = tour.replace(accept, &format!("{drop}{accept}"));
    fs::write(desk.path().join("changed.yaml"), changed).unwrap();
    let broken = tour
        .replace("phone: {subnet: office", "phone: {subnet: ofice")
        .replace("bandwidth: 100", "bandwith: 100");
    fs::write(desk.path().join("broken.yaml"), broken).unwrap();
    let many = "  - {from: \"subnet:office\", to: laptop, port: 22-1023, is: blocked}\n";
    fs::write(desk.path().join("many.yaml"), format!("{tour}{many}")).unwrap();

    let text = fs::read_to_string(top().join(document)).unwrap();
    let examples = examples(&text);
    assert!(
        examples.len() >= at_least,
        "only {} in {document}",
        examples.len()
    );
    for Example { line, output } in examples {
        let arguments = line.split_whitespace().skip(2);
        let ran = ran(command().args(arguments).current_dir(desk.path()));
        // No output shown: that it runs is all that is claimed.
        if output.is_empty() {
            assert_eq!(ran.status, 0, "{line}: {ran:#?}");
            continue;
        }
        let printed: Vec<_> = [ran.out.as_str(), &ran.err]
            .iter()
            .flat_map(|text| text.trim_end().lines().map(str::to_owned))
            .collect();
        let shown = output.join("\n");
        assert!(
            matches(&output, &printed),
            "{document} shows\n{line}\n{shown}\n\nbut it prints\n{}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn readme() {
    check("README.md", 4);
}

#[test]
fn cli() {
    check("docs/cli.md", 1);
}

#[test]
fn replay() {
    check("docs/replay.md", 5);
}

#[test]
fn check_page() {
    check("docs/check.md", 5);
}

#[test]
fn gen_page() {
    check("docs/gen.md", 3);
}

#[test]
fn reach() {
    check("docs/reach.md", 3);
}

#[test]
fn graph() {
    check("docs/graph.md", 1);
}

#[test]
fn flow_log() {
    check("docs/flow-log.md", 2);
}

#[test]
fn rules() {
    check("docs/rules.md", 1);
}

#[test]
fn diff() {
    check("docs/diff.md", 1);
}

#[test]
fn trace() {
    check("docs/trace.md", 6);
}

#[test]
fn learn() {
    check("docs/learn.md", 4);
}

/// The pages of docs/, by their name there.
fn pages() -> Vec<String> {
    let files = fs::read_dir(top().join("docs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md")).collect()
}

#[test]
fn every_page_is_in_the_readme() {
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    for page in pages() {
        let link = format!("](docs/{page})");
        assert!(readme.contains(&link), "README.md does not lead to {page}");
    }
}

#[test]
fn every_command_is_in_the_overview() {
    let overview = fs::read_to_string(top().join("docs/cli.md")).unwrap();
    let help = vpcsim(["help"]).status(0).out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let names = commands.lines().filter_map(|line| {
        // Deeper than two spaces a description goes on.
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then_some(name)
    });
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"replay") && names.contains(&"man"));
    for name in names {
        let link = format!("[`{name}");
        assert!(
            overview.contains(&link),
            "docs/cli.md does not lead to {name}"
        );
    }
}

/// A document without what is shown in it.
fn prose(document: &str) -> String {
    let mut shown = false;
    let lines = document.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        shown ^= fence;
        !shown && !fence
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// What code forges call a heading in links: small letters, no punctuation, hyphens for spaces.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    heading
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// What is wrong with the links of a document to files and headings.
fn dead_links(document: &Path) -> Vec<String> {
    let text = prose(&fs::read_to_string(document).unwrap());
    let mut dead = Vec::new();
    for after in text.split("](").skip(1) {
        let (target, _) = after.split_once(')').unwrap();
        if target.contains("://") {
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let path = match file {
            "" => document.to_owned(),
            file => document.parent().unwrap().join(file),
        };
        let there = match heading {
            "" => path.exists(),
            _ => fs::read_to_string(path).is_ok_and(|text| {
                let text = prose(&text);
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                headings.any(|line| anchor(line) == heading)
            }),
        };
        if !there {
            dead.push(format!("{} leads to {target}", document.display()));
        }
    }
    dead
}

#[test]
fn no_link_is_dead() {
    let outside = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "scenarios/README.md",
        "pcaps/README.md",
    ];
    let inside = pages().into_iter().map(|page| format!("docs/{page}"));
    let documents = outside.map(str::to_owned).into_iter().chain(inside);
    let dead: Vec<_> = documents
        .flat_map(|name| dead_links(&top().join(name)))
        .collect();
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_dead_link_is_found() {
    let desk = TempDir::new().unwrap();
    let page = desk.path().join("page.md");
    let text =
        "# `A`, or b?\n[a](#a-or-b) [b](#b) [c](page.md) [d](page.md#a-or-b)\n[e](other.md)\n";
    fs::write(&page, format!("{text}```sh\n[f](shown)\n# b\n```\n")).unwrap();
    let dead = dead_links(&page);
    let ends = |dead: &str, target: &str| dead.ends_with(&format!("leads to {target}"));
    assert!(
        dead.len() == 2 && ends(&dead[0], "#b") && ends(&dead[1], "other.md"),
        "{dead:#?}"
    );
}
