//! The floor: what any NAT has to do for a packet, and nothing else.
//!
//! It reads and checks the headers, hashes the 5-tuple, asks for the one line of memory that the
//! flow has in an open-addressing table, and, once all packets of a batch have asked, compares the
//! key, rewrites address and port, moves both checksums by a difference computed when the flow was
//! entered (RFC 1624) and notes time, packets and bytes in the line. It knows no rules, no routes,
//! no connection states and no way to open or end a flow.

use crate::carrier::{Carrier, Way};
use crate::error::BenchError;
use crate::flow::{End, Flow};
use crate::live::Live;
use crate::prefetch::prefetch;
use memmap2::MmapMut;
use vpcsim_dataplane::{Arrived, Batch};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// One line of memory.
const LINE: usize = 64;
/// Lines for each entry. At a load of one third a search looks at one line and a quarter; more
/// room makes it no faster, less makes it wait for lines that nobody asked for.
const ROOM: usize = 3;

/// A table of translations by what arrives, two for each flow; and a batch of packets.
#[derive(Debug)]
pub struct Floor {
    table: MmapMut,
    arena: Vec<u8>,
    /// By packet, where it lies in the arena.
    spans: Vec<Span>,
    /// By packet, what the first look at it gave.
    keys: Vec<Option<Key>>,
    batches: u64,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
}

/// The 5-tuple as it lies in a packet, and where its search begins.
#[derive(Debug, Clone, Copy)]
struct Key {
    addresses: u64,
    /// Never 0: the protocol is in it.
    ports: u64,
    slot: usize,
    /// Where the transport header starts.
    transport: usize,
}

impl Key {
    #[inline]
    fn is_tcp(&self) -> bool {
        self.ports >> 32 == u64::from(TCP)
    }
}

impl Floor {
    /// A table of the flows.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(crate) fn new(live: &Live) -> Result<Self, BenchError> {
        let flows = live.flows() as usize;
        let entries = 2 * flows * ROOM;
        let table = MmapMut::map_anon(entries * LINE)
            .map_err(|source| BenchError::Memory { entries, source })?;
        // As the dataplane's own tables. Without huge pages it works as well, if slower.
        #[cfg(target_os = "linux")]
        let _ = table.advise(memmap2::Advice::HugePage);
        let mut floor = Self {
            table,
            arena: Vec::new(),
            spans: Vec::new(),
            keys: Vec::new(),
            batches: 0,
        };
        for number in 0..live.flows() {
            let flow = Flow::number(number);
            let outside = live.outside(number);
            floor.enter(&flow, (flow.inside, flow.remote), outside, Way::Out);
            floor.enter(&flow, (flow.remote, outside), flow.inside, Way::In);
        }
        Ok(floor)
    }

    /// Packets from `key.0` to `key.1` get another source (out) or destination (in).
    fn enter(&mut self, flow: &Flow, key: (End, End), new: End, way: Way) {
        let (lines, _) = self.table.as_chunks_mut::<LINE>();
        let addresses = join(key.0.0.octets(), key.1.0.octets());
        let ports = ports(key.0.1, key.1.1, flow.protocol.0);
        let mut slot = slot(addresses, ports, lines.len());
        while word(&lines[slot], PORTS) != 0 {
            slot = (slot + 1) % lines.len();
        }
        let old = match way {
            Way::Out => key.0,
            Way::In => key.1,
        };
        fill(&mut lines[slot], (addresses, ports), old, new, way);
    }

    /// Translates every packet of the batch.
    fn translate(&mut self) -> Arrived {
        let (lines, _) = self.table.as_chunks_mut::<LINE>();
        self.keys.resize(self.spans.len(), None);
        for (span, key) in self.spans.iter().zip(&mut self.keys) {
            *key = read(&self.arena[span.start..span.start + span.len], lines.len());
            if let Some(key) = key {
                prefetch(&lines[key.slot]);
            }
        }
        let mut arrived = [0; 2];
        for (span, key) in self.spans.iter().zip(&self.keys) {
            let packet = &mut self.arena[span.start..span.start + span.len];
            let Some(key) = key else { continue };
            let entry = find(lines, key).map(|slot| &mut lines[slot]);
            if let Some(way) = entry.and_then(|line| apply(line, packet, key, self.batches)) {
                arrived[way] += 1;
            }
        }
        let [outside, inside] = arrived;
        Arrived { outside, inside }
    }
}

