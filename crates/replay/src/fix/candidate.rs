//! A change that may help.

use super::scene::Scene;
use super::{
    acl, address, gateway, host, listen, peering, policy_rules, public, route, security_group,
};
use crate::trace::End;
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::edit::Change;

/// One change, from narrow to wide. Never empty.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    variants: Vec<Variant>,
}

/// One way to make a change.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub(super) changes: Vec<Change>,
    /// What is changed, in a sentence.
    pub(super) what: String,
    /// How many packets it opens, as a power of two: addresses of the other end times ports.
    pub(super) opens: u32,
}

/// Everybody: the addresses of the internet, as a power of two.
pub(super) const ANYBODY: u32 = 32;

impl Candidate {
    /// With several ways, narrowest first; none where there is no way.
    pub(super) fn new(variants: Vec<Variant>) -> Option<Self> {
        (!variants.is_empty()).then_some(Self { variants })
    }

    /// With one way.
    pub(super) fn one(what: impl Into<String>, opens: u32, changes: Vec<Change>) -> Self {
        let what = what.into();
        Self {
            variants: vec![Variant {
                changes,
                what,
                opens,
            }],
        }
    }

    /// The way at a scale, from 0 for the narrowest; the widest there is beyond that.
    pub(super) fn at(&self, scale: usize) -> Option<&Variant> {
        self.variants.get(scale).or(self.variants.last())
    }
}

/// What the place where a trace ended suggests, the best first.
pub(super) fn candidates(scene: &Scene) -> Vec<Candidate> {
    match scene.run.end {
        End::Dropped(drop) => match drop.reason {
            DropReason::SecurityGroupDeny => {
                let mut list = policy_rules::for_reply(scene);
                list.extend(security_group::candidates(scene, &drop));
                list
            }
            DropReason::InvalidState if drop.stage == Stage::NatGateway => route::candidates(scene),
            DropReason::InvalidState => policy_rules::for_reply(scene),
            DropReason::SourceNotOwned => {
                let mut list = policy_rules::for_reply(scene);
                list.extend(host::forwarding_nic(scene, &drop));
                list.extend(address::on_lo(scene));
                list
            }
            DropReason::AclDeny => acl::candidates(scene, &drop),
            DropReason::NoRoute if drop.stage == Stage::Route => {
                let mut list = route::candidates(scene);
                list.extend(public::for_sender(scene));
                list
            }
            DropReason::NoRoute => host::routes(scene, &drop),
            DropReason::PeeringNotTransitive => route::candidates(scene),
            DropReason::PeeringInactive => peering::accepted(scene, &drop),
            DropReason::NoSuchHost => address::on_lo(scene),
            DropReason::HostNotForwarding => host::ip_forward(scene, &drop),
            DropReason::HavipUnheld => address::holder(scene, &drop),
            DropReason::NextHopUnavailable => {
                let mut list = gateway::available(scene, &drop);
                list.extend(route::candidates(scene));
                list
            }
            DropReason::NoNatSession => gateway::inbound(scene, &drop),
            DropReason::SnatNoRule => {
                let mut list = gateway::snat(scene, &drop);
                list.extend(route::candidates(scene));
                list
            }
            DropReason::NoPublicPath => public::for_target(scene),
            DropReason::PublicAddressUnbound => public::bound(scene, &drop),
            DropReason::RpFilter => {
                let mut list = policy_rules::for_arrival(scene, &drop);
                list.extend(host::rp_filter(scene, &drop));
                list
            }
            DropReason::Martian => host::martian(scene, &drop),
            DropReason::NotLocal => address::not_local(scene, &drop),
            DropReason::CvmStopped => host::running(scene, &drop),
            _ => Vec::new(),
        },
        End::Elsewhere(_) => route::candidates(scene),
        End::Deaf {
            cvm,
            protocol,
            port,
        } => listen::listening(scene, cvm, protocol, port),
        End::Reached | End::Unanswered => Vec::new(),
    }
}
