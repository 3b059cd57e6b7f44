//! Expectations: who asks whom, and what is to come of it.

use super::{Lowering, items};
use crate::decode::{Item, Spanned};
use crate::error::{Kind, nearest};
use crate::file::{CvmRef, EndRef, ExpectDecl, WantedWord};
use crate::yaml::clip;
use crate::*;
use std::net::Ipv4Addr;

impl Lowering<'_> {
    pub(super) fn expectations(&mut self) {
        let mut expectations = Vec::new();
        for expectation in items(&self.file.expect) {
            expectations.extend(self.expectation(expectation));
        }
        // Who is at an address is known where nothing is broken.
        if self.errors.is_empty() {
            for (expectation, decl) in expectations.iter().zip(items(&self.file.expect)) {
                self.places(expectation, &decl.value);
            }
        }
        self.network.expectations = expectations;
    }

    fn expectation(&mut self, item: &Item<ExpectDecl>) -> Option<Expectation> {
        let Item { mark, value: decl } = item;
        let from = decl.from.given().and_then(|from| self.end(from));
        let to = decl.to.given().and_then(|to| self.end(to));
        let port = decl.port.given();
        let protocol = match (decl.protocol.given(), port) {
            (Some(protocol), _) => protocol.value.0,
            (None, Some(_)) => RuleProtocol::Tcp,
            (None, None) => RuleProtocol::Icmp,
        };
        if let Some(port) = port
            && protocol == RuleProtocol::Icmp
        {
            let kind = Kind::PortsWithoutPortProtocol { protocol: "icmp" };
            self.errors.push(kind, port.mark, "icmp has no ports");
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
        Some(Expectation {
            from: from?,
            to: to?,
            protocol,
            port: port.map(|port| u16::try_from(port.value.0).unwrap_or(u16::MAX)),
            is,
            mark: *mark,
        })
    }

    fn end(&mut self, end: &Spanned<EndRef>) -> Option<ExpectationEnd> {
        match &end.value {
            EndRef::Internet => Some(ExpectationEnd::Internet),
            EndRef::Address(address) => Some(ExpectationEnd::Address(*address)),
            EndRef::External(name) => {
                let id = self.names.externals.find(name, self.errors)?;
                Some(ExpectationEnd::External(ExternalId(id)))
            }
            EndRef::Cvm(reference) => self.host_end(reference),
        }
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
    fn places(&mut self, expectation: &Expectation, decl: &ExpectDecl) {
        for (end, written) in [(expectation.from, &decl.from), (expectation.to, &decl.to)] {
            let (ExpectationEnd::External(id), Some(written)) = (end, written.given()) else {
                continue;
            };
            let external = self.network.external(id);
            if external.networks.is_empty() {
                let name = external.name.clone();
                self.errors.push(
                    Kind::NothingBehind { name },
                    written.mark,
                    "nobody is there",
                );
            }
        }
        if let (ExpectationEnd::Address(address), Some(written)) =
            (expectation.from, decl.from.given())
            && let Some(why) = self.no_start(address)
        {
            let kind = Kind::NothingStartsThere { address, why };
            self.errors
                .push(kind, written.mark, "nobody sends from there");
        }
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
