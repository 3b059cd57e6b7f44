//! The network file, as a person would keep it.

use super::groups::{Rule, Template};
use super::hosts::{Host, WayOut};
use super::plan::{Gateway, Plan};
use super::rules::{OwnEip, Proto, Stats, Why};
use crate::time::rfc3339;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Comments begin no farther right than here.
const WIDEST: usize = 72;

/// Lines of a list or mapping, each with a comment that may be empty; comments one below the other.
#[derive(Debug, Default)]
struct Block(Vec<(String, String)>);

impl Block {
    fn add(&mut self, line: String, comment: String) {
        self.0.push((line, comment));
    }

    fn write(&self, out: &mut String) {
        let widths = self.0.iter().map(|(line, _)| line.chars().count());
        let column = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        for (line, comment) in &self.0 {
            if comment.is_empty() {
                let _ = writeln!(out, "{line}");
            } else {
                let _ = writeln!(out, "{line:column$}  # {comment}");
            }
        }
    }
}

/// The file of a plan; `head` goes above it as a comment.
pub(super) fn write(plan: &Plan, head: &str) -> String {
    let mut out = String::new();
    for line in head.lines() {
        let _ = writeln!(out, "{}", format!("# {line}").trim_end());
    }
    vpcs(plan, &mut out);
    groups(plan, &mut out);
    templates(&plan.templates, &mut out);
    route_tables(plan, &mut out);
    public(plan, &mut out);
    cvms(plan, &mut out);
    out
}

/// Whether anybody in a vpc reaches the internet.
fn is_online(plan: &Plan, vpc: usize) -> bool {
    let own = plan.hosts.iter().filter(|host| host.home.vpc == vpc);
    own.map(|host| host.way_out).any(|way| way != WayOut::None)
}

fn vpcs(plan: &Plan, out: &mut String) {
    out.push_str("\nvpcs:\n");
    for (number, vpc) in plan.vpcs.iter().enumerate() {
        let _ = writeln!(out, "  {}:", vpc.name);
        match vpc.ranges.as_slice() {
            [only] => {
                let _ = writeln!(out, "    cidr: {only}");
            }
            several => {
                let ranges: Vec<String> = several.iter().map(ToString::to_string).collect();
                let _ = writeln!(out, "    cidrs: [{}]", ranges.join(", "));
            }
        }
        if is_online(plan, number) {
            let _ = writeln!(out, "    route_table: {}", vpc.name);
        }
        out.push_str("    subnets:\n");
        let mut block = Block::default();
        for (at, subnet) in vpc.subnets.iter().enumerate() {
            let own = |host: &&Host| (host.home.vpc, host.home.subnet) == (number, at);
            let hosts = plan.hosts.iter().filter(own).count();
            let line = format!("      {}: {{cidr: {}}}", subnet.name, subnet.cidr);
            block.add(line, counted(hosts as u64, "host"));
        }
        block.write(out);
    }
}

fn groups(plan: &Plan, out: &mut String) {
    out.push_str("\nsecurity_groups:\n");
    for (group, rules) in plan.groups.iter().zip(&plan.rules) {
        let mut head = Block::default();
        let comment = match group.members.len() {
            1 => String::new(),
            several => format!("{several} hosts"),
        };
        head.add(format!("  {}:", group.name), comment);
        head.write(out);
        for (list, word, rules) in [("ingress", "from", &rules[0]), ("egress", "to", &rules[1])] {
            if rules.is_empty() {
                let _ = writeln!(out, "    {list}: []");
                continue;
            }
            let _ = writeln!(out, "    {list}:");
            let mut block = Block::default();
            for rule in rules {
                let ports = if rule.ports.is_empty() { "" } else { " " };
                let line = format!(
                    "      - accept {}{ports}{} {word} {}",
                    rule.proto.word(),
                    rule.ports,
                    rule.peer
                );
                block.add(line, rule_comment(rule));
            }
            block.write(out);
        }
    }
}

fn rule_comment(rule: &Rule) -> String {
    let Some(stats) = &rule.stats else {
        return String::new();
    };
    let with = match rule.addresses {
        0 | 1 => String::new(),
        several => format!(" with {several} hosts"),
    };
    let narrow = match rule.proto {
        Proto::All => "; rules have no narrower word for this protocol",
        _ => "",
    };
    format!("{}{narrow}", learned_from(rule.proto, stats, &with))
}

/// `12 connections with 5 hosts, 340 packets, first 2014-10-11 19:15:30`
fn learned_from(proto: Proto, stats: &Stats, with: &str) -> String {
    let conversations = counted(stats.conversations, proto.one());
    let first = second(stats.first);
    let what = match stats.why {
        Why::Service => format!("{conversations}{with}"),
        Why::Answer => format!("answers of {conversations}{with} under way, or silent for long"),
        Why::Error => format!("icmp errors{with}"),
    };
    format!(
        "{what}, {}, first {first}",
        counted(stats.packets, "packet")
    )
}

fn templates(templates: &[Template], out: &mut String) {
    if templates.is_empty() {
        return;
    }
    out.push_str("\naddress_templates:\n");
    for template in templates {
        let _ = writeln!(out, "  {}:", template.name);
        let mut block = Block::default();
        for (address, stats) in &template.addresses {
            let comment = learned_from(template.proto, stats, "");
            block.add(format!("    - {address}"), comment);
        }
        block.write(out);
    }
}

