//! What would let a packet through that does not get through.
//!
//! The place where a trace ends suggests changes to the network file: a rule in the group that
//! denied, a route in the table that had none, a sysctl on the host that dropped. Each is written
//! into the text, the text is read as a network again, and the same question is traced again. What
//! then arrives, and is answered, is a fix; what gets further has the next changes tried on top of
//! it. So a fix has been seen to work, whoever thought of it.
//!
//! One kind of change a file. A fix is narrow when it needs few changes and opens little:
//! [`Fix::opens`] counts packets.

mod acl;
mod address;
mod all;
mod candidate;
mod design;
mod diff;
mod gateway;
mod host;
mod listen;
mod peering;
mod peers;
mod places;
mod policy_rules;
mod public;
mod route;
mod scene;
mod search;
mod security_group;

pub use all::{All, ServiceAdvice, advise_all};

use crate::EndpointError;
use crate::trace::{Question, Trace, TraceError};
use serde::Serialize;
use vpcsim_network::NetworkErrors;

/// A network file, and a question to it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What the file is called in diffs and errors.
    pub name: &'a str,
    /// The file.
    pub text: &'a str,
    /// Where the request starts, as [`Endpoint::parse`](crate::Endpoint::parse) reads it.
    pub from: &'a str,
    /// Where it is to arrive.
    pub to: &'a str,
    /// What it is.
    pub question: Question,
}

/// A trace, and what would make it arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The trace of the network as it is.
    #[serde(flatten)]
    pub trace: Trace,
    /// The expectation of the file that this is blocked, where it has one and it is.
    pub expected_blocked: Option<String>,
    /// Changes that make the request and its reply arrive, narrowest first; none where they do
    /// already.
    pub fixes: Vec<Fix>,
    /// Why there are none, where something is wrong.
    pub no_fix: Option<String>,
}

/// A change to the network file with which the request and its reply arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What is changed, one sentence a change.
    pub edits: Vec<String>,
    /// How many packets it opens, as a power of two: addresses times ports of the widest change.
    /// 0 for one address and port, and for what opens nothing; 32 for one port to everybody.
    pub opens: u32,
    /// Whether text is changed that aliases repeat elsewhere in the file.
    pub shared: bool,
    /// Expectations of the file that hold now and would not any more. Fixes that break some come
    /// after those that break none.
    pub breaks: Vec<String>,
    /// The change as a unified diff of the file.
    pub diff: String,
    /// Whether the trace was seen to arrive in the changed network: always.
    pub verified: bool,
    /// The changed file.
    #[serde(skip)]
    pub text: String,
}

/// Why a question cannot be put to a file.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The file has mistakes.
    #[error("{0}")]
    Network(Box<NetworkErrors>),
    /// An end that there is not.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The question cannot be put.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// Traces a question, and looks for at most `most` fixes where it does not arrive.
///
/// The same file and question give the same answer. The work is bounded: a few hundred traces, and
/// fewer for large files.
///
/// # Errors
/// When the file has mistakes, an end names nothing, or the question cannot be put.
pub fn advise(ask: &Ask<'_>, most: usize) -> Result<Advice, AskError> {
    let scene = scene::Scene::new(ask, ask.text.to_owned())?;
    let trace = scene.run.trace.clone();
    if trace.reachable || most == 0 {
        return Ok(Advice {
            trace,
            expected_blocked: None,
            fixes: Vec::new(),
            no_fix: None,
        });
    }
    let expected_blocked = scene.expected_blocked();
    // What was left open is the same in every changed network.
    let ask = Ask {
        question: scene.run.question,
        ..*ask
    };
    let (fixes, no_fix) = search::search(&ask, scene, most);
    Ok(Advice {
        trace,
        expected_blocked,
        fixes,
        no_fix,
    })
}
