//! NAT: a gateway's snat and dnat, and 1:1, against nftables' nat.

use super::nat_setup::{self, HOST_COUNT, Kind, SERVER, World};
use super::{Area, Difference, Tally};
use crate::bytes::{is_icmp_error, one_hop};
use crate::compare::{Out, compare};
use crate::conversation::{Content, End, Flow, Side, Step};
use crate::exceptions::Exception;
use crate::kernel::At;
use crate::public::{
    PublicPorts, flow_of, source_port, with_quoted_destination_port, with_source_port,
};
use crate::resets::Resets;
use crate::rng::Rng;
use crate::talk::Talk;
use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Place, Source};
use vpcsim_packet::{Protocol, TcpFlags};

const REMOTES: [Ipv4Addr; 2] = [
    Ipv4Addr::new(198, 51, 100, 7),
    Ipv4Addr::new(198, 51, 100, 8),
];
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

const INSIDE: usize = 0;
const OUTSIDE: usize = 1;

/// Both sides of one kind of NAT, for every combination of policies.
#[derive(Debug)]
pub(crate) struct Translation {
    kind: Kind,
    worlds: Vec<World>,
}

impl Translation {
    /// Sets up both sides.
    ///
    /// # Errors
    /// When the kernel side cannot be set up.
    pub(crate) fn new(kind: Kind) -> io::Result<Self> {
        let combinations = [(true, false), (true, true), (false, false), (false, true)];
        // A 1:1 NAT here has no state that could be judged.
        let stateful = |&(_, strict): &(bool, bool)| kind != Kind::OneToOne || !strict;
        let worlds = combinations
            .into_iter()
            .filter(stateful)
            .map(|(judged, strict)| World::new(kind, judged, strict))
            .collect::<io::Result<_>>()?;
        Ok(Self { kind, worlds })
    }

    fn flow(&self, rng: &mut Rng) -> Flow {
        let protocol = rng.pick(&[
            Protocol::TCP,
            Protocol::TCP,
            Protocol::UDP,
            Protocol::ICMP,
            Protocol::GRE,
        ]);
        let host = match self.kind {
            Kind::Snat => nat_setup::host(rng.below(HOST_COUNT)),
            Kind::Dnat | Kind::OneToOne => SERVER,
        };
        let (inside, outside) = match protocol {
            Protocol::ICMP => (7, 7),
            Protocol::TCP | Protocol::UDP => match self.kind {
                Kind::Snat => (rng.pick(&[40_000, 40_000, 80, 700]), 443),
                Kind::Dnat => (80, rng.pick(&[50_000, 50_001])),
                Kind::OneToOne => (rng.pick(&[80, 40_000]), rng.pick(&[443, 50_000])),
            },
            _ => (0, 0),
        };
        Flow {
            protocol,
            inside: (host, inside),
            outside: (rng.pick(&REMOTES), outside),
        }
    }
}

impl Area for Translation {
    type Step = Step;

    fn setups(&self) -> usize {
        self.worlds.len()
    }

    fn setup_name(&self, setup: usize) -> String {
        self.worlds[setup].name()
    }

    fn generate(&mut self, _: usize, rng: &mut Rng) -> Vec<Step> {
        let wild = rng.pick(&[0, 10, 30]);
        let routers = [(Side::Outside, ROUTER)];
        let mut talks: Vec<Talk> = (0..1 + rng.below(6))
            .map(|_| {
                let usual = match self.kind {
                    Kind::Snat => Side::Inside,
                    Kind::Dnat => Side::Outside,
                    Kind::OneToOne => rng.pick(&[Side::Inside, Side::Outside]),
                };
                let client = if rng.chance(95) { usual } else { usual.other() };
                Talk::new(self.flow(rng), client, wild, &routers, rng)
            })
            .collect();
        (0..8 + rng.below(40))
            .map(|_| {
                let at = rng.below(talks.len());
                talks[at].step(rng)
            })
            .collect()
    }

    fn run(&mut self, setup: usize, steps: &[Step]) -> io::Result<Tally> {
        let world = &mut self.worlds[setup];
        world.kernel.forget_connections()?;
        world.sim.reset();
        let mut tally = Tally::default();
        let mut case = Case::default();
        for (place, step) in steps.iter().enumerate() {
            tally.packets += 1;
            if let Some(text) = case.step(world, step, &mut tally)? {
                tally.difference = Some(Difference { step: place, text });
                break;
            }
        }
        Ok(tally)
    }
}

