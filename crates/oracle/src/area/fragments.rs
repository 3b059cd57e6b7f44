//! Fragments through NAT, in and out of order, twice, too few, and overlapping.

use super::nat_setup::{Kind, SERVER, World, host};
use super::{Area, Difference, Tally};
use crate::bytes::{hex, one_hop, replace, word};
use crate::conversation::{Content, End, Flow, Side, Step};
use crate::exceptions::Exception;
use crate::reassembly::cut;
use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Source;
use vpcsim_packet::{Protocol, TcpFlags};

const REMOTE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Both sides, for every kind of NAT.
#[derive(Debug)]
pub(crate) struct Fragments {
    worlds: Vec<World>,
    /// Datagrams that are not whole linger in the kernel: each has its own identification.
    identification: u16,
}

/// What is wrong with a datagram's pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// The piece at this place comes twice.
    Twice(usize),
    /// It does not come.
    Missing(usize),
    /// It reaches into the next one.
    Overlap(usize),
}

/// One datagram in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    step: Step,
    /// Bytes of payload in a piece.
    room: usize,
    /// Order in which the pieces come, by sorting these.
    order: Vec<u64>,
    trouble: Trouble,
}

impl Fragments {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new() -> io::Result<Self> {
        let worlds = [Kind::Snat, Kind::Dnat, Kind::OneToOne]
            .into_iter()
            .map(|kind| {
                let world = World::new(kind, false, false)?;
                // A datagram that is not whole shall not stay until its identification is used
                // again.
                world.kernel.sysctl("net/ipv4/ipfrag_time", "1")?;
                Ok(world)
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            worlds,
            identification: 0,
        })
    }
}

impl Area for Fragments {
    type Step = Datagram;

    fn setups(&self) -> usize {
        self.worlds.len()
    }

    fn setup_name(&self, setup: usize) -> String {
        format!("{:?}", self.worlds[setup].kind)
    }

    fn generate(&mut self, setup: usize, rng: &mut Rng) -> Vec<Datagram> {
        let kind = self.worlds[setup].kind;
        let flows: Vec<Flow> = (0..3).map(|number| flow(kind, number, rng)).collect();
        let usual = match kind {
            Kind::Dnat => Side::Outside,
            Kind::Snat | Kind::OneToOne => Side::Inside,
        };
        let mut begun = Vec::new();
        (0..1 + rng.below(8))
            .map(|_| {
                let flow = rng.pick(&flows);
                let from = if rng.chance(50) || !begun.contains(&flow) {
                    usual
                } else {
                    usual.other()
                };
                begun.push(flow);
                datagram(flow, from, usual, rng)
            })
            .collect()
    }

    fn run(&mut self, setup: usize, steps: &[Datagram]) -> io::Result<Tally> {
        let world = &mut self.worlds[setup];
        world.kernel.forget_connections()?;
        world.sim.reset();
        let mut tally = Tally::default();
        // Flows that the kernel knows, and what their inside end looks like outside.
        let mut begun: BTreeMap<Flow, End> = BTreeMap::new();
        // Flows that began here alone, with a datagram that was never whole.
        let mut alone = BTreeSet::new();
        for (place, datagram) in steps.iter().enumerate() {
            self.identification = self.identification.wrapping_add(1);
            let mut step = datagram.step.clone();
            step.identification = self.identification;
            let (address, mapped) = world.kind.public(&step.flow);
            let new = match step.from {
                Side::Inside => (address, step.flow.inside.1),
                Side::Outside => (address, mapped),
            };
            let public = begun.get(&step.flow).copied().unwrap_or(new);
            let pieces = datagram.pieces(&step.packet(public));
            let (port, source) = match step.from {
                Side::Inside => (0, Source::Nic(world.nic_of(step.flow.inside.0))),
                Side::Outside => (1, Source::Internet),
            };
            let (mut kernel, mut sim) = (Vec::new(), Vec::new());
            for piece in &pieces {
                let out = world.kernel.inject(port, piece)?;
                kernel.extend(out.into_iter().map(|(_, bytes)| bytes));
                let out = world.sim.send(source, piece).delivered;
                sim.extend(out.into_iter().map(|(_, bytes)| bytes));
                tally.packets += 1;
            }
            sim.iter_mut().for_each(|bytes| one_hop(bytes));
            for out in [&mut kernel, &mut sim] {
                out.sort_by_key(|bytes| word(bytes, 6) & 0x1fff);
            }
            if kernel.is_empty() && !sim.is_empty() && !begun.contains_key(&step.flow) {
                alone.insert(step.flow);
            }
            if !kernel.is_empty() {
                begun.entry(step.flow).or_insert(public);
            }
            if kernel == sim {
                continue;
            }
            let mut right = step.translated(step.flow.inside, public);
            one_hop(&mut right);
            let right = datagram.pieces(&right);
            let mut untouched = step.packet(public);
            one_hop(&mut untouched);
            let untouched = datagram.pieces(&untouched);
            if !kernel.is_empty()
                && kernel.iter().all(|piece| untouched.contains(piece))
                && sim.iter().all(|piece| right.contains(piece))
            {
                tally.except(Exception::InvalidUntranslated);
                continue;
            }
            match datagram.exception(&kernel, &sim, &right) {
                Some(exception) => tally.except(exception),
                None if alone.contains(&step.flow) && datagram.follows(steps, place) => {
                    tally.except(Exception::FragmentsSingly);
                }
                None => {
                    let text = format!(
                        "{} pieces given; only from the kernel, of {}\n{}only from vpcsim, of {}\n{}",
                        pieces.len(),
                        kernel.len(),
                        missing(&kernel, &sim),
                        sim.len(),
                        missing(&sim, &kernel)
                    );
                    tally.difference = Some(Difference { step: place, text });
                    break;
                }
            }
        }
        Ok(tally)
    }
}

