//! A sketch as the text of a network file.
//!
//! Addresses say where they are: host `h` of subnet `s` of vpc `v` is 10.`v`.`s`.`10 + h`.

use super::network::{Gateway, Group, Host, Sketch, Vpc};
use std::fmt::Write;

/// The rules that groups are made of; `{}` is a group, the side is `from` or `to`.
const GROUP_RULES: [&str; 10] = [
    "accept all SIDE any",
    "accept tcp 80,443 SIDE any",
    "accept tcp 22 SIDE 10.0.0.0/8",
    "accept icmp SIDE any",
    "accept udp 53 SIDE any",
    "drop tcp 8000-8100 SIDE any",
    "accept all SIDE GROUP",
    "drop all SIDE 10.1.0.0/16",
    "accept gre SIDE any",
    "accept tcp all SIDE 198.51.100.0/24",
];

const ACL_RULES: [&str; 7] = [
    "accept all SIDE any",
    "accept tcp 80 SIDE any",
    "accept tcp 1024-65535 SIDE any",
    "accept udp all SIDE 10.0.0.0/8",
    "accept icmp SIDE any",
    "drop tcp 22 SIDE any",
    "drop all SIDE 10.2.0.0/16",
];

pub(super) fn yaml(sketch: &Sketch) -> String {
    let mut text = "regions: {home: {zones: [home-1, home-2]}}\n".to_owned();
    let sections = [
        section("vpcs", sketch, vpcs),
        groups(sketch),
        section("acls", sketch, acls),
        section("route_tables", sketch, |out, v, vpc| {
            tables(out, v, vpc, sketch);
        }),
        peerings(sketch),
        section("eips", sketch, eips),
        section("nat_gateways", sketch, gateways),
        section("havips", sketch, havips),
        section("externals", sketch, externals),
        section("cvms", sketch, |out, v, vpc| cvms(out, v, vpc, sketch)),
        policies(&sketch.policies),
    ];
    text.extend(sections);
    text
}

/// A section with what each vpc has in it; nothing where none has anything.
fn section(name: &str, sketch: &Sketch, write: impl Fn(&mut String, usize, &Vpc)) -> String {
    let mut body = String::new();
    for (v, vpc) in sketch.vpcs.iter().enumerate() {
        write(&mut body, v, vpc);
    }
    if body.is_empty() {
        body
    } else {
        format!("{name}:\n{body}")
    }
}

macro_rules! line {
    ($out:expr, $($format:tt)*) => {{
        // A String takes everything.
        let _ = writeln!($out, $($format)*);
    }};
}

fn vpcs(out: &mut String, v: usize, vpc: &Vpc) {
    let account = if vpc.own_account {
        format!("team-{v}")
    } else {
        "default".to_owned()
    };
    let second = if vpc.second_cidr {
        format!(", 172.{}.0.0/16", 16 + v)
    } else {
        String::new()
    };
    line!(out, "  v{v}:");
    line!(out, "    account: {account}");
    line!(out, "    cidrs: [10.{v}.0.0/16{second}]");
    line!(out, "    route_table: t{v}");
    line!(out, "    subnets:");
    for (s, subnet) in vpc.subnets.iter().enumerate() {
        let zone = s % 2 + 1;
        let acl = match subnet.acl {
            Some(acl) if !vpc.acls.is_empty() => {
                format!(", acl: a{v}-{}", usize::from(acl) % vpc.acls.len())
            }
            _ => String::new(),
        };
        let table = if subnet.empty_table {
            format!(", route_table: none{v}")
        } else {
            String::new()
        };
        line!(
            out,
            "      s{v}-{s}: {{cidr: 10.{v}.{s}.0/24, zone: home-{zone}{acl}{table}}}"
        );
    }
}

fn rules(out: &mut String, pool: &[&str], group: &Group, groups: usize) {
    for (list, side, numbers) in [
        ("ingress", "from", &group.ingress),
        ("egress", "to", &group.egress),
    ] {
        let rules: Vec<String> = numbers
            .iter()
            .map(|&number| {
                let number = usize::from(number);
                let peer = format!("g{}", number / pool.len() % groups.max(1));
                let rule = pool[number % pool.len()].replace("SIDE", side);
                format!("\"{}\"", rule.replace("GROUP", &peer))
            })
            .collect();
        line!(out, "    {list}: [{}]", rules.join(", "));
    }
}

fn groups(sketch: &Sketch) -> String {
    let mut out = "security_groups:\n".to_owned();
    for (g, group) in sketch.groups.iter().enumerate() {
        line!(out, "  g{g}:");
        rules(&mut out, &GROUP_RULES, group, sketch.groups.len());
    }
    out
}

