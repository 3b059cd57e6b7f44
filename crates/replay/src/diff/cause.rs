//! What made the difference: where the ways of a packet through the two networks part.

use super::ways::Note;
use crate::names::element_text;
use vpcsim_dataplane::{Drop, Element, Program, Source, Stage};
use vpcsim_network::RouteTableId;

/// How a packet fared, as far as causes tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// It arrived.
    Delivered,
    /// It was dropped.
    Dropped,
    /// Nobody there has sent it.
    Unattributed,
    /// A fragment that waited for its first one to the end.
    Held,
}

/// What made the difference in one of the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Because {
    pub(super) outcome: Outcome,
    /// Where the packet started, if it started elsewhere than in the other network.
    pub(super) start: Option<Option<Source>>,
    /// The stop that decided, unless that is the drop.
    pub(super) stop: Option<Note>,
    pub(super) drop: Option<Drop>,
    /// The route table that was asked last before: whose rules routes are.
    pub(super) table: Option<RouteTableId>,
}

/// A packet's way through one of the networks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Road<'a> {
    pub(super) program: &'a Program,
    pub(super) notes: &'a [Note],
    /// What it ended by.
    pub(super) drop: Option<Drop>,
    pub(super) outcome: Outcome,
    pub(super) start: Option<Option<Source>>,
}

impl Road<'_> {
    fn steps(&self) -> Vec<Step> {
        let step = |note: &Note| Step::of(self.program, note);
        self.notes.iter().map(step).collect()
    }

    /// What decided was the stop at this position; beyond the last one it was the drop.
    fn because(&self, at: Option<usize>) -> Because {
        let stop = at.and_then(|at| self.notes.get(at));
        let stop = stop.map(|note| note.as_reason());
        let before = &self.notes[..at.map_or(self.notes.len(), |at| self.notes.len().min(at + 1))];
        let table = before.iter().rev().find_map(|note| match note.element {
            Element::RouteTable(table) => Some(table),
            _ => None,
        });
        Because {
            outcome: self.outcome,
            start: self.start,
            stop,
            drop: self.drop,
            table,
        }
    }
}

/// A stop as far as ways are compared: which element judges matters only where it has a say in
/// where the packet goes.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    stage: Stage,
    element: Option<String>,
}

impl Step {
    fn of(program: &Program, note: &Note) -> Self {
        let is_on_path = matches!(
            note.stage,
            Stage::HostEgress
                | Stage::SourceCheck
                | Stage::Peering
                | Stage::Eip
                | Stage::NatGateway
                | Stage::Internet
                | Stage::External
                | Stage::Host
        );
        Self {
            stage: note.stage,
            element: is_on_path.then(|| element_text(program, note.element)),
        }
    }
}

/// Whether a stop chooses where the packet goes next.
fn chooses(note: &Note) -> bool {
    matches!(
        note.stage,
        Stage::Route | Stage::Eip | Stage::NatGateway | Stage::Internet | Stage::Host
    )
}

/// Whether two ways lead through the same elements.
pub(super) fn is_same_path(old: &Road<'_>, new: &Road<'_>) -> bool {
    let path = |road: &Road<'_>| {
        let steps = road.steps().into_iter();
        let elements = steps.filter_map(|step| Some((step.stage, step.element?)));
        elements.collect::<Vec<_>>()
    };
    path(old) == path(new)
}

/// What made the difference in either network.
pub(super) fn because(old: &Road<'_>, new: &Road<'_>) -> [Because; 2] {
    let meets = |road: &Road<'_>| matches!(road.outcome, Outcome::Delivered | Outcome::Dropped);
    if !meets(old) || !meets(new) {
        // Who sent it is what differs, or that it waits: no stop has decided.
        return [old.because(None), new.because(None)];
    }
    let (old_steps, new_steps) = (old.steps(), new.steps());
    let common = old_steps.iter().zip(&new_steps);
    let common = common.take_while(|(old, new)| old == new).count();
    let at = |road: &Road<'_>, other: &Road<'_>| {
        let ended = common == road.notes.len();
        let other_ended = common == other.notes.len();
        match (road.drop, other.drop) {
            // It was dropped where the other went on.
            (Some(_), _) if ended => None,
            (_, Some(drop)) if other_ended => went_on(road.notes, common, drop.stage),
            _ if ended && other_ended => translated(road.notes),
            _ => chosen(&road.notes[..common]).or(Some(common)),
        }
    };
    [old.because(at(old, new)), new.because(at(new, old))]
}

/// The last stop that chose where to go.
fn chosen(notes: &[Note]) -> Option<usize> {
    notes.iter().rposition(chooses)
}

/// Where a packet passed, at position `at`, what dropped its twin in `stage`.
fn went_on(notes: &[Note], at: usize, stage: Stage) -> Option<usize> {
    let same_stage = notes.get(at).is_some_and(|note| note.stage == stage);
    if same_stage {
        return Some(at);
    }
    // A stage that has let it pass can still find nobody to hand it to.
    chosen(&notes[..at]).or_else(|| at.checked_sub(usize::from(at == notes.len())))
}

/// The stop that gave the packet the address that it arrived with; the last one where none did.
fn translated(notes: &[Note]) -> Option<usize> {
    let last = notes.len().checked_sub(1);
    notes.iter().rposition(Note::translates).or(last)
}
