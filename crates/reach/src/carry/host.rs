//! SEMANTICS §10: the host is Linux.

use super::{Approach, Carry, End, Path, Step};
use crate::key::Address;
use crate::set::Set;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Place, Stage};
use vpcsim_network::{CvmId, HostTable, InterfaceSysctl, NicId};

const STAGE: Stage = Stage::Host;
const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
const MULTICAST: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4);

impl Carry<'_> {
    /// A host sends packets of its own.
    pub(super) fn send(&mut self, path: Path, cvm: CvmId) {
        let host = self.program.network().cvm(cvm);
        if !host.running {
            return self.drop(path, DropReason::CvmStopped, Stage::HostEgress);
        }
        let own = path.set.and(&self.is_local(cvm, path.key.destination));
        let out = path.part(path.set.without(&own));
        if let Some(&nic) = host.nics.first() {
            // To itself, over lo: it never enters the network.
            self.end(path.part(own), End::At(Place::Nic(nic)));
        }
        let routes = self.host_routes(cvm, &out.set, out.key.source, out.key.destination);
        for (set, nic) in routes {
            let part = out.part(set);
            match nic {
                Some(nic) => self.go(part, Step::Leave(nic)),
                None => self.drop(part, DropReason::NoRoute, Stage::HostEgress),
            }
        }
    }

    /// Packets are handed to the host by a nic.
    pub(super) fn host(&mut self, path: Path, approach: Approach) {
        let nic = approach.nic;
        let cvm = self.program.network().nic(nic).cvm;
        let host = self.program.network().cvm(cvm);
        if !host.running {
            return self.drop(path, DropReason::CvmStopped, STAGE);
        }
        let path = self.reverse_path(path, nic);
        let local = path.set.and(&self.is_local(cvm, path.key.destination));
        let other = path.part(path.set.without(&local));
        self.end(path.part(local), End::At(Place::Nic(nic)));
        if !host.ip_forward {
            let reason = if approach.next_hop {
                DropReason::HostNotForwarding
            } else {
                DropReason::NotLocal
            };
            return self.drop(other, reason, STAGE);
        }
        let routes = self.host_routes(cvm, &other.set, other.key.source, other.key.destination);
        for (set, nic) in routes {
            let mut part = other.part(set);
            part.router = Some(cvm);
            match nic {
                Some(nic) => {
                    if let Some(part) = self.hop(part, STAGE) {
                        self.go(part, Step::Leave(nic));
                    }
                }
                None => self.drop(part, DropReason::NoRoute, STAGE),
            }
        }
    }

    /// Martian sources, then rp_filter.
    fn reverse_path(&mut self, path: Path, nic: NicId) -> Path {
        let network = self.program.network();
        let cvm = network.nic(nic).cvm;
        let sysctl =
            InterfaceSysctl::effective(network.cvm(cvm).sysctl_all, network.nic(nic).sysctl);
        let martian = self.martian(cvm, &path, sysctl);
        let path = self.only(
            path.clone(),
            &path.set.without(&martian),
            DropReason::Martian,
            STAGE,
        );
        if sysctl.rp_filter == 0 {
            return path;
        }
        let (source, destination) = (path.key.source, path.key.destination);
        let addressed = self.has_configured_address(nic);
        let passes = |reverse: Option<NicId>, routed: bool| match sysctl.rp_filter {
            1 => reverse == Some(nic),
            _ => reverse == Some(nic) || (routed && addressed),
        };
        let mut passing = Set::none();
        let mut others = path.set.clone();
        for &(own, at) in &self.facts.hosts[cvm.index()].local {
            let part = others.and(&source.is(own));
            others = others.without(&part);
            if passes(at, true) {
                passing = passing.or(&part);
            }
        }
        let loopback = others.and(&source.within(LOOPBACK));
        others = others.without(&loopback);
        if passes(None, true) {
            passing = passing.or(&loopback);
        }
        // The way back: to the packet's source, from its destination, so that rules count.
        for (set, reverse) in self.host_routes(cvm, &others, destination, source) {
            if passes(reverse, reverse.is_some()) {
                passing = passing.or(&set);
            }
        }
        self.only(path, &passing, DropReason::RpFilter, STAGE)
    }

    /// Addresses that cannot be, whatever rp_filter says.
    fn martian(&self, cvm: CvmId, path: &Path, sysctl: InterfaceSysctl) -> Set {
        let network = self.program.network();
        let host = network.cvm(cvm);
        let (source, destination) = (path.key.source, path.key.destination);
        let either = |test: &dyn Fn(Address) -> Set| test(source).or(&test(destination));
        let looked_up = sysctl.rp_filter != 0 || (!host.rules.is_empty() && !sysctl.accept_local);
        let mut martian = either(&|end| end.is(Ipv4Addr::UNSPECIFIED));
        martian = martian.or(&source.within(MULTICAST));
        martian = martian.or(&source.is(Ipv4Addr::BROADCAST));
        if !sysctl.route_localnet {
            martian = martian.or(&either(&|end| end.within(LOOPBACK)));
        }
        if !sysctl.accept_local {
            for &(own, _) in &self.facts.hosts[cvm.index()].local {
                martian = martian.or(&source.is(own));
            }
            // Without a look-up only the address 127.0.0.1 is its own, not all of 127/8.
            martian = martian.or(&if looked_up {
                source.within(LOOPBACK)
            } else {
                source.is(Ipv4Addr::LOCALHOST)
            });
        }
        if looked_up {
            for &nic in host
                .nics
                .iter()
                .filter(|&&nic| self.has_configured_address(nic))
            {
                let cidr = network.subnet(self.subnet_of(nic)).cidr;
                martian = martian.or(&source.is(cidr.broadcast()));
            }
        }
        martian
    }

    /// Packets for which an address is the host's own.
    fn is_local(&self, cvm: CvmId, address: Address) -> Set {
        let host = &self.facts.hosts[cvm.index()];
        let loopback = address.within(LOOPBACK);
        host.local
            .iter()
            .fold(loopback, |all, &(own, _)| all.or(&address.is(own)))
    }

    fn has_configured_address(&self, nic: NicId) -> bool {
        let addresses = &self.program.network().nic(nic).addresses;
        addresses.iter().any(|own| own.configured)
    }

    /// Packets of a set by the nic that the host's routing sends them to: policy rules by source
    /// in order, then the main table.
    fn host_routes(
        &self,
        cvm: CvmId,
        set: &Set,
        source: Address,
        destination: Address,
    ) -> Vec<(Set, Option<NicId>)> {
        let tables = &self.facts.hosts[cvm.index()].tables;
        let rules = &self.program.network().cvm(cvm).rules;
        let rules = rules
            .iter()
            .map(|rule| (source.within(rule.from), rule.table));
        let rules = rules.chain([(Set::anything(), HostTable::MAIN)]);
        let (mut routed, mut left) = (Vec::new(), set.clone());
        for (speaks_of, table) in rules {
            let mut matched = left.and(&speaks_of);
            for &(net, nic) in tables.get(&table).into_iter().flatten() {
                if matched.is_empty() {
                    break;
                }
                let hit = matched.and(&destination.within(net));
                matched = matched.without(&hit);
                left = left.without(&hit);
                if !hit.is_empty() {
                    routed.push((hit, Some(nic)));
                }
            }
        }
        routed.push((left, None));
        routed
    }
}
