//! `vpcsim reach`.

use super::network;
use crate::args::{Reach as Args, ReachProtocol};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use crate::render::reach::{Changed, Pair};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vpcsim_dataplane::Program;
use vpcsim_network::PortRange;
use vpcsim_packet::Protocol;
use vpcsim_reach::{End, Reach, Set, Trip};

/// What the analysis does not look at.
pub(super) const ASSUMED_AWAY: [&str; 5] = [
    "bandwidth",
    "ceilings of connections",
    "exhausted ports",
    "timeouts",
    "the size of packets",
];

/// Asks one network, or compares two.
pub(crate) fn run(args: &Args, output: &Output) -> Result<Status, Failure> {
    match (args.diff, args.networks.as_slice()) {
        (false, [path]) => ask(args, path, output),
        (true, [old, new]) => compare(args, old, new, output),
        (true, _) => Err(Failure::new("--diff compares two network files")
            .with_help("`vpcsim reach --diff OLD NEW`")),
        (false, _) => Err(Failure::new("a question is about one network file")
            .with_help("`vpcsim reach --diff OLD NEW` compares two")),
    }
}

fn ask(args: &Args, path: &Path, output: &Output) -> Result<Status, Failure> {
    let program = Program::new(network(path)?);
    let reach = Reach::new(&program);
    if args.from.is_none() && args.to.is_none() {
        return table(args, path, &reach, output);
    }
    let pairs = pairs(args, &reach)?;
    if args.json {
        output.json(&json!({
            "network": path.display().to_string(),
            "trip": trip_name(args),
            "assumed_away": ASSUMED_AWAY,
            "pairs": pairs.iter().map(pair_document).collect::<Vec<_>>(),
        }))?;
    } else {
        output.print(&render::reach::pairs(&pairs, &ASSUMED_AWAY, output.width()))?;
    }
    let asked_both = args.from.is_some() && args.to.is_some();
    let nothing = pairs.iter().all(|pair| pair.always.is_empty());
    Ok(if asked_both && nothing {
        Status::No
    } else {
        Status::Done
    })
}

/// Everybody, by classes of those that nothing tells apart.
fn table(args: &Args, path: &Path, reach: &Reach<'_>, output: &Output) -> Result<Status, Failure> {
    let matrix = reach.matrix(trip(args));
    let wanted = wanted(args)?.services();
    let names: Vec<Vec<String>> = matrix
        .classes
        .iter()
        .map(|class| {
            class
                .members
                .iter()
                .map(|&end| reach.end_name(end))
                .collect()
        })
        .collect();
    let cells: Vec<(usize, usize, Set)> = matrix
        .pairs()
        .map(|(from, to, services)| (from, to, services.and(&wanted)))
        .filter(|(_, _, services)| !services.is_empty())
        .collect();
    if args.json {
        let pairs = cells.iter().map(|(from, to, services)| {
            json!({ "from": from, "to": to, "rules": rules_document(services) })
        });
        output.json(&json!({
            "network": path.display().to_string(),
            "trip": trip_name(args),
            "assumed_away": ASSUMED_AWAY,
            "classes": names,
            "pairs": pairs.collect::<Vec<_>>(),
        }))?;
    } else {
        let text = render::reach::table(&names, &cells, &ASSUMED_AWAY, output.width());
        output.print(&text)?;
    }
    Ok(Status::Done)
}

fn compare(args: &Args, old: &Path, new: &Path, output: &Output) -> Result<Status, Failure> {
    let (old_program, new_program) = (Program::new(network(old)?), Program::new(network(new)?));
    let (before, after) = (Reach::new(&old_program), Reach::new(&new_program));
    let (before, after) = (
        by_name(pairs_of_either(args, &before, &after)?),
        by_name(pairs_of_either(args, &after, &before)?),
    );
    let both: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let mut changed = Vec::new();
    for (from, to) in both {
        let of = |pairs: &BTreeMap<(String, String), Set>| {
            let pair = pairs.get(&(from.clone(), to.clone()));
            pair.cloned().unwrap_or_else(Set::none)
        };
        let (was, is) = (of(&before), of(&after));
        let (gained, lost) = (is.without(&was), was.without(&is));
        if !(gained.is_empty() && lost.is_empty()) {
            changed.push(Changed {
                from,
                to,
                gained,
                lost,
            });
        }
    }
    if args.json {
        let changes = changed.iter().map(|change| {
            json!({
                "from": change.from,
                "to": change.to,
                "gained": rules_document(&change.gained),
                "lost": rules_document(&change.lost),
            })
        });
        output.json(&json!({
            "old": old.display().to_string(),
            "new": new.display().to_string(),
            "trip": trip_name(args),
            "assumed_away": ASSUMED_AWAY,
            "changes": changes.collect::<Vec<_>>(),
        }))?;
    } else {
        let text = render::reach::changes(&changed, &ASSUMED_AWAY, output.width());
        output.print(&text)?;
    }
    Ok(if changed.is_empty() {
        Status::Done
    } else {
        Status::No
    })
}

