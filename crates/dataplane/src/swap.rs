//! A new program under a live state: what a change of the network does to what is remembered.

use crate::conntrack::{Begun, Holder, TrackId, Tracks};
use crate::nat::Session;
use crate::state::{Door, Entry, Flow, LetIn, NicFlow};
use crate::{Program, Source, State};
use hashbrown::HashMap;
use std::hash::Hash;
use vpcsim_network::{CvmId, EipId, ExternalId, NatGatewayId, NicId};

impl State {
    /// Goes on under a changed network. Nics, eips and gateways are the same ones as before if
    /// they have the same names, gateways if they also serve the same vpc.
    ///
    /// Flows of nics that are gone end; the others are judged by policy `on_rule_change` (§6)
    /// at their next packet. NAT sessions end with their gateway, with their eip, and when the
    /// eip changes its address or leaves the gateway (editing a gateway's addresses breaks live
    /// flows on the platform too). Fragments that wait at a host that is gone have waited too
    /// long. Token buckets begin full.
    pub fn adopt(&mut self, old: &Program, new: &Program) {
        let same = Same::between(old, new);
        self.end_due(old);
        self.uncache_all(old);
        let mut fresh = Self::new(new).with_flow_cache(self.cache.limit());
        fresh.now = self.now;
        fresh.ends_a_turn = self.ends_a_turn;
        if !self.tracks.is_shared() {
            fresh.tracks.share_nothing();
        }
        move_flows(self, &mut fresh, &same, new);
        fresh.fragments = std::mem::take(&mut self.fragments);
        fresh.fragments.relocate(|place| same.place(place));
        *self = fresh;
    }
}

/// What the elements of the old program are in the new one, by their old numbers.
struct Same {
    cvms: Vec<Option<u32>>,
    nics: Vec<Option<u32>>,
    eips: Vec<Option<u32>>,
    gateways: Vec<Option<u32>>,
    externals: Vec<Option<u32>>,
}

impl Same {
    fn between(old: &Program, new: &Program) -> Self {
        let (before, after) = (old.network(), new.network());
        let nics = |program: &Program| {
            let nics = (0..program.network().nics.len() as u32).map(NicId);
            nics.map(|nic| program.nic_name(nic)).collect::<Vec<_>>()
        };
        let gateways = |program: &Program| {
            let network = program.network();
            let gateways = network.nat_gateways.iter();
            gateways
                .map(|g| (g.name.clone(), network.vpc(g.vpc).name.clone()))
                .collect::<Vec<_>>()
        };
        Self {
            cvms: matched(
                before.cvms.iter().map(|cvm| &cvm.name),
                after.cvms.iter().map(|cvm| &cvm.name),
            ),
            nics: matched(nics(old), nics(new)),
            eips: matched(
                before.eips.iter().map(|eip| &eip.name),
                after.eips.iter().map(|eip| &eip.name),
            ),
            gateways: matched(gateways(old), gateways(new)),
            externals: matched(
                before.externals.iter().map(|external| &external.name),
                after.externals.iter().map(|external| &external.name),
            ),
        }
    }

    fn nic(&self, id: NicId) -> Option<NicId> {
        self.nics.get(id.index()).copied().flatten().map(NicId)
    }

    fn eip(&self, id: EipId) -> Option<EipId> {
        self.eips.get(id.index()).copied().flatten().map(EipId)
    }

    fn gateway(&self, id: NatGatewayId) -> Option<NatGatewayId> {
        let new = self.gateways.get(id.index()).copied().flatten();
        new.map(NatGatewayId)
    }

    /// What a nic keeps with a flow.
    fn flow(&self, flow: NicFlow) -> NicFlow {
        let entry = match flow.door().entry() {
            Some(Entry::Eip(eip)) => self.eip(eip).map(Entry::Eip),
            Some(Entry::NatGateway(id)) => self.gateway(id).map(Entry::NatGateway),
            None => None,
        };
        let let_in = LetIn::new(flow.let_in.ingress(), 0);
        NicFlow::new(Door::of(entry), let_in).of_other_rules()
    }