fn route_tables(plan: &Plan, out: &mut String) {
    let online = (0..plan.vpcs.len()).filter(|&vpc| is_online(plan, vpc));
    let online: Vec<usize> = online.collect();
    if online.is_empty() {
        return;
    }
    out.push_str("\nroute_tables:\n");
    for vpc in online {
        let name = &plan.vpcs[vpc].name;
        let _ = writeln!(out, "  {name}:");
        if plan.vpcs.len() > 1 {
            let _ = writeln!(out, "    vpc: {name}");
        }
        out.push_str("    routes:\n");
        let mut block = Block::default();
        for &host in &plan.detours {
            let host = &plan.hosts[host];
            if host.home.vpc == vpc {
                let (to, via) = (host.captured, &host.name);
                let line = format!("      - {{to: {to}/32, via: instance/{via}}}");
                block.add(line, "as hosts of the vpc see it".to_owned());
            }
        }
        let mut hosts = plan.hosts.iter().filter(|host| host.home.vpc == vpc);
        let has_eips = hosts.any(Host::has_eip);
        let gateway = plan.gateways.iter().find(|gateway| gateway.vpc == vpc);
        // Whose way which is has to be said only where there are both.
        let said = |who: &str| match has_eips && gateway.is_some() {
            true => who.to_owned(),
            false => String::new(),
        };
        if has_eips {
            let line = "      - {to: 0.0.0.0/0, via: eip}".to_owned();
            block.add(line, said("who has an eip"));
        }
        if let Some(gateway) = gateway {
            let line = format!("      - {{to: 0.0.0.0/0, via: nat/{}}}", gateway.name);
            block.add(line, said("everybody else"));
        }
        block.write(out);
    }
}

fn public(plan: &Plan, out: &mut String) {
    let mut block = Block::default();
    for gateway in &plan.gateways {
        let (name, address) = (&gateway.name, gateway.eip);
        let line = format!("  {name}: {{address: {address}, bandwidth: unlimited}}");
        block.add(
            line,
            "made up; hosts that only ask the internet share it".to_owned(),
        );
    }
    for host in &plan.hosts {
        let name = &host.name;
        match host.way_out {
            WayOut::Eip(address, why) => {
                let why = match why {
                    OwnEip::Serves => "made up; the internet asks this host",
                    OwnEip::Protocol => "made up; a nat gateway does not carry its protocol",
                    OwnEip::NoSession => {
                        "made up; of a conversation under way a nat gateway knows nothing"
                    }
                };
                let line =
                    format!("  {name}: {{address: {address}, bind: {name}, bandwidth: unlimited}}");
                block.add(line, why.to_owned());
            }
            WayOut::Direct => {
                let address = host.captured;
                let line = format!(
                    "  {name}: {{address: {address}, bind: {name}, mode: direct, bandwidth: unlimited}}"
                );
                block.add(line, String::new());
            }
            WayOut::None | WayOut::Gateway => {}
        }
    }
    if block.0.is_empty() {
        return;
    }
    out.push_str("\neips:\n");
    block.write(out);
    if plan.gateways.is_empty() {
        return;
    }
    out.push_str("\nnat_gateways:\n");
    for Gateway { name, vpc, .. } in &plan.gateways {
        let vpc = match plan.vpcs.len() {
            1 => String::new(),
            _ => format!("vpc: {}, ", plan.vpcs[*vpc].name),
        };
        let _ = writeln!(
            out,
            "  {name}: {{{vpc}eips: [{name}], bandwidth: unlimited}}"
        );
    }
}

fn cvms(plan: &Plan, out: &mut String) {
    out.push_str("\ncvms:\n");
    let mut block = Block::default();
    for (host, &group) in plan.hosts.iter().zip(&plan.group_of) {
        let subnet = &plan.vpcs[host.home.vpc].subnets[host.home.subnet].name;
        let listen = listen(host);
        let captured_as = if host.has_own_address() {
            String::new()
        } else {
            format!(", captured_as: [{}]", host.captured)
        };
        let line = format!(
            "  {}: {{subnet: {subnet}, address: {}, security_groups: [{}]{listen}{captured_as}}}",
            host.name, host.home.address, plan.groups[group].name
        );
        let comment = format!("sent {}", counted(host.packets, "packet"));
        block.add(line, comment);
    }
    block.write(out);
}

/// `, listen: ["tcp:80,443", "udp:53"]`
fn listen(host: &Host) -> String {
    let mut ports: BTreeMap<Proto, Vec<String>> = BTreeMap::new();
    for (proto, port) in host.learned.services.keys() {
        ports.entry(*proto).or_default().push(port.to_string());
    }
    if ports.is_empty() {
        return String::new();
    }
    let services = ports.iter().map(|(proto, ports)| {
        let (proto, ports) = (proto.word(), ports.join(","));
        format!("\"{proto}:{ports}\"")
    });
    format!(", listen: [{}]", services.collect::<Vec<_>>().join(", "))
}

fn counted(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

/// `2014-10-11 19:15:30`
pub(super) fn second(nanos: u64) -> String {
    let text = rfc3339(nanos);
    text.split('.').next().unwrap_or(&text).replace('T', " ")
}
