//! What is known of each live flow, and the packets that go on with it.

use crate::carrier::Way;
use crate::error::BenchError;
use crate::flow::{End, Flow};
use crate::header::{Content, Wanted, payload};
use crate::network::{self, EIPS};
use crate::random::shuffle;
use std::net::Ipv4Addr;
use vpcsim_packet::{FlowKey, Headers, TcpFlags, Verdict, verify_checksums};

/// Flows from number 0 on. Of each one only what cannot be computed from its number is kept.
#[derive(Debug)]
pub(crate) struct Live {
    records: Vec<Record>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Record {
    /// The public port and the number of the eip that the gateway chose.
    port: u16,
    eip: u8,
    /// Sequence numbers that each end has used, the inside one first.
    sent: [u32; 2],
}

/// One packet of a live flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot {
    pub(crate) flow: u32,
    pub(crate) way: Way,
    /// Length of the IPv4 packet.
    pub(crate) len: usize,
}

impl Live {
    pub(crate) fn new(flows: u32) -> Self {
        Self {
            records: vec![Record::default(); flows as usize],
        }
    }

    pub(crate) fn flows(&self) -> u32 {
        self.records.len() as u32
    }

    /// The address and port that the internet knows a flow by.
    pub(crate) fn outside(&self, flow: u32) -> End {
        let record = self.records[flow as usize];
        (network::eip(record.eip.into()), record.port)
    }

    /// The source and destination of a packet before it is translated.
    fn sent_as(&self, shot: &Shot, flow: &Flow) -> (End, End) {
        match shot.way {
            Way::Out => (flow.inside, flow.remote),
            Way::In => (flow.remote, self.outside(shot.flow)),
        }
    }

    /// The source and destination of a packet when it arrives.
    pub(crate) fn arrives_as(&self, shot: &Shot, flow: &Flow) -> (End, End) {
        match shot.way {
            Way::Out => (self.outside(shot.flow), flow.remote),
            Way::In => (flow.remote, flow.inside),
        }
    }

    /// A TCP segment that a flow sends next, or a datagram. Data follows on what was sent before
    /// and acknowledges all that the other end has sent, so that tracking sees a connection in
    /// steady progress, never a repetition.
    pub(crate) fn packet(&self, shot: &Shot, flow: &Flow, flags: TcpFlags) -> Wanted {
        let (source, destination) = self.sent_as(shot, flow);
        let content = if flow.is_tcp() {
            let sent = self.records[shot.flow as usize].sent;
            let (own, other) = match shot.way {
                Way::Out => (0, 1),
                Way::In => (1, 0),
            };
            let acknowledges = flags.contains(TcpFlags::ACK);
            Content::Tcp {
                flags,
                sequence: initial(shot.flow, own).wrapping_add(sent[own]),
                acknowledgment: if acknowledges {
                    initial(shot.flow, other).wrapping_add(sent[other])
                } else {
                    0
                },
            }
        } else {
            Content::Udp
        };
        Wanted {
            source,
            destination,
            content,
            len: shot.len,
        }
    }

    /// The packet has been sent.
    pub(crate) fn sent(&mut self, shot: &Shot, flow: &Flow, flags: TcpFlags) {
        if !flow.is_tcp() {
            return;
        }
        let sent = &mut self.records[shot.flow as usize].sent;
        let own = match shot.way {
            Way::Out => &mut sent[0],
            Way::In => &mut sent[1],
        };
        // RFC 9293 §3.4: a SYN takes one number.
        let taken = if flags.contains(TcpFlags::SYN) {
            1
        } else {
            payload(shot.len, true) as u32
        };
        *own = own.wrapping_add(taken);
    }

    /// Takes from the first translated packet of a flow what the gateway chose.
    pub(crate) fn learn(&mut self, number: u32, packet: &[u8]) -> Result<(), BenchError> {
        let flow = Flow::number(number);
        let (outside, remote) = ends(&flow, packet)?;
        let eip = (0..EIPS).find(|&eip| network::eip(eip) == outside.0);
        let (Some(eip), true) = (eip, remote == flow.remote) else {
            return Err(wrong(
                &flow,
                format!(
                    "{} to {}, but an eip to {} is wanted",
                    text(outside),
                    text(remote),
                    text(flow.remote)
                ),
            ));
        };
        let record = &mut self.records[number as usize];
        record.eip = eip as u8;
        record.port = outside.1;
        Ok(())
    }

