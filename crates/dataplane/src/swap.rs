//! A new program under a live state: what a change of the network does to what is remembered.

use crate::conntrack::{Connection, Holder, Table, TrackId, Tracks, Zone};
use crate::nat::{Session, Sessions};
use crate::state::{Door, Entry, LetIn, NicFlow};
use crate::{Nanos, Program, Source, State};
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
        fresh.generation = self.generation.wrapping_add(1);
        let mut tracks = Moving::new(&self.tracks);
        move_flows(&self.flows, &mut fresh, &same, &mut tracks);
        move_sessions(&self.sessions, &mut fresh, &same, new, &mut tracks);
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

    /// Moves a flow of a nic.
    pub(crate) fn flow(
        &mut self,
        to: &mut State,
        zone: Zone,
        flow: &Connection<NicFlow>,
        value: NicFlow,
    ) {
        let keys = [flow.original(), flow.reply()];
        let track = self.to(&mut to.tracks, flow.track);
        let flows = &mut to.flows;
        let deadline = flow.deadline();
        let id = flows.insert_new(zone, keys, track, deadline, deadline, value);
        to.tracks.hold(track, Holder::Nic(id.slot()));
    }

    /// Moves a session of a gateway.
    pub(crate) fn session(
        &mut self,
        to: &mut State,
        (track, deadline): (TrackId, Nanos),
        session: Session,
    ) {
        let track = self.to(&mut to.tracks, track);
        let id = to.sessions.insert(&session, None, track, deadline);
        to.tracks.hold(track, Holder::Gateway(id.slot()));
    }

    fn to(&mut self, tracks: &mut Tracks, id: TrackId) -> TrackId {
        let from = self.from;
        *self
            .moved
            .entry(id)
            .or_insert_with(|| tracks.insert(&from.get(id).copied()))
    }
}

fn move_flows(flows: &Table<NicFlow>, to: &mut State, same: &Same, tracks: &mut Moving<'_>) {
    for (_, flow) in flows {
        let Some(nic) = same.nic(NicId(flow.zone().0)) else {
            continue;
        };
        let entry = match flow.value.door.entry() {
            Some(Entry::Eip(eip)) => same.eip(eip).map(Entry::Eip),
            Some(Entry::NatGateway(id)) => same.gateway(id).map(Entry::NatGateway),
            None => None,
        };
        let value = NicFlow {
            door: Door::of(entry),
            let_in: LetIn::new(flow.value.let_in.ingress(), 0),
            ..flow.value
        };
        // Keys cannot clash: zones map one to one.
        tracks.flow(to, Zone(nic.0), flow, value);
    }
}

fn move_sessions(
    from: &Sessions,
    to: &mut State,
    same: &Same,
    new: &Program,
    tracks: &mut Moving<'_>,
) {
    let mut sessions: Vec<_> = from.iter().collect();
    // The first of a mapping counts: which one that is must not depend on where it stood.
    sessions.sort_by_key(|(session, ..)| session.outside);
    for (session, track, deadline) in sessions {
        let Some(gateway) = same.gateway(session.gateway) else {
            continue;
        };
        let Some(eip) = same.eip(session.eip) else {
            continue;
        };
        let kept = new.network().nat_gateway(gateway).eips.contains(&eip)
            && new.network().eip(eip).address == session.outside.source;
        if kept {
            let session = Session {
                gateway,
                eip,
                rule: 0,
                ..session
            };
            tracks.session(to, (track, deadline), session);
        }
    }
}
