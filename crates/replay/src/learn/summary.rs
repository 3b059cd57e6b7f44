//! What was learned, and what could not be.

use super::conversation::Conversation;
use super::plan::Plan;
use serde::Serialize;
use std::net::Ipv4Addr;

/// What a capture taught, for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The captures, in the order in which they were read.
    pub captures: Vec<Source>,
    /// Packets of all of them.
    pub packets: u64,
    /// What they belong to: adds up to `packets`.
    pub belongs: Belongs,
    /// Conversations with an inside host in them.
    pub conversations: ConversationCounts,
    /// What the network file has.
    pub network: Parts,
    /// Hosts that cannot have their address in a vpc; the file has it as `captured_as`.
    pub renumbered: Vec<Renumbered>,
    /// What was odd.
    pub warnings: Vec<String>,
}

/// A capture that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its format, byte order and compression.
    pub format: String,
    /// Packets read from it.
    pub packets: u64,
}

/// Packets by what they belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Belongs {
    /// Completed conversations: the network delivers these.
    pub completed: u64,
    /// Conversations that were not completed: nothing is allowed for them.
    pub incomplete: u64,
    /// Both ends are outside.
    pub outside: u64,
    /// An end is nobody's: multicast, broadcast, loopback, 0.0.0.0.
    pub nobody: u64,
    /// Later fragments without a first one.
    pub fragments: u64,
    /// Conversations beyond the most that are told apart.
    pub beyond: u64,
    /// Not IPv4.
    pub not_ipv4: u64,
    /// Too broken to have a flow.
    pub malformed: u64,
}

/// Conversations by how they went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ConversationCounts {
    /// Both ends talked to each other.
    pub completed: u64,
    /// A reset or an ICMP error came back.
    pub refused: u64,
    /// Nothing came back that completes them.
    pub unanswered: u64,
}

/// How much of everything a network file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// Vpcs.
    pub vpcs: usize,
    /// Subnets.
    pub subnets: usize,
    /// Hosts.
    pub cvms: usize,
    /// Security groups.
    pub security_groups: usize,
    /// Their rules.
    pub rules: usize,
    /// Eips, those of nat gateways included.
    pub eips: usize,
    /// NAT gateways.
    pub nat_gateways: usize,
}

/// A host that has another address in the network file than in the capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renumbered {
    /// In the capture.
    pub captured: Ipv4Addr,
    /// In the network file.
    pub address: Ipv4Addr,
    /// The host.
    pub cvm: String,
}

impl ConversationCounts {
    pub(super) fn of<'a>(conversations: impl Iterator<Item = &'a Conversation>) -> Self {
        let mut counts = Self::default();
        for conversation in conversations {
            let refused =
                conversation.errors > 0 || conversation.sent.iter().any(|sent| sent.reset);
            *match (conversation.is_completed(), refused) {
                (true, _) => &mut counts.completed,
                (false, true) => &mut counts.refused,
                (false, false) => &mut counts.unanswered,
            } += 1;
        }
        counts
    }
}

impl Parts {
    pub(super) fn of(plan: &Plan) -> Self {
        let own = plan.hosts.iter().filter(|host| host.has_eip()).count();
        Self {
            vpcs: plan.vpcs.len(),
            subnets: plan.vpcs.iter().map(|vpc| vpc.subnets.len()).sum(),
            cvms: plan.hosts.len(),
            security_groups: plan.groups.len(),
            rules: plan.rules.iter().flatten().map(Vec::len).sum(),
            eips: own + plan.gateways.len(),
            nat_gateways: plan.gateways.len(),
        }
    }
}