impl Carrier for Floor {
    fn size(&self) -> usize {
        Batch::SIZE
    }

    fn push(&mut self, _: &Flow, _: Way, packet: &[u8]) {
        self.spans.push(Span {
            start: self.arena.len(),
            len: packet.len(),
        });
        self.arena.extend_from_slice(packet);
    }

    // By its name `cargo xtask instructions` finds what is to be counted.
    #[inline(never)]
    fn carry(&mut self) -> Arrived {
        self.batches += 1;
        self.translate()
    }

    fn packet(&mut self, index: usize) -> Option<&[u8]> {
        let span = self.spans.get(index)?;
        self.arena.get(span.start..span.start + span.len)
    }

    fn first_lost(&self) -> Option<String> {
        None
    }

    fn clear(&mut self) {
        self.arena.clear();
        self.spans.clear();
    }
}

/// Reads and checks the headers of a packet: IPv4, whole, not a fragment, TCP or UDP.
///
/// Which of the two it is nobody can foresee, so nothing here branches on it.
#[inline]
fn read(packet: &[u8], lines: usize) -> Option<Key> {
    let header: &[u8; 20] = packet.first_chunk()?;
    let transport = usize::from(header[0] & 0x0f) * 4;
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    let protocol = header[9];
    let known = protocol < 64 && (1_u64 << TCP | 1 << UDP) >> protocol & 1 == 1;
    let transport_len = 8 + 12 * usize::from(protocol == TCP);
    // One branch that is always taken the same way, not six.
    let good = (header[0] >> 4 == 4)
        & (fragment == 0)
        & known
        & (transport >= 20)
        & (transport + transport_len <= len)
        & (len <= packet.len());
    if !good {
        return None;
    }
    let addresses = u64::from_ne_bytes(*header[12..].first_chunk()?);
    let ports = u32::from_ne_bytes(*packet.get(transport..)?.first_chunk()?);
    let ports = u64::from(ports) | u64::from(protocol) << 32;
    Some(Key {
        addresses,
        ports,
        slot: slot(addresses, ports, lines),
        transport,
    })
}

/// Where the line of a key is.
#[inline]
fn find(lines: &[[u8; LINE]], key: &Key) -> Option<usize> {
    let mut slot = key.slot;
    loop {
        let line = lines.get(slot)?;
        if word(line, PORTS) == key.ports && word(line, ADDRESSES) == key.addresses {
            return Some(slot);
        }
        if word(line, PORTS) == 0 {
            return None;
        }
        slot += 1;
        if slot == lines.len() {
            slot = 0;
        }
    }
}

fn join(source: [u8; 4], destination: [u8; 4]) -> u64 {
    let [a, b, c, d] = source;
    let [e, f, g, h] = destination;
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

fn ports(source: u16, destination: u16, protocol: u8) -> u64 {
    let [a, b] = source.to_be_bytes();
    let [c, d] = destination.to_be_bytes();
    u64::from(u32::from_ne_bytes([a, b, c, d])) | u64::from(protocol) << 32
}

/// Where the search for a key begins: one folded multiplication, reduced by another.
#[inline]
fn slot(addresses: u64, ports: u64, lines: usize) -> usize {
    let product = u128::from(addresses ^ 0x6a09_e667_f3bc_c909)
        * u128::from(ports.rotate_left(17) ^ 0xbb67_ae85_84ca_a73b);
    let hash = product as u64 ^ (product >> 64) as u64;
    ((u128::from(hash) * lines as u128) >> 64) as usize
}

/// Where the parts of an entry begin. Numbers are in the machine's order, what is copied to
/// packets in the network's.
const ADDRESSES: usize = 0;
/// Ports and protocol; 0 in a free entry.
const PORTS: usize = 8;
const NEW_ADDRESS: usize = 16;
const NEW_PORT: usize = 20;
/// 0: the source is translated, 1: the destination.
const WAY: usize = 22;
/// What the IPv4 checksum changes by, and the transport's.
const IP_CHANGE: usize = 24;
const TRANSPORT_CHANGE: usize = 26;
const LAST_SEEN: usize = 32;
const PACKETS: usize = 40;
const BYTES: usize = 48;

#[inline]
fn word(line: &[u8; LINE], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&line[at..at + 8]);
    u64::from_ne_bytes(word)
}