impl Datagram {
    /// The pieces in the order in which they come.
    fn pieces(&self, packet: &[u8]) -> Vec<Vec<u8>> {
        let whole = cut(packet, self.room);
        let mut keyed: Vec<(u64, Vec<u8>)> = Vec::new();
        for (place, piece) in whole.iter().enumerate() {
            let order = self.order[place % self.order.len()];
            match self.trouble {
                Trouble::Missing(missing) if missing == place => {}
                Trouble::Twice(twice) if twice == place => {
                    keyed.push((order, piece.clone()));
                    keyed.push((order ^ 0xffff, piece.clone()));
                }
                // One that lies wholly within another counts as a repetition, not an overlap.
                Trouble::Overlap(at)
                    if at == place && whole.get(place + 1).is_some_and(|next| next.len() > 28) =>
                {
                    let mut longer = piece.clone();
                    longer.extend_from_slice(&whole[place + 1][20..28]);
                    let length = longer.len() as u16;
                    replace(&mut longer, 2, length, 10);
                    keyed.push((order, longer));
                }
                _ => keyed.push((order, piece.clone())),
            }
        }
        keyed.sort_by_key(|(order, _)| *order);
        keyed.into_iter().map(|(_, piece)| piece).collect()
    }

    /// Whether an earlier datagram of its flow was never whole.
    fn follows(&self, steps: &[Self], place: usize) -> bool {
        steps[..place].iter().any(|earlier| {
            let broken = matches!(earlier.trouble, Trouble::Missing(_) | Trouble::Overlap(_));
            earlier.step.flow == self.step.flow && broken
        })
    }

    /// Why both sides may part about this datagram. `right`: its pieces, rightly translated.
    fn exception(
        &self,
        kernel: &[Vec<u8>],
        sim: &[Vec<u8>],
        right: &[Vec<u8>],
    ) -> Option<Exception> {
        if !sim.iter().all(|piece| right.contains(piece)) {
            return None;
        }
        let first = |piece: &Vec<u8>| word(piece, 6) & 0x1fff == 0;
        match self.trouble {
            Trouble::None => None,
            Trouble::Twice(_) => {
                let mut once = sim.to_vec();
                once.dedup();
                (once == kernel).then_some(Exception::FragmentsSingly)
            }
            Trouble::Missing(_) => {
                let follow = right.iter().any(first) && sim.len() == right.len();
                (kernel.is_empty() && follow).then_some(Exception::FragmentsSingly)
            }
            Trouble::Overlap(_) => {
                let all = sim.len() == right.len();
                (kernel.is_empty() && all).then_some(Exception::FragmentOverlap)
            }
        }
    }
}

/// The first few pieces that are in one list and not in the other.
fn missing(from: &[Vec<u8>], other: &[Vec<u8>]) -> String {
    from.iter()
        .filter(|piece| !other.contains(piece))
        .take(3)
        .map(|piece| format!("        {}\n", hex(piece)))
        .collect()
}

fn flow(kind: Kind, number: usize, rng: &mut Rng) -> Flow {
    let protocol = rng.pick(&[Protocol::UDP, Protocol::UDP, Protocol::TCP, Protocol::ICMP]);
    let number = number as u16;
    let inside = match (kind, protocol) {
        (Kind::Dnat, Protocol::TCP | Protocol::UDP) => (SERVER, 80),
        (Kind::Dnat | Kind::OneToOne, _) => (SERVER, 40_000 + number),
        (Kind::Snat, _) => (host(usize::from(number)), 40_000 + number),
    };
    Flow {
        protocol,
        inside,
        outside: (REMOTE, 50_000 + number),
    }
}

fn datagram(flow: Flow, from: Side, client: Side, rng: &mut Rng) -> Datagram {
    let length = rng.pick(&[0, 40, 100, 700, 1_400, 3_000]);
    let content = match flow.protocol {
        Protocol::TCP => Content::Tcp {
            flags: TcpFlags::ACK,
            sequence: 1,
            acknowledgment: 1,
            window: 65_535,
            options: Vec::new(),
            length,
        },
        Protocol::UDP => Content::Udp {
            length,
            lie: 0,
            checksum: !rng.chance(20),
        },
        _ => Content::Query {
            kind: if from == client { 8 } else { 0 },
            code: 0,
            shift: 0,
            number: 1,
            length,
        },
    };
    let in_order = rng.chance(40);
    let order = (0..128).map(|place| if in_order { place } else { rng.next() >> 16 });
    let order: Vec<u64> = order.collect();
    let at = rng.below(4);
    Datagram {
        step: Step {
            flow,
            from,
            content,
            identification: 0,
            tos: rng.pick(&[0, 0x10, 0xb8]),
            dont_fragment: false,
            spoiled: rng.chance(3),
        },
        // At most 64 pieces may come early (§11).
        room: if length > 1_400 {
            rng.pick(&[104, 512, 1_480])
        } else {
            rng.pick(&[32, 104, 512])
        },
        order,
        trouble: match rng.below(12) {
            0 => Trouble::Twice(at),
            1 => Trouble::Missing(at),
            2 => Trouble::Overlap(at),
            _ => Trouble::None,
        },
    }
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            room,
            order,
            trouble,
        } = self;
        let order = &order[..4];
        write!(
            f,
            "{step} in pieces of {room}, {trouble:?}, order {order:?}…"
        )
    }
}
