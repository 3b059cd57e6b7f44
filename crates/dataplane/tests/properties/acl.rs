//! SEMANTICS §2.3, §7: an acl without rules isolates its subnet, and the same subnet is exempt.

use crate::world::{alone, any_world, cases, reason};
use proptest::prelude::*;
use vpcsim_dataplane::{Decision, DropReason, Outcome, Role, Stage};
use vpcsim_network::{Acl, AclId, Mark, VpcId};

const STAGES: [Stage; 2] = [Stage::AclEgress, Stage::AclIngress];

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn an_acl_without_rules_isolates_and_the_same_subnet_is_exempt(world in any_world()) {
        let open = world.changed(|network| {
            network.acls.clear();
            network.subnets.iter_mut().for_each(|subnet| subnet.acl = None);
        });
        let shut = world.changed(|network| {
            network.acls = network.vpcs.iter().zip(0..).map(|(vpc, id)| Acl {
                name: format!("shut-{}", vpc.name),
                vpc: VpcId(id),
                ingress: Vec::new(),
                egress: Vec::new(),
                mark: Mark::default(),
            }).collect();
            for subnet in &mut network.subnets {
                subnet.acl = Some(AclId(subnet.vpc.0));
            }
        });
        for (id, sent) in world.sent.iter().enumerate() {
            let (before, path) = alone(&open, sent);
            let (after, isolated) = alone(&shut, sent);
            for stop in isolated.iter().filter(|stop| STAGES.contains(&stop.stage)) {
                let same_subnet = stop.decision == Decision::Pass(Outcome::SameSubnet);
                let denied = stop.decision == Decision::Drop(DropReason::AclDeny);
                prop_assert!(same_subnet || denied, "{id} crosses: {stop:?}");
            }
            let own = |stop: &&crate::world::Noted| !stop.generated;
            let crosses = path.iter().filter(own).any(|stop| STAGES.contains(&stop.stage));
            if crosses && !before.others.iter().any(|other| other.role == Role::Captured) {
                prop_assert_eq!(reason(after.verdict()), Some(DropReason::AclDeny), "{}", id);
            } else {
                prop_assert_eq!(before.walked, after.walked, "{}", id);
                prop_assert_eq!(&before.bytes, &after.bytes);
            }
        }
    }
}
