//! Whom a rule lets through: from the one address on to everybody.

use super::candidate::ANYBODY;
use super::scene::Scene;
use crate::Endpoint;
use std::net::Ipv4Addr;

/// The other end of a rule.
#[derive(Debug)]
pub(super) struct Peer {
    /// As a rule writes it.
    pub(super) text: String,
    /// How many addresses it has, as a power of two.
    pub(super) opens: u32,
}

impl Peer {
    fn prefix(net: ipnet::Ipv4Net) -> Self {
        Self {
            text: net.to_string(),
            opens: u32::from(32 - net.prefix_len()),
        }
    }
}

/// The peers that contain an address, narrowest first. `groups`: whether security groups may
/// stand there.
pub(super) fn peers(scene: &Scene, address: Ipv4Addr, groups: bool) -> Vec<Peer> {
    let network = scene.network();
    let any = Peer {
        text: "any".to_owned(),
        opens: ANYBODY,
    };
    let stands_for = scene.stands_for(address);
    if stands_for == Some(Endpoint::Internet) {
        return vec![any];
    }
    let mut peers = Vec::new();
    if stands_for.is_none() {
        peers.push(Peer {
            text: address.to_string(),
            opens: 0,
        });
    }
    let nic = scene.nic_of(address);
    if groups && let Some(nic) = nic {
        peers.extend(group(scene, nic));
    }
    let external = scene.program.external_of(address);
    if let Some(nic) = nic {
        peers.push(Peer::prefix(network.subnet(network.nic(nic).subnet).cidr));
    } else if let Some(external) = external {
        let mut networks = network.external(external).networks.iter();
        peers.extend(
            networks
                .find(|net| net.contains(&address))
                .map(|&net| Peer::prefix(net)),
        );
    }
    peers.push(any);
    peers
}

/// The smallest declared group that a nic is in.
fn group(scene: &Scene, nic: vpcsim_network::NicId) -> Option<Peer> {
    let network = scene.network();
    let declared = network.nic(nic).security_groups.iter().copied();
    let declared = declared.filter(|&id| network.security_group(id).mark.line > 0);
    let (members, id) = declared.map(|id| (scene.members(id), id)).min()?;
    let name = &network.security_group(id).name;
    let taken = network.find_address_template(name).is_some();
    Some(Peer {
        text: if taken {
            format!("group/{name}")
        } else {
            name.clone()
        },
        opens: members.max(1).ilog2(),
    })
}

impl Scene {
    /// How many nics a group is bound to.
    pub(super) fn members(&self, group: vpcsim_network::SecurityGroupId) -> u32 {
        let nics = self.network().nics.iter();
        let bound = nics.filter(|nic| nic.security_groups.contains(&group));
        u32::try_from(bound.count()).unwrap_or(u32::MAX)
    }
}