    /// A session, if it goes on.
    fn session(&self, session: Session, new: &Program) -> Option<Session> {
        let gateway = self.gateway(session.gateway)?;
        let eip = self.eip(session.eip)?;
        let kept = new.network().nat_gateway(gateway).eips.contains(&eip)
            && new.network().eip(eip).address == session.outside.source;
        kept.then_some(Session {
            gateway,
            eip,
            rule: 0,
            ..session
        })
    }

    fn place(&self, place: Source) -> Option<Source> {
        match place {
            Source::Cvm(id) => {
                let new = self.cvms.get(id.index()).copied().flatten();
                new.map(CvmId).map(Source::Cvm)
            }
            Source::Nic(id) => self.nic(id).map(Source::Nic),
            Source::External(id) => {
                let new = self.externals.get(id.index()).copied().flatten();
                new.map(ExternalId).map(Source::External)
            }
            Source::Internet => Some(Source::Internet),
        }
    }
}

/// For each old name, where the same name stands among the new ones.
fn matched<N: Hash + Eq>(
    old: impl IntoIterator<Item = N>,
    new: impl IntoIterator<Item = N>,
) -> Vec<Option<u32>> {
    let new: HashMap<N, u32> = new.into_iter().zip(0..).collect();
    let old = old.into_iter();
    old.map(|name| new.get(&name).copied()).collect()
}

/// Trackers on their way to another state, those that are shared staying shared.
pub(crate) struct Moving<'a> {
    from: &'a Tracks,
    moved: HashMap<TrackId, TrackId>,
}

impl<'a> Moving<'a> {
    pub(crate) fn new(from: &'a Tracks) -> Self {
        Self {
            from,
            moved: HashMap::new(),
        }
    }

    /// Moves a record, with what of it goes on: the nic's flow, the gateway's session.
    pub(crate) fn record(
        &mut self,
        to: &mut State,
        record: &Flow,
        nic: Option<(NicId, NicFlow)>,
        session: Option<Session>,
    ) {
        if nic.is_none() && session.is_none() {
            return;
        }
        let track = self.to(&mut to.tracks, record.track());
        let mut beside = None;
        if let (Some(session), Some(deadline)) = (session, record.gateway_deadline()) {
            let begun = Begun::new(track, deadline);
            let slot = to.sessions.insert(&mut to.flows, &session, None, &begun);
            to.tracks.hold(track, Holder::Gateway(slot));
            beside = Some(slot);
        }
        if let (Some((nic, flow)), Some(deadline)) = (nic, record.nic_deadline()) {
            let begun = Begun {
                beside,
                ..Begun::new(track, deadline)
            };
            let slot = to.flows.remember(nic, &record.original(), &begun, flow);
            to.tracks.hold(track, Holder::Nic(slot));
        }
    }

    fn to(&mut self, tracks: &mut Tracks, id: TrackId) -> TrackId {
        let from = self.from;
        *self
            .moved
            .entry(id)
            .or_insert_with(|| tracks.insert(&from.get(id).copied()))
    }
}

fn move_flows(from: &State, to: &mut State, same: &Same, new: &Program) {
    let records = from.flows.iter().map(|(_, record)| record);
    let (mut translated, others): (Vec<&Flow>, Vec<_>) =
        records.partition(|record| record.gateway().is_some());
    // The first of a mapping counts: which one that is must not depend on where it stood.
    translated.sort_by_key(|record| record.outside());
    let mut moving = Moving::new(&from.tracks);
    for record in translated.into_iter().chain(others) {
        // Keys cannot clash: places map one to one.
        let nic = record.nic().and_then(|nic| same.nic(nic));
        let nic = nic.map(|nic| (nic, same.flow(record.at_nic)));
        let session = Session::of(record).and_then(|session| same.session(session, new));
        moving.record(to, record, nic, session);
    }
}
