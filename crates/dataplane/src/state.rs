//! What changes while packets move: connections, sessions, fragments, buckets.

use crate::bucket::Buckets;
use crate::conntrack::{Holder, Record, Table, Tracks};
use crate::ending::ENDS_A_TURN;
use crate::flow_cache::FlowCache;
use crate::fragments::Fragments;
use crate::nat::{GatewayFlow, Session, Sessions};
use crate::shards::Journal;
use crate::walk::{Met, Opened};
use crate::{Nanos, Program};
use vpcsim_network::{EipId, Filtering, NatGatewayId};

/// Everything that packets leave behind for later ones. Owned by one worker.
#[derive(Debug)]
pub struct State {
    pub(crate) now: Nanos,
    /// Flows remembered at nics (§6) and translated at gateways (§9).
    pub(crate) flows: Flows,
    /// What is counted of those at gateways.
    pub(crate) sessions: Sessions,
    /// The protocol state of all.
    pub(crate) tracks: Tracks,
    /// The trackers that the packet under way has met, and the one that it opened.
    pub(crate) met: Vec<Met>,
    pub(crate) opened: Option<Opened>,
    /// What is remembered of walks.
    pub(crate) cache: FlowCache,
    pub(crate) fragments: Fragments,
    pub(crate) buckets: Buckets,
    /// Of so many records at most the connections that are over end when packets have their turn;
    /// `usize::MAX`: of all.
    pub(crate) ends_a_turn: usize,
    /// Connections that are over since the packet under way: they end when it has passed.
    pub(crate) leaving: Vec<Holder>,
    /// What is told to whoever counts for several states together.
    pub(crate) journal: Option<Box<Journal>>,
}

/// What is remembered of flows.
pub(crate) type Flows = Table<NicFlow, GatewayFlow>;
/// The same of one, at a nic and at the gateway behind it.
pub(crate) type Flow = Record<NicFlow, GatewayFlow>;

const _: () = assert!(size_of::<Flow>() == 64);

/// By which public door a flow came in (§2.5a).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Eip(EipId),
    NatGateway(NatGatewayId),
}

/// An [`Entry`] or none, in a word: the id, then of what. A network has far fewer than 2^30 of
/// anything: its file would have gigabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Door(u32);

impl Door {
    pub(crate) const NONE: Self = Self(u32::MAX >> 1);

    /// 31 bits.
    #[inline(always)]
    pub(crate) fn to_bits(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) fn of(entry: Option<Entry>) -> Self {
        match entry {
            Some(Entry::Eip(EipId(id))) => Self(id << 1),
            Some(Entry::NatGateway(NatGatewayId(id))) => Self(id << 1 | 1),
            None => Self::NONE,
        }
    }

    pub(crate) fn entry(self) -> Option<Entry> {
        let id = self.0 >> 1;
        let entry = if self.0 & 1 == 0 {
            Entry::Eip(EipId(id))
        } else {
            Entry::NatGateway(NatGatewayId(id))
        };
        (self != Self::NONE).then_some(entry)
    }
}

/// What a nic remembers of a flow beyond its tracking.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NicFlow {
    /// The public door it came in by; then whether other rules than the present ones accepted it.
    door: u32,
    /// The list that it met first, and the rule there that let it in.
    pub(crate) let_in: LetIn,
}

impl NicFlow {
    /// Accepted by the present rules.
    pub(crate) fn new(door: Door, let_in: LetIn) -> Self {
        let door = door.to_bits() << 1;
        Self { door, let_in }
    }

    /// The same when the rules have changed (policy `on_rule_change`).
    pub(crate) fn of_other_rules(self) -> Self {
        let door = self.door | 1;
        Self { door, ..self }
    }

    /// The public door it came in by.
    pub(crate) fn door(self) -> Door {
        Door::from_bits(self.door >> 1)
    }

    /// Whether the present rules have accepted it.
    pub(crate) fn is_accepted(self) -> bool {
        self.door & 1 == 0
    }
}

/// Whether a flow's first packet was arriving at the nic, and the rule that let it in, in a word:
/// the rule's place from 1 in the nic's concatenated lists, then the direction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LetIn(u32);

impl LetIn {
    /// `rule` 0: by none.
    pub(crate) fn new(ingress: bool, rule: u32) -> Self {
        Self(rule << 1 | u32::from(ingress))
    }

    pub(crate) fn ingress(self) -> bool {
        self.0 & 1 == 1
    }

    /// 0: none, or not known any more.
    pub(crate) fn rule(self) -> u32 {
        self.0 >> 1
    }
}

/// How full a state's tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Flows remembered at nics now.
    pub connections: usize,
    /// The most there were under the present program.
    pub connections_peak: usize,
    /// Fragments that wait for their first one.
    pub fragments_held: usize,
    /// Every NAT gateway, in file order.
    pub gateways: Vec<GatewayUse>,
}

