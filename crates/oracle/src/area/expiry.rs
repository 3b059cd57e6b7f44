//! What is forgotten, and when: flows on a real clock with timeouts of seconds.
//!
//! The only area that waits. Packets go in bursts 0.7 s apart, so that no two are a whole number
//! of seconds apart, where a deadline is; the simulated clock is set to the real one before each.

use super::filter::{HOST, World};
use super::{Difference, Tally};
use crate::conversation::{Content, Flow, Side, Step};
use crate::drive::Report;
use crate::exceptions::Exception;
use crate::resets::Resets;
use crate::rng::Rng;
use crate::talk::Talk;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use vpcsim_packet::{Protocol, TcpFlags};

const TIMEOUTS: [(&str, u32); 16] = [
    ("tcp_syn_sent", 1),
    ("tcp_syn_recv", 2),
    ("tcp_established", 3),
    ("tcp_fin_wait", 2),
    ("tcp_close_wait", 1),
    ("tcp_last_ack", 1),
    ("tcp_time_wait", 2),
    ("tcp_close", 1),
    ("tcp_max_retrans", 2),
    ("tcp_unacknowledged", 2),
    ("udp", 1),
    ("udp_stream", 2),
    ("icmp", 1),
    ("gre", 1),
    ("gre_stream", 2),
    ("generic", 1),
];

const FLOWS: usize = 400;
const BURSTS: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(700);
/// Two packets of a flow nearer than this to a whole number of seconds apart are not compared: a
/// kernel that counts in jiffies may see either side of the deadline.
const EDGE: Duration = Duration::from_millis(30);

struct Talking {
    talk: Talk,
    resets: Resets,
    said: Vec<(Duration, Step)>,
    over: bool,
}

/// Waits `rounds` times.
///
/// # Errors
/// When the kernel side cannot be set up or fails.
pub(crate) fn run(name: &'static str, rounds: u64, seed: u64) -> io::Result<Report> {
    let began = Instant::now();
    let mut report = Report::new(name);
    let mut worlds = [
        World::new(true, true, &TIMEOUTS)?,
        World::new(true, false, &TIMEOUTS)?,
        World::new(false, true, &TIMEOUTS)?,
    ];
    for round in 0..rounds {
        for tally in one(&mut worlds, &mut Rng::new(seed, round))? {
            report.add(&tally);
            if let Some(difference) = tally.difference {
                report.unexplained.push(difference.text);
            }
        }
    }
    report.took = began.elapsed();
    Ok(report)
}

fn one(worlds: &mut [World], rng: &mut Rng) -> io::Result<Vec<Tally>> {
    let mut talking = Vec::new();
    let mut tallies = Vec::new();
    for world in worlds.iter_mut() {
        world.kernel.forget_connections()?;
        world.sim.reset();
        let flows: Vec<Talking> = (0..FLOWS).map(|number| begin(number, rng)).collect();
        talking.push(flows);
        tallies.push(Tally::default());
    }
    let began = Instant::now();
    for burst in 0..BURSTS {
        std::thread::sleep((BETWEEN * burst).saturating_sub(began.elapsed()));
        for (at, world) in worlds.iter_mut().enumerate() {
            simultaneous(world, burst, began, &mut tallies[at])?;
            for flow in &mut talking[at] {
                // Some stay silent for longer.
                let silent = burst > 0 && rng.chance(45);
                if !silent && !flow.over {
                    for _ in 0..1 + rng.below(3) {
                        packet(world, flow, began, &mut tallies[at], rng)?;
                    }
                }
            }
        }
    }
    Ok(tallies)
}

