//! From conversations to what the rules of each host have to accept.

use super::conversation::Conversation;
use super::conversations::Conversations;
use super::inside::{Inside, Side};
use super::roles::Ends;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Protocol};

/// A protocol as a security-group rule names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Proto {
    Tcp,
    Udp,
    Icmp,
    Gre,
    /// Any: a rule has no narrower word for ESP, SCTP and the like.
    All,
}

impl Proto {
    pub(super) fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::TCP => Self::Tcp,
            Protocol::UDP => Self::Udp,
            Protocol::ICMP => Self::Icmp,
            Protocol::GRE => Self::Gre,
            _ => Self::All,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Gre => "gre",
            Self::All => "all",
        }
    }

    /// What one conversation is called.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Tcp => "connection",
            Self::Udp => "exchange",
            Self::Icmp => "ping",
            Self::Gre | Self::All => "conversation",
        }
    }
}

/// Why a rule has to accept something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Why {
    /// A client asks a service.
    Service,
    /// What came from the server when no nic could have known the flow: the capture began within
    /// the conversation, or it was silent for longer than flows are remembered.
    Answer,
    /// An ICMP error about a flow that no nic could have known.
    Error,
}

/// Something that a host's rules have to accept, with one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fact {
    pub(super) proto: Proto,
    /// Destination port; 0 where the protocol has none.
    pub(super) port: u16,
    pub(super) peer: Ipv4Addr,
}

/// What it was learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) why: Why,
    pub(super) conversations: u64,
    pub(super) packets: u64,
    /// When the first of them began.
    pub(super) first: u64,
}

impl Stats {
    pub(super) fn add(&mut self, other: &Self) {
        self.why = self.why.min(other.why);
        self.conversations += other.conversations;
        self.packets += other.packets;
        self.first = self.first.min(other.first);
    }
}

/// What is known of a host from its conversations.
#[derive(Debug, Clone, Default)]
pub(super) struct Learned {
    pub(super) ingress: BTreeMap<Fact, Stats>,
    pub(super) egress: BTreeMap<Fact, Stats>,
    /// What it accepted: conversations by protocol and port.
    pub(super) services: BTreeMap<(Proto, u16), u64>,
    /// It completed conversations with the internet.
    pub(super) online: bool,
    /// Why it needs a public address of its own.
    pub(super) own_eip: Option<OwnEip>,
}

/// Why a host cannot share the address of a nat gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OwnEip {
    /// The internet asks it.
    Serves,
    /// A nat gateway does not carry its protocol.
    Protocol,
    /// Something came in for which a nat gateway would have had no session.
    NoSession,
}

/// By inside host.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) hosts: BTreeMap<Ipv4Addr, Learned>,
    /// Pairs of inside hosts that completed a conversation, or sent errors about one; the lower
    /// address first.
    pub(super) pairs: BTreeSet<(Ipv4Addr, Ipv4Addr)>,
}

impl Rules {
    /// What the completed conversations ask for.
    pub(super) fn of(conversations: &Conversations, inside: &Inside) -> Self {
        let completed = || conversations.list().iter().filter(|c| c.is_completed());
        let ends = Ends::of(completed());
        let mut rules = Self::default();
        for conversation in completed() {
            rules.take(conversation, ends.way_to_server(conversation), inside);
        }
        for (key, seen) in conversations.errors() {
            let conversation = &conversations.list()[key.conversation as usize];
            if !conversation.is_completed() {
                continue;
            }
            let stats = Stats {
                why: Why::Error,
                conversations: 1,
                packets: seen.packets,
                first: seen.first,
            };
            let receiver = conversation.key_of(key.way).destination;
            let flow = FlowKey {
                protocol: Protocol::ICMP,
                source: key.sender,
                source_port: 0,
                destination: receiver,
                destination_port: 0,
            };
            rules.accept_at(&flow, stats, inside, (true, seen.unknown));
            rules.pair(&flow, inside);
        }
        rules
    }

    fn take(&mut self, conversation: &Conversation, to_server: usize, inside: &Inside) {
        let key = conversation.key_of(to_server);
        if key.source == key.destination {
            // Over `lo`: it never meets a rule.
            return;
        }
        let stats = Stats {
            why: Why::Service,
            conversations: conversation.openings.max(1),
            packets: conversation.packets() + conversation.errors,
            first: conversation.first,
        };
        self.accept(&key, stats, inside);
        if conversation.judged[1 - to_server] {
            let stats = Stats {
                why: Why::Answer,
                ..stats
            };
            self.accept(&key.reversed(), stats, inside);
        }
        let proto = Proto::of(key.protocol);
        let (client, server) = (inside.of(key.source), inside.of(key.destination));
        if server == Side::Inside && matches!(proto, Proto::Tcp | Proto::Udp) {
            let host = self.hosts.entry(key.destination).or_default();
            *host
                .services
                .entry((proto, key.destination_port))
                .or_default() += stats.conversations;
        }
        let host = match (client, server) {
            (Side::Inside, Side::Inside) => return self.pair(&key, inside),
            (Side::Inside, _) => key.source,
            _ => key.destination,
        };
        let host = self.hosts.entry(host).or_default();
        host.online = true;
        let own = [
            (server == Side::Inside).then_some(OwnEip::Serves),
            matches!(proto, Proto::Gre | Proto::All).then_some(OwnEip::Protocol),
            conversation.without_session.then_some(OwnEip::NoSession),
        ];
        let reasons = host.own_eip.into_iter().chain(own.into_iter().flatten());
        host.own_eip = reasons.min();
    }

    /// Both ends of a flow have to reach each other, where both are inside.
    fn pair(&mut self, flow: &FlowKey, inside: &Inside) {
        let ends = [flow.source, flow.destination];
        if ends.iter().all(|end| inside.of(*end) == Side::Inside) {
            let [one, other] = ends;
            self.pairs.insert((one.min(other), one.max(other)));
        }
    }

    /// Rules at both ends.
    fn accept(&mut self, flow: &FlowKey, stats: Stats, inside: &Inside) {
        self.accept_at(flow, stats, inside, (true, true));
    }

    fn accept_at(
        &mut self,
        flow: &FlowKey,
        stats: Stats,
        inside: &Inside,
        (at_source, at_destination): (bool, bool),
    ) {
        let proto = Proto::of(flow.protocol);
        let port = match proto {
            Proto::Tcp | Proto::Udp => flow.destination_port,
            _ => 0,
        };
        let fact = |peer| Fact { proto, port, peer };
        if at_source && inside.of(flow.source) == Side::Inside {
            let host = self.hosts.entry(flow.source).or_default();
            note(&mut host.egress, fact(flow.destination), stats);
        }
        if at_destination && inside.of(flow.destination) == Side::Inside {
            let host = self.hosts.entry(flow.destination).or_default();
            note(&mut host.ingress, fact(flow.source), stats);
        }
    }
}

fn note(facts: &mut BTreeMap<Fact, Stats>, fact: Fact, stats: Stats) {
    facts
        .entry(fact)
        .and_modify(|known| known.add(&stats))
        .or_insert(stats);
}
