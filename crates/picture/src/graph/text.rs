//! What is written in and about each box.

use std::net::Ipv4Addr;
use vpcsim_network::{
    Bandwidth, EipId, EipMode, EipTarget, ExternalId, HavipId, NatGatewayId, Network, NicId,
    PeeringId, SubnetId, VpcId,
};

/// A box: its heading, what stands below it, and what is said when it is pointed at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) head: String,
    pub(super) lines: Vec<String>,
    pub(super) tip: String,
}

impl Label {
    /// A heading alone.
    pub(super) fn of(head: &str) -> Self {
        Self {
            head: head.to_owned(),
            ..Self::default()
        }
    }

    /// All that is written in the box.
    pub(super) fn all(&self) -> Vec<String> {
        let lines = std::iter::once(&self.head).chain(&self.lines);
        lines.cloned().collect()
    }
}

/// Eips that a NAT gateway's box lists.
const MOST_EIPS: usize = 4;

pub(super) fn vpc(network: &Network, id: VpcId) -> Label {
    let vpc = network.vpc(id);
    let cidrs = listed(vpc.cidrs.iter());
    let account = match vpc.account.as_str() {
        // The account of who names none.
        "" | "default" => String::new(),
        account => format!(", account {account}"),
    };
    Label {
        head: format!("vpc {}", vpc.name),
        tip: format!(
            "vpc {}\n{cidrs}{account}\nroute table {}",
            vpc.name,
            network.route_table(vpc.default_route_table).name
        ),
        lines: vec![format!("{cidrs}{account}")],
    }
}

pub(super) fn subnet(network: &Network, id: SubnetId) -> Label {
    let subnet = network.subnet(id);
    let table = &network.route_table(subnet.route_table).name;
    let acl = subnet.acl.map(|acl| network.acl(acl).name.as_str());
    let edge = match acl {
        Some(acl) => format!("table {table}, acl {acl}"),
        None => format!("table {table}"),
    };
    Label {
        head: format!("{} {}", subnet.name, subnet.cidr),
        tip: format!(
            "subnet {} {}\nzone {}\nroute table {table}\n{}",
            subnet.name,
            subnet.cidr,
            network.zone(subnet.zone).name,
            acl.map_or_else(|| "no acl".to_owned(), |acl| format!("acl {acl}")),
        ),
        lines: vec![edge],
    }
}

pub(super) fn nic(network: &Network, id: NicId) -> Label {
    let nic = network.nic(id);
    let host = network.cvm(nic.cvm);
    let head = if host.nics.len() > 1 {
        network.nic_name(id)
    } else {
        host.name.clone()
    };
    let addresses = nic.addresses.len();
    let mut lines = vec![match addresses {
        1 => nic.address().to_string(),
        many => format!("{} +{}", nic.address(), many - 1),
    }];
    let bound = |target| matches!(target, Some(EipTarget::Address(at, _)) if at == id);
    let eips = network.eips.iter().filter(|eip| bound(eip.target));
    let eips: Vec<Ipv4Addr> = eips.map(|eip| eip.address).collect();
    match eips.as_slice() {
        [] => {}
        [one] => lines.push(format!("eip {one}")),
        [one, rest @ ..] => lines.push(format!("eip {one} +{}", rest.len())),
    }
    let marks = [(!host.running, "stopped"), (host.ip_forward, "forwards")];
    let marks: Vec<&str> = marks
        .iter()
        .filter(|mark| mark.0)
        .map(|mark| mark.1)
        .collect();
    lines.extend((!marks.is_empty()).then(|| marks.join(", ")));
    let groups = nic.security_groups.iter();
    let groups = groups.map(|&id| &network.security_group(id).name);
    let mut tip = vec![
        format!("cvm {}, nic {}", host.name, nic.name),
        listed(nic.addresses.iter().map(|own| own.address)),
        match nic.security_groups.len() {
            0 => "no security group: open to all".to_owned(),
            _ => format!("security groups {}", listed(groups)),
        },
    ];
    tip.extend(eips.iter().map(|address| format!("eip {address}")));
    if let Some(services) = &host.listen {
        let services = services.iter().flat_map(|service| {
            let protocol = service
                .protocol
                .number()
                .map_or("all", |number| if number == 6 { "tcp" } else { "udp" });
            service
                .ports
                .iter()
                .map(move |port| format!("{protocol} {port}"))
        });
        tip.push(format!("listens on {}", listed(services)));
    }
    tip.extend(marks.iter().map(|mark| (*mark).to_owned()));
    Label {
        head,
        lines,
        tip: tip.join("\n"),
    }
}