/// The pairs of one network; a place that only the other one has is nobody here.
fn pairs_of_either(args: &Args, here: &Reach<'_>, there: &Reach<'_>) -> Result<Vec<Pair>, Failure> {
    let names = [&args.from, &args.to].into_iter().flatten();
    let elsewhere = names
        .filter(|name| here.ends(name).is_err())
        .any(|name| there.ends(name).is_ok());
    if elsewhere {
        return Ok(Vec::new());
    }
    pairs(args, here)
}

fn by_name(pairs: Vec<Pair>) -> BTreeMap<(String, String), Set> {
    pairs
        .into_iter()
        .map(|pair| ((pair.from, pair.to), pair.always))
        .collect()
}

/// Every pair that is asked about and has anything.
fn pairs(args: &Args, reach: &Reach<'_>) -> Result<Vec<Pair>, Failure> {
    let (from, to) = (
        ends(reach, args.from.as_deref())?,
        ends(reach, args.to.as_deref())?,
    );
    let wanted = wanted(args)?;
    let mut pairs = Vec::new();
    for sender in from {
        let reached = reach.reached_by(sender, trip(args)).into_iter();
        for (end, found) in reached.filter(|(end, _)| *end != sender && to.contains(end)) {
            let always = found.always.and(&wanted);
            let sometimes = found.ever.and(&wanted).without(&always);
            if !(always.is_empty() && sometimes.is_empty()) {
                pairs.push(Pair {
                    from: reach.end_name(sender),
                    to: reach.end_name(end),
                    senders: reach.senders(sender),
                    always,
                    sometimes,
                });
            }
        }
    }
    Ok(pairs)
}

fn ends(reach: &Reach<'_>, name: Option<&str>) -> Result<Vec<End>, Failure> {
    reach.ends(name.unwrap_or("any")).map_err(|error| {
        let failure = Failure::new(format!("the network has no place `{}`", error.name));
        let help = match error.near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a place is a cvm, `internet`, `external:NAME`, `group:NAME`, `subnet:NAME`, `vpc:NAME` or `any`".to_owned(),
        };
        failure.with_help(help)
    })
}

/// The packets that are asked about.
fn wanted(args: &Args) -> Result<Set, Failure> {
    let protocol = args.protocol.map(|protocol| match protocol {
        ReachProtocol::Tcp => Protocol::TCP,
        ReachProtocol::Udp => Protocol::UDP,
        ReachProtocol::Icmp => Protocol::ICMP,
        ReachProtocol::Gre => Protocol::GRE,
    });
    let mut wanted = protocol.map_or_else(Set::all, Set::protocol);
    if let Some((first, last)) = args.port {
        if protocol.is_some_and(|protocol| ![Protocol::TCP, Protocol::UDP].contains(&protocol)) {
            return Err(Failure::new("only tcp and udp have ports")
                .with_help("leave out --port, or ask for tcp or udp"));
        }
        wanted = wanted.and(&Set::destination_ports(PortRange { first, last }));
    }
    Ok(wanted)
}

fn trip(args: &Args) -> Trip {
    if args.one_way {
        Trip::OneWay
    } else {
        Trip::Both
    }
}

fn trip_name(args: &Args) -> &'static str {
    match trip(args) {
        Trip::Both => "both",
        Trip::OneWay => "one_way",
    }
}

fn pair_document(pair: &Pair) -> Value {
    json!({
        "from": pair.from,
        "to": pair.to,
        "rules": rules_document(&pair.always),
        "sometimes": rules_document(&pair.sometimes),
    })
}

/// Rules as machines read them: lists of prefixes and ranges, empty where anything fits.
fn rules_document(set: &Set) -> Vec<Value> {
    let texts = |spans: &[vpcsim_reach::Span]| -> Vec<String> {
        spans.iter().map(ToString::to_string).collect()
    };
    let prefixes = |spans: &[vpcsim_reach::Span]| -> Vec<String> {
        let prefixes = spans.iter().flat_map(|span| span.prefixes());
        prefixes.map(|net| net.to_string()).collect()
    };
    let rules = set.rules();
    let documents = rules.iter().map(|rule| {
        json!({
            "text": rule.to_string(),
            "protocols": texts(&rule.protocols),
            "ports": texts(&rule.ports),
            "icmp": texts(&rule.icmp),
            "source_ports": texts(&rule.source_ports),
            "sources": prefixes(&rule.sources),
            "destinations": prefixes(&rule.destinations),
        })
    });
    documents.collect()
}