    /// Checks addresses, ports and both checksums of a packet that has arrived.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, shot: &Shot, packet: &[u8]) -> Result<(), BenchError> {
        let flow = Flow::number(shot.flow);
        let got = ends(&flow, packet)?;
        let wanted = self.arrives_as(shot, &flow);
        if got != wanted {
            return Err(wrong(
                &flow,
                format!(
                    "{} to {}, but {} to {} is wanted",
                    text(got.0),
                    text(got.1),
                    text(wanted.0),
                    text(wanted.1)
                ),
            ));
        }
        Ok(())
    }
}

/// The first sequence number of an end, as unlike others as real ones are.
fn initial(flow: u32, end: usize) -> u32 {
    shuffle(flow.wrapping_mul(2).wrapping_add(end as u32))
}

/// Source and destination of a packet whose checksums are right.
fn ends(flow: &Flow, packet: &[u8]) -> Result<(End, End), BenchError> {
    let headers = Headers::parse(packet).map_err(|error| wrong(flow, error.to_string()))?;
    let checksums = verify_checksums(packet, &headers);
    for (name, verdict) in [("IPv4", checksums.ip), ("transport", checksums.transport)] {
        if verdict != Verdict::Right {
            return Err(wrong(flow, format!("its {name} checksum is {verdict:?}")));
        }
    }
    let key = FlowKey::of(&headers).ok_or_else(|| wrong(flow, "it has no ports".to_owned()))?;
    Ok((
        (key.source, key.source_port),
        (key.destination, key.destination_port),
    ))
}

fn wrong(flow: &Flow, what: String) -> BenchError {
    BenchError::Wrong {
        flow: format!(
            "{} {} > {}",
            flow.protocol,
            text(flow.inside),
            text(flow.remote)
        ),
        what,
    }
}

fn text((address, port): (Ipv4Addr, u16)) -> String {
    format!("{address}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Writer;
    use crate::opening::{DATA_OUT, HANDSHAKE};
    use crate::size::Size;
    use crate::traffic::Traffic;
    use vpcsim_dataplane::Nanos;
    use vpcsim_dataplane::conntrack::{Direction, Judgement, Opening, Settings, Tracker};
    use vpcsim_network::TcpWindow;

    #[test]
    fn connections_stay_established_even_where_windows_are_judged() {
        // Flow 1 is TCP, and the only one here: the hardest case, all segments are its own.
        let settings = Settings {
            window: TcpWindow::Track,
            loose: false,
        };
        let mut live = Live::new(2);
        let mut traffic = Traffic::new(2, Size::Imix);
        let mut writer = Writer::new();
        let mut tracker: Option<Tracker> = None;
        let handshake = HANDSHAKE.iter().map(|round| (round.shot(1), round.flags));
        let data = std::iter::from_fn(|| Some((traffic.next(None), DATA_OUT.flags)));
        for (shot, flags) in handshake.chain(data.take(20_000)) {
            let flow = Flow::number(shot.flow);
            if !flow.is_tcp() {
                continue;
            }
            let packet = writer.write(&live.packet(&shot, &flow, flags)).to_vec();
            live.sent(&shot, &flow, flags);
            let headers = Headers::parse(&packet).unwrap();
            let direction = match shot.way {
                Way::Out => Direction::Original,
                Way::In => Direction::Reply,
            };
            let now = Nanos(1);
            match &mut tracker {
                None => match Tracker::open(&packet, &headers, now, &settings) {
                    Opening::Opens(opened) => tracker = Some(opened),
                    other => panic!("{other:?}"),
                },
                Some(tracker) => {
                    let judgement = tracker.update(&packet, &headers, direction, now, &settings);
                    assert_eq!(judgement, Judgement::Pass, "{shot:?}");
                }
            }
        }
        assert_eq!(tracker.unwrap().state_name(), "ESTABLISHED");
    }
}
