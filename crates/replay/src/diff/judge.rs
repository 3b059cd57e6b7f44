//! How each packet fared in both networks, compared.

use super::cause::{Outcome, Road, because, is_same_path};
use super::changes::{Cause, CauseId, Change, Changes, Differs, Otherwise};
use super::flows::{Flows, Undirected};
use super::landing::{Fate, is_same_at_a_glance};
use super::twins::Twins;
use super::ways::{Note, WayId, Ways, complete};
use crate::report::{Generated, Verdicts};
use hashbrown::HashMap;
use vpcsim_dataplane::{Drop, Ended, Other, Program, Role, Source, Verdict};
use vpcsim_packet::FlowKey;

/// Most pairs of ways whose cause is remembered: worked out anew beyond that.
const MOST_ANSWERS: usize = 1 << 16;

/// What is remembered of a captured packet while it is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Captured {
    pub(super) id: u64,
    pub(super) time: u64,
    pub(super) frame_len: u32,
    /// As it was captured.
    pub(super) key: FlowKey,
    /// Where it starts in either network, if somebody there has sent it.
    pub(super) starts: [Option<Source>; 2],
}

/// What became of all packets in one network.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) verdicts: Verdicts,
    pub(super) generated: Generated,
}

impl Totals {
    #[inline]
    fn count(&mut self, verdict: &Verdict) {
        let verdicts = &mut self.verdicts;
        let of = match verdict {
            Verdict::Delivered(_) => &mut verdicts.delivered,
            Verdict::Dropped(_) => &mut verdicts.dropped,
            Verdict::NotIpv4 => &mut verdicts.not_ipv4,
            Verdict::Malformed(_) => &mut verdicts.malformed,
            Verdict::Unattributed => &mut verdicts.unattributed,
            Verdict::Held => &mut verdicts.held,
        };
        *of += 1;
    }
}

/// A packet that is held in one of the networks or in both.
#[derive(Debug)]
struct Pending {
    captured: Captured,
    fates: [Option<Fate>; 2],
    walks: [Option<Vec<Note>>; 2],
}

/// What decides a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Case {
    change: Change,
    differs: Option<Differs>,
    ways: [WayId; 2],
    drops: [Option<Drop>; 2],
    outcomes: [Outcome; 2],
    starts: [Option<Option<Source>>; 2],
}

/// Compares what became of each packet, and counts.
#[derive(Debug)]
pub(super) struct Judge<'p> {
    programs: [&'p Program; 2],
    pub(super) twins: Twins,
    pub(super) totals: [Totals; 2],
    pub(super) flows: Flows,
    ways: [Ways; 2],
    /// Packets that arrive alike may have taken different paths: every packet's flow is looked up.
    paths_differ: bool,
    same_paths: HashMap<[WayId; 2], bool>,
    answers: HashMap<Case, CauseId>,
    pub(super) changes: Changes,
    pending: HashMap<u64, Pending>,
    /// Room for the stops of a packet.
    notes: Vec<Note>,
}

impl<'p> Judge<'p> {
    pub(super) fn new(old: &'p Program, new: &'p Program) -> Self {
        Self {
            programs: [old, new],
            twins: Twins::new(old, new),
            totals: [Totals::default(); 2],
            flows: Flows::default(),
            ways: [Ways::default(), Ways::default()],
            paths_differ: false,
            same_paths: HashMap::new(),
            answers: HashMap::new(),
            changes: Changes::default(),
            pending: HashMap::new(),
            notes: Vec::new(),
        }
    }

    /// Fetches what will be looked up of a packet that fares otherwise.
    #[inline]
    pub(super) fn touch(&self, captured: &Captured) {
        self.flows.touch(Undirected::of(captured.key).0);
    }

    /// The commonest case: a packet takes a remembered way in both networks and arrives alike.
    /// `false`: it is another, and nothing was counted.
    #[inline]
    pub(super) fn is_alike(&mut self, old: &Ended<'_>, new: &Ended<'_>) -> bool {
        let alike = !self.paths_differ && self.arrives_alike(old, new);
        if alike {
            self.arrived();
        }
        alike
    }

    /// Whether a packet arrives at the same place in both networks, and looks the same there;
    /// `false` where that takes more than a look.
    #[inline]
    fn arrives_alike(&self, old: &Ended<'_>, new: &Ended<'_>) -> bool {
        let (Verdict::Delivered(there), Verdict::Delivered(here)) =
            (old.walked.verdict, new.walked.verdict)
        else {
            return false;
        };
        self.twins.same_place(there, here) && is_same_at_a_glance(old.bytes, new.bytes)
    }

    /// A packet has arrived in both networks.
    #[inline]
    fn arrived(&mut self) {
        for totals in &mut self.totals {
            totals.verdicts.delivered += 1;
        }
    }

