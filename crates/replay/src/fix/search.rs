//! Tries changes, and changes on top of them, until the trace arrives.

use super::candidate::candidates;
use super::design;
use super::diff::unified;
use super::scene::Scene;
use super::{Ask, Fix};
use crate::expectations;
use hashbrown::{HashMap, HashSet};
use std::rc::Rc;
use vpcsim_network::edit::apply;

/// Changes that are combined, at most.
const MOST_EDITS: usize = 8;
/// Scales at which one and the same change is tried, from one address to everybody.
const SCALES: usize = 4;
/// Networks that are built on at one depth, at most.
const MOST_BRANCHES: usize = 24;
/// Traces of one search, at most; fewer where the file is large.
const MOST_TRIALS: usize = 400;
/// Bytes of network files that one search reads, about.
const MOST_BYTES: usize = 64 << 20;

/// A network that some changes led to.
struct Branch {
    scene: Rc<Scene>,
    edits: Edits,
    /// Failures on the way here. What leads back to one of them leads nowhere.
    failures: Vec<String>,
}

/// What was changed to get somewhere.
#[derive(Clone, Default)]
struct Edits {
    what: Vec<String>,
    /// What the widest of them opens, and all together.
    widest: u32,
    sum: u32,
    shared: bool,
}

/// Changes with which the trace arrives.
struct Found {
    edits: Edits,
    text: String,
    breaks: Vec<String>,
}

/// What became of a changed file.
type Trial = Option<Rc<Scene>>;

struct Search<'a> {
    ask: &'a Ask<'a>,
    old: String,
    trials: HashMap<String, Trial>,
    left: usize,
    found: Vec<Found>,
    /// What the file expects beside the question itself, by position: whether the network as it
    /// is fulfils it.
    held: Vec<bool>,
    /// What most changes led to, and which they were.
    furthest: (Vec<String>, Rc<Scene>),
}

/// The narrowest fixes of a scene, at most `most`; or why there are none.
pub(super) fn search(ask: &Ask<'_>, scene: Scene, most: usize) -> (Vec<Fix>, Option<String>) {
    let scene = Rc::new(scene);
    let mut search = Search {
        ask,
        old: scene.text.clone(),
        trials: HashMap::new(),
        left: (MOST_BYTES / scene.text.len().max(1)).clamp(8, MOST_TRIALS),
        found: Vec::new(),
        held: scene.held(),
        furthest: (Vec::new(), Rc::clone(&scene)),
    };
    for scale in 0..SCALES {
        search.at_scale(&scene, scale);
    }
    search.finish(&scene, most)
}

impl Search<'_> {
    /// Breadth first, each change in the width of the scale, no deeper than the best so far.
    fn at_scale(&mut self, scene: &Rc<Scene>, scale: usize) {
        let mut branches = vec![Branch {
            failures: vec![scene.failure()],
            scene: Rc::clone(scene),
            edits: Edits::default(),
        }];
        let mut seen = HashSet::new();
        for depth in 1..=MOST_EDITS {
            let fewest = self.found.iter().map(|found| found.edits.what.len()).min();
            if fewest.is_some_and(|fewest| fewest < depth) {
                return;
            }
            let mut next = Vec::new();
            for branch in &branches {
                self.grow(branch, scale, &mut seen, &mut next);
            }
            next.truncate(MOST_BRANCHES);
            branches = next;
        }
    }

    /// Tries what one network's failure suggests.
    fn grow(
        &mut self,
        branch: &Branch,
        scale: usize,
        seen: &mut HashSet<String>,
        next: &mut Vec<Branch>,
    ) {
        for candidate in candidates(&branch.scene) {
            let Some(variant) = candidate.at(scale) else {
                continue;
            };
            let Ok(edited) = apply(&branch.scene.text, &variant.changes) else {
                continue;
            };
            if !seen.insert(edited.text.clone()) {
                continue;
            }
            let Some(scene) = self.trial(&edited.text) else {
                continue;
            };
            let mut edits = branch.edits.clone();
            edits.what.push(variant.what.clone());
            edits.widest = edits.widest.max(variant.opens);
            edits.sum += variant.opens;
            edits.shared |= edited.shared;
            if scene.run.trace.reachable {
                if self.found.iter().all(|found| found.text != edited.text) {
                    self.found.push(Found {
                        edits,
                        text: edited.text,
                        breaks: self.broken(&scene),
                    });
                }
                continue;
            }
            let failure = scene.failure();
            if branch.failures.contains(&failure) {
                continue;
            }
            if edits.what.len() > self.furthest.0.len() {
                self.furthest = (edits.what.clone(), Rc::clone(&scene));
            }
            let mut failures = branch.failures.clone();
            failures.push(failure);
            next.push(Branch {
                scene,
                edits,
                failures,
            });
        }
    }

    /// Reads a changed file and asks it the question; `None` where it is no network any more.
    fn trial(&mut self, text: &str) -> Trial {
        if let Some(known) = self.trials.get(text) {
            return known.clone();
        }
        self.left = self.left.checked_sub(1)?;
        let scene = Scene::new(self.ask, text.to_owned()).ok().map(Rc::new);
        self.trials.insert(text.to_owned(), scene.clone());
        scene
    }

    /// What the file expects that held before and does not any more.
    fn broken(&self, scene: &Scene) -> Vec<String> {
        let now = expectations(&scene.program);
        let lost = now
            .iter()
            .zip(&self.held)
            .filter(|(now, held)| **held && !now.holds);
        lost.map(|(lost, _)| lost.to_string()).collect()
    }

    fn finish(mut self, scene: &Scene, most: usize) -> (Vec<Fix>, Option<String>) {
        self.found.sort_by_key(|Found { edits, breaks, .. }| {
            (
                !breaks.is_empty(),
                edits.what.len(),
                edits.widest,
                edits.sum,
            )
        });
        let (name, old) = (self.ask.name, self.old.as_str());
        let found = std::mem::take(&mut self.found);
        let fixes: Vec<_> = found
            .into_iter()
            .take(most)
            .map(
                |Found {
                     edits,
                     text,
                     breaks,
                 }| Fix {
                    diff: unified(name, old, &text),
                    edits: edits.what,
                    opens: edits.widest,
                    shared: edits.shared,
                    breaks,
                    verified: true,
                    text,
                },
            )
            .collect();
        if !fixes.is_empty() {
            return (fixes, None);
        }
        (fixes, Some(self.why_none(scene)))
    }

    /// Why nothing was found: because of the design, of what is left after the changes that led
    /// furthest, or because nothing is known that could be tried.
    fn why_none(&self, scene: &Scene) -> String {
        if let Some(reason) = design::forbids(scene) {
            return reason;
        }
        let (edits, furthest) = &self.furthest;
        let trials = self.trials.len();
        if edits.is_empty() {
            return match trials {
                0 => "nothing that the file could say is known to help".to_owned(),
                _ => "the changes that were tried do not help".to_owned(),
            };
        }
        let left = design::forbids(furthest).or_else(|| furthest.run.trace.why.clone());
        let edits = edits.join("; ");
        format!(
            "with these changes ({edits}) this is left: {}",
            left.unwrap_or_default()
        )
    }
}
