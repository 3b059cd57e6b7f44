//! SEMANTICS §2, steps 1 to 3, and §5: leaving a nic and entering one.

use super::{Approach, Carry, End, Path, Step, split};
use crate::set::Set;
use vpcsim_dataplane::{DropReason, Place, Stage};
use vpcsim_network::{NatGatewayId, NicId, SourceCheck, VpcId};

impl Carry<'_> {
    /// §2
    pub(super) fn leave(&mut self, path: Path, nic: NicId) {
        let network = self.program.network();
        if !network.cvm(network.nic(nic).cvm).running {
            return self.drop(path, DropReason::CvmStopped, Stage::HostEgress);
        }
        let path = self.source_check(path, nic);
        let subnet = network.subnet(self.subnet_of(nic));
        for (path, back) in self.security_group(path, nic, false, None) {
            let inside = path.set.and(&path.key.destination.within(subnet.cidr));
            let outside = path.part(path.set.without(&inside));
            let inside = path.part(inside);
            for (path, owner) in self.private_owner(inside, subnet.vpc, Stage::Route) {
                let approach = Approach {
                    same_subnet: true,
                    ..Approach::crossing(owner)
                };
                self.go(path, Step::Enter(approach));
            }
            self.go(outside, Step::Route { nic, back });
        }
    }

    /// §2.1
    fn source_check(&mut self, path: Path, nic: NicId) -> Path {
        let network = self.program.network();
        let sender = network.nic(nic);
        let cvm = network.cvm(sender.cvm);
        let check = network.policies.source_check;
        if check == SourceCheck::Off || (cvm.ip_forward && sender.forwarding) {
            return path;
        }
        let owned = &self.facts.hosts[sender.cvm.index()].owned;
        let owned = owned
            .iter()
            .filter(|(owner, _)| check == SourceCheck::Cvm || *owner == nic);
        let passing = owned
            .flat_map(|(_, addresses)| addresses)
            .fold(Set::none(), |all, own| all.or(&path.key.source.is(*own)));
        self.only(
            path,
            &passing,
            DropReason::SourceNotOwned,
            Stage::SourceCheck,
        )
    }

    /// The nics that answer for the packets' private destinations; those that have none end.
    pub(super) fn private_owner(
        &mut self,
        path: Path,
        vpc: VpcId,
        stage: Stage,
    ) -> Vec<(Path, NicId)> {
        if path.set.is_empty() {
            return Vec::new();
        }
        let owners = &self.facts.owners[vpc.index()];
        let parts = match path.key.destination {
            crate::key::Value::Is(address) => {
                let owner = owners.get(&address).map(|&owner| (address, owner));
                split(path, |key| key.destination, owner)
            }
            crate::key::Value::Sent(_) => {
                let owners = owners.iter().map(|(&address, &owner)| (address, owner));
                split(path, |key| key.destination, owners)
            }
        };
        if let Some(rest) = parts.rest {
            self.drop(rest, DropReason::NoSuchHost, stage);
        }
        let mut owned = Vec::new();
        for (path, _, owner) in parts.found {
            match owner {
                Ok(nic) => owned.push((path, nic)),
                Err(_) => self.drop(path, DropReason::HavipUnheld, stage),
            }
        }
        owned
    }

    /// §5
    pub(super) fn enter(&mut self, path: Path, approach: Approach) {
        let path = if approach.same_subnet {
            path
        } else {
            self.acl_ingress(path, self.subnet_of(approach.nic))
        };
        for (path, _) in self.security_group(path, approach.nic, true, approach.entry) {
            self.host(path, approach);
        }
    }

    /// Packets have reached the internet; those for one of our public addresses come right back
    /// (§4). `hairpin`: the gateway that just translated them.
    pub(super) fn reach_internet(&mut self, path: Path, hairpin: Option<NatGatewayId>) {
        let parts = self.by_eip(path);
        for (path, _, _) in parts.found {
            self.go(path, Step::FromInternet { hairpin });
        }
        if let Some(rest) = parts.rest {
            self.end(rest, End::At(Place::Internet));
        }
    }
}
