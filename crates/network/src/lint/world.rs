//! `open-to-world`: remote access or a database that any host on the internet can reach. A rule
//! alone does not make it so: the nic needs a public address or a forwarded port, the acl has to
//! agree, and the host has to listen.

use super::Lint;
use super::exposure::Exposure;
use super::finding::{Found, Words};
use super::judge::{Judgement, acl_accepts, addresses, from_internet, serves};
use super::set::Set;
use super::subject::Subject;
use crate::*;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// TCP ports that the whole internet has no business at.
const WATCHED: [(u16, &str); 13] = [
    (22, "SSH"),
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2379, "etcd"),
    (3306, "MySQL"),
    (3389, "RDP"),
    (5432, "PostgreSQL"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (9042, "Cassandra"),
    (9200, "Elasticsearch"),
    (11211, "Memcached"),
    (27017, "MongoDB"),
];

/// A peer with a longer prefix is somebody in particular.
const WORLD: u8 = 7;

/// A port that clients ask from.
const CLIENT_PORT: u16 = 50_000;

/// What one rule, or the lack of any, opens.
#[derive(Default)]
struct Opening {
    mark: Mark,
    rule: bool,
    ports: Vec<(u16, &'static str)>,
    nics: Vec<NicId>,
}

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    let mut openings: BTreeMap<(u32, u32), Opening> = BTreeMap::new();
    for exposure in &subject.exposures {
        let nic = network.nic(exposure.nic);
        let Some(stranger) = stranger(subject, nic) else {
            continue;
        };
        for (port, name) in open_ports(network, exposure, stranger) {
            let judged = from_internet(network, nic, stranger, RuleProtocol::Tcp, port);
            let rule = match judged {
                // What a vpc's default group accepts stands on no line.
                Judgement::Rule(rule) if rule.mark.line > 0 => Some(rule.mark),
                _ => None,
            };
            let mark = rule.unwrap_or(nic.mark);
            let opening = openings.entry((mark.offset, mark.len)).or_default();
            opening.mark = mark;
            opening.rule = rule.is_some();
            if !opening.ports.contains(&(port, name)) {
                opening.ports.push((port, name));
            }
            if !opening.nics.contains(&exposure.nic) {
                opening.nics.push(exposure.nic);
            }
        }
    }
    for opening in openings.into_values() {
        report(network, opening, found);
    }
}

/// The watched ports that a stranger reaches by a way in.
fn open_ports(
    network: &Network,
    exposure: &Exposure,
    stranger: Ipv4Addr,
) -> impl Iterator<Item = (u16, &'static str)> {
    let nic = network.nic(exposure.nic);
    let listen = network.cvm(nic.cvm).listen.as_ref();
    WATCHED.into_iter().filter(move |&(port, _)| {
        let tcp = RuleProtocol::Tcp;
        exposure.only.is_none_or(|only| only == (tcp, port))
            && listen.is_none_or(|services| serves(services, tcp, port))
            && acl_accepts(network, nic, stranger, tcp, (CLIENT_PORT, port))
            && from_internet(network, nic, stranger, tcp, port).accepts()
    })
}

/// A public address that no rule at the nic means in particular.
fn stranger(subject: &Subject<'_>, nic: &Nic) -> Option<Ipv4Addr> {
    let network = subject.network;
    let groups = nic.security_groups.iter();
    let rules = groups.flat_map(|&group| &network.security_group(group).ingress);
    let peers = rules.filter_map(|rule| match &rule.peer {
        Peer::Prefix(net) if net.prefix_len() > WORLD => Some(Set::of_prefixes(&[*net])),
        Peer::Template(_) => Some(addresses(network, &rule.peer)),
        Peer::Any | Peer::Prefix(_) | Peer::Group(_) => None,
    });
    let acl = network.subnet(nic.subnet).acl;
    let acl = acl.into_iter().flat_map(|acl| &network.acl(acl).ingress);
    let acl = acl.filter(|rule| rule.peer.prefix_len() > WORLD);
    let acl = acl.map(|rule| Set::of_prefixes(&[rule.peer]));
    let known = peers.chain(acl);
    let left = known.fold(subject.public.clone(), |left, known| left.minus(&known));
    left.first_address()
}

fn report(network: &Network, opening: Opening, found: &mut Found) {
    let ports: Vec<String> = opening
        .ports
        .iter()
        .map(|(port, name)| format!("{name} ({port})"))
        .collect();
    let what = match ports.as_slice() {
        [only] => only.clone(),
        [first, rest @ ..] if rest.len() > 3 => {
            format!("{first} and {} more such ports", rest.len())
        }
        several => several.join(", "),
    };
    let Some(&first) = opening.nics.first() else {
        return;
    };
    let whom = match opening.nics.len() {
        1 => format!("`{}`", network.nic_name(first)),
        n => format!("`{}` and {} more", network.nic_name(first), n - 1),
    };
    let (label, help) = if opening.rule {
        (
            "from everybody",
            "name the addresses that need it instead: `accept tcp 22 from 198.51.100.0/24`",
        )
    } else {
        (
            "accepts everything",
            "bind a security group that accepts what the host is for",
        )
    };
    let words = Words {
        message: format!("the whole internet reaches {what} on {whom}"),
        why: "an open port is found by scanners within the hour, and passwords are guessed and holes tried from then on".to_owned(),
        help: help.to_owned(),
    };
    let finding = found.push(Lint::OpenToWorld, opening.mark, label, words);
    if opening.rule {
        finding.also(network.nic(first).mark, "has a public way in");
    }
}