fn begin(number: usize, rng: &mut Rng) -> Talking {
    let protocol = rng.pick(&[
        Protocol::TCP,
        Protocol::TCP,
        Protocol::UDP,
        Protocol::ICMP,
        Protocol::GRE,
    ]);
    let peer = Ipv4Addr::new(
        192,
        168,
        20 + (number / 200) as u8,
        1 + (number % 200) as u8,
    );
    let client = rng.pick(&[Side::Inside, Side::Inside, Side::Outside]);
    let (inside, outside) = match (protocol, client) {
        (Protocol::TCP | Protocol::UDP, Side::Inside) => (40_000, 443),
        (Protocol::TCP | Protocol::UDP, Side::Outside) => (80, 50_000),
        (Protocol::ICMP, _) => (7, 7),
        _ => (0, 0),
    };
    let flow = Flow {
        protocol,
        inside: (HOST, inside),
        outside: (peer, outside),
    };
    let wild = rng.pick(&[0, 0, 10]);
    Talking {
        talk: Talk::new(flow, client, wild, &[], rng),
        resets: Resets::default(),
        said: Vec::new(),
        over: false,
    }
}

/// A connection that both ends open, and that one of them completes 1.4 s later.
fn simultaneous(
    world: &mut World,
    burst: u32,
    began: Instant,
    tally: &mut Tally,
) -> io::Result<()> {
    let segments = match burst {
        // Only what comes after an answer was seen prolongs.
        0 => &[
            (Side::Inside, TcpFlags::SYN),
            (Side::Outside, TcpFlags::SYN),
            (Side::Outside, TcpFlags::SYN),
        ][..],
        2 => &[(Side::Inside, TcpFlags(TcpFlags::SYN.0 | TcpFlags::ACK.0))],
        _ => &[],
    };
    for &(from, flags) in segments {
        let step = Step {
            flow: Flow {
                protocol: Protocol::TCP,
                inside: (HOST, 40_000),
                outside: (Ipv4Addr::new(192, 168, 19, 1), 443),
            },
            from,
            content: Content::Tcp {
                flags,
                sequence: 1,
                acknowledgment: if burst == 0 { 0 } else { 2 },
                window: 1_000,
                options: Vec::new(),
                length: 0,
            },
            identification: 1,
            tos: 0,
            dont_fragment: false,
            spoiled: false,
        };
        world.sim.set_clock(began.elapsed());
        tally.packets += 1;
        if world.step(&step)?.is_some() {
            tally.except(Exception::SimultaneousOpenTimeout);
        }
    }
    Ok(())
}

/// Whether both ends have sent a SYN of their own.
fn opened_twice(said: &[(Duration, Step)]) -> bool {
    let by = |side| {
        said.iter()
            .any(|(_, step)| step.from == side && step.content.is(TcpFlags::SYN))
    };
    by(Side::Inside) && by(Side::Outside)
}

/// The next packet of a flow, on both sides.
fn packet(
    world: &mut World,
    flow: &mut Talking,
    began: Instant,
    tally: &mut Tally,
    rng: &mut Rng,
) -> io::Result<()> {
    let step = flow.talk.step(rng);
    let now = began.elapsed();
    let near_edge = |(then, _): &(Duration, Step)| {
        let part = Duration::from_nanos((now - *then).subsec_nanos().into());
        let apart = now - *then > EDGE;
        apart && (part < EDGE || part > Duration::from_secs(1) - EDGE)
    };
    if flow.over || flow.said.iter().any(near_edge) {
        flow.over = true;
        return Ok(());
    }
    flow.resets.see(&step);
    flow.said.push((now, step.clone()));
    world.sim.set_clock(now);
    let different = world.step(&step)?;
    if began.elapsed() - now > EDGE {
        // The machine paused between the two: they were not asked at the same time.
        flow.over = true;
        return Ok(());
    }
    tally.packets += 1;
    let Some(text) = different else {
        return Ok(());
    };
    flow.over = true;
    if !world.judged && flow.resets.doubtful(&step.flow) {
        tally.except(Exception::AnyResetCloses);
        return Ok(());
    }
    if opened_twice(&flow.said) {
        tally.except(Exception::SimultaneousOpenTimeout);
        return Ok(());
    }
    let mut story = format!("{}\n", world.name());
    for (then, step) in &flow.said {
        story += &format!("   {:.3} s  {step}\n", then.as_secs_f64());
    }
    let step = flow.said.len() - 1;
    tally.difference.get_or_insert(Difference {
        step,
        text: story + &text,
    });
    Ok(())
}
