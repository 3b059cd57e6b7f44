//! What the stages look up, made once from a program.

use crate::list::List;
use hashbrown::HashMap;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Owner, Program};
use vpcsim_network::{
    AclId, CvmId, EipId, EipMode, EipTarget, HavipId, HostTable, NatGatewayId, NextHop, NicId,
    RouteTableId, SecurityGroupId, VpcId,
};

/// What never changes between questions.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Private addresses of each vpc, and the nic that answers for each.
    pub(crate) owners: Vec<BTreeMap<Ipv4Addr, Result<NicId, HavipId>>>,
    /// Every public address of the network.
    pub(crate) eips: BTreeMap<Ipv4Addr, EipId>,
    pub(crate) hosts: Vec<Host>,
    /// Each table's enabled routes, longest prefixes first, equal ones together in file order.
    pub(crate) tables: Vec<Vec<(Ipv4Net, Vec<NextHop>)>>,
    groups: Vec<(Option<usize>, Option<usize>)>,
    acls: Vec<(usize, usize)>,
    lists: Vec<List>,
}

/// A host's own addresses and routes.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its local addresses beside 127/8, and the nic that has each; none: on `lo`.
    pub(crate) local: Vec<(Ipv4Addr, Option<NicId>)>,
    /// Addresses that it may send from by the source check, by nic.
    pub(crate) owned: Vec<(NicId, Vec<Ipv4Addr>)>,
    /// Sources of its own that have a public side: the eip that stands for the address, or that
    /// it is.
    pub(crate) public: Vec<(Ipv4Addr, EipId)>,
    /// Its tables, longest prefixes first.
    pub(crate) tables: HashMap<HostTable, Vec<(Ipv4Net, NicId)>>,
}

impl Facts {
    pub(crate) fn new(program: &Program) -> Self {
        let network = program.network();
        let mut owners = vec![BTreeMap::new(); network.vpcs.len()];
        for nic in &network.nics {
            let vpc = network.subnet(nic.subnet).vpc;
            for own in &nic.addresses {
                own_address(program, &mut owners, vpc, own.address);
            }
        }
        for havip in &network.havips {
            let vpc = network.subnet(havip.subnet).vpc;
            own_address(program, &mut owners, vpc, havip.address);
        }
        let eips = (0..).map(EipId).zip(&network.eips);
        let mut facts = Self {
            owners,
            eips: eips.map(|(id, eip)| (eip.address, id)).collect(),
            hosts: Vec::new(),
            tables: tables(program),
            groups: Vec::new(),
            acls: Vec::new(),
            lists: Vec::new(),
        };
        facts.hosts = (0..network.cvms.len() as u32)
            .map(|cvm| Host::new(program, CvmId(cvm)))
            .collect();
        facts.lists_of_groups(program);
        for acl in &network.acls {
            let which = network.policies.acl_port;
            let sides = [false, true].map(|ingress| List::of_acl(acl, which, ingress));
            let [egress, ingress] = sides.map(|list| facts.keep(list));
            facts.acls.push((egress, ingress));
        }
        facts
    }

    /// Nics of one vpc with the same groups share their lists.
    fn lists_of_groups(&mut self, program: &Program) {
        let mut known: HashMap<(VpcId, &[SecurityGroupId]), _> = HashMap::new();
        for (id, nic) in (0..).map(NicId).zip(&program.network().nics) {
            let bound = (program.vpc_of(id), nic.security_groups.as_slice());
            let lists = *known.entry(bound).or_insert_with(|| {
                let [egress, ingress] = [false, true].map(|ingress| {
                    let list = List::of_nic(program, id, ingress)?;
                    Some(self.keep(list))
                });
                (egress, ingress)
            });
            self.groups.push(lists);
        }
    }

    fn keep(&mut self, list: List) -> usize {
        self.lists.push(list);
        self.lists.len() - 1
    }

    /// The rules of a nic's groups; `None`: it filters nothing.
    pub(crate) fn group_list(&self, nic: NicId, ingress: bool) -> Option<&List> {
        let (egress, in_) = self.groups[nic.index()];
        Some(&self.lists[if ingress { in_ } else { egress }?])
    }

    /// One side of an acl.
    pub(crate) fn acl_list(&self, acl: AclId, ingress: bool) -> &List {
        let (egress, in_) = self.acls[acl.index()];
        &self.lists[if ingress { in_ } else { egress }]
    }

    /// Every list there is.
    pub(crate) fn lists(&self) -> &[List] {
        &self.lists
    }

    pub(crate) fn table(&self, table: RouteTableId) -> &[(Ipv4Net, Vec<NextHop>)] {
        &self.tables[table.index()]
    }
}

fn own_address(
    program: &Program,
    owners: &mut [BTreeMap<Ipv4Addr, Result<NicId, HavipId>>],
    vpc: VpcId,
    address: Ipv4Addr,
) {
    let answers = match program.owner(vpc, address) {
        Some(Owner::Nic(nic)) => Ok(nic),
        Some(Owner::Havip(havip)) => program.network().havip(havip).holder.ok_or(havip),
        None => return,
    };
    owners[vpc.index()].insert(address, answers);
}

