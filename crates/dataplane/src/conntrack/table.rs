//! The table of records: every flow that is remembered at a nic or a gateway, found by its keys.

use super::Direction;
use super::counts::Counts;
use super::deadlines::Deadlines;
use super::holders::Holder;
use super::keys::Keys;
use super::record::{Record, Side, Wanted};
use super::records::Records;
use super::tracks::TrackId;
use crate::Nanos;
use vpcsim_network::{NatGatewayId, NicId};
use vpcsim_packet::FlowKey;

/// The flows of all nics and the sessions of all gateways. `N` and `G` are what a nic and a gateway keep
/// with theirs.
///
/// The same key at two nics is two flows. Where a flow leaves by a gateway, its nic's flow and the
/// gateway's session may be in one [`Record`]; each is a [`Holder`] of its protocol state, comes and goes
/// by itself, and has a deadline of its own. There is one timer for both.
///
/// [`due`](Self::due) first, then the rest: nothing else looks at the time.
#[derive(Debug, Clone)]
pub struct Table<N, G> {
    pub(super) records: Records<N, G>,
    pub(super) keys: Keys,
    pub(super) deadlines: Deadlines,
    nics: Counts,
    gateways: Counts,
    /// The most flows of nics there ever were at once.
    peak: usize,
}

/// How a place begins to remember a flow.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// The protocol state.
    pub track: TrackId,
    /// It is forgotten then: alive before, not at it.
    pub deadline: Nanos,
    /// When to look after it, at its deadline at the latest.
    pub timer: Nanos,
    /// A record that has the same protocol state and [takes](Table::takes_nic) the flow.
    pub beside: Option<u32>,
}

impl Begun {
    /// Looked after at its deadline, in a record of its own.
    pub fn new(track: TrackId, deadline: Nanos) -> Self {
        Self {
            track,
            deadline,
            timer: deadline,
            beside: None,
        }
    }
}

/// The keys of a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionKeys<'a> {
    /// Inside host → remote, as the inside sees it.
    pub inside: &'a FlowKey,
    /// Public address → remote, as the internet sees it. The remote's address and the protocol are the
    /// same.
    pub outside: &'a FlowKey,
    /// Its first packet came from outside.
    pub inbound: bool,
}

