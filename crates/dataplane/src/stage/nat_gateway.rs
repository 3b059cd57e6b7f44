//! SEMANTICS §9: the NAT gateway, outbound and inbound.

use super::flow_rule::position;
use crate::conntrack::{Begun, Holder, Judgement, answer_to};
use crate::flow_cache::Charge;
use crate::nat::{Found, Opened, Session, free_remote_port, map_source};
use crate::observe::{Decision, Observer, Outcome};
use crate::packet::Packet;
use crate::state::{Door, Entry};
use crate::verdict::{Drop, DropReason, Element, Policy, Rule, RuleList, Stage};
use crate::walk::{Approach, Begins, Note, Onward, Step, Stopped, Walk};
use crate::{Place, State};
use vpcsim_network::{EipId, Filtering, MidStream, NatGatewayId};
use vpcsim_packet::{FlowKey, Protocol, Quoted, Rewrite, icmp};

const STAGE: Stage = Stage::NatGateway;
/// ICMP echo request (RFC 792).
const ECHO_REQUEST: u8 = 8;

impl<O: Observer> Walk<'_, O> {
    /// From inside to the internet.
    pub(crate) fn nat_outbound(
        &mut self,
        packet: &mut Packet<'_>,
        id: NatGatewayId,
    ) -> Result<Onward, Stopped> {
        let element = Element::NatGateway(id);
        let drop = |reason| Drop::new(reason, STAGE, element);
        if !self.program.network().nat_gateway(id).enabled {
            return Err(drop(DropReason::NextHopUnavailable).into());
        }
        if !matches!(
            packet.key.protocol,
            Protocol::TCP | Protocol::UDP | Protocol::ICMP
        ) {
            return Err(drop(DropReason::NatProtocol).into());
        }
        let found = self.outbound_session(packet, id);
        // By reference: what was written in parts a moment ago is not to be moved as a whole.
        let translation = found.as_ref().map_err(|drop| *drop)?;
        self.outbound_caps(packet, &translation.session)?;
        self.translate(packet, translation, Way::Out);
        Ok(self.reach_internet(packet, Some(Entry::NatGateway(id))))
    }

    /// Remembers the session if the packet opens it, and translates the packet by it.
    fn translate(&mut self, packet: &mut Packet<'_>, translation: &Translation, way: Way) {
        let &Translation {
            ref session,
            rule,
            policy,
            ref opens,
        } = translation;
        let flow = self.rule_of_session(session, opens.is_some());
        if let Some(opens) = opens {
            self.open_session(session, opens);
        }
        if packet.quoted().is_some() {
            let (change, quoted) = match way {
                Way::Out => (session.outbound(), session.quoted_outbound()),
                Way::In => (session.inbound(), session.quoted_inbound()),
            };
            // Whoever on the inside sends the error, outside it comes from the eip; and it
            // has no ports of its own.
            let outer = Rewrite {
                source_port: None,
                destination_port: None,
                ..change
            };
            packet.rewrite_error(&outer, &quoted);
        } else if way == Way::Out {
            packet.becomes(&session.outside);
        } else {
            packet.becomes(&session.inside.reversed());
        }
        let outcome = match way {
            Way::Out => Outcome::SourceTranslated,
            Way::In => Outcome::DestinationTranslated,
        };
        let element = Element::NatGateway(session.gateway);
        let note = Note {
            rule,
            policy,
            flow,
            ..Note::new(STAGE, element, Decision::Pass(outcome))
        };
        self.observe(packet, &note);
    }

    /// The session of an outbound packet: the live one, else a new mapping.
    fn outbound_session(
        &mut self,
        packet: &Packet<'_>,
        id: NatGatewayId,
    ) -> Result<Translation, Drop> {
        let drop = |reason| Drop::new(reason, STAGE, Element::NatGateway(id));
        let found = |session| Translation {
            session,
            rule: None,
            policy: None,
            opens: None,
        };
        if let Some(quoted) = packet.quoted() {
            let session = self.session_of_error(id, packet, &quoted);
            return session
                .map(found)
                .ok_or_else(|| drop(DropReason::NoNatSession));
        }
        let live = self.live_session(packet, id)?;
        if let Some(session) = live.and_then(|live| self.session_in(live)) {
            return Ok(found(session));
        }
        if packet.is_later_fragment() {
            return Err(drop(DropReason::NoNatSession));
        }
        let policy = self.may_open(packet, id)?;
        self.has_room(id)?;
        let map = |state: &State| {
            let tables = (&state.flows, &state.sessions);
            map_source(self.program, tables, id, &packet.key)
        };
        let mut mapping = map(self.state);
        let at_once = mapping.as_ref().is_ok_and(|mapping| mapping.at_once);
        if !at_once && self.state.catch_up(self.program) {
            // What a connection holds that is over is free.
            mapping = map(self.state);
        }
        let mapping = mapping.as_ref().map_err(|drop| *drop)?;
        let session = Session {
            gateway: id,
            eip: mapping.eip,
            inside: packet.key,
            outside: mapping.outside(self.program, &packet.key),
            opened: Opened::Inside,
            rule: position(mapping.rule) + 1,
        };
        Ok(Translation {
            session,
            rule: mapping.rule,
            policy,
            opens: Some(Opens {
                mid_stream: policy.is_some(),
                destination: Some(mapping.destination),
            }),
        })
    }

    /// §9: outbound is the lower of the gateway and the eip.
    fn outbound_caps(&mut self, packet: &Packet<'_>, session: &Session) -> Result<(), Drop> {
        if !self.state.buckets.are_limited() {
            return Ok(());
        }
        let limits = [
            Charge::Gateway(session.gateway),
            Charge::EipOutbound(session.eip),
        ];
        self.charge(packet, &limits).map_err(|reached| {
            let element = match reached {
                Charge::Gateway(id) => Element::NatGateway(id),
                Charge::EipOutbound(id) | Charge::EipInbound(id) => Element::Eip(id),
            };
            Drop::new(DropReason::BandwidthExceeded, STAGE, element)
        })
    }

    /// From the internet to an eip of a gateway (§3.2).
    pub(crate) fn nat_inbound(
        &mut self,
        packet: &mut Packet<'_>,
        eip: EipId,
        id: NatGatewayId,
    ) -> Result<Onward, Stopped> {
        let network = self.program.network();
        let gateway = network.nat_gateway(id);
        let element = Element::NatGateway(id);
        let drop = |reason| Drop::new(reason, STAGE, element);
        if !gateway.enabled {
            return Err(drop(DropReason::NextHopUnavailable).into());
        }
        self.inbound_cap(packet, eip)?;
        let Some(translation) = self.inbound_session(packet, eip, id)? else {
            let echo = packet.key.icmp_kind() == Some(ECHO_REQUEST);
            if echo && gateway.icmp_proxy {
                return Ok(self.proxy_echo(packet, id).into());
            }
            return Err(drop(DropReason::NoNatSession).into());
        };
        let session = translation.session;
        self.translate(packet, &translation, Way::In);
        // A host that carries its eip itself (direct mode) may send by the gateway all the same:
        // its answers find it by that address, which is nobody's in the vpc.
        let carrier = self
            .program
            .public()
            .direct_nic(session.inside.source)
            .filter(|&nic| self.program.vpc_of(nic) == gateway.vpc);
        let owner = match carrier {
            Some(nic) => nic,
            None => self.private_owner(gateway.vpc, session.inside.source, STAGE)?,
        };
        // Only a flow that came in by the gateway has to go back by it (§2.5a).
        let entry = (session.opened != Opened::Inside).then_some(Entry::NatGateway(id));
        let approach = Approach {
            entry: Door::of(entry),
            ..Approach::crossing(owner)
        };
        Ok(Step::Enter(approach).into())
    }

    /// The session of an inbound packet: the live one, else one by a DNAT rule, else, under
    /// endpoint-independent filtering, one beside any of the same mapping.
    fn inbound_session(
        &mut self,
        packet: &Packet<'_>,
        eip: EipId,
        id: NatGatewayId,
    ) -> Result<Option<Translation>, Drop> {
        let found = |session| Translation {
            session,
            rule: None,
            policy: None,
            opens: None,
        };
        if let Some(quoted) = packet.quoted() {
            return Ok(self.session_of_error(id, packet, &quoted).map(found));
        }
        let live = self.live_session(packet, id)?;
        if let Some(session) = live.and_then(|live| self.session_in(live)) {
            return Ok(Some(found(session)));
        }
        if packet.is_later_fragment() {
            return Ok(None);
        }
        if self.program.network().policies.filtering == Filtering::EndpointIndependent {
            self.state.catch_up(self.program);
        }
        let Some((mut session, rule, policy)) = self.new_inbound(packet, eip, id) else {
            return Ok(None);
        };
        let find = |state: &State| free_remote_port(&state.flows, id, &session.inside);
        let mut free = find(self.state);
        if free != Some(session.inside) && self.state.catch_up(self.program) {
            free = find(self.state);
        }
        session.inside = free.ok_or_else(|| {
            let drop = Drop::new(
                DropReason::NatPortsExhausted,
                STAGE,
                Element::NatGateway(id),
            );
            rule.map_or(drop, |rule| drop.by_rule(rule))
        })?;
        let mid_stream = self.may_open(packet, id)?;
        self.has_room(id)?;
        Ok(Some(Translation {
            session,
            rule,
            policy: policy.or(mid_stream),
            opens: Some(Opens {
                mid_stream: mid_stream.is_some(),
                destination: None,
            }),
        }))
    }

    /// What an inbound packet without a session could open.
    fn new_inbound(
        &self,
        packet: &Packet<'_>,
        eip: EipId,
        id: NatGatewayId,
    ) -> Option<(Session, Option<Rule>, Option<Policy>)> {
        let network = self.program.network();
        let key = packet.key;
        let outside = key.reversed();
        let towards = |source, source_port, opened, rule| {
            let inside = FlowKey {
                source,
                source_port,
                ..outside
            };
            Session {
                gateway: id,
                eip,
                inside,
                outside,
                opened,
                rule,
            }
        };
        let port = key.destination_port;
        if let Some(target) = self.program.public().dnat(eip, key.protocol, port) {
            let dnat = &network.nat_gateway(target.gateway).dnat[target.rule as usize];
            let line = dnat.mark.line;
            let rule = Rule {
                list: RuleList::Dnat,
                position: Some(target.rule + 1),
                line,
            };
            return Some((
                towards(dnat.to, dnat.to_port, Opened::Rule, target.rule + 2),
                Some(rule),
                None,
            ));
        }
        let ports = matches!(key.protocol, Protocol::TCP | Protocol::UDP);
        if !ports || network.policies.filtering == Filtering::EndpointDependent {
            return None;
        }
        let (flows, sessions) = (&self.state.flows, &self.state.sessions);
        let known = sessions.of_mapping(flows, eip, key.protocol, port)?;
        let session = towards(
            known.inside.source,
            known.inside.source_port,
            Opened::Mapping,
            0,
        );
        Some((session, None, Some(Policy::Filtering)))
    }

    /// Policy-free part of both directions: the record of the live session that a packet belongs
    /// to, kept alive by it.
    fn live_session(&mut self, packet: &Packet<'_>, id: NatGatewayId) -> Result<Option<u32>, Drop> {
        let Some((slot, direction)) = self.state.flows.at_gateway(id, &packet.key) else {
            return Ok(None);
        };
        let holder = Holder::Gateway(slot);
        let Some((track, before)) = self.state.held(holder) else {
            return Ok(None);
        };
        if self.is_over(holder) {
            return Ok(None);
        }
        if packet.is_later_fragment() {
            return Ok(Some(slot));
        }
        let (holder, track, judgement) = self.judge(packet, holder, track, direction);
        if judgement == Judgement::Reopen {
            // A new connection with the addresses of a finished one: it opens by the present
            // rules, and from the outside only where a rule lets it.
            self.state.end_connection(self.program, holder);
            return Ok(None);
        }
        let held = self.state.held(holder);
        let before = held.map_or(before, |(_, deadline)| deadline);
        let timeouts = &self.program.network().nat_gateway(id).timeouts;
        let tracker = self.state.tracks.get(track);
        let deadline = tracker.nat_deadline(judgement, before, self.now(), timeouts);
        self.state.flows.set_deadline(holder, deadline);
        self.state.stays_until_passed(holder, deadline);
        if let Judgement::Invalid(_) = judgement
            && self.program.network().policies.mid_stream == MidStream::Drop
        {
            let element = Element::NatGateway(id);
            let drop = Drop::new(DropReason::InvalidState, STAGE, element);
            return Err(drop.by_policy(Policy::MidStream));
        }
        Ok(Some(holder.slot()))
    }

    /// §9: whether the gateway may hold one connection more.
    fn has_room(&mut self, id: NatGatewayId) -> Result<(), Drop> {
        let most = self.program.network().nat_gateway(id).max_connections as usize;
        let peak = self.state.sessions.gateway_peak(id);
        let has_room = |state: &State, most| state.flows.gateway_len(id) < most;
        self.state
            .make_room(self.program, |state| has_room(state, most.min(peak)));
        if has_room(self.state, most) {
            return Ok(());
        }
        let (reason, element) = (DropReason::NatConnectionsExhausted, Element::NatGateway(id));
        Err(Drop::new(reason, STAGE, element))
    }

    /// Remembers a session.
    fn open_session(&mut self, session: &Session, opens: &Opens) {
        let timeouts = &self.program.network().nat_gateway(session.gateway).timeouts;
        self.recipe
            .open(&session.inside, &session.outside.reversed());
        let track = self.open_track(opens.mid_stream);
        let timeout = self.state.tracks.get(track).nat_timeout(timeouts);
        let deadline = self.now().after_seconds(timeout);
        let begun = Begun {
            beside: self.state.beside_nic(track, &session.inside),
            ..Begun::new(track, deadline)
        };
        let State {
            flows, sessions, ..
        } = &mut *self.state;
        let slot = sessions.insert(flows, session, opens.destination, &begun);
        let holder = Holder::Gateway(slot);
        self.hold_opened(track, holder);
        self.state.stays_until_passed(holder, deadline);
        self.state.journal_session(session.gateway, true);
        self.state.forget_misses_of(self.program, &session.inside);
    }

    /// Whether a packet may open a session, and the policy that lets it: RST, SYN-ACK and echo
    /// replies never do, other segments from the middle of a connection do under
    /// `mid_stream: judge`.
    fn may_open(&mut self, packet: &Packet<'_>, id: NatGatewayId) -> Result<Option<Policy>, Drop> {
        match self.open(packet) {
            Begins::Connection { mid_stream } => Ok(mid_stream.then_some(Policy::MidStream)),
            Begins::Nothing => {
                let element = Element::NatGateway(id);
                let drop = Drop::new(DropReason::InvalidState, STAGE, element);
                let strict = self.program.network().policies.mid_stream == MidStream::Drop;
                Err(if strict {
                    drop.by_policy(Policy::MidStream)
                } else {
                    drop
                })
            }
        }
    }

    /// The live session whose packet an ICMP error quotes: an answer to that packet would belong
    /// to it, and would go where the error goes (kernel `nf_conntrack_inet_error`).
    pub(crate) fn session_of_error(
        &self,
        id: NatGatewayId,
        error: &Packet<'_>,
        quoted: &Quoted,
    ) -> Option<Session> {
        let answer = answer_to(quoted, error.key.destination)?;
        self.session_by(id, &answer)
    }

    /// The live session that a packet with this key would belong to.
    pub(crate) fn session_by(&self, id: NatGatewayId, key: &FlowKey) -> Option<Session> {
        let (slot, _) = self.state.flows.at_gateway(id, key)?;
        let holder = Holder::Gateway(slot);
        let is_over = self.state.is_behind() && self.state.is_over(self.program, holder);
        self.session_in(slot).filter(|_| !is_over)
    }

    /// The session of a record.
    fn session_in(&self, slot: u32) -> Option<Session> {
        self.state.flows.get(slot).and_then(Session::of)
    }

    /// The gateway answers a ping to its address itself (policy-like switch `icmp_proxy`). One in
    /// fragments arrives like any other, but no answer to it is made.
    fn proxy_echo(&mut self, packet: &Packet<'_>, id: NatGatewayId) -> Step {
        let reply = icmp::echo_reply(packet.bytes, packet.headers);
        let back = match self.program.eip_of_public(packet.key.source) {
            Some(_) => Step::FromInternet { hairpin: None },
            None => Step::End(Place::Internet),
        };
        self.generate(packet, reply, back);
        Step::End(Place::NatGateway(id))
    }
}

/// Which way a packet passes the gateway.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the internet.
    Out,
    /// From it.
    In,
}

/// How a packet is translated.
struct Translation {
    session: Session,
    rule: Option<Rule>,
    policy: Option<Policy>,
    /// For a session that this packet opens.
    opens: Option<Opens>,
}

/// What opening a session takes.
#[derive(Clone, Copy)]
struct Opens {
    /// It was picked up in the middle.
    mid_stream: bool,
    /// Where its port was found free.
    destination: Option<Found>,
}
