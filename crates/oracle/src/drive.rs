//! Runs an area: random cases until enough packets were compared, differences shrunk.

use crate::area::{Area, Tally};
use crate::exceptions::Exception;
use crate::rng::Rng;
use crate::shrink::shrink;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// Differences after which an area is given up.
const ENOUGH: usize = 5;

/// What came of an area.
#[derive(Debug, Clone)]
pub struct Report {
    /// The area.
    pub name: &'static str,
    /// Packets compared.
    pub packets: u64,
    /// Cases they made up.
    pub cases: u64,
    /// Differences on purpose.
    pub exceptions: BTreeMap<Exception, u64>,
    /// Differences without a reason, each as the smallest case that shows it.
    pub unexplained: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Of an area that has yet to run.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            packets: 0,
            cases: 0,
            exceptions: BTreeMap::new(),
            unexplained: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// Takes over what came of a case, but for its difference.
    pub(crate) fn add(&mut self, tally: &Tally) {
        self.cases += 1;
        self.packets += tally.packets;
        for (exception, count) in &tally.exceptions {
            *self.exceptions.entry(*exception).or_default() += count;
        }
    }
}

/// Runs cases until `packets` were compared.
///
/// # Errors
/// When the kernel side fails.
pub(crate) fn drive<A: Area>(
    name: &'static str,
    area: &mut A,
    packets: u64,
    seed: u64,
) -> io::Result<Report> {
    let began = Instant::now();
    let mut report = Report::new(name);
    while report.packets < packets && report.unexplained.len() < ENOUGH {
        let setup = (report.cases % area.setups() as u64) as usize;
        let mut rng = Rng::new(seed, report.cases);
        let steps = area.generate(setup, &mut rng);
        let tally = area.run(setup, &steps)?;
        if tally.difference.is_some() {
            let smallest = minimal(area, setup, steps, report.cases)?;
            report.unexplained.push(smallest);
        }
        report.add(&tally);
    }
    report.took = began.elapsed();
    Ok(report)
}

fn minimal<A: Area>(
    area: &mut A,
    setup: usize,
    steps: Vec<A::Step>,
    case: u64,
) -> io::Result<String> {
    let fails =
        |steps: &[A::Step]| Ok::<_, io::Error>(area.run(setup, steps)?.difference.is_some());
    let steps = shrink(steps, fails)?;
    let Tally { difference, .. } = area.run(setup, &steps)?;
    let mut text = format!("case {case}, {}\n", area.setup_name(setup));
    for (place, step) in steps.iter().enumerate() {
        let mark = match &difference {
            Some(difference) if difference.step == place => "=>",
            _ => "  ",
        };
        text += &format!("{mark} {step}\n");
    }
    text += match &difference {
        Some(difference) => &difference.text,
        None => "did not happen again: the outcome depends on something that is not controlled",
    };
    Ok(text)
}