/// What one case has shown so far.
#[derive(Debug, Default)]
struct Case {
    resets: Resets,
    theirs: PublicPorts,
    ours: PublicPorts,
    renewed: BTreeSet<Flow>,
}

impl Case {
    /// What is different about a step, if anything.
    fn step(
        &mut self,
        world: &mut World,
        step: &Step,
        tally: &mut Tally,
    ) -> io::Result<Option<String>> {
        let (met, ..) = self.seen_outside(world.kind, step, flow_of(step));
        // A connection that begins again, or that was reset, may have a new mapping.
        if step.content.is(TcpFlags::SYN) {
            self.renewed.insert(met);
        }
        let different = self.compare(world, step, tally);
        if step.content.is(TcpFlags::RST) {
            self.renewed.insert(met);
        }
        different
    }

    fn compare(
        &mut self,
        world: &mut World,
        step: &Step,
        tally: &mut Tally,
    ) -> io::Result<Option<String>> {
        self.resets.see(step);
        let flow = flow_of(step);
        let shift = step.content.identifier_shift();
        let (met, their_end, our_end) = self.seen_outside(world.kind, step, flow);
        let to_kernel = step.packet(their_end);
        let to_sim = step.packet(our_end);
        let (port, source) = match step.from {
            Side::Inside => (INSIDE, Source::Nic(world.nic_of(step.flow.inside.0))),
            Side::Outside => (OUTSIDE, Source::Internet),
        };
        let mut kernel = world.kernel.inject(port, &to_kernel)?;
        let ended = world.sim.send(source, &to_sim);
        let verdict = format!("{:?}", ended.verdict);
        let mut sim = out_of(ended.delivered);
        if kernel == sim && (step.from == Side::Outside || kernel.is_empty()) {
            return Ok(None);
        }
        if let Some(exception) = explained(world, step, &to_kernel, &kernel) {
            // Ours is dropped, or translated rightly.
            let inside = (met.inside.0, met.inside.1.wrapping_sub(shift));
            let mut right = step.translated(inside, our_end);
            one_hop(&mut right);
            if sim.iter().all(|(_, packet)| *packet == right) {
                tally.except(exception);
                return Ok(None);
            }
        }
        let (their_port, our_port) = (shown_port(step, &kernel), shown_port(step, &sim));
        if let (Some(theirs), Some(ours)) = (their_port, our_port)
            && let Some(text) = self.ports(world, flow, theirs, ours, tally)
        {
            if !world.judged && self.resets.doubtful(&step.flow) {
                tally.except(Exception::AnyResetCloses);
                return Ok(None);
            }
            return Ok(Some(text));
        }
        canonical(step, flow, &mut kernel);
        canonical(step, flow, &mut sim);
        let Some(text) = compare(&to_sim, &kernel, &sim, &verdict) else {
            return Ok(None);
        };
        if !world.judged && self.resets.doubtful(&step.flow) {
            tally.except(Exception::AnyResetCloses);
            return Ok(None);
        }
        Ok(Some(text))
    }

    /// The flow that a step meets, and what its inside end looks like from outside, to the kernel
    /// and here.
    fn seen_outside(&self, kind: Kind, step: &Step, flow: Flow) -> (Flow, End, End) {
        let (address, wanted) = kind.public(&flow);
        let known = |flow: &Flow| Some((self.theirs.of(flow)?, self.ours.of(flow)?));
        // Without a mapping of its own the packet meets whoever has the port; where the kernel
        // reuses ports that may be two, so both sides are asked about the same one.
        let holder = || {
            let ours = self.ours.holder(&flow, wanted);
            ours.or_else(|| self.theirs.holder(&flow, wanted))
        };
        let (met, (theirs, ours)) = match (known(&flow), holder()) {
            (Some(ports), _) => (flow, ports),
            (None, Some(holder)) => (holder, known(&holder).unwrap_or((wanted, wanted))),
            (None, None) => (flow, (wanted, wanted)),
        };
        // `packet` adds the shift of an identifier.
        let end = |port: u16| (address, port.wrapping_sub(step.content.identifier_shift()));
        (met, end(theirs), end(ours))
    }

