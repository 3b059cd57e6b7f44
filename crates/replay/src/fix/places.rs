//! Where elements stand in the network file.

use super::scene::Scene;
use vpcsim_network::edit::{Path, Yaml, holds};
use vpcsim_network::{CvmId, NicId};

/// An element of a section.
pub(super) fn element(section: &str, name: &str) -> Path {
    Path::new([section, name])
}

impl Scene {
    pub(super) fn cvm_path(&self, cvm: CvmId) -> Path {
        element("cvms", &self.network().cvm(cvm).name)
    }

    /// A nic: under `nics`, or its cvm itself.
    pub(super) fn nic_path(&self, nic: NicId) -> Path {
        let nic = self.network().nic(nic);
        let cvm = self.cvm_path(nic.cvm);
        let named = cvm.clone().key("nics").key(&nic.name);
        if holds(&self.text, &named) {
            named
        } else {
            cvm
        }
    }

    /// An address of a nic as others name it: `web-1`, `web-1/eth1`, or the address itself.
    pub(super) fn name_of(&self, nic: NicId, address: std::net::Ipv4Addr) -> Yaml {
        let network = self.network();
        let owner = network.nic(nic);
        let cvm = &network.cvm(owner.cvm).name;
        if owner.address() != address && self.program.is_ambiguous(address) {
            return Yaml::word(format!("{cvm}/{address}"));
        }
        if owner.address() != address {
            return Yaml::word(address);
        }
        if owner.primary {
            Yaml::word(cvm)
        } else {
            Yaml::word(format!("{cvm}/{}", owner.name))
        }
    }
}