pub(super) fn more(network: &Network, nics: &[NicId]) -> Label {
    let names = nics.iter().map(|&nic| network.nic_name(nic));
    Label {
        head: format!("+{} more", nics.len()),
        lines: Vec::new(),
        tip: listed(names),
    }
}

pub(super) fn havip(network: &Network, id: HavipId) -> Label {
    let havip = network.havip(id);
    let holder = match havip.holder {
        Some(nic) => format!("held by {}", network.cvm(network.nic(nic).cvm).name),
        None => "held by nobody".to_owned(),
    };
    Label {
        head: format!("havip {}", havip.name),
        tip: format!("havip {} {}\n{holder}", havip.name, havip.address),
        lines: vec![havip.address.to_string(), holder],
    }
}

pub(super) fn nat(network: &Network, id: NatGatewayId) -> Label {
    let gateway = network.nat_gateway(id);
    let eips = gateway.eips.iter().map(|&id| {
        let eip = network.eip(id);
        format!("{} {}", eip.name, eip.address)
    });
    let eips: Vec<String> = eips.collect();
    let mut lines: Vec<String> = eips.iter().take(MOST_EIPS).cloned().collect();
    if eips.len() > MOST_EIPS {
        lines.push(format!("+{} more eips", eips.len() - MOST_EIPS));
    }
    if !gateway.enabled {
        lines.push("disabled".to_owned());
    }
    let mut tip = vec![format!("nat gateway {}", gateway.name)];
    tip.extend(eips.iter().map(|eip| format!("eip {eip}")));
    tip.extend(
        gateway
            .snat
            .iter()
            .map(|rule| format!("snat {}", network.snat_rule_words(rule))),
    );
    tip.extend(
        gateway
            .dnat
            .iter()
            .map(|rule| format!("dnat {}", network.dnat_rule_words(rule))),
    );
    tip.push(format!("at most {} connections", gateway.max_connections));
    Label {
        head: format!("nat {}", gateway.name),
        lines,
        tip: tip.join("\n"),
    }
}

pub(super) fn eip(network: &Network, id: EipId) -> Label {
    let eip = network.eip(id);
    let target = match eip.target {
        Some(EipTarget::Address(nic, _)) => {
            format!("of {}", network.cvm(network.nic(nic).cvm).name)
        }
        Some(EipTarget::Havip(havip)) => format!("of havip {}", network.havip(havip).name),
        Some(EipTarget::NatGateway(gateway)) => {
            format!("of nat {}", network.nat_gateway(gateway).name)
        }
        None => "bound to nothing".to_owned(),
    };
    let mode = match eip.mode {
        EipMode::Nat => "",
        EipMode::Direct => ", direct",
    };
    let rate = match eip.bandwidth {
        Bandwidth::Unlimited => "unlimited".to_owned(),
        Bandwidth::Mbps(rate) => format!("{rate} Mbps"),
    };
    Label {
        head: format!("eip {}", eip.name),
        lines: vec![eip.address.to_string(), format!("{target}{mode}")],
        tip: format!("eip {} {}\n{target}{mode}\n{rate}", eip.name, eip.address),
    }
}

/// A peering, as one of its vpcs sees it.
pub(super) fn peering(network: &Network, id: PeeringId, from: VpcId) -> Label {
    let peering = network.peering(id);
    let other = peering.other(from).unwrap_or(from);
    let other = format!("to vpc {}", network.vpc(other).name);
    let state = if peering.active { "" } else { ", not active" };
    Label {
        head: format!("peering {}", peering.name),
        tip: format!("peering {}\n{other}{state}", peering.name),
        lines: vec![format!("{other}{state}")],
    }
}

pub(super) fn external(network: &Network, id: ExternalId) -> Label {
    let external = network.external(id);
    let kind = external.kind.name();
    let mut lines = Vec::new();
    if !external.enabled {
        lines.push("disabled".to_owned());
    }
    Label {
        head: format!("{kind} {}", external.name),
        tip: format!(
            "{kind} {}\nleads to {}",
            external.name,
            behind(network, id).head
        ),
        lines,
    }
}

/// What lies behind an external.
pub(super) fn behind(network: &Network, id: ExternalId) -> Label {
    let external = network.external(id);
    let networks = match external.networks.len() {
        0 => "networks not declared".to_owned(),
        _ => listed(external.networks.iter()),
    };
    Label {
        head: networks.clone(),
        lines: Vec::new(),
        tip: format!(
            "behind {} {}\n{networks}",
            external.kind.name(),
            external.name
        ),
    }
}

fn listed<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Text between tags, or in an attribute in double quotes, of XML and HTML. What XML cannot have
/// (XML 1.0 §2.2) becomes the replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}