    /// Both sides show a public port of a flow: are these the ones that each may choose?
    fn ports(
        &mut self,
        world: &World,
        flow: Flow,
        theirs: u16,
        ours: u16,
        tally: &mut Tally,
    ) -> Option<String> {
        let holders = [
            self.theirs.holder(&flow, theirs),
            self.ours.holder(&flow, ours),
        ];
        for holder in holders.into_iter().flatten() {
            if !self.renewed.contains(&holder) {
                return Some(format!(
                    "two live flows have port {theirs} or {ours}: also {holder:?}"
                ));
            }
            self.theirs.forget(&holder);
            self.ours.forget(&holder);
        }
        let renewed = self.renewed.remove(&flow);
        let wanted = flow.inside.1;
        let reused = self.theirs.moved(&flow);
        let theirs_taken = self.theirs.holder(&flow, wanted).is_some();
        let ours_taken = self.ours.holder(&flow, wanted).is_some();
        let known = self.theirs.of(&flow).is_some() && self.ours.of(&flow).is_some();
        let before = (self.theirs.learn(flow, theirs), self.ours.learn(flow, ours));
        if before != (None, None) && !renewed {
            return Some(format!(
                "the mapping of a flow changed: from {before:?} to kernel {theirs}, vpcsim {ours}"
            ));
        }
        if known && !renewed {
            return None;
        }
        let text = format!("wanted {wanted}, the kernel chose {theirs}, vpcsim {ours}");
        let any = flow.protocol == Protocol::ICMP;
        let (_, mapped) = world.kind.public(&flow);
        if (theirs, ours) == (mapped, mapped) {
            return None;
        }
        if !(any || may_become(wanted, theirs)) || (ours != wanted && ours < 1024) {
            return Some(format!("a port of another class: {text}"));
        }
        if (theirs == wanted) == (ours == wanted) {
            return None;
        }
        // Where the kernel reuses a changed port, other ports are taken than here.
        let explained = if ours == wanted {
            reused || (theirs_taken && !ours_taken)
        } else {
            ours_taken && !theirs_taken
        };
        if explained {
            tally.except(Exception::MappingReused);
            return None;
        }
        Some(format!("only one side preserves the port: {text}"))
    }
}

/// The classes of ports between which the kernel never changes (`nf_nat_l4proto_unique_tuple`).
fn may_become(wanted: u16, chosen: u16) -> bool {
    let class = |port: u16| match port {
        0..512 => 0,
        512..1024 => 1,
        1024.. => 2,
    };
    wanted == chosen || class(wanted) == class(chosen)
}

fn out_of(delivered: Vec<(Place, Vec<u8>)>) -> Out {
    let out = delivered.into_iter().map(|(place, mut bytes)| {
        // The kernel is a hop, a vpc is none (§11, `fabric_ttl: 0`).
        one_hop(&mut bytes);
        let port = match place {
            Place::Internet => OUTSIDE,
            _ => INSIDE,
        };
        (At::Port(port), bytes)
    });
    out.collect()
}

/// Whether the kernel forwarded the packet, or sent it back out, without NAT.
fn is_untranslated(step: &Step, given: &[u8], out: &Out) -> bool {
    let mut hop = given.to_vec();
    one_hop(&mut hop);
    let [(At::Port(OUTSIDE), bytes)] = out.as_slice() else {
        return false;
    };
    *bytes == hop && !(step.from == Side::Inside && given == bytes)
}

/// Why the kernel may have done this with a packet where vpcsim translates or drops it.
fn explained(world: &World, step: &Step, given: &[u8], out: &Out) -> Option<Exception> {
    if !world.strict && is_untranslated(step, given, out) {
        return Some(Exception::InvalidUntranslated);
    }
    match step.content {
        Content::Error { .. } if !out.is_empty() => None,
        Content::Error { kind: 5, .. } => Some(Exception::RedirectTranslated),
        Content::Error { .. } if step.spoiled => Some(Exception::WrongErrorChecksum),
        _ => None,
    }
}

/// The public port that an outbound packet shows.
fn shown_port(step: &Step, out: &Out) -> Option<u16> {
    match (step.from, out.as_slice()) {
        (Side::Inside, [(At::Port(OUTSIDE), packet)]) if !is_icmp_error(packet) => {
            source_port(packet)
        }
        _ => None,
    }
}

/// What went out, with the port that the inside end has: that is the same on both sides.
fn canonical(step: &Step, flow: Flow, out: &mut Out) {
    for (at, packet) in out {
        if step.from != Side::Inside || *at != At::Port(OUTSIDE) {
            continue;
        }
        if matches!(step.content, Content::Error { .. }) {
            with_quoted_destination_port(packet, flow.inside.1);
        } else {
            with_source_port(packet, flow.inside.1);
        }
    }
}