impl<N: Copy + Default, G: Copy + Default> Default for Table<N, G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Copy + Default, G: Copy + Default> Table<N, G> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            records: Records::new(),
            keys: Keys::default(),
            deadlines: Deadlines::default(),
            nics: Counts::default(),
            gateways: Counts::default(),
            peak: 0,
        }
    }

    /// The record of the flow that packets with `key` belong to at a nic, and their direction. Where both
    /// keys of a flow are the same, the direction is [`Direction::Reply`], as in the kernel.
    #[inline]
    pub fn at_nic(&self, nic: NicId, key: &FlowKey) -> Option<(u32, Direction)> {
        let wanted = Wanted::new(key);
        self.find(key, |record| record.direction_at_nic(nic, &wanted))
    }

    /// The record of the session that packets arriving with `key` belong to at a gateway, and their
    /// direction: the inside key of those from inside, the outside one turned round of the others.
    #[inline]
    pub fn at_gateway(&self, gateway: NatGatewayId, key: &FlowKey) -> Option<(u32, Direction)> {
        let wanted = Wanted::new(key);
        self.find(key, |record| record.direction_at_gateway(gateway, &wanted))
    }

    #[inline]
    fn find(
        &self,
        key: &FlowKey,
        of: impl Fn(&Record<N, G>) -> Option<Direction>,
    ) -> Option<(u32, Direction)> {
        let mut direction = None;
        let slot = self.keys.find(key, |slot| {
            direction = self.records.get(slot).and_then(&of);
            direction.is_some()
        });
        slot.zip(direction)
    }

    /// The record in a slot, unless it is free.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&Record<N, G>> {
        self.records.get(slot)
    }

    /// What the nic keeps with a flow, to change.
    pub(crate) fn at_nic_mut(&mut self, slot: u32) -> Option<&mut N> {
        self.records.get_mut(slot).map(|record| &mut record.at_nic)
    }

    /// The protocol state and the deadline of a flow at one place, unless it is forgotten there.
    #[inline]
    pub fn held(&self, holder: Holder) -> Option<(TrackId, Nanos)> {
        let slot = holder.slot();
        let record = self.records.get(slot)?;
        let deadline = match holder {
            Holder::Nic(_) => record.nic_deadline(),
            Holder::Gateway(_) => record.gateway_deadline(),
        };
        Some((record.track(), deadline?))
    }

    /// Whether a nic may remember a flow in this record that begins with a key.
    pub fn takes_nic(&self, slot: u32, original: &FlowKey) -> bool {
        let record = self.records.get(slot);
        record.is_some_and(|record| record.takes_nic(original))
    }

    /// Whether a gateway may translate a flow in this record that has an inside key.
    pub fn takes_gateway(&self, slot: u32, inside: &FlowKey) -> bool {
        let record = self.records.get(slot);
        record.is_some_and(|record| record.takes_gateway(inside))
    }

    /// A nic remembers a flow from now on, by the key of its first packet, which was looked up there and
    /// found nothing. Returns the flow's record.
    #[inline]
    pub fn remember(&mut self, nic: NicId, original: &FlowKey, begun: &Begun, keeps: N) -> u32 {
        debug_assert_eq!(self.at_nic(nic, original), None);
        let deadline = begun.deadline;
        let slot = self.fill(original, begun, |record| {
            record.set_nic(nic, original, deadline, keeps);
        });
        self.nics.add(nic.0);
        self.peak = self.peak.max(self.nics.all());
        slot
    }

    /// A gateway translates a flow from now on. Neither what comes from inside nor what comes from outside
    /// belongs to another session. Returns the flow's record.
    #[inline]
    pub fn translate(
        &mut self,
        gateway: NatGatewayId,
        keys: &SessionKeys<'_>,
        begun: &Begun,
        keeps: G,
    ) -> u32 {
        let &SessionKeys {
            inside,
            outside,
            inbound,
        } = keys;
        debug_assert_eq!(self.at_gateway(gateway, inside), None);
        debug_assert_eq!(self.at_gateway(gateway, &outside.reversed()), None);
        debug_assert_eq!(inside.destination, outside.destination);
        debug_assert_eq!(inside.protocol, outside.protocol);
        let deadline = begun.deadline;
        let slot = self.fill(inside, begun, |record| {
            record.set_gateway(gateway, outside, inbound, deadline, keeps);
        });
        self.keys.add(slot, Side::Outside, &self.records);
        self.gateways.add(gateway.0);
        slot
    }

    /// Fills in one of the two who may remember a flow, in the record that takes it or in a new one.
    #[inline]
    fn fill(
        &mut self,
        inside: &FlowKey,
        begun: &Begun,
        fill: impl FnOnce(&mut Record<N, G>),
    ) -> u32 {
        if let Some(slot) = begun.beside
            && let Some(record) = self.records.get_mut(slot)
        {
            debug_assert_eq!(record.track(), begun.track);
            fill(record);
            self.deadlines.hasten(slot, begun.timer);
            return slot;
        }
        let (slot, record) = self.records.take();
        record.begin(inside, begun.track);
        fill(record);
        self.keys.add(slot, Side::Inside, &self.records);
        self.deadlines.insert(slot, begun.timer);
        slot
    }

    /// A place forgets a flow; whether it had it.
    pub fn remove(&mut self, holder: Holder) -> bool {
        let slot = holder.slot();
        let Some(record) = self.records.get(slot) else {
            return false;
        };
        match holder {
            Holder::Nic(_) => {
                let Some(nic) = record.nic() else {
                    return false;
                };
                self.nics.subtract(nic.0);
            }
            Holder::Gateway(_) => {
                let Some(gateway) = record.gateway() else {
                    return false;
                };
                self.gateways.subtract(gateway.0);
            }
        }
        self.clear(holder);
        true
    }

    /// Takes one of the two who may remember a flow out of its record, which is free when the other one
    /// is not there either.
    fn clear(&mut self, holder: Holder) {
        let slot = holder.slot();
        let Some(record) = self.records.get_mut(slot) else {
            return;
        };
        if !record.is_shared() {
            self.keys.remove(slot, Side::Inside, record);
        }
        match holder {
            Holder::Nic(_) => record.clear_nic(),
            Holder::Gateway(_) => {
                self.keys.remove(slot, Side::Outside, record);
                record.clear_gateway();
            }
        }
        if !record.is_live() {
            self.deadlines.remove(slot);
            self.records.give_back(slot);
        }
    }

    /// A flow at one place goes on with another protocol state: in a record of its own. Returns that.
    pub(crate) fn part(&mut self, holder: Holder, track: TrackId) -> u32 {
        let slot = holder.slot();
        let Some(record) = self.records.get_mut(slot) else {
            return slot;
        };
        if !record.is_shared() {
            record.set_track(track);
            return slot;
        }
        let mut own = *record;
        own.set_track(track);
        match holder {
            Holder::Nic(_) => own.clear_gateway(),
            Holder::Gateway(_) => own.clear_nic(),
        }
        self.clear(holder);
        let (slot, record) = self.records.take();
        *record = own;
        for side in [Side::Inside, Side::Outside] {
            self.keys.add(slot, side, &self.records);
        }
        self.deadlines.insert(slot, own.deadline());
        slot
    }

    /// Sets when a place forgets a flow; later costs nothing. False if it has forgotten it already.
    pub fn set_deadline(&mut self, holder: Holder, deadline: Nanos) -> bool {
        let slot = holder.slot();
        let before = self.records.get_mut(slot).and_then(|record| match holder {
            Holder::Nic(_) => record.set_nic_deadline(deadline),
            Holder::Gateway(_) => record.set_gateway_deadline(deadline),
        });
        if before.is_some_and(|before| deadline < before) {
            self.deadlines.hasten(slot, deadline);
        }
        before.is_some()
    }

    /// The record whose timer has come first, and when: at `now` or earlier, equal ones by slot. It may be
    /// early: a deadline that was moved later is found out now. Whoever asks [`remove`](Self::remove)s what
    /// is due there, and sets the timer anew where anything stays.
    #[inline]
    pub fn due(&mut self, now: Nanos) -> Option<u32> {
        self.deadlines.due(now).map(|due| due.slot)
    }

    /// The same, as far as so many ticks go, of those in which there is something to do. Each is taken off.
    #[inline]
    pub(crate) fn due_within(&mut self, now: Nanos, ticks: &mut usize) -> Option<u32> {
        let due = self.deadlines.due_within(now, ticks);
        due.map(|due| due.slot)
    }

    /// Forgets everything whose deadline is `now` or earlier, and tells of each.
    pub fn expire(&mut self, now: Nanos, mut on_gone: impl FnMut(Holder, &Record<N, G>)) {
        while let Some(slot) = self.due(now) {
            for holder in [Holder::Nic(slot), Holder::Gateway(slot)] {
                let Some(record) = self.records.get(slot) else {
                    break;
                };
                let deadline = self.held(holder).map(|(_, deadline)| deadline);
                if deadline.is_some_and(|deadline| deadline <= now) {
                    on_gone(holder, record);
                    self.remove(holder);
                }
            }
            if let Some(record) = self.records.get(slot) {
                self.deadlines.defer(slot, record.deadline());
            }
        }
    }

    /// Sets the timer of a record that is due anew.
    pub(crate) fn defer(&mut self, slot: u32, at: Nanos) {
        self.deadlines.defer(slot, at);
    }

    /// Sets the timer of a record to `at` at the latest; its deadlines stay.
    pub(crate) fn hasten(&mut self, slot: u32, at: Nanos) {
        self.deadlines.hasten(slot, at);
    }

    /// Sets the timer of a record anew, or takes it away for a while.
    pub(crate) fn set_timer(&mut self, slot: u32, at: Option<Nanos>) {
        self.deadlines.remove(slot);
        if let Some(at) = at {
            self.deadlines.insert(slot, at);
        }
    }

    /// A time before which nothing is due: any where nothing is remembered.
    #[inline]
    pub fn next_due(&self) -> Nanos {
        self.deadlines.next()
    }

    /// How many flows nics remember.
    pub fn len(&self) -> usize {
        self.nics.all()
    }

    /// Whether nobody remembers anything.
    pub fn is_empty(&self) -> bool {
        self.records.live() == 0
    }

    /// How many flows each nic remembers; none those beyond the last.
    pub fn nic_lens(&self) -> &[u32] {
        self.nics.each()
    }

    /// How many flows a nic remembers.
    #[inline]
    pub fn nic_len(&self, nic: NicId) -> usize {
        self.nics.of(nic.0)
    }

    /// How many sessions a gateway has.
    #[inline]
    pub fn gateway_len(&self, gateway: NatGatewayId) -> usize {
        self.gateways.of(gateway.0)
    }

    /// The most flows of nics there ever were at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// From now on at least this counts as the most there were.
    pub(crate) fn raise_peak(&mut self, to: usize) {
        self.peak = self.peak.max(to);
    }

    /// All records with their slots, in an order that depends on nothing but the calls so far.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Record<N, G>)> {
        self.records.iter()
    }
}

