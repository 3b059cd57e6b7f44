//! SEMANTICS §9: the NAT gateway. SNAT projects sources onto the pool, DNAT replaces a
//! destination.

use super::{
    Approach, Carry, Chooser, End, Entry, Opened, Path, Session, Step, never_opens, split,
};
use crate::key::{Key, Ports, Value};
use crate::set::Set;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{DropReason, Place, Stage};
use vpcsim_network::{DnatRule, EipId, Filtering, NatGatewayId};
use vpcsim_packet::Protocol;

const STAGE: Stage = Stage::NatGateway;
/// ICMP echo request (RFC 792): the high byte of type and code.
const ECHO_REQUEST: u32 = 8 << 8;
const ANY_CODE: u32 = 0xff;

impl Carry<'_> {
    /// From inside to the internet.
    pub(super) fn nat_outbound(&mut self, path: Path, id: NatGatewayId) {
        if !self.program.network().nat_gateway(id).enabled {
            return self.drop(path, DropReason::NextHopUnavailable, STAGE);
        }
        let icmp = Set::of_protocol(Protocol::ICMP);
        let translated = Set::with_ports().or(&icmp);
        let path = self.only(path, &translated, DropReason::NatProtocol, STAGE);
        if !path.opens {
            return self.drop(path, DropReason::InvalidState, STAGE);
        }
        let mut left = path.set.clone();
        for session in path.sessions.iter().filter(|session| session.gateway == id) {
            let own = path.key.equals(session.inside, &left);
            left = left.without(&own);
            let backwards = path.key.equals(session.outside.reversed(), &left);
            left = left.without(&backwards);
            self.end(path.part(backwards), End::Undecided);
            let mut own = path.part(own);
            own.key = session.outside;
            self.reach_internet(own, Some(id));
        }
        let mut path = path.part(left);
        if path.answer {
            let openers = path.set.without(&never_opens());
            path = self.only(path, &openers, DropReason::InvalidState, STAGE);
        }
        self.map_source(path, id);
    }

    /// A new mapping: which public address, which port.
    fn map_source(&mut self, path: Path, id: NatGatewayId) {
        let gateway = self.program.network().nat_gateway(id);
        for (path, rule) in self.by_snat_rule(path, id) {
            let pool = match rule {
                Some(rule) => &gateway.snat[rule].eips,
                None if gateway.strict_snat => {
                    self.drop(path, DropReason::SnatNoRule, STAGE);
                    continue;
                }
                None => &gateway.eips,
            };
            for (path, chosen) in Self::choose(&path, Chooser::Gateway(id), pool.len()) {
                for (path, source_port) in self.by_free_port(path, id, pool[chosen]) {
                    self.open(path, id, pool[chosen], source_port);
                }
            }
        }
    }

    /// Splits packets by the SNAT rule for their source.
    fn by_snat_rule(&self, path: Path, id: NatGatewayId) -> Vec<(Path, Option<usize>)> {
        let gateway = self.program.network().nat_gateway(id);
        let rule_of = |source: Ipv4Addr| self.facts.snat_rule(self.program, id, source);
        if gateway.snat.is_empty() || path.set.is_empty() {
            return vec![(path, None)];
        }
        if let Value::Is(source) = path.key.source {
            return vec![(path, rule_of(source))];
        }
        let owners = self.facts.owners[gateway.vpc.index()].keys();
        let cases = owners.map(|&address| (address, rule_of(address)));
        let parts = split(path, |key| key.source, cases);
        let mut ruled: Vec<_> = parts
            .found
            .into_iter()
            .map(|(path, _, rule)| (path, rule))
            .collect();
        // Nobody has the other addresses: only rules for subnets speak of them.
        if let Some(path) = parts.rest {
            let mut left = path.set.clone();
            for (index, rule) in gateway.snat.iter().enumerate() {
                if let vpcsim_network::SnatSource::Subnet(subnet) = rule.source {
                    let cidr = self.program.network().subnet(subnet).cidr;
                    let matched = left.and(&path.key.source.within(cidr));
                    left = left.without(&matched);
                    ruled.push((path.part(matched), Some(index)));
                }
            }
            ruled.push((path.part(left), None));
        }
        ruled
    }

    /// Splits packets by the port that they get: their own, or where a DNAT rule has that, the
    /// next free one of its class.
    fn by_free_port(&self, path: Path, id: NatGatewayId, eip: EipId) -> Vec<(Path, Value<u16>)> {
        let own = path.key.ports.source;
        let reserved: Vec<(Protocol, u16)> = self.dnat(id, eip).collect();
        let mut parts = Vec::new();
        let mut left = path.set.clone();
        for &(protocol, port) in &reserved {
            let taken = left.and(&Set::of_protocol(protocol)).and(&own.is(port));
            if taken.is_empty() {
                continue;
            }
            left = left.without(&taken);
            let free = vpcsim_dataplane::ports_of_same_class(port)
                .find(|&next| !reserved.contains(&(protocol, next)));
            if let Some(free) = free {
                parts.push((path.part(taken), Value::Is(free)));
            }
        }
        parts.push((path.part(left), own));
        parts
    }

    fn dnat(&self, id: NatGatewayId, eip: EipId) -> impl Iterator<Item = (Protocol, u16)> {
        let rules = self.program.network().nat_gateway(id).dnat.iter();
        rules
            .filter(move |rule| rule.eip == eip)
            .filter_map(|rule| Some((protocol_of(rule)?, rule.port)))
    }

    /// Opens a session from inside.
    fn open(&mut self, mut path: Path, id: NatGatewayId, eip: EipId, source_port: Value<u16>) {
        let inside = path.key;
        let outside = Key {
            source: Value::Is(self.program.network().eip(eip).address),
            ports: Ports {
                source: source_port,
                ..inside.ports
            },
            ..inside
        };
        let taken = self.held(&path, id, outside.reversed());
        self.end(path.part(path.set.and(&taken)), End::Undecided);
        path.set = path.set.without(&taken);
        path.sessions.push(Session {
            gateway: id,
            eip,
            inside,
            outside,
            opened: Opened::Inside,
        });
        path.key = outside;
        self.reach_internet(path, Some(id));
    }

    /// Packets whose session at a gateway has this key already.
    fn held(&self, path: &Path, id: NatGatewayId, key: Key) -> Set {
        let sessions = path.sessions.iter().filter(|session| session.gateway == id);
        sessions.fold(Set::none(), |all, session| {
            let inside = key.equals(session.inside, &path.set);
            all.or(&inside.or(&key.equals(session.outside.reversed(), &path.set)))
        })
    }

    /// From the internet to an eip of a gateway (§3.2).
    pub(super) fn nat_inbound(&mut self, path: Path, eip: EipId, id: NatGatewayId) {
        let network = self.program.network();
        let gateway = network.nat_gateway(id);
        if !gateway.enabled {
            return self.drop(path, DropReason::NextHopUnavailable, STAGE);
        }
        let mut left = path.set.clone();
        if path.opens {
            for session in path.sessions.iter().filter(|session| session.gateway == id) {
                let own = path.key.equals(session.outside.reversed(), &left);
                left = left.without(&own);
                let backwards = path.key.equals(session.inside, &left);
                left = left.without(&backwards);
                self.end(path.part(backwards), End::Undecided);
                let mut own = path.part(own);
                own.key = session.inside.reversed();
                self.deliver_inside(own, id, session.opened);
            }
            left = self.new_inbound(path.part(left), eip, id);
        }
        let pings = Set::of_protocol(Protocol::ICMP).and(&Set::range(
            crate::set::Field::DESTINATION_PORT,
            ECHO_REQUEST,
            ECHO_REQUEST | ANY_CODE,
        ));
        // An answer to a ping is none.
        let proxied = if gateway.icmp_proxy && !path.answer {
            left.and(&pings)
        } else {
            Set::none()
        };
        let lost = path.part(left.without(&proxied));
        self.end(path.part(proxied), End::At(Place::NatGateway(id)));
        self.drop(lost, DropReason::NoNatSession, STAGE);
    }

    /// What inbound packets without a session open: by a DNAT rule, or beside a mapping. Returns
    /// those that open nothing.
    fn new_inbound(&mut self, path: Path, eip: EipId, id: NatGatewayId) -> Set {
        let network = self.program.network();
        let outside = path.key.reversed();
        let port = path.key.ports.destination;
        let mut left = path.set.clone();
        for rule in network
            .nat_gateway(id)
            .dnat
            .iter()
            .filter(|rule| rule.eip == eip)
        {
            let Some(protocol) = protocol_of(rule) else {
                continue;
            };
            let matched = left
                .and(&Set::of_protocol(protocol))
                .and(&port.is(rule.port));
            left = left.without(&matched);
            let inside = Key {
                source: Value::Is(rule.to),
                ports: Ports {
                    source: Value::Is(rule.to_port),
                    ..outside.ports
                },
                ..outside
            };
            let session = Session {
                gateway: id,
                eip,
                inside,
                outside,
                opened: Opened::Rule,
            };
            self.open_inbound(path.part(matched), session);
        }
        if network.policies.filtering == Filtering::EndpointDependent {
            return left;
        }
        for known in path.sessions.iter().filter(|known| known.eip == eip) {
            if known.opened == Opened::Rule {
                continue;
            }
            let mapped = port.equals(known.outside.ports.source);
            let matched = left.and(&Set::with_ports()).and(&mapped);
            left = left.without(&matched);
            let inside = Key {
                source: known.inside.source,
                ports: Ports {
                    source: known.inside.ports.source,
                    ..outside.ports
                },
                ..outside
            };
            let session = Session {
                gateway: id,
                eip,
                inside,
                outside,
                opened: Opened::Mapping,
            };
            self.open_inbound(path.part(matched), session);
        }
        left
    }

    fn open_inbound(&mut self, mut path: Path, session: Session) {
        if path.set.is_empty() {
            return;
        }
        let taken = self.held(&path, session.gateway, session.inside);
        self.end(path.part(path.set.and(&taken)), End::Undecided);
        path.set = path.set.without(&taken);
        if path.answer {
            let openers = path.set.without(&never_opens());
            path = self.only(path, &openers, DropReason::InvalidState, STAGE);
        }
        path.key = session.inside.reversed();
        let (id, opened) = (session.gateway, session.opened);
        path.sessions.push(session);
        self.deliver_inside(path, id, opened);
    }

    /// Translated packets go to whom they are for.
    fn deliver_inside(&mut self, path: Path, id: NatGatewayId, opened: Opened) {
        let vpc = self.program.network().nat_gateway(id).vpc;
        let entry = (opened != Opened::Inside).then_some(Entry::NatGateway(id));
        let carrier = match path.key.destination {
            Value::Is(address) => self.facts.direct_nic(self.program, address),
            Value::Sent(_) => None,
        };
        let carrier = carrier.filter(|&nic| self.program.vpc_of(nic) == vpc);
        let owned = match carrier {
            Some(nic) => vec![(path, nic)],
            None => self.private_owner(path, vpc, STAGE),
        };
        for (path, nic) in owned {
            let approach = Approach {
                entry,
                ..Approach::crossing(nic)
            };
            self.go(path, Step::Enter(approach));
        }
    }
}

fn protocol_of(rule: &DnatRule) -> Option<Protocol> {
    rule.protocol.number().map(Protocol)
}
