//! Flow logs: what each nic saw of each flow, window by window, as the platform logs it.
//!
//! [`sight`] tells from a packet's stops which nics saw it and what they did with it; here the
//! sightings of a window are added up. Windows lie on the clock of the capture, at multiples of
//! their length since 1970, so that the windows of two captures can be laid side by side.

pub(crate) mod sight;

use hashbrown::HashMap;
use serde::Serialize;
use sight::Sighting;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Nanos, Program};
use vpcsim_flowlog::{Action, Record};
use vpcsim_network::NicId;
use vpcsim_packet::{FlowKey, Protocol};

const SECOND: u64 = 1_000_000_000;

/// How flows are to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLogOptions {
    /// Seconds of a window, at least 1.
    pub window_seconds: u32,
    /// Most flows of a window that are kept; when there are more, those so far are written, and
    /// counted anew from there on.
    pub most_flows: usize,
}

impl Default for FlowLogOptions {
    /// The platform aggregates about five minutes; a million flows take some 100 MB.
    fn default() -> Self {
        Self {
            window_seconds: 300,
            most_flows: 1 << 20,
        }
    }
}

/// What was logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FlowLogReport {
    /// Records written.
    pub records: u64,
    /// Windows that were written in parts, because they had more flows than are kept.
    pub split_windows: u64,
}

impl FlowLogReport {
    pub(crate) fn warning(self) -> Option<String> {
        let split = self.split_windows;
        (split > 0).then(|| {
            format!(
                "flow log: {split} window(s) had more flows than are kept at once and were \
                 written in parts, each with the time that it is about"
            )
        })
    }
}

/// One direction of a flow at a nic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    nic: NicId,
    flow: FlowKey,
    action: Action,
}

/// What is counted of it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    key: Key,
    packets: u64,
    bytes: u64,
}

/// The names of a nic in records.
#[derive(Debug)]
struct Names {
    account: String,
    nic: String,
}

/// Flows by window.
#[derive(Debug)]
pub(crate) struct FlowLog {
    names: Vec<Names>,
    /// Nanoseconds.
    window: u64,
    most: usize,
    /// When the window under way ends, in nanoseconds; 0 before the first.
    until: u64,
    /// When the part of it that is counted began, in seconds.
    since: u64,
    /// Where in `seen` a flow is.
    places: HashMap<Key, u32>,
    /// In the order in which they were first seen.
    seen: Vec<Seen>,
    /// Whether the window under way has been written in part.
    is_split: bool,
    /// Of windows and parts that have ended, with their beginnings and ends.
    ended: Vec<(Seen, u64, u64)>,
    report: FlowLogReport,
}

impl FlowLog {
    pub(crate) fn new(program: &Program, options: FlowLogOptions) -> Self {
        let network = program.network();
        let names = (0..).map(NicId).zip(&network.nics).map(|(id, nic)| {
            let vpc = network.subnet(nic.subnet).vpc;
            Names {
                account: network.vpc(vpc).account.clone(),
                nic: program.nic_name(id),
            }
        });
        Self {
            names: names.collect(),
            window: u64::from(options.window_seconds.max(1)) * SECOND,
            most: options.most_flows.max(1),
            until: 0,
            since: 0,
            places: HashMap::new(),
            seen: Vec::new(),
            is_split: false,
            ended: Vec::new(),
            report: FlowLogReport::default(),
        }
    }

    /// A nic saw a packet.
    pub(crate) fn add(&mut self, sighting: &Sighting, time: Nanos, bytes: usize) {
        if time.0 >= self.until {
            self.begin_window(time);
        }
        let key = Key {
            nic: sighting.nic,
            flow: sighting.flow,
            action: if sighting.accepted {
                Action::Accept
            } else {
                Action::Reject
            },
        };
        let place = match self.places.get(&key) {
            Some(&place) => place as usize,
            None => self.begin_flow(key, time),
        };
        let seen = &mut self.seen[place];
        seen.packets += 1;
        seen.bytes += bytes as u64;
    }

    fn begin_flow(&mut self, key: Key, time: Nanos) -> usize {
        if self.seen.len() >= self.most {
            self.is_split = true;
            self.end_part(time.0 / SECOND);
        }
        let place = self.seen.len();
        self.places.insert(key, place as u32);
        self.seen.push(Seen {
            key,
            packets: 0,
            bytes: 0,
        });
        place
    }

    fn begin_window(&mut self, time: Nanos) {
        self.end_window();
        let start = time.0 - time.0 % self.window;
        self.until = start.saturating_add(self.window);
        self.since = start / SECOND;
    }

    fn end_window(&mut self) {
        self.end_part(self.until / SECOND);
        self.report.split_windows += u64::from(self.is_split);
        self.is_split = false;
    }

    /// Ends the part that is counted at this second; the next one begins there.
    fn end_part(&mut self, end: u64) {
        let since = self.since;
        let end = end.max(since);
        self.report.records += self.seen.len() as u64;
        self.ended
            .extend(self.seen.drain(..).map(|seen| (seen, since, end)));
        self.places.clear();
        self.since = end;
    }

    /// The capture has ended, and with it the window.
    pub(crate) fn finish(&mut self) -> FlowLogReport {
        self.end_window();
        self.report
    }

    /// Hands on the records of windows that have ended.
    ///
    /// # Errors
    /// The first of `take`; then the rest is gone.
    pub(crate) fn take_ended<E>(
        &mut self,
        mut take: impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let names = &self.names;
        self.ended.drain(..).try_for_each(|(seen, start, end)| {
            let Names { account, nic } = &names[seen.key.nic.index()];
            take(&record(&seen, account, nic, start, end))
        })
    }
}

fn record<'a>(seen: &Seen, account: &'a str, nic: &'a str, start: u64, end: u64) -> Record<'a> {
    let Seen {
        key,
        packets,
        bytes,
    } = *seen;
    let (source, destination): (Ipv4Addr, Ipv4Addr) = (key.flow.source, key.flow.destination);
    // Keys have the type in the high byte, records in the low one.
    let destination_port = match key.flow.protocol {
        Protocol::ICMP => key.flow.destination_port.swap_bytes(),
        _ => key.flow.destination_port,
    };
    Record {
        account_id: account,
        interface_id: nic,
        source,
        destination,
        source_port: key.flow.source_port,
        destination_port,
        protocol: key.flow.protocol.0,
        packets,
        bytes,
        start,
        end,
        action: key.action,
    }
}
