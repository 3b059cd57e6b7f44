//! `zero-prefix`: 0.0.0.0 with a length that is not 0.

use super::Lint;
use super::finding::{Found, Words};
use super::judge::Way;
use super::subject::Subject;
use crate::decode::{Field, List};
use crate::file::{AclPeer, Form, Peer as PeerDecl, Rule};
use crate::*;
use ipnet::Ipv4Net;

/// From this length on a prefix of 0.0.0.0 has no address that a host can have; shorter ones
/// are halves and quarters of everything, as people split a default route.
const NOBODY: u8 = 8;

pub(super) fn lint(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for id in (0..)
        .map(SecurityGroupId)
        .take(network.security_groups.len())
    {
        if let Some(group) = subject.group(id) {
            group_rules(subject, &group.ingress, Way::In, found);
            group_rules(subject, &group.egress, Way::Out, found);
        }
    }
    for id in (0..).map(AclId).take(network.acls.len()) {
        if let Some(acl) = subject.acl(id) {
            acl_rules(&acl.ingress, Way::In, found);
            acl_rules(&acl.egress, Way::Out, found);
        }
    }
    for (id, table) in (0..).map(RouteTableId).zip(&network.route_tables) {
        for (position, route) in table.routes.iter().enumerate() {
            if is_nobodys(route.destination) {
                let words = Words {
                    message: format!("a route to {} leads nobody anywhere", route.destination),
                    why: "no host has such an address, and everything else takes another route"
                        .to_owned(),
                    help: "write `to: 0.0.0.0/0` for everything".to_owned(),
                };
                let mark = subject.destination(id, position);
                found.push(Lint::ZeroPrefix, mark, "no host is there", words);
            }
        }
    }
}

fn is_nobodys(net: Ipv4Net) -> bool {
    net.addr().is_unspecified() && net.prefix_len() >= NOBODY
}

/// The platform reads 0.0.0.0 with any length as everything (SEMANTICS §6).
fn group_rules<F>(subject: &Subject<'_>, rules: &Field<List<Rule<F>>>, way: Way, found: &mut Found)
where
    F: Form<Peer = PeerDecl>,
{
    for rule in rules.given().into_iter().flat_map(List::iter) {
        let Some(peer) = &rule.peer else { continue };
        let written = subject.text_of(peer.mark);
        let whole = matches!(written.split_once('/'), None | Some((_, "0")));
        if !matches!(peer.value, PeerDecl::Any) || whole {
            continue;
        }
        let words = Words {
            message: format!("`{written}` in a security group is every address"),
            why: "the platform reads 0.0.0.0 with any length as 0.0.0.0/0: the rule is wider than it looks".to_owned(),
            help: format!("write `any` if that is meant, else the prefix that is: `{} 10.0.0.0/8`", way.preposition()),
        };
        found.push(Lint::ZeroPrefix, peer.mark, "read as any", words);
    }
}

fn acl_rules<F>(rules: &Field<List<Rule<F>>>, way: Way, found: &mut Found)
where
    F: Form<Peer = AclPeer>,
{
    for rule in rules.given().into_iter().flat_map(List::iter) {
        let Some(peer) = &rule.peer else { continue };
        let net = peer.value.prefix();
        if is_nobodys(net) {
            let words = Words {
                message: format!("an acl rule for {net} matches nobody"),
                why: "no host has such an address: the rule decides nothing".to_owned(),
                help: format!("write `{} any` for everything", way.preposition()),
            };
            found.push(Lint::ZeroPrefix, peer.mark, "no host is there", words);
        }
    }
}
