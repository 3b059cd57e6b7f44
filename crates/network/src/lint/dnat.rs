//! `refused-dnat`: a forwarded port that nobody takes: the address is not there, or the acl, the
//! groups or the host refuse it, whoever asks.

use super::Lint;
use super::finding::{Found, Words};
use super::judge::{Judgement, acl_accepts, addresses, from_internet, serves};
use super::set::Set;
use super::subject::Subject;
use crate::file::protocol_name;
use crate::*;
use std::net::Ipv4Addr;

/// A port that clients ask from.
const CLIENT_PORT: u16 = 50_000;

/// Why a target refuses, with another place to look at.
struct Refusal {
    what: String,
    label: &'static str,
    help: String,
    related: Option<(Mark, String)>,
}

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    for gateway in &subject.network.nat_gateways {
        if !gateway.enabled {
            continue;
        }
        for rule in &gateway.dnat {
            let Some(refusal) = refusal(subject, gateway, rule) else {
                continue;
            };
            let (protocol, port) = (protocol_name(rule.protocol), rule.to_port);
            let words = Words {
                message: format!(
                    "this dnat rule leads to {}:{port}, and {}",
                    rule.to, refusal.what
                ),
                why: format!(
                    "{protocol} port {} of eip `{}` looks open and answers nobody",
                    rule.port,
                    subject.network.eip(rule.eip).name
                ),
                help: refusal.help,
            };
            let finding = found.push(Lint::RefusedDnat, rule.mark, refusal.label, words);
            if let Some((mark, label)) = refusal.related {
                finding.also(mark, label);
            }
        }
    }
}

fn refusal(subject: &Subject<'_>, gateway: &NatGateway, rule: &DnatRule) -> Option<Refusal> {
    let network = subject.network;
    let Some(id) = subject.owner(gateway.vpc, rule.to) else {
        let mut havips = network.havips.iter();
        let havip =
            havips.find(|h| h.address == rule.to && network.subnet(h.subnet).vpc == gateway.vpc)?;
        return Some(Refusal {
            what: format!("nobody holds havip `{}`", havip.name),
            label: "held by nobody",
            help: format!("give `{}` a `holder`", havip.name),
            related: Some((havip.mark, "has no holder".to_owned())),
        });
    };
    let nic = network.nic(id);
    let cvm = network.cvm(nic.cvm);
    by_host(network, cvm, id, rule).or_else(|| by_rules(subject, nic, cvm, rule))
}

/// Why the host does not take it.
fn by_host(network: &Network, cvm: &Cvm, id: NicId, rule: &DnatRule) -> Option<Refusal> {
    let (name, to, port) = (&cvm.name, rule.to, rule.to_port);
    let protocol = protocol_name(rule.protocol);
    if !cvm.running {
        return Some(Refusal {
            what: format!("`{name}` is stopped"),
            label: "stopped",
            help: format!(
                "remove `running: false` from `{name}`, or lead the port to another host"
            ),
            related: Some((cvm.mark, "does not run".to_owned())),
        });
    }
    // Weak host model: an address on any nic or on lo is the host's, a held havip too.
    let mut nics = cvm.nics.iter().map(|&nic| network.nic(nic));
    let configured = nics.any(|nic| {
        let mut own = nic.addresses.iter();
        own.any(|own| own.address == to && own.configured)
    });
    let held = network
        .nic(id)
        .addresses
        .iter()
        .all(|own| own.address != to);
    // A host that forwards may pass it on.
    if !configured && !held && !cvm.lo.contains(&to) && !cvm.ip_forward {
        return Some(Refusal {
            what: format!("`{name}` has not configured that address"),
            label: "not the guest's",
            help: format!("configure {to} in the guest (`configured: true`), or add it to `lo`"),
            related: Some((cvm.mark, format!("knows nothing of {to}"))),
        });
    }
    let services = cvm.listen.as_ref()?;
    (!serves(services, rule.protocol, port)).then(|| Refusal {
        what: format!("nothing on `{name}` listens on {protocol} {port}"),
        label: "nobody listens",
        help: format!("correct `to_port`, or add `{protocol}:{port}` to the `listen` of `{name}`"),
        related: Some((cvm.mark, "does not listen there".to_owned())),
    })
}

/// Why the acl or the groups on the way let nobody's packet pass: each is asked for a client of
/// every kind that it tells apart.
fn by_rules(subject: &Subject<'_>, nic: &Nic, cvm: &Cvm, rule: &DnatRule) -> Option<Refusal> {
    let network = subject.network;
    let clients = clients(subject, nic);
    let (protocol, port) = (protocol_name(rule.protocol), rule.to_port);
    let passes =
        |client: Ipv4Addr| acl_accepts(network, nic, client, rule.protocol, (CLIENT_PORT, port));
    if let Some(acl) = network.subnet(nic.subnet).acl
        && !clients.iter().any(|client| passes(*client))
    {
        // Another policy decides by the client's port, of which there are many.
        if network.policies.acl_port != AclPort::Destination {
            return None;
        }
        let acl = network.acl(acl);
        return Some(Refusal {
            what: format!("acl `{}` lets nobody's {protocol} {port} in", acl.name),
            label: "the acl refuses it",
            help: format!(
                "add `accept {protocol} {port} from any` to the ingress rules of acl `{}`: acls see the private port",
                acl.name
            ),
            related: Some((acl.mark, "refuses it".to_owned())),
        });
    }
    let judged = |client: &Ipv4Addr| from_internet(network, nic, *client, rule.protocol, port);
    if clients
        .iter()
        .any(|client| passes(*client) && judged(client).accepts())
    {
        return None;
    }
    let names: Vec<&str> = nic
        .security_groups
        .iter()
        .map(|&group| network.security_group(group).name.as_str())
        .collect();
    let groups = names.join("`, `");
    let related = match clients.first().map(judged) {
        Some(Judgement::Rule(rule)) if rule.action == Action::Drop => {
            (rule.mark, "drops it".to_owned())
        }
        _ => {
            let group = nic.security_groups.first();
            let mark = group.map_or(nic.mark, |&group| network.security_group(group).mark);
            (mark, "no rule accepts it".to_owned())
        }
    };
    Some(Refusal {
        what: format!(
            "security group `{groups}` of `{}` accepts {protocol} {port} from nobody on the internet",
            cvm.name
        ),
        label: "the group refuses it",
        help: format!(
            "add `accept {protocol} {port} from any`, or from the clients that are meant, to the ingress rules of `{groups}`: groups see the private port and the client's own address"
        ),
        related: Some(related),
    })
}

/// Public addresses, one of every kind that the acl and the groups of a nic tell apart.
fn clients(subject: &Subject<'_>, nic: &Nic) -> Vec<Ipv4Addr> {
    let network = subject.network;
    let groups = nic.security_groups.iter();
    let rules = groups.flat_map(|&group| &network.security_group(group).ingress);
    let peers = rules.map(|rule| addresses(network, &rule.peer));
    let acl = network.subnet(nic.subnet).acl;
    let acl = acl.into_iter().flat_map(|acl| &network.acl(acl).ingress);
    let acl = acl.map(|rule| Set::of_prefixes(&[rule.peer]));
    subject.public.representatives(peers.chain(acl))
}
