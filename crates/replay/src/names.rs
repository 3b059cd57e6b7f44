//! Elements, rules and drops as they are written in output.

use vpcsim_dataplane::{Drop, Element, Program, Rule, Source};

/// An element with its kind: `acl edge`, `nic web-1/eth0`, `internet`.
pub fn element_text(program: &Program, element: Element) -> String {
    let name = program.element_name(element);
    match element_kind(element) {
        kind if kind == name => name,
        kind => format!("{kind} {name}"),
    }
}

/// The kind of an element, in the words of the network file.
pub(crate) fn element_kind(element: Element) -> &'static str {
    match element {
        Element::Nic(_) => "nic",
        Element::SecurityGroup(_) => "security group",
        Element::SecurityGroupsOf(_) => "security groups",
        Element::Acl(_) => "acl",
        Element::RouteTable(_) => "route table",
        Element::Peering(_) => "peering",
        Element::Eip(_) => "eip",
        Element::NatGateway(_) => "nat gateway",
        Element::Havip(_) => "havip",
        Element::Cvm(_) => "cvm",
        Element::Subnet(_) => "subnet",
        Element::Vpc(_) => "vpc",
        Element::External(_) => "external",
        Element::Address(_) => "address",
        Element::Internet => "internet",
        Element::Packet => "packet",
    }
}

/// A rule: `ingress 3 (line 41)`; without a line where none declares it.
pub fn rule_text(rule: Rule) -> String {
    match rule.line {
        0 => rule.to_string(),
        line => format!("{rule} (line {line})"),
    }
}

/// Where packets start: `web-1`, `web-1/eth0`, `internet`, `external:office`.
pub(crate) fn source_text(program: &Program, source: Source) -> String {
    let network = program.network();
    match source {
        Source::Cvm(cvm) => network.cvm(cvm).name.clone(),
        Source::Nic(nic) => program.nic_name(nic),
        Source::Internet => "internet".to_owned(),
        Source::External(external) => format!("external:{}", network.external(external).name),
    }
}

/// What rp_filter saw: `rp_filter 1, the way back leads out of web-1/eth1`.
pub(crate) fn detail_text(program: &Program, drop: &Drop) -> Option<String> {
    let seen = drop.reverse_path?;
    let back = match seen.nic {
        Some(nic) => format!("the way back leads out of {}", program.nic_name(nic)),
        None => "there is no way back".to_owned(),
    };
    Some(format!("rp_filter {}, {back}", seen.value))
}

/// A drop in one line: `acl-deny at acl-ingress: acl edge, ingress 3 (line 41)`.
pub fn drop_text(program: &Program, drop: &Drop) -> String {
    let element = element_text(program, drop.element);
    let mut text = format!("{} at {}: {element}", drop.reason, drop.stage);
    let rule = drop.rule.map(rule_text);
    let policy = drop.policy.map(|policy| format!("policy {policy}"));
    for part in [rule, policy, detail_text(program, drop)]
        .into_iter()
        .flatten()
    {
        text.push_str(", ");
        text.push_str(&part);
    }
    text
}
