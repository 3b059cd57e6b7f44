//! Who can send and be reached: the names that questions use.

use crate::Reach;
use vpcsim_dataplane::Place;
use vpcsim_network::{CvmId, ExternalId, NicId};

/// One end of a question: a host, the internet, or what lies behind a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// A host.
    Cvm(CvmId),
    /// The internet: everybody who is not in the network.
    Internet,
    /// What lies behind a gateway at the edge of the simulated world.
    External(ExternalId),
}

/// A name that the network does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the network has no {name:?}{}", hint(.near))]
pub struct NoSuchEnd {
    /// The name.
    pub name: String,
    /// The name that it has most likely been meant to be.
    pub near: Option<String>,
}

fn hint(near: &Option<String>) -> String {
    near.as_ref()
        .map_or(String::new(), |near| format!("; did you mean {near:?}?"))
}

impl Reach<'_> {
    /// The ends that a name stands for: a cvm, `internet`, `external:NAME`, all hosts of
    /// `vpc:NAME` or `subnet:NAME`, all members of `group:NAME`, or `any`.
    ///
    /// # Errors
    /// When the network has no such thing.
    pub fn ends(&self, name: &str) -> Result<Vec<End>, NoSuchEnd> {
        let network = self.program().network();
        if let Some(cvm) = network.cvms.iter().position(|cvm| cvm.name == name) {
            return Ok(vec![End::Cvm(CvmId(cvm as u32))]);
        }
        let of_nics = |wanted: &dyn Fn(&vpcsim_network::Nic) -> bool| {
            let nics = network.nics.iter().filter(|nic| wanted(nic));
            let mut ends: Vec<End> = nics.map(|nic| End::Cvm(nic.cvm)).collect();
            ends.sort_unstable();
            ends.dedup();
            ends
        };
        let found = match name.split_once(':') {
            None if name == "internet" => Some(vec![End::Internet]),
            None if name == "any" => Some(self.all_ends()),
            Some(("external", name)) => {
                let external = network
                    .externals
                    .iter()
                    .position(|other| other.name == name);
                external.map(|index| vec![End::External(ExternalId(index as u32))])
            }
            Some(("vpc", name)) => {
                let vpc = network.vpcs.iter().position(|vpc| vpc.name == name);
                vpc.map(|vpc| of_nics(&|nic| network.subnet(nic.subnet).vpc.index() == vpc))
            }
            Some(("subnet", name)) => {
                let subnet = network
                    .subnets
                    .iter()
                    .position(|subnet| subnet.name == name);
                subnet.map(|subnet| of_nics(&|nic| nic.subnet.index() == subnet))
            }
            Some(("group", name)) => {
                let groups = &network.security_groups;
                let group = groups.iter().position(|group| group.name == name);
                group.map(|group| {
                    of_nics(&|nic| nic.security_groups.iter().any(|id| id.index() == group))
                })
            }
            _ => None,
        };
        found.ok_or_else(|| NoSuchEnd {
            name: name.to_owned(),
            near: self.nearest(name),
        })
    }

    /// Every end there is: the hosts in file order, the internet, the gateways at the edge.
    pub fn all_ends(&self) -> Vec<End> {
        let network = self.program().network();
        let cvms = (0..network.cvms.len() as u32).map(|id| End::Cvm(CvmId(id)));
        let externals = (0..network.externals.len() as u32).map(|id| End::External(ExternalId(id)));
        cvms.chain([End::Internet]).chain(externals).collect()
    }

    /// An end's name: that of the cvm, `internet`, `external:office`.
    pub fn end_name(&self, end: End) -> String {
        let network = self.program().network();
        match end {
            End::Cvm(cvm) => network.cvm(cvm).name.clone(),
            End::Internet => "internet".to_owned(),
            End::External(external) => format!("external:{}", network.external(external).name),
        }
    }

    /// Whose a place is where packets end; a NAT gateway is nobody's.
    pub(crate) fn end_at(&self, place: Place) -> Option<End> {
        match place {
            Place::Nic(nic) => Some(End::Cvm(self.host_of(nic))),
            Place::Internet => Some(End::Internet),
            Place::External(external) => Some(End::External(external)),
            Place::NatGateway(_) => None,
        }
    }

    fn host_of(&self, nic: NicId) -> CvmId {
        self.program().network().nic(nic).cvm
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let network = self.program().network();
        let prefixed = |kind: &'static str| move |name: &String| format!("{kind}:{name}");
        let names = self.all_ends().into_iter().map(|end| self.end_name(end));
        let vpcs = network.vpcs.iter().map(|vpc| &vpc.name);
        let subnets = network.subnets.iter().map(|subnet| &subnet.name);
        let groups = network.security_groups.iter().map(|group| &group.name);
        let all = names
            .chain(vpcs.map(prefixed("vpc")))
            .chain(subnets.map(prefixed("subnet")))
            .chain(groups.map(prefixed("group")));
        let likely = |known: &String| strsim::jaro_winkler(known, name);
        let best = all.max_by(|a, b| likely(a).total_cmp(&likely(b)))?;
        (likely(&best) > 0.8).then_some(best)
    }
}
