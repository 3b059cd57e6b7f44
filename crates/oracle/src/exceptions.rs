//! Where vpcsim parts from the kernel on purpose: the whole list. Whatever is not here is a
//! defect.

use std::fmt;

macro_rules! exceptions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $clause:literal, $why:literal;)*) => {
        /// A difference on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Exception {
            $($(#[$doc])* $name,)*
        }

        impl Exception {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the summary.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The clause of SEMANTICS that wants it.
            pub fn clause(self) -> &'static str {
                match self { $(Self::$name => $clause,)* }
            }

            /// What each side does.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }
        }
    };
}

exceptions! {
    /// Under `tcp_window: ignore` any RST of the flow closes it.
    AnyResetCloses = "any-reset-closes", "§6 tcp_window: ignore",
        "a RST whose sequence number is not exact closes the flow; the kernel, even when liberal, \
         waits for an exact one, so what follows in that flow may meet another state";
    /// Packets that the kernel calls INVALID pass its NAT as they are.
    InvalidUntranslated = "invalid-untranslated", "§9, §2.6: everything that passes is translated",
        "a packet that tracking calls INVALID is forwarded untranslated by a kernel that does not \
         drop it; vpcsim translates it by its session or eip, or drops it";
    /// The kernel gives an inside port that had to move the same public port everywhere.
    MappingReused = "mapping-reused", "§9: port preserved when free",
        "an inside port that had to change towards one destination keeps the changed port towards \
         others in the kernel; vpcsim preserves the port wherever it is free";
    /// Redirects are errors like any other.
    RedirectTranslated = "redirect-translated", "§9: ICMP errors in either direction are translated",
        "the kernel drops ICMP redirects of translated flows; vpcsim takes them for errors as \
         RFC 1122 does and translates them";
    /// A wrong checksum is not a drop.
    WrongErrorChecksum = "wrong-error-checksum", "§11: a wrong checksum is not a drop",
        "the kernel's NAT drops an ICMP error with a wrong checksum, whatever nf_conntrack_checksum \
         says; vpcsim translates it and it stays wrong";
    /// The link is met before the router.
    LinkBeforeRouter = "link-before-router", "§2 (leaving the nic before acl and route), §11 mtu",
        "the size that counts is that of the link from the nic to its router: a packet too big for \
         it is answered or cut before the router looks at TTL and route; a Linux router looks at \
         these first";
    /// Options of later fragments.
    LaterFragmentOptions = "later-fragment-options", "§11: IP options are carried; RFC 791 §3.1",
        "a later fragment made here carries the options with the copied flag alone; the kernel \
         fills the place of the others with no-operations; the datagram is the same";
    /// Fragments pass one by one.
    FragmentsSingly = "fragments-singly", "§11: later fragments follow their first one",
        "a kernel that tracks puts a datagram together before it goes on, so it ignores a piece \
         that comes twice and sends nothing of one that is not whole; vpcsim lets every piece \
         follow the first one";
    /// Overlapping fragments.
    FragmentOverlap = "fragment-overlap", "§11: later fragments follow their first one",
        "the kernel drops a datagram whose pieces overlap; vpcsim carries the pieces and leaves it \
         to the host to put them together";
    /// A gateway has the ports of a class, a kernel those of its rule.
    OtherPortRange = "other-port-range", "§9: the next free port of its class at 1024 or above",
        "towards one destination many inside hosts with one source port have 1008 public ports \
         here, and in the kernel as many as its rule names; both drop when these are taken";
    /// The source is judged before the way on is looked for.
    SourceBeforeWay = "source-before-way", "§10: rp_filter and martians, then local or forward",
        "of a packet for which there is no way a router in the kernel says so without having looked \
         at its source; vpcsim drops it by its source, silently";
    /// Simultaneous open has the timeout of an opening connection.
    SimultaneousOpenTimeout = "simultaneous-open-timeout", "§6: timeouts can be set",
        "after SYNs from both ends a connection waits for tcp_syn_sent here; the kernel waits 120 s \
         whatever its knobs say, for SYN_SENT2 has none; the defaults are equal";
    /// A host that sends to its subnet's broadcast address hears itself.
    OwnBroadcastCopy = "own-broadcast-copy", "§10 and §1: a packet is at one place",
        "an ICMP error to a source that is the subnet's broadcast address leaves by the nic on both \
         sides; the kernel also hands a copy to itself";
    /// A host that complains to its own loopback address.
    ErrorToLoopback = "error-to-loopback", "§10: what a host sends to itself never enters the network",
        "under route_localnet a packet from 127/8 may end with an ICMP error to 127/8, which the \
         kernel hands to itself over lo; vpcsim makes none";
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