    /// A packet has ended, or waits. `walks`: its stops, where it took no remembered way.
    pub(super) fn end(
        &mut self,
        captured: &Captured,
        ended: [Option<Ended<'_>>; 2],
        walks: [Option<&[Note]>; 2],
    ) {
        let is_plain = |ended: &Ended<'_>| !ended.walked.cut && ended.others.is_empty();
        if let [Some(old), Some(new)] = &ended
            && is_plain(old)
            && is_plain(new)
            && self.arrives_alike(old, new)
        {
            self.arrived();
            let differs = || None;
            let fates = || [Fate::of(old), Fate::of(new)];
            self.settle(captured, [true; 2], walks, differs, fates);
            return;
        }
        let fates = ended.map(|ended| ended.map_or(Fate::NOBODYS, |ended| Fate::of(&ended)));
        for (totals, fate) in self.totals.iter_mut().zip(&fates) {
            totals.count(&fate.verdict);
        }
        let is_held = |fate: &Fate| matches!(fate.verdict, Verdict::Held);
        if fates.iter().any(is_held) {
            let pending = Pending {
                captured: *captured,
                fates: fates.map(|fate| (!is_held(&fate)).then_some(fate)),
                walks: walks.map(|walk| walk.map(<[Note]>::to_vec)),
            };
            self.pending.insert(captured.id, pending);
        } else {
            self.settle_fates(captured, fates, walks);
        }
        for (side, ended) in ended.iter().enumerate() {
            if let Some(ended) = ended
                && !ended.others.is_empty()
            {
                self.end_others(side, ended.others);
            }
        }
    }

    /// A packet that is held has gone on: what it met.
    pub(super) fn held_walked(&mut self, side: usize, id: u64, notes: &[Note]) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.walks[side] = Some(notes.to_vec());
        }
    }

    #[cold]
    fn end_others(&mut self, side: usize, others: &[Other]) {
        let totals = &mut self.totals[side];
        for other in others.iter().filter(|other| other.role == Role::Generated) {
            let generated = &mut totals.generated;
            generated.total += 1;
            match other.verdict {
                Verdict::Delivered(_) => generated.delivered += 1,
                _ => generated.dropped += 1,
            }
        }
        for other in others.iter().filter(|other| other.role == Role::Captured) {
            let Some(pending) = self.pending.get_mut(&other.id) else {
                continue;
            };
            let totals = &mut self.totals[side];
            totals.verdicts.held -= 1;
            totals.count(&other.verdict);
            pending.fates[side] = Some(Fate::of_held(other, others));
            if let [Some(old), Some(new)] = pending.fates
                && let Some(pending) = self.pending.remove(&other.id)
            {
                let walks = pending.walks.each_ref().map(Option::as_deref);
                self.settle_fates(&pending.captured, [old, new], walks);
            }
        }
    }

    /// Nothing more comes: who waits waits for ever.
    pub(super) fn finish(&mut self) {
        let mut pending: Vec<_> = self.pending.drain().collect();
        pending.sort_by_key(|(id, _)| *id);
        for (_, pending) in pending {
            let fates = pending.fates.map(|fate| fate.unwrap_or(Fate::HELD));
            let walks = pending.walks.each_ref().map(Option::as_deref);
            self.settle_fates(&pending.captured, fates, walks);
        }
        self.flows.list(&mut self.changes);
    }

    /// How many packets are held.
    pub(super) fn held(&self) -> usize {
        self.pending.len()
    }

    /// Compares what became of a packet in the end.
    fn settle_fates(&mut self, captured: &Captured, fates: [Fate; 2], walks: [Option<&[Note]>; 2]) {
        if fates.iter().any(|fate| *fate != Fate::NOBODYS) {
            let arrives = fates.map(|fate| fate.place().is_some());
            let differs = differs(&self.twins, &fates);
            self.settle(captured, arrives, walks, || differs, || fates);
        }
    }

    /// Remembers the ways that a packet took, and counts it if it fares otherwise. `arrives`: in
    /// which networks; `differs`: in what, their paths aside, if in both.
    fn settle(
        &mut self,
        captured: &Captured,
        arrives: [bool; 2],
        walks: [Option<&[Note]>; 2],
        differs: impl FnOnce() -> Option<Differs>,
        fates: impl FnOnce() -> [Fate; 2],
    ) {
        let (key, direction) = Undirected::of(captured.key);
        let flow = self.flows.of(key, direction, &mut self.changes);
        let mut ways = [flow.ways[0][direction], flow.ways[1][direction]];
        for (side, walk) in walks.iter().enumerate() {
            let Some(walk) = walk else { continue };
            let (all, known) = (&mut self.ways[side], &mut flow.ways[side]);
            self.notes.clear();
            self.notes.extend_from_slice(walk);
            let earlier = [all.get(known[direction]), all.get(known[1 - direction])];
            complete(&mut self.notes, earlier);
            ways[side] = all.number(&self.notes);
            // Half a way says less than the one that the flow's other packets take.
            let opens = self.notes.iter().any(Note::opens);
            if arrives[side] || opens || known[direction] == WayId::NONE {
                known[direction] = ways[side];
                flow.moved[direction] = None;
            }
        }
        if walks.iter().any(Option::is_some) && arrives == [true, true] {
            flow.paths_differ[direction] =
                !same_path(&mut self.same_paths, self.programs, &self.ways, ways);
            self.paths_differ |= flow.paths_differ[direction];
        }
        let (change, differs) = match arrives {
            [true, false] => (Change::Lost, None),
            [false, true] => (Change::Allowed, None),
            [false, false] => return,
            [true, true] => {
                let path = flow.paths_differ[direction].then_some(Differs::Path);
                match differs().or(path) {
                    None => return,
                    differs => (Change::Moved, differs),
                }
            }
        };
        if let (Some(differs), Some((known, cause))) = (differs, flow.moved[direction])
            && differs == known
        {
            self.changes.again(change, cause, captured.frame_len);
            flow.unlisted.add(captured.frame_len);
            return;
        }
        let fates = fates();
        let case = Case::new(&self.twins, captured, change, differs, &fates, ways);
        let roads = (self.programs, &self.ways);
        let cause = cause(&mut self.answers, &mut self.changes, roads, case);
        flow.moved[direction] = differs.zip(cause);
        let packet = Otherwise {
            change,
            cause,
            id: captured.id,
            time: captured.time,
            key: captured.key,
            frame_len: captured.frame_len,
            old: fates[0],
            new: fates[1],
        };
        let first = if usize::from(flow.first) == direction {
            captured.key
        } else {
            captured.key.reversed()
        };
        self.changes.add(packet, key, first, &mut flow.changes);
    }
}

