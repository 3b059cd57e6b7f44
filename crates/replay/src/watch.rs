//! What is watched beside the verdicts: rules and flow logs.

#[cfg(test)]
mod tests;

use crate::flow_log::sight::{Sight, Sighting};
use crate::flow_log::{FlowLog, FlowLogReport};
use crate::replay::Options;
use crate::rules::{Credit, RuleCounts, RuleReport};
use crate::sink::Sink;
use crate::ways::{Way, Ways};
use std::io;
use vpcsim_dataplane::{Observer, Program, Repeat, Stop};
use vpcsim_packet::FlowKey;

/// Watches packets meet their stops. Those that take a way that is remembered it knows by that.
#[derive(Debug)]
pub(crate) struct Watch {
    rules: Option<RuleCounts>,
    log: Option<FlowLog>,
    ways: Ways,
    under_way: UnderWay,
}

/// The packet of the latest stops.
#[derive(Debug, Default)]
struct UnderWay {
    id: u64,
    generated: bool,
    sight: Sight,
    credits: Vec<Credit>,
    sightings: Vec<Sighting>,
}

impl UnderWay {
    fn turn_to(&mut self, stop: &Stop<'_>) {
        if (self.id, self.generated) != (stop.id, stop.generated) {
            (self.id, self.generated) = (stop.id, stop.generated);
            self.credits.clear();
            self.sightings.clear();
        }
    }
}

impl Watch {
    /// `None` where nothing is to be watched.
    pub(crate) fn new(program: &Program, options: &Options) -> Option<Self> {
        let rules = options.rules.then(|| RuleCounts::new(program));
        let log = options.flow_log.map(|log| FlowLog::new(program, log));
        let watches = rules.is_some() || log.is_some();
        watches.then(|| Self {
            rules,
            log,
            ways: Ways::default(),
            under_way: UnderWay::default(),
        })
    }

    /// Hands on the flow-log records that are complete.
    ///
    /// # Errors
    /// When the sink does not take them.
    pub(crate) fn pass_on(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        match &mut self.log {
            Some(log) => log.take_ended(|record| sink.flow_record(record)),
            None => Ok(()),
        }
    }

    /// All packets have come.
    ///
    /// # Errors
    /// When the sink does not take the last records.
    pub(crate) fn finish(
        &mut self,
        sink: &mut dyn Sink,
    ) -> io::Result<(Option<RuleReport>, Option<FlowLogReport>)> {
        let rules = self.rules.as_mut().map(|rules| {
            self.ways
                .drain(|credit, packets| rules.add(credit, packets));
            rules.report()
        });
        let log = self.log.as_mut().map(FlowLog::finish);
        self.pass_on(sink)?;
        Ok((rules, log))
    }
}

impl Observer for Watch {
    const REMEMBERS: bool = true;

    fn stop(&mut self, stop: &Stop<'_>) {
        let under_way = &mut self.under_way;
        under_way.turn_to(stop);
        if let Some(rules) = &mut self.rules {
            under_way.credits.extend(rules.stop(stop));
        }
        if let Some(log) = &mut self.log {
            let sightings = &mut under_way.sightings;
            under_way.sight.stop(stop, |sighting| {
                log.add(&sighting, stop.time, stop.headers.total_len);
                sightings.push(sighting);
            });
        }
    }

    fn remember(&mut self, before: &FlowKey, after: &FlowKey) -> Option<u32> {
        let UnderWay {
            credits, sightings, ..
        } = &self.under_way;
        self.ways
            .number(Way::of(credits, sightings, before, after)?)
    }

    fn repeat(&mut self, repeat: &Repeat) {
        let seen_by = self.ways.take(repeat.way);
        if let Some(log) = &mut self.log {
            for seen in seen_by {
                let flow = if seen.translated {
                    repeat.after
                } else {
                    repeat.before
                };
                let sighting = Sighting {
                    nic: seen.nic,
                    flow,
                    accepted: true,
                };
                log.add(&sighting, repeat.time, repeat.total_len.into());
            }
        }
    }
}