#[cfg(test)]
impl<N: Copy + Default, G: Copy + Default> Table<N, G> {
    /// The larger of what slots, keys and deadlines have room for, per record.
    pub(super) fn room(&self) -> usize {
        let [_, keys] = self.keys.usage();
        let slots = self.records.slots().max(keys / 2);
        slots.max(self.deadlines.capacity())
    }

    /// Every record has one timer, is counted, and is found by its keys and no others.
    pub(super) fn assert_sound(&self) {
        assert_eq!(self.deadlines.entries(), self.records.live());
        assert_eq!(self.iter().count(), self.records.live());
        let count = |has: fn(&Record<N, G>) -> bool| {
            let records = self.iter().map(|(_, record)| record);
            records.filter(|record| has(record)).count()
        };
        assert_eq!(self.nics.all(), count(|record| record.nic().is_some()));
        assert_eq!(
            self.gateways.all(),
            count(|record| record.gateway().is_some())
        );
        let outside = count(|record| record.key(Side::Outside).is_some());
        assert_eq!(self.keys.usage()[0], self.records.live() + outside);
        for (slot, record) in self.iter() {
            let found = |found: Option<(u32, Direction)>| found.map(|(slot, _)| slot);
            if let Some(nic) = record.nic() {
                for key in [record.original(), record.original().reversed()] {
                    assert_eq!(found(self.at_nic(nic, &key)), Some(slot));
                }
            }
            if let Some(gateway) = record.gateway() {
                for key in [record.inside(), record.outside().reversed()] {
                    assert_eq!(found(self.at_gateway(gateway, &key)), Some(slot));
                }
            }
        }
    }
}