#[inline]
fn set_word(line: &mut [u8; LINE], at: usize, value: u64) {
    line[at..at + 8].copy_from_slice(&value.to_ne_bytes());
}

fn fill(line: &mut [u8; LINE], key: (u64, u64), old: End, new: End, way: Way) {
    set_word(line, ADDRESSES, key.0);
    set_word(line, PORTS, key.1);
    line[NEW_ADDRESS..NEW_ADDRESS + 4].copy_from_slice(&new.0.octets());
    line[NEW_PORT..NEW_PORT + 2].copy_from_slice(&new.1.to_be_bytes());
    line[WAY] = u8::from(way == Way::In);
    let address = difference(&old.0.octets(), &new.0.octets());
    let port = difference(&old.1.to_be_bytes(), &new.1.to_be_bytes());
    line[IP_CHANGE..IP_CHANGE + 2].copy_from_slice(&address.to_ne_bytes());
    line[TRANSPORT_CHANGE..TRANSPORT_CHANGE + 2].copy_from_slice(&add(address, port).to_ne_bytes());
}

/// Rewrites a packet by its entry, and notes in the entry that it came. Returns its way, or
/// nothing for a packet without a transport header, which has no key either.
#[inline]
fn apply(line: &mut [u8; LINE], packet: &mut [u8], key: &Key, now: u64) -> Option<usize> {
    set_word(line, LAST_SEEN, now);
    set_word(line, PACKETS, word(line, PACKETS) + 1);
    set_word(line, BYTES, word(line, BYTES) + packet.len() as u64);

    // As in `read`, nothing branches on direction or protocol.
    let way = usize::from(line[WAY]) & 1;
    let half = |at: usize| u16::from_ne_bytes([line[at], line[at + 1]]);
    let (ip, transport) = packet.split_at_mut_checked(key.transport)?;
    let ip: &mut [u8; 20] = ip.first_chunk_mut()?;
    ip[12 + 4 * way..16 + 4 * way].copy_from_slice(&line[NEW_ADDRESS..NEW_ADDRESS + 4]);
    change(&mut ip[10..12], half(IP_CHANGE));
    let ports: &mut [u8; 4] = transport.first_chunk_mut()?;
    ports[2 * way..2 + 2 * way].copy_from_slice(&line[NEW_PORT..NEW_PORT + 2]);
    let tcp = key.is_tcp();
    let at = 6 + 10 * usize::from(tcp);
    let checksum = transport.get_mut(at..at + 2)?;
    // RFC 768: 0 says that there is no checksum, and a computed 0 is written as all ones.
    if checksum != [0, 0] || tcp {
        change(checksum, half(TRANSPORT_CHANGE));
        if checksum == [0, 0] && !tcp {
            checksum.fill(0xff);
        }
    }
    Some(way)
}

/// Moves a checksum by a difference, HC' = ~(~HC + difference): RFC 1624 equation 3.
#[inline]
fn change(checksum: &mut [u8], difference: u16) {
    if let [high, low] = checksum {
        let changed = !add(!u16::from_ne_bytes([*high, *low]), difference);
        [*high, *low] = changed.to_ne_bytes();
    }
}

/// What replacing some words changes: Σ(~m + m').
fn difference(old: &[u8], new: &[u8]) -> u16 {
    let words = |bytes: &[u8]| -> Vec<u16> {
        let (words, _) = bytes.as_chunks::<2>();
        words.iter().map(|&word| u16::from_ne_bytes(word)).collect()
    };
    let olds = words(old);
    let news = words(new);
    olds.iter()
        .zip(&news)
        .filter(|(old, new)| old != new)
        .fold(0, |sum, (&old, &new)| add(add(sum, !old), new))
}

#[inline]
fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}
