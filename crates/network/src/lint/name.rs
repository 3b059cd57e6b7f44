//! The closed list of lints.

use crate::decode::Keyword;
use std::fmt;

macro_rules! lints {
    ($($lint:ident = $name:literal, $summary:literal;)*) => {
        /// What `vpcsim check` looks for in a valid network. docs/lints.md explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Lint {
            $(#[doc = $summary] $lint,)*
        }

        impl Lint {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$lint),*];

            /// Its name, in kebab-case: stable.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$lint => $name,)*
                }
            }

            /// What it finds, in a few words.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$lint => $summary,)*
                }
            }
        }

        impl Keyword for Lint {
            const WHAT: &'static str = "a lint";
            const WORDS: &'static [(&'static str, Self)] = &[$(($name, Self::$lint)),*];
            const SYNONYMS: &'static [(&'static str, &'static str)] = &[];
        }
    };
}

lints! {
    AclBlocksReplies = "acl-blocks-replies", "an acl lets a flow pass, but not the answers";
    CoveredRule = "covered-rule", "a rule can never match: an earlier one covers it";
    EmptyGroupPeer = "empty-group-peer", "a rule names a group that nobody it could match is in";
    ForgottenRpFilter = "forgotten-rp-filter", "rp_filter is 0 on `all`, and still 1 on a nic";
    ForwardingLoop = "forwarding-loop", "a host forwards into a table that sends it back to the host";
    LostReplies = "lost-replies", "a packet arrives, and an acl drops the answer to it";
    OneWayPeering = "one-way-peering", "a route over a peering, and no way back";
    OpenNic = "open-nic", "a secondary nic without a group: everything passes";
    OpenToWorld = "open-to-world", "remote access or a database, open to the whole internet";
    RefusedDnat = "refused-dnat", "a forwarded port that nobody takes";
    RouteOutsidePeer = "route-outside-peer", "a route over a peering to what the peer does not own";
    StrictRpFilter = "strict-rp-filter", "several nics, strict rp_filter, and no rule that brings answers out by the right one";
    UnusedEip = "unused-eip", "an eip that nothing uses";
    UnusedNatGateway = "unused-nat-gateway", "a nat gateway that no table points at";
    UnusedRoute = "unused-route", "a route that never wins: other routes take all its packets";
    UnusedSnatRule = "unused-snat-rule", "a snat rule of a source that does not route to the gateway";
    ZeroPrefix = "zero-prefix", "0.0.0.0 with another length than 0";
}

impl Lint {
    /// The lint of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|lint| lint.name() == name)
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
