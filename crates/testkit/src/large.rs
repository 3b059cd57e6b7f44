//! Networks as large as those that people run, for measuring how things grow.

use std::fmt::Write;

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Vpcs, at most 200; each has a peering with the next.
    pub vpcs: usize,
    /// Subnets over all vpcs.
    pub subnets: usize,
    /// Hosts over all subnets.
    pub cvms: usize,
    /// Security groups; the hosts of a subnet share one.
    pub groups: usize,
    /// Rules of each group.
    pub rules: usize,
    /// Rules of all acls together; one acl for each vpc, bound to every other subnet.
    pub acl_rules: usize,
}

impl Size {
    /// A company's: 10 vpcs, 200 subnets, 2 000 hosts, 100 groups of 100 rules, 500 acl rules.
    pub const COMPANY: Self = Self {
        vpcs: 10,
        subnets: 200,
        cvms: 2_000,
        groups: 100,
        rules: 100,
        acl_rules: 500,
    };

    /// A network file of this size. The same size gives the same file.
    pub fn network(self) -> String {
        let mut text = "regions: {home: {zones: [home-1, home-2]}}\n".to_owned();
        for section in [
            self.vpcs(),
            self.groups(),
            self.acls(),
            self.tables(),
            self.gateways(),
            self.hosts(),
        ] {
            text.push_str(&section);
        }
        text
    }

    fn subnets_each(self) -> usize {
        self.subnets.div_ceil(self.vpcs).clamp(1, 250)
    }

    fn vpcs(self) -> String {
        let mut out = "vpcs:\n".to_owned();
        for v in 0..self.vpcs {
            line(&mut out, &format!("  v{v}:"));
            line(&mut out, &format!("    cidr: 10.{v}.0.0/16"));
            line(&mut out, &format!("    route_table: t{v}"));
            line(&mut out, "    subnets:");
            for s in 0..self.subnets_each() {
                let acl = if s % 2 == 1 && self.acl_rules > 0 {
                    format!(", acl: a{v}")
                } else {
                    String::new()
                };
                line(
                    &mut out,
                    &format!("      s{v}-{s}: {{cidr: 10.{v}.{s}.0/24, zone: home-1{acl}}}"),
                );
            }
        }
        out
    }

    fn groups(self) -> String {
        let mut out = "security_groups:\n".to_owned();
        for g in 0..self.groups {
            line(&mut out, &format!("  g{g}:"));
            line(&mut out, "    ingress:");
            let egress = self.rules / 5;
            for r in 0..self.rules - egress {
                line(&mut out, &format!("      - {}", self.rule(g, r, "from")));
            }
            line(&mut out, "    egress:");
            for r in 1..egress {
                line(&mut out, &format!("      - {}", self.rule(g + 7, r, "to")));
            }
            line(&mut out, "      - accept all to any");
        }
        out
    }

    /// The `r`th rule of the `g`th group: services from subnets, vpcs, groups and strangers.
    fn rule(self, g: usize, r: usize, side: &str) -> String {
        let (v, s) = ((g + r) % self.vpcs, (g * 7 + r * 3) % self.subnets_each());
        let port = 1_000 + (g * 131 + r * 37) % 60_000;
        match r % 6 {
            0 => format!("accept tcp {port} {side} 10.{v}.{s}.0/24"),
            1 => format!(
                "accept tcp {port}-{} {side} g{}",
                port + 10,
                (g + r) % self.groups
            ),
            2 => format!(
                "drop tcp {port}-{} {side} 10.{v}.{s}.{}/32",
                port + 99,
                10 + r % 10
            ),
            3 => format!("accept udp {port} {side} 10.{v}.0.0/16"),
            4 => format!("accept tcp 443,{port} {side} 198.{}.{s}.0/24", 51 + v),
            _ => format!("accept icmp {side} 10.{v}.{s}.0/26"),
        }
    }

    fn acls(self) -> String {
        if self.acl_rules == 0 {
            return String::new();
        }
        let mut out = "acls:\n".to_owned();
        let each = (self.acl_rules / self.vpcs / 2).max(2);
        for v in 0..self.vpcs {
            line(&mut out, &format!("  a{v}:"));
            line(&mut out, &format!("    vpc: v{v}"));
            for (list, side) in [("ingress", "from"), ("egress", "to")] {
                line(&mut out, &format!("    {list}:"));
                for r in 1..each {
                    let (other, s) = ((v + r) % self.vpcs, r % self.subnets_each());
                    let port = 2_000 + r * 13;
                    line(
                        &mut out,
                        &format!("      - drop tcp {port} {side} 10.{other}.{s}.0/24"),
                    );
                }
                line(&mut out, &format!("      - accept all {side} any"));
            }
        }
        out
    }

    fn tables(self) -> String {
        let mut out = "route_tables:\n".to_owned();
        for v in 0..self.vpcs {
            let peers = self.peers(v).map(|(other, peering)| {
                format!("{{to: 10.{other}.0.0/16, via: peering/{peering}}}, ")
            });
            let peers: String = peers.collect();
            line(
                &mut out,
                &format!(
                    "  t{v}: {{vpc: v{v}, routes: [{peers}{{to: 0.0.0.0/0, via: nat/n{v}}}]}}"
                ),
            );
        }
        if self.vpcs > 1 {
            line(&mut out, "peerings:");
            for v in 0..self.vpcs - 1 {
                line(&mut out, &format!("  p{v}: {{vpcs: [v{v}, v{}]}}", v + 1));
            }
        }
        out
    }

    /// The vpcs that a vpc has a peering with.
    fn peers(self, v: usize) -> impl Iterator<Item = (usize, String)> {
        let before = v
            .checked_sub(1)
            .map(|before| (before, format!("p{before}")));
        let after = (v + 1 < self.vpcs).then(|| (v + 1, format!("p{v}")));
        before.into_iter().chain(after)
    }

    /// For each vpc a NAT gateway, and an eip for the first host of its first subnet.
    fn gateways(self) -> String {
        let mut out = "eips:\n".to_owned();
        for v in 0..self.vpcs {
            line(&mut out, &format!("  e{v}: {{address: 203.0.{v}.1}}"));
            line(
                &mut out,
                &format!("  front{v}: {{address: 203.0.{v}.2, bind: c{v}-0-0}}"),
            );
        }
        line(&mut out, "nat_gateways:");
        for v in 0..self.vpcs {
            line(&mut out, &format!("  n{v}: {{vpc: v{v}, eips: [e{v}]}}"));
        }
        out
    }

    fn hosts(self) -> String {
        let mut out = "cvms:\n".to_owned();
        let subnets = self.vpcs * self.subnets_each();
        for n in 0..self.cvms {
            let (place, h) = (n % subnets, n / subnets);
            let (v, s) = (place / self.subnets_each(), place % self.subnets_each());
            let group = place % self.groups.max(1);
            line(
                &mut out,
                &format!(
                    "  c{v}-{s}-{h}: {{subnet: s{v}-{s}, address: 10.{v}.{s}.{}, security_groups: [g{group}]}}",
                    10 + h % 240
                ),
            );
        }
        out
    }
}

fn line(out: &mut String, text: &str) {
    // A String takes everything.
    let _ = writeln!(out, "{text}");
}