fn acls(out: &mut String, v: usize, vpc: &Vpc) {
    for (a, acl) in vpc.acls.iter().enumerate() {
        line!(out, "  a{v}-{a}:");
        line!(out, "    vpc: v{v}");
        rules(out, &ACL_RULES, acl, 0);
    }
}

/// The pairs of vpcs that peer, with whether the other side accepted.
fn pairs(sketch: &Sketch) -> Vec<(usize, usize, bool)> {
    let count = sketch.vpcs.len();
    let all = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    all.zip(&sketch.peerings)
        .filter(|(_, (peer, _))| *peer)
        .map(|((a, b), (_, accepted))| (a, b, *accepted))
        .collect()
}

fn tables(out: &mut String, v: usize, vpc: &Vpc, sketch: &Sketch) {
    let mut routes = Vec::new();
    for (a, b, _) in pairs(sketch) {
        let other = match v {
            _ if v == a => b,
            _ if v == b => a,
            _ => continue,
        };
        if vpc.peer_routes[other] {
            routes.push(format!("{{to: 10.{other}.0.0/16, via: peering/p{a}-{b}}}"));
        }
    }
    if vpc.eip_route {
        routes.push("{to: 0.0.0.0/0, via: eip}".to_owned());
    }
    if vpc.gateway.is_some() {
        routes.push(format!("{{to: 0.0.0.0/0, via: nat/n{v}}}"));
    }
    if vpc.external {
        routes.push(format!("{{to: 192.168.{v}.0/24, via: vpn/x{v}}}"));
    }
    line!(
        out,
        "  t{v}: {{vpc: v{v}, routes: [{}]}}",
        routes.join(", ")
    );
    line!(out, "  none{v}: {{vpc: v{v}, routes: []}}");
}

fn peerings(sketch: &Sketch) -> String {
    let mut out = String::new();
    for (a, b, accepted) in pairs(sketch) {
        line!(
            out,
            "  p{a}-{b}: {{vpcs: [v{a}, v{b}], accepted: {accepted}}}"
        );
    }
    if out.is_empty() {
        out
    } else {
        format!("peerings:\n{out}")
    }
}

/// Every host of a vpc with its subnet and number.
fn hosts(vpc: &Vpc) -> impl Iterator<Item = (usize, usize, &Host)> {
    let subnets = vpc.subnets.iter().enumerate();
    subnets.flat_map(|(s, subnet)| {
        subnet
            .hosts
            .iter()
            .enumerate()
            .map(move |(h, host)| (s, h, host))
    })
}

fn eips(out: &mut String, v: usize, vpc: &Vpc) {
    for (s, h, host) in hosts(vpc) {
        if let Some(direct) = host.eip {
            let mode = if direct { "direct" } else { "nat" };
            let last = 100 + s * 10 + h;
            line!(
                out,
                "  e{v}-{s}-{h}: {{address: 203.0.{v}.{last}, bind: c{v}-{s}-{h}, mode: {mode}}}"
            );
        }
    }
    let Some(gateway) = &vpc.gateway else { return };
    for number in 0..=usize::from(gateway.two_eips) {
        line!(
            out,
            "  n{v}-{number}: {{address: 203.0.{v}.{}}}",
            number + 1
        );
    }
}

fn gateways(out: &mut String, v: usize, vpc: &Vpc) {
    let Some(Gateway {
        two_eips,
        strict,
        enabled,
        subnet_rule,
        few_connections,
        dnat,
    }) = &vpc.gateway
    else {
        return;
    };
    let eips = if *two_eips {
        format!("n{v}-0, n{v}-1")
    } else {
        format!("n{v}-0")
    };
    line!(out, "  n{v}:");
    line!(out, "    vpc: v{v}");
    line!(out, "    eips: [{eips}]");
    line!(out, "    strict_snat: {strict}");
    line!(out, "    enabled: {enabled}");
    if *few_connections {
        line!(out, "    max_connections: 3");
    }
    if *subnet_rule {
        line!(out, "    snat: [{{from: subnet/s{v}-0, eips: [n{v}-0]}}]");
    }
    if *dnat {
        line!(out, "    dnat:");
        line!(
            out,
            "      - {{eip: n{v}-0, protocol: tcp, port: 8443, to: 10.{v}.0.10, to_port: 443}}"
        );
        line!(
            out,
            "      - {{eip: n{v}-0, protocol: udp, port: 5353, to: 10.{v}.0.10, to_port: 53}}"
        );
    }
}

