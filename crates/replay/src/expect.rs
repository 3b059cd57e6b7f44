//! What the network file expects, tried.

use crate::Endpoint;
use crate::trace::{Question, Trace, trace};
use serde::Serialize;
use std::fmt;
use vpcsim_dataplane::Program;
use vpcsim_network::{Claim, Expectation, ExpectationEnd, PortRange, RuleProtocol, Wanted};
use vpcsim_packet::Protocol;

/// An expectation of the network file, and whether the network is as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// Line in the network file.
    pub line: u32,
    /// Where the request starts.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// `tcp`, `udp`, `icmp`, or `all` of them and of the others.
    pub protocol: String,
    /// The port that was asked for or chosen; none for ICMP.
    pub port: Option<u16>,
    /// The ports, where it is about several: `8000-8100,8443`, `all`.
    pub ports: Option<String>,
    /// `reachable` or `blocked`.
    pub is: &'static str,
    /// The stage that has to block it, where one is named.
    pub because: Option<&'static str>,
    /// Whether it was decided for all packets that it is about, or for one request.
    pub proved: bool,
    /// Whether the network is so.
    pub holds: bool,
    /// Why not.
    pub why: Option<String>,
    /// Of what one sender sends, all that does otherwise, as rules; none where one request was
    /// tried.
    pub fails: Vec<String>,
    /// The request and its reply, of many one that does otherwise; none where all of many do as
    /// expected, and where the question cannot be put.
    pub trace: Option<Trace>,
}

/// `web-1 to db-1 by tcp 3306 is reachable`.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            protocol,
            is,
            ..
        } = self;
        write!(f, "{from} to {to} by {protocol}")?;
        match (&self.ports, self.port) {
            (Some(ports), _) => write!(f, " {ports}")?,
            (None, Some(port)) => write!(f, " {port}")?,
            (None, None) if protocol == "all" => write!(f, " protocols")?,
            (None, None) => {}
        }
        write!(f, " is {is}")?;
        match self.because {
            Some(stage) => write!(f, " by {stage}"),
            None => Ok(()),
        }
    }
}

/// Tries every expectation of the network, in file order: one request each and the reply to it,
/// in a network without connections.
pub fn expectations(program: &Program) -> Vec<Expected> {
    let expectations = program.network().expectations.iter();
    expectations
        .map(|expectation| tried(program, expectation))
        .collect()
}

fn tried(program: &Program, expectation: &Expectation) -> Expected {
    let (from, to) = (endpoint(expectation.from), endpoint(expectation.to));
    let protocol = expectation.protocol.number().map(Protocol);
    let question = Question {
        protocol,
        port: expectation.port,
    };
    let (is, because) = words(expectation.is);
    let mut expected = Expected {
        line: expectation.mark.line,
        from: from.text(program),
        to: to.text(program),
        protocol: protocol.map_or_else(String::new, |protocol| protocol.to_string()),
        port: expectation.port,
        ports: None,
        is,
        because,
        proved: false,
        holds: false,
        why: None,
        fails: Vec::new(),
        trace: None,
    };
    match trace(program, from, to, question) {
        Ok(trace) => {
            expected.port = trace.port;
            expected.why = disappointment(expectation.is, &trace);
            expected.holds = expected.why.is_none();
            expected.trace = Some(trace);
        }
        Err(error) => expected.why = Some(error.to_string()),
    }
    expected
}

impl Expected {
    /// A claim about many, of which nothing is known that does otherwise.
    pub fn of_claim(claim: &Claim) -> Self {
        let (is, because) = words(claim.is);
        let number = claim.protocol.number().map(Protocol);
        let ported = matches!(claim.protocol, RuleProtocol::Tcp | RuleProtocol::Udp);
        let (port, ports) = match claim.ports.as_slice() {
            _ if !ported => (None, None),
            [one] if one.first == one.last => (Some(one.first), None),
            ranges => (None, Some(ports_text(ranges))),
        };
        Self {
            line: claim.mark.line,
            from: claim.from.text.clone(),
            to: claim.to.text.clone(),
            protocol: number.map_or_else(|| "all".to_owned(), |number| number.to_string()),
            port,
            ports,
            is,
            because,
            proved: true,
            holds: true,
            why: None,
            fails: Vec::new(),
            trace: None,
        }
    }
}

fn words(wanted: Wanted) -> (&'static str, Option<&'static str>) {
    match wanted {
        Wanted::Reachable => ("reachable", None),
        Wanted::Blocked(stage) => ("blocked", stage),
    }
}

fn ports_text(ranges: &[PortRange]) -> String {
    let text = |range: &PortRange| match *range {
        PortRange::ALL => "all".to_owned(),
        PortRange { first, last } if first == last => first.to_string(),
        PortRange { first, last } => format!("{first}-{last}"),
    };
    let texts: Vec<String> = ranges.iter().map(text).collect();
    texts.join(",")
}

/// Why a trace is not what was wanted, if it is not.
pub fn disappointment(wanted: Wanted, trace: &Trace) -> Option<String> {
    let why = || trace.why.clone().unwrap_or_default();
    match wanted {
        Wanted::Reachable => (!trace.reachable).then(why),
        Wanted::Blocked(_) if trace.reachable => {
            Some("the request arrives, and the reply comes back".to_owned())
        }
        Wanted::Blocked(None) => None,
        Wanted::Blocked(Some(stage)) => {
            let dropped = trace.legs.last().and_then(|leg| leg.verdict.stage.as_ref());
            (dropped.map(String::as_str) != Some(stage))
                .then(|| format!("{stage} does not block it: {}", why()))
        }
    }
}

fn endpoint(end: ExpectationEnd) -> Endpoint {
    match end {
        ExpectationEnd::Cvm(cvm) => Endpoint::Cvm(cvm),
        ExpectationEnd::Nic(nic) => Endpoint::Nic(nic),
        ExpectationEnd::Address(address) => Endpoint::Address(address),
        ExpectationEnd::External(external) => Endpoint::External(external),
        ExpectationEnd::Internet => Endpoint::Internet,
    }
}
