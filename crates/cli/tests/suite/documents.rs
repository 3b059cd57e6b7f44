//! What README.md and pages of docs/ show is what the command prints.
#![cfg(unix)]

use crate::harness::{command, ran, top};
use std::fs;
use std::os::unix::fs::symlink;
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
    check("docs/cli.md", 8);
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