fn havips(out: &mut String, v: usize, vpc: &Vpc) {
    let Some(holder) = vpc.havip else { return };
    let first = &vpc.subnets[0].hosts;
    let holder = holder.map_or(String::new(), |holder| {
        format!(", holder: c{v}-0-{}", usize::from(holder) % first.len())
    });
    line!(
        out,
        "  h{v}: {{subnet: s{v}-0, address: 10.{v}.0.200{holder}}}"
    );
}

fn externals(out: &mut String, v: usize, vpc: &Vpc) {
    if vpc.external {
        line!(
            out,
            "  x{v}: {{kind: vpn, vpc: v{v}, networks: [192.168.{v}.0/24]}}"
        );
    }
}

fn cvms(out: &mut String, v: usize, vpc: &Vpc, sketch: &Sketch) {
    for (s, h, host) in hosts(vpc) {
        // The other subnet of the same zone, where there is one.
        let other = (s + 2 < vpc.subnets.len())
            .then_some(s + 2)
            .or(s.checked_sub(2));
        cvm(out, (v, s, h), host, other, sketch);
    }
}

fn cvm(
    out: &mut String,
    (v, s, h): (usize, usize, usize),
    host: &Host,
    other: Option<usize>,
    sketch: &Sketch,
) {
    let mut groups: Vec<String> = host
        .groups
        .iter()
        .map(|&group| format!("g{}", usize::from(group) % sketch.groups.len()))
        .collect();
    groups.dedup();
    let groups = if groups.is_empty() {
        String::new()
    } else {
        format!(", security_groups: [{}]", groups.join(", "))
    };
    let first = 10 + h;
    let addresses = match host.second_address {
        None => format!("10.{v}.{s}.{first}"),
        Some(configured) => format!(
            "10.{v}.{s}.{first}, {{address: 10.{v}.{s}.{}, configured: {configured}}}",
            50 + h
        ),
    };
    line!(out, "  c{v}-{s}-{h}:");
    line!(out, "    running: {}", host.running);
    line!(out, "    ip_forward: {}", host.forwards);
    line!(out, "    nics:");
    let forwarding = host.forwards;
    line!(
        out,
        "      eth0: {{subnet: s{v}-{s}, addresses: [{addresses}], forwarding: {forwarding}{groups}}}"
    );
    let second = other.filter(|_| host.second_nic);
    if let Some(other) = second {
        let last = 100 + s * 10 + h;
        line!(
            out,
            "      eth1: {{subnet: s{v}-{other}, addresses: [10.{v}.{other}.{last}]}}"
        );
        if host.rules {
            line!(
                out,
                "    routes: [{{to: 0.0.0.0/0, via: 10.{v}.{other}.1, nic: eth1, table: 20}}]"
            );
            line!(
                out,
                "    rules: [{{from: 10.{v}.{other}.{last}, table: 20}}]"
            );
        }
    }
    if host.lo {
        line!(out, "    lo: [10.{v}.{s}.{}]", 150 + h);
    }
    if let Some((all, eth0)) = host.rp_filter {
        line!(out, "    sysctl:");
        line!(out, "      net.ipv4.conf.all.rp_filter: {all}");
        line!(out, "      net.ipv4.conf.eth0.rp_filter: {eth0}");
    }
}

fn policies(choices: &[u8; 9]) -> String {
    let pick =
        |at: usize, options: &[&'static str]| options[usize::from(choices[at]) % options.len()];
    let mut out = "policies:\n".to_owned();
    // The default is twice as likely as its alternatives.
    line!(
        out,
        "  source_check: {}",
        pick(0, &["cvm", "cvm", "nic", "off"])
    );
    line!(
        out,
        "  acl_port: {}",
        pick(1, &["destination", "destination", "source", "either"])
    );
    line!(out, "  sg_across_peering: {}", pick(2, &["none", "match"]));
    line!(
        out,
        "  mid_stream: {}",
        pick(3, &["judge", "judge", "drop"])
    );
    line!(
        out,
        "  tcp_window: {}",
        pick(4, &["ignore", "ignore", "track"])
    );
    line!(out, "  hairpin: {}", pick(5, &["false", "false", "true"]));
    let filtering = [
        "endpoint-dependent",
        "endpoint-dependent",
        "endpoint-independent",
    ];
    line!(out, "  filtering: {}", pick(6, &filtering));
    line!(out, "  fabric_ttl: {}", pick(7, &["0", "0", "1"]));
    line!(
        out,
        "  mtu: {}",
        pick(8, &["ignore", "ignore", "icmp", "silent"])
    );
    out
}
