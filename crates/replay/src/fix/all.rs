//! Everything that can be asked of a target, at once.

use super::scene::Scene;
use super::{Advice, Ask, AskError, advise};
use crate::trace::{Because, Service, Trace, run, services};
use serde::Serialize;
use vpcsim_network::PortRange;

/// Every protocol and port of a target, traced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct All {
    /// Where the requests start.
    pub from: String,
    /// Where they are to arrive.
    pub to: String,
    /// Whether all of them do, and are answered.
    pub reachable: bool,
    /// By protocol and port.
    pub services: Vec<ServiceAdvice>,
}

/// Ports with one and the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceAdvice {
    /// `80`, `8000-8010`; none for pings. The trace is of the first.
    pub ports: Option<String>,
    /// Why they were asked for.
    pub because: Because,
    /// The trace, and what would make it arrive.
    #[serde(flatten)]
    pub advice: Advice,
}

/// Traces pings and every port that a target listens on. A target that does not say is asked for
/// the ports that rules about it name, else for the usual ones. Ports of a range that no rule of
/// the network tells apart are traced once.
///
/// # Errors
/// As [`advise`].
pub fn advise_all(ask: &Ask<'_>, most: usize) -> Result<All, AskError> {
    let scene = Scene::new(ask, ask.text.to_owned())?;
    let (from, to) = (scene.from, scene.to);
    let mut traced: Vec<(Service, Trace)> = Vec::new();
    for service in services(&scene.program, to) {
        let trace = run(&scene.program, from, to, service.question())?.trace;
        match traced.last_mut() {
            Some((last, before)) if follows(last, &service) && alike(before, &trace) => {
                last.ports = span(last.ports, service.ports);
            }
            _ => traced.push((service, trace)),
        }
    }
    let mut all = All {
        from: scene.run.trace.from.clone(),
        to: scene.run.trace.to.clone(),
        reachable: traced.iter().all(|(_, trace)| trace.reachable),
        services: Vec::new(),
    };
    for (service, _) in traced {
        let question = service.question();
        all.services.push(ServiceAdvice {
            ports: service.ports.map(|ports| ports.to_string()),
            because: service.because,
            advice: advise(&Ask { question, ..*ask }, most)?,
        });
    }
    Ok(all)
}

/// Whether the ports of a service begin where those of another end.
fn follows(before: &Service, after: &Service) -> bool {
    let adjacent = match (before.ports, after.ports) {
        (Some(before), Some(after)) => u32::from(before.last) + 1 == u32::from(after.first),
        _ => false,
    };
    adjacent && before.protocol == after.protocol && before.because == after.because
}

/// Whether two traces end alike, for the same reason and by the same rules.
fn alike(one: &Trace, other: &Trace) -> bool {
    let decided = |trace: &Trace| {
        let stops = trace.legs.iter().flat_map(|leg| leg.stops.clone());
        let stops = stops.map(|stop| (stop.stage, stop.element, stop.decision, stop.rule));
        stops.collect::<Vec<_>>()
    };
    one.reachable == other.reachable && decided(one) == decided(other)
}

fn span(before: Option<PortRange>, after: Option<PortRange>) -> Option<PortRange> {
    let (before, after) = (before?, after?);
    Some(PortRange {
        first: before.first,
        last: after.last,
    })
}