/// How full a NAT gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayUse {
    /// The gateway.
    pub gateway: NatGatewayId,
    /// Sessions now.
    pub sessions: usize,
    /// The most there were under the present program.
    pub sessions_peak: usize,
    /// Sessions now by eip, in the gateway's order.
    pub by_eip: Vec<(EipId, usize)>,
}

impl State {
    /// An empty state for a program.
    pub fn new(program: &Program) -> Self {
        let network = program.network();
        let gateways = &network.nat_gateways;
        Self {
            now: Nanos(0),
            flows: Flows::new(),
            sessions: Sessions::new(
                gateways.len(),
                network.policies.filtering == Filtering::EndpointIndependent,
            ),
            tracks: Tracks::default(),
            met: Vec::new(),
            opened: None,
            cache: FlowCache::new(usize::MAX),
            fragments: Fragments::default(),
            buckets: Buckets::new(network),
            ends_a_turn: ENDS_A_TURN,
            leaving: Vec::new(),
            journal: None,
        }
    }

    /// An empty state that does everything the plain way: every packet is walked, every place
    /// tracks its flows by itself, and connections end when their time has come. What other states are
    /// compared with.
    pub fn naive(program: &Program) -> Self {
        let mut state = Self::new(program).with_flow_cache(0);
        state.ends_a_turn = usize::MAX;
        state.tracks.share_nothing();
        state
    }

    /// The same with room for so many flow entries: each remembers what became of one direction
    /// of a flow. 0: every packet is walked. Without it there are as many as there are flows.
    #[must_use]
    pub fn with_flow_cache(mut self, entries: usize) -> Self {
        self.cache = FlowCache::new(entries);
        self
    }

    /// The same, but of so many records at most the connections whose time has come end when packets have
    /// their turn. 0: only those that are met, and as many as it takes where somebody has to count;
    /// `usize::MAX`: all. Nobody can tell the difference but by the time that packets take.
    #[must_use]
    pub fn with_ends_a_turn(mut self, most: usize) -> Self {
        self.ends_a_turn = most;
        self
    }

    /// The latest time this state has seen.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Nothing is due before.
    #[inline]
    pub(crate) fn next_due(&self) -> Nanos {
        self.next_end().min(self.next_timeout())
    }

    /// No connection is over before.
    #[inline]
    pub(crate) fn next_end(&self) -> Nanos {
        self.flows.next_due()
    }

    /// No fragment has waited too long before.
    #[inline]
    pub(crate) fn next_timeout(&self) -> Nanos {
        self.fragments.next_expiry().unwrap_or(Nanos(u64::MAX))
    }

    /// How many packets took a way that the flow cache remembered, under the present program.
    pub fn cache_hits(&self) -> u64 {
        self.cache.hits
    }

    /// How many flow entries there are: one for each direction of a flow that is remembered.
    pub fn cache_entries(&self) -> usize {
        self.cache.len()
    }

    /// How many flows are remembered at nics: a count that costs nothing. Those that are over count
    /// until they are [ended](Self::end_due).
    pub fn connections(&self) -> usize {
        self.flows.len()
    }

    /// How many sessions a NAT gateway has: a count that costs nothing, as
    /// [`connections`](Self::connections).
    pub fn sessions(&self, gateway: NatGatewayId) -> usize {
        self.flows.gateway_len(gateway)
    }

    /// How full the tables are. Looks at every connection.
    pub fn usage(&self, program: &Program) -> Use {
        let network = program.network();
        let mut connections = 0;
        let gateways = (0..).map(NatGatewayId).zip(&network.nat_gateways);
        let mut gateways: Vec<_> = gateways
            .map(|(id, gateway)| GatewayUse {
                gateway: id,
                sessions: 0,
                sessions_peak: self.sessions.gateway_peak(id),
                by_eip: gateway.eips.iter().map(|&eip| (eip, 0)).collect(),
            })
            .collect();
        let is_behind = self.is_behind();
        let is_live =
            |holder| self.held(holder).is_some() && !(is_behind && self.is_over(program, holder));
        for (slot, record) in self.flows.iter() {
            connections += usize::from(is_live(Holder::Nic(slot)));
            let session = Session::of(record).filter(|_| is_live(Holder::Gateway(slot)));
            let Some(session) = session else { continue };
            let gateway = &mut gateways[session.gateway.index()];
            gateway.sessions += 1;
            let by_eip = gateway.by_eip.iter_mut();
            for (_, count) in by_eip.filter(|(eip, _)| *eip == session.eip) {
                *count += 1;
            }
        }
        Use {
            connections,
            connections_peak: self.flows.peak(),
            fragments_held: self.fragments.held(),
            gateways,
        }
    }
}
