//! Hosts with several nics and the reverse path filter (SEMANTICS §10).

use super::Lint;
use super::finding::{Found, Words};
use super::subject::Subject;
use crate::file::{InterfaceValue, SysctlLine, SysctlValue};
use crate::*;

/// Strict: what comes in by a nic has to go back out of it.
const STRICT: u8 = 1;

/// The nics of a host by which its main table leads out to nobody but their own subnets, in
/// hosts without policy rules: all but the first, and those that a declared route leads out of.
fn side_nics<'a>(network: &'a Network, cvm: &'a Cvm) -> impl Iterator<Item = &'a Nic> {
    let routed = |nic: NicId| {
        let mut routes = cvm.routes.iter();
        routes.any(|route| route.nic == nic && route.table == HostTable::MAIN)
    };
    let rules = cvm.rules.is_empty();
    let nics = cvm.nics.iter().skip(1).filter(move |_| rules);
    nics.filter(move |nic| !routed(**nic))
        .map(|&nic| network.nic(nic))
        // One that the guest does not know is silent whatever the filter says.
        .filter(|nic| nic.addresses.iter().any(|own| own.configured))
}

/// Whether a nic before this one leads to the same subnet: then the way to it leads out there.
fn is_shadowed(network: &Network, nic: &Nic) -> bool {
    let nics = network.cvm(nic.cvm).nics.iter().map(|&id| network.nic(id));
    let mut before = nics.take_while(|other| other.name != nic.name);
    before
        .any(|other| other.subnet == nic.subnet && other.addresses.iter().any(|own| own.configured))
}

fn why(network: &Network, nic: &Nic) -> String {
    let whom = if is_shadowed(network, nic) {
        "everybody"
    } else {
        "everybody beyond its subnet"
    };
    format!(
        "the host's way back to {whom} leads out of another nic, so it drops what they send to `{}` without a word",
        nic.name
    )
}

/// A route and a rule that bring answers out by the nic they were asked at.
fn rule(network: &Network, nic: &Nic) -> String {
    let own = nic.addresses.iter().find(|own| own.configured);
    let own = own.map_or_else(|| nic.address(), |own| own.address);
    let gateway = network.subnet(nic.subnet).gateway();
    format!(
        "add `routes: [{{to: 0.0.0.0/0, via: {gateway}, nic: {}, table: 20}}]` and `rules: [{{from: {own}, table: 20}}]`",
        nic.name
    )
}

/// The line that sets rp_filter on an interface, or `default` where that seeds it.
fn line<'a>(subject: &Subject<'a>, cvm: CvmId, interface: &str) -> Option<&'a SysctlLine> {
    let lines = &subject.cvm(cvm)?.sysctl.given()?.lines;
    let sets = |wanted: &str| {
        lines.iter().rev().find(|line| {
            matches!(&line.value, SysctlValue::Interface(name, InterfaceValue::RpFilter(_)) if name == wanted)
        })
    };
    match interface {
        "all" => sets("all"),
        nic => sets(nic).or_else(|| sets("default")),
    }
}

/// `strict-rp-filter`
pub(super) fn strict(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, cvm) in (0..).map(CvmId).zip(&network.cvms) {
        for nic in side_nics(network, cvm) {
            let effective = InterfaceSysctl::effective(cvm.sysctl_all, nic.sysctl).rp_filter;
            // `forgotten-rp-filter` says the rest.
            if effective != STRICT || cvm.sysctl_all.rp_filter == 0 {
                continue;
            }
            let words = Words {
                message: format!(
                    "nic `{}/{}` has strict rp_filter, and no policy rule sends its answers out by it",
                    cvm.name, nic.name
                ),
                why: why(network, nic),
                help: format!("{}; or set rp_filter to 2 (loose)", rule(network, nic)),
            };
            let label = if is_shadowed(network, nic) {
                "hears nobody"
            } else {
                "hears its own subnet only"
            };
            let finding = found.push(Lint::StrictRpFilter, nic.mark, label, words);
            if let Some(line) = line(subject, id, "all") {
                finding.also(line.mark, "strict on all");
            }
        }
    }
}

/// `forgotten-rp-filter`
pub(super) fn forgotten(subject: &Subject<'_>, found: &mut Found) {
    let network = subject.network;
    for (id, cvm) in (0..).map(CvmId).zip(&network.cvms) {
        if cvm.sysctl_all.rp_filter != 0 {
            continue;
        }
        let Some(all) = line(subject, id, "all") else {
            continue;
        };
        for nic in side_nics(network, cvm).filter(|nic| nic.sysctl.rp_filter == STRICT) {
            let name = &nic.name;
            let words = Words {
                message: format!(
                    "rp_filter is 0 on `all`, and still strict on nic `{}/{name}`",
                    cvm.name
                ),
                why: format!("the larger of the two counts: {}", why(network, nic)),
                help: format!(
                    "set `net.ipv4.conf.{name}.rp_filter: 0`, or {}",
                    rule(network, nic)
                ),
            };
            let own = line(subject, id, name).map_or(nic.mark, |line| line.mark);
            let finding = found.push(Lint::ForgottenRpFilter, own, "still 1", words);
            finding.also(all.mark, "0 here does not lower it");
        }
    }
}