fn tables(program: &Program) -> Vec<Vec<(Ipv4Net, Vec<NextHop>)>> {
    let tables = program.network().route_tables.iter();
    let enabled = tables.map(|table| table.routes.iter().filter(|route| route.enabled));
    enabled
        .map(|routes| {
            let mut grouped: Vec<(Ipv4Net, Vec<NextHop>)> = Vec::new();
            for route in routes {
                let net = route.destination.trunc();
                match grouped.iter_mut().find(|(known, _)| *known == net) {
                    Some((_, hops)) => hops.push(route.next_hop),
                    None => grouped.push((net, vec![route.next_hop])),
                }
            }
            grouped.sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
            grouped
        })
        .collect()
}

impl Host {
    fn new(program: &Program, id: CvmId) -> Self {
        let network = program.network();
        let cvm = network.cvm(id);
        let (mut local, mut owned) = (Vec::new(), Vec::new());
        for &nic in &cvm.nics {
            let addresses = &network.nic(nic).addresses;
            let held = held(program, nic);
            let configured = addresses.iter().filter(|own| own.configured);
            let here = configured
                .map(|own| own.address)
                .chain(held.iter().copied());
            for address in here {
                if !local.iter().any(|&(known, _)| known == address) {
                    local.push((address, Some(nic)));
                }
            }
            let all = addresses.iter().map(|own| own.address);
            owned.push((nic, all.chain(held).collect()));
        }
        for &address in &cvm.lo {
            if !local.iter().any(|&(known, _)| known == address) && !address.is_loopback() {
                local.push((address, None));
            }
        }
        Self {
            local,
            owned,
            public: public(program, id),
            tables: host_tables(program, id),
        }
    }
}

/// Virtual addresses that a nic holds, and eips that its guest carries itself.
fn held(program: &Program, nic: NicId) -> Vec<Ipv4Addr> {
    let network = program.network();
    let vpc = program.vpc_of(nic);
    let havips = (0..).map(HavipId).zip(&network.havips);
    let havips = havips
        .filter(|(id, havip)| {
            let owner = program.owner(vpc, havip.address);
            havip.holder == Some(nic) && owner == Some(Owner::Havip(*id))
        })
        .map(|(_, havip)| havip.address);
    let direct = network.eips.iter().filter(|eip| {
        let bound = matches!(eip.target, Some(EipTarget::Address(to, _)) if to == nic);
        bound && eip.mode == EipMode::Direct
    });
    havips.chain(direct.map(|eip| eip.address)).collect()
}

fn public(program: &Program, cvm: CvmId) -> Vec<(Ipv4Addr, EipId)> {
    let network = program.network();
    let mut found = Vec::new();
    for (id, eip) in (0..).map(EipId).zip(&network.eips) {
        let (carrier, private) = match (eip.target, eip.mode) {
            (Some(EipTarget::Address(nic, _)), EipMode::Direct) => (nic, eip.address),
            (Some(EipTarget::Address(nic, address)), EipMode::Nat) => (nic, address),
            (Some(EipTarget::Havip(havip)), EipMode::Nat) => {
                let havip = network.havip(havip);
                let Some(holder) = havip.holder else { continue };
                (holder, havip.address)
            }
            _ => continue,
        };
        if network.nic(carrier).cvm == cvm {
            found.push((private, id));
        }
    }
    found
}

/// §10: declared routes, then connected ones, then the default by the first nic.
fn host_tables(program: &Program, id: CvmId) -> HashMap<HostTable, Vec<(Ipv4Net, NicId)>> {
    let network = program.network();
    let cvm = network.cvm(id);
    let mut tables: HashMap<HostTable, Vec<(Ipv4Net, NicId)>> = HashMap::new();
    for route in &cvm.routes {
        let table = tables.entry(route.table).or_default();
        table.push((route.destination.trunc(), route.nic));
    }
    let configured = |nic: &NicId| network.nic(*nic).addresses.iter().any(|own| own.configured);
    let main = tables.entry(HostTable::MAIN).or_default();
    for &nic in cvm.nics.iter().filter(|nic| configured(nic)) {
        main.push((network.subnet(network.nic(nic).subnet).cidr.trunc(), nic));
    }
    if let Some(&first) = cvm.nics.first().filter(|nic| configured(nic)) {
        main.push((Ipv4Net::default(), first));
    }
    for table in tables.values_mut() {
        table.sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
    }
    tables
}

/// Public addresses, by what is behind them.
impl Facts {
    /// The nic whose guest carries this public address itself.
    pub(crate) fn direct_nic(&self, program: &Program, address: Ipv4Addr) -> Option<NicId> {
        let eip = program.network().eip(*self.eips.get(&address)?);
        match (eip.mode, eip.target) {
            (EipMode::Direct, Some(EipTarget::Address(nic, _))) => Some(nic),
            _ => None,
        }
    }

    /// The SNAT rule for a source: by cvm first, then by subnet.
    pub(crate) fn snat_rule(
        &self,
        program: &Program,
        gateway: NatGatewayId,
        source: Ipv4Addr,
    ) -> Option<usize> {
        use vpcsim_network::SnatSource::{Cvm, Subnet};
        let network = program.network();
        let gateway = network.nat_gateway(gateway);
        let owner = self.owners[gateway.vpc.index()].get(&source);
        let owner = owner.and_then(|owner| owner.ok());
        let cvm = owner.map(|nic| network.nic(nic).cvm);
        let mut rules = gateway.snat.iter();
        let by_cvm = rules.position(|rule| matches!(rule.source, Cvm(id) if Some(id) == cvm));
        by_cvm.or_else(|| {
            gateway.snat.iter().position(|rule| {
                matches!(rule.source, Subnet(id) if network.subnet(id).cidr.contains(&source))
            })
        })
    }
}