impl Case {
    fn new(
        twins: &Twins,
        captured: &Captured,
        change: Change,
        differs: Option<Differs>,
        fates: &[Fate; 2],
        ways: [WayId; 2],
    ) -> Self {
        let [old, new] = captured.starts;
        let same_start = twins.same_source(old, new);
        Self {
            change,
            differs,
            ways,
            drops: fates.map(|fate| match fate.verdict {
                Verdict::Dropped(drop) => Some(drop),
                _ => None,
            }),
            outcomes: fates.map(|fate| outcome(&fate)),
            starts: [old, new].map(|start| (!same_start).then_some(start)),
        }
    }
}

/// The cause that decides a case.
fn cause(
    answers: &mut HashMap<Case, CauseId>,
    changes: &mut Changes,
    (programs, ways): ([&Program; 2], &[Ways; 2]),
    case: Case,
) -> CauseId {
    if let Some(&known) = answers.get(&case) {
        return known;
    }
    let road = |side: usize| Road {
        program: programs[side],
        notes: ways[side].get(case.ways[side]),
        drop: case.drops[side],
        outcome: case.outcomes[side],
        start: case.starts[side],
    };
    let [old, new] = because(&road(0), &road(1));
    let cause = changes.cause(Cause {
        change: case.change,
        differs: case.differs,
        old,
        new,
    });
    if answers.len() >= MOST_ANSWERS {
        answers.clear();
    }
    answers.insert(case, cause);
    cause
}

fn outcome(fate: &Fate) -> Outcome {
    match fate.verdict {
        Verdict::Delivered(_) => Outcome::Delivered,
        Verdict::Unattributed => Outcome::Unattributed,
        Verdict::Held => Outcome::Held,
        Verdict::Dropped(_) | Verdict::NotIpv4 | Verdict::Malformed(_) => Outcome::Dropped,
    }
}

/// In what packets differ that arrive in both networks, their paths aside.
fn differs(twins: &Twins, fates: &[Fate; 2]) -> Option<Differs> {
    let [old, new] = fates;
    if let (Some(there), Some(here)) = (old.place(), new.place())
        && !twins.same_place(there, here)
    {
        return Some(Differs::Place);
    }
    let (old, new) = (old.key?, new.key?);
    if (old.source, old.destination) != (new.source, new.destination) {
        return Some(Differs::Address);
    }
    (old != new).then_some(Differs::Port)
}

/// Whether two ways lead through the same elements; where one is not known, as far as is known.
fn same_path(
    answers: &mut HashMap<[WayId; 2], bool>,
    programs: [&Program; 2],
    known: &[Ways; 2],
    ways: [WayId; 2],
) -> bool {
    if ways.contains(&WayId::NONE) {
        return true;
    }
    if let Some(&answer) = answers.get(&ways) {
        return answer;
    }
    let road = |side: usize| Road {
        program: programs[side],
        notes: known[side].get(ways[side]),
        drop: None,
        outcome: Outcome::Delivered,
        start: None,
    };
    let answer = is_same_path(&road(0), &road(1));
    if answers.len() >= MOST_ANSWERS {
        answers.clear();
    }
    answers.insert(ways, answer);
    answer
}
