//! SEMANTICS §7: the stateless acl at a subnet's edge. It judges answers like anything else.

use super::{Carry, Path};
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::SubnetId;

impl Carry<'_> {
    /// The other end of what leaves is the destination.
    pub(super) fn acl_egress(&mut self, mut path: Path, subnet: SubnetId) -> Path {
        let Some(acl) = self.program.network().subnet(subnet).acl else {
            return path;
        };
        path.acl = Some(acl);
        let list = self.facts.acl_list(acl, false);
        let accepted = list.accepts(path.key.destination, path.key.ports);
        self.only(path, &accepted, DropReason::AclDeny, Stage::AclEgress)
    }

    /// The other end of what enters is the source.
    pub(super) fn acl_ingress(&mut self, mut path: Path, subnet: SubnetId) -> Path {
        let Some(acl) = self.program.network().subnet(subnet).acl else {
            return path;
        };
        path.acl = Some(acl);
        let list = self.facts.acl_list(acl, true);
        let accepted = list.accepts(path.key.source, path.key.ports);
        self.only(path, &accepted, DropReason::AclDeny, Stage::AclIngress)
    }
}
