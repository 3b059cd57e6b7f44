//! What a nic, or a nat gateway, would remember of a conversation: the dataplane's own tracking,
//! asked while the capture is read.
//!
//! Rules let in what opens a flow; the rest of it passes because it is remembered. What has to be
//! let in is therefore not "the client's packets" but whatever came when nothing was remembered:
//! the first packet, and what came after a silence longer than the memory.

use vpcsim_dataplane::Nanos;
use vpcsim_dataplane::conntrack::{Direction, Judgement, Opening, Settings, Tracker};
use vpcsim_network::{Conntrack, NatTimeouts, TcpWindow};
use vpcsim_packet::Headers;

/// Tracking as a network file without `policies` has it.
const SETTINGS: Settings = Settings {
    window: TcpWindow::Ignore,
    loose: true,
};

/// How long things are remembered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Memory<'a> {
    /// At a nic.
    Nic(&'a Conntrack),
    /// At a nat gateway.
    Gateway(&'a NatTimeouts),
}

impl Memory<'_> {
    fn opened(self, tracker: &Tracker, now: Nanos) -> Nanos {
        now.after_seconds(match self {
            Self::Nic(timeouts) => tracker.timeout(timeouts),
            Self::Gateway(timeouts) => tracker.nat_timeout(timeouts),
        })
    }

    fn deadline(self, live: &Live, judgement: Judgement, now: Nanos) -> Nanos {
        let (tracker, before) = (&live.tracker, live.deadline);
        match self {
            Self::Nic(timeouts) => tracker.deadline(judgement, before, now, timeouts),
            Self::Gateway(timeouts) => tracker.nat_deadline(judgement, before, now, timeouts),
        }
    }
}

/// One conversation, as one place remembers it.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    live: Option<Live>,
}

#[derive(Debug, Clone)]
struct Live {
    tracker: Tracker,
    /// The way of the packet that opened it.
    opener: usize,
    deadline: Nanos,
}

/// What a packet met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Its flow is remembered, and it belongs to it.
    Known,
    /// Its flow is remembered, but it does not fit there.
    Misfit,
    /// Nothing was remembered; now it is.
    Opened,
    /// Nothing is remembered, before or after.
    Nothing,
}

impl Machine {
    /// Whether something is remembered at this time.
    pub(super) fn remembers(&self, now: Nanos) -> bool {
        self.live.as_ref().is_some_and(|live| live.deadline > now)
    }

    /// A packet of the conversation comes, on one of its two ways. `may_open`: where nothing is
    /// remembered it may begin something.
    pub(super) fn take(
        &mut self,
        (bytes, headers): (&[u8], &Headers),
        (way, may_open): (usize, bool),
        now: Nanos,
        memory: Memory<'_>,
    ) -> Met {
        if !self.remembers(now) {
            self.live = None;
        }
        if let Some(live) = &mut self.live {
            let direction = if way == live.opener {
                Direction::Original
            } else {
                Direction::Reply
            };
            let tracker = &mut live.tracker;
            let judgement = tracker.update(bytes, headers, direction, now, &SETTINGS);
            live.deadline = memory.deadline(live, judgement, now);
            match judgement {
                Judgement::Reopen => self.live = None,
                Judgement::Invalid(_) => return Met::Misfit,
                Judgement::Pass | Judgement::Ignored | Judgement::Ends => return Met::Known,
            }
        }
        if !may_open {
            return Met::Nothing;
        }
        match Tracker::open(bytes, headers, now, &SETTINGS) {
            Opening::Opens(tracker) | Opening::MidStream(tracker) => {
                self.live = Some(Live {
                    opener: way,
                    deadline: memory.opened(&tracker, now),
                    tracker,
                });
                Met::Opened
            }
            Opening::Invalid(_) => Met::Nothing,
        }
    }
}
