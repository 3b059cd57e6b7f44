//! Expectations: who asks whom, and what is to come of it.

use super::{Lowering, items};
use crate::decode::{Item, Spanned};
use crate::error::{Kind, nearest};
use crate::file::{CvmRef, EndRef, EndRefs, ExpectDecl, WantedWord};
use crate::yaml::clip;
use crate::*;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// What one entry means.
enum Meant {
    /// One request.
    One(Expectation),
    /// Many.
    Many(Claim),
}

impl Lowering<'_> {
    pub(super) fn expectations(&mut self) {
        let (mut expectations, mut claims) = (Vec::new(), Vec::new());
        for item in items(&self.file.expect) {
            let ends = (item.value.from.given(), item.value.to.given());
            let meant = self.expectation(item);
            // Who is at an address is known where nothing is broken.
            if let (true, Some(meant), (Some(from), Some(to))) =
                (self.errors.is_empty(), &meant, ends)
            {
                self.places(meant, from, to);
            }
            match meant {
                Some(Meant::One(expectation)) => expectations.push(expectation),
                Some(Meant::Many(claim)) => claims.push(claim),
                None => {}
            }
        }
        self.network.expectations = expectations;
        self.network.claims = claims;
    }

    fn expectation(&mut self, item: &Item<ExpectDecl>) -> Option<Meant> {
        let Item { mark, value: decl } = item;
        let from = decl.from.given().and_then(|from| self.claim_ends(from));
        let to = decl.to.given().and_then(|to| self.claim_ends(to));
        let ports = decl.port.given().map(|ports| &ports.0);
        let asked = decl.protocol.given().map(|protocol| protocol.value.0);
        let protocol = match (asked, ports) {
            (Some(protocol), _) => protocol,
            (None, Some(_)) => RuleProtocol::Tcp,
            (None, None) => RuleProtocol::Icmp,
        };
        if let Some(ports) = ports
            && matches!(protocol, RuleProtocol::Icmp | RuleProtocol::All)
        {
            let (name, label) = match protocol {
                RuleProtocol::All => ("all", "of tcp, or of udp?"),
                _ => ("icmp", "icmp has no ports"),
            };
            let kind = Kind::PortsWithoutPortProtocol { protocol: name };
            self.errors.push(kind, ports.mark, label);
        }
        let because = decl.because.given();
        let is = match decl.is.given()?.value {
            WantedWord::Blocked => Wanted::Blocked(because.map(|stage| stage.value.0)),
            WantedWord::Reachable => {
                if let Some(stage) = because {
                    let kind = Kind::ReachableBecause;
                    self.errors.push(kind, stage.mark, "nothing drops it");
                }
                Wanted::Reachable
            }
        };
        let (from, to, mark) = (from?, to?, *mark);
        let ports = ports.map_or(&[][..], |ports| &ports.value.ranges);
        if let ([ClaimEnd::One(from)], [ClaimEnd::One(to)], [] | [_]) =
            (from.list.as_slice(), to.list.as_slice(), ports)
            && ports.iter().all(|range| range.first == range.last)
            && protocol != RuleProtocol::All
        {
            return Some(Meant::One(Expectation {
                from: *from,
                to: *to,
                protocol,
                port: ports.first().map(|range| range.first),
                is,
                mark,
            }));
        }
        Some(Meant::Many(Claim {
            from,
            to,
            // Nothing of what is blocked may get through; what is reachable answers pings.
            protocol: match (asked, is, ports) {
                (None, Wanted::Blocked(_), []) => RuleProtocol::All,
                _ => protocol,
            },
            ports: match ports {
                [] => vec![PortRange::ALL],
                ports => ports.to_vec(),
            },
            is,
            mark,
        }))
    }

    fn claim_ends(&mut self, ends: &EndRefs) -> Option<ClaimEnds> {
        let found: Vec<_> = ends.list.iter().map(|end| self.end(end)).collect();
        Some(ClaimEnds {
            list: found.into_iter().collect::<Option<_>>()?,
            text: ends.text.clone(),
        })
    }

    fn end(&mut self, end: &Spanned<EndRef>) -> Option<ClaimEnd> {
        let one = match &end.value {
            EndRef::Internet => ExpectationEnd::Internet,
            EndRef::Address(address) => ExpectationEnd::Address(*address),
            EndRef::External(name) => {
                let id = self.names.externals.find(name, self.errors)?;
                ExpectationEnd::External(ExternalId(id))
            }
            EndRef::Cvm(reference) => self.host_end(reference)?,
            EndRef::Any => return Some(ClaimEnd::Any),
            EndRef::Prefix(net) => return Some(ClaimEnd::Prefix(*net)),
            EndRef::Group(name) => {
                let id = self.names.groups.find(name, self.errors)?;
                return Some(ClaimEnd::Group(SecurityGroupId(id)));
            }
            EndRef::Subnet(name) => {
                let id = self.names.subnets.find(name, self.errors)?;
                return Some(ClaimEnd::Subnet(SubnetId(id)));
            }
            EndRef::Vpc(name) => {
                let id = self.names.vpcs.find(name, self.errors)?;
                return Some(ClaimEnd::Vpc(VpcId(id)));
            }
        };
        Some(ClaimEnd::One(one))
    }

    fn host_end(&mut self, reference: &CvmRef) -> Option<ExpectationEnd> {
        let name = reference.cvm.as_str();
        if reference.nic.is_none()
            && self.names.cvms.get(name).is_none()
            && nearest(name, ["internet"]).is_some()
        {
            let kind = Kind::UnknownReference {
                what: "cvm",
                name: clip(name),
                hint: "did you mean `internet`?".to_owned(),
            };
            self.errors.push(kind, reference.cvm.mark, "no such cvm");
            return None;
        }
        let (cvm, nic) = self.find_nic_of(reference)?;
        Some(match reference.nic {
            Some(_) => ExpectationEnd::Nic(nic),
            None => ExpectationEnd::Cvm(cvm),
        })
    }

    /// Reports ends that nobody is at.
    fn places(&mut self, meant: &Meant, from: &EndRefs, to: &EndRefs) {
        let sides = match meant {
            Meant::One(expectation) => [
                (vec![ClaimEnd::One(expectation.from)], from, true),
                (vec![ClaimEnd::One(expectation.to)], to, false),
            ],
            Meant::Many(claim) => [
                (claim.from.list.clone(), from, true),
                (claim.to.list.clone(), to, false),
            ],
        };
        for (ends, written, starts) in sides {
            for (end, written) in ends.into_iter().zip(&written.list) {
                self.place(end, written.mark, starts);
            }
        }
    }

    fn place(&mut self, end: ClaimEnd, mark: Mark, starts: bool) {
        match end {
            ClaimEnd::One(ExpectationEnd::External(id)) => {
                let external = self.network.external(id);
                if external.networks.is_empty() {
                    let name = external.name.clone();
                    self.errors
                        .push(Kind::NothingBehind { name }, mark, "nobody is there");
                }
            }
            ClaimEnd::One(ExpectationEnd::Address(address)) if starts => {
                if let Some(why) = self.no_start(address) {
                    let kind = Kind::NothingStartsThere { address, why };
                    self.errors.push(kind, mark, "nobody sends from there");
                }
            }
            ClaimEnd::One(_) | ClaimEnd::Any => {}
            ClaimEnd::Prefix(_) | ClaimEnd::Group(_) | ClaimEnd::Subnet(_) | ClaimEnd::Vpc(_) => {
                if !self.is_anybody(end) {
                    self.errors
                        .push(Kind::NobodyThere, mark, "nobody is among them");
                }
            }
        }
    }

    /// Whether there is anybody among many.
    fn is_anybody(&self, end: ClaimEnd) -> bool {
        let network = &self.network;
        let mut nics = network.nics.iter();
        match end {
            ClaimEnd::Group(group) => nics.any(|nic| nic.security_groups.contains(&group)),
            ClaimEnd::Subnet(subnet) => nics.any(|nic| nic.subnet == subnet),
            ClaimEnd::Vpc(vpc) => nics.any(|nic| network.subnet(nic.subnet).vpc == vpc),
            ClaimEnd::Prefix(net) => {
                let own = nics.flat_map(|nic| &nic.addresses).map(|own| own.address);
                let lo = network.cvms.iter().flat_map(|cvm| cvm.lo.iter().copied());
                let havips = network.havips.iter().map(|havip| havip.address);
                let eips = network.eips.iter().map(|eip| eip.address);
                let mut known = own.chain(lo).chain(havips).chain(eips);
                known.any(|address| net.contains(&address)) || self.is_partly_outside(net)
            }
            ClaimEnd::One(_) | ClaimEnd::Any => true,
        }
    }

    /// Whether a prefix has addresses that no vpc has, of hosts.
    fn is_partly_outside(&self, net: Ipv4Net) -> bool {
        let first = net.network().octets()[0];
        let hosts = !(first == 0 || first == 127 || first >= 224);
        let mut cidrs = self.network.vpcs.iter().flat_map(|vpc| &vpc.cidrs);
        hosts && !cidrs.any(|cidr| cidr.contains(&net))
    }

    /// Why nothing can start at an address, if nothing can.
    fn no_start(&self, address: Ipv4Addr) -> Option<&'static str> {
        let network = &self.network;
        let havips = network.havips.iter();
        let held = |id: HavipId| network.havip(id).holder.is_some();
        let mut virtually = havips.filter(|havip| havip.address == address);
        let own = network.nics.iter().flat_map(|nic| &nic.addresses);
        let mut lo = network.cvms.iter().flat_map(|cvm| &cvm.lo);
        if own.into_iter().any(|own| own.address == address) || lo.any(|own| *own == address) {
            return None;
        }
        if let Some(havip) = virtually.next() {
            return havip.holder.is_none().then_some("nobody holds that havip");
        }
        if let Some(eip) = network.eip_by_address(address) {
            return match network.eip(eip).target {
                Some(EipTarget::Address(..)) => None,
                Some(EipTarget::Havip(havip)) => {
                    (!held(havip)).then_some("nobody holds the havip of that eip")
                }
                Some(EipTarget::NatGateway(_)) => Some("it is a nat gateway's"),
                None => Some("that eip is bound to nothing"),
            };
        }
        let mut behind = network.externals.iter().flat_map(|e| &e.networks);
        if behind.any(|net| net.contains(&address)) {
            return None;
        }
        if network.vpcs.iter().any(|vpc| vpc.contains(address)) {
            return Some("it lies in a vpc, and nobody there has it");
        }
        let first = address.octets()[0];
        (first == 0 || first == 127 || first >= 224).then_some("no host can have it")
    }
}
