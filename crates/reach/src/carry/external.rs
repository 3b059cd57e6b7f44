//! Gateways at the edge of the simulated world: packets from what lies behind them.

use super::{Approach, Carry, Path, Step};
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::ExternalId;

impl Carry<'_> {
    pub(super) fn arrive_from_external(&mut self, path: Path, external: ExternalId) {
        let gateway = self.program.network().external(external);
        if !gateway.enabled {
            return self.drop(path, DropReason::NextHopUnavailable, Stage::External);
        }
        for (path, owner) in self.private_owner(path, gateway.vpc, Stage::External) {
            self.go(path, Step::Enter(Approach::crossing(owner)));
        }
    }
}
