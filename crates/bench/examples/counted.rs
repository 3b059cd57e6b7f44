//! What is carried while `cargo xtask instructions` counts.
//!
//! `counted live 64` opens 1024 flows and carries 64 batches of 256 of their packets through every
//! stage; `counted floor 64` has the bare loop carry them. `counted new 64` opens 64 batches of
//! connections, in a state that has held as many as are opened before.

use std::error::Error;
use vpcsim_bench::{Counted, Size, World, connect, program};

/// Few enough that opening them costs little, more than one batch has packets.
const FLOWS: u32 = 1024;
const RULES: u32 = 100;
/// Connections that a state has held before new ones are opened, and packets of a batch.
const BEFORE: u32 = 16_384;
const BATCH: u32 = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, batches] = arguments.as_slice() else {
        return Err("usage: counted live|floor|new BATCHES".into());
    };
    let batches: u32 = batches.parse()?;
    let program = program(RULES)?;
    if what == "new" {
        connect(&program, [BEFORE, batches * BATCH])?;
        return Ok(());
    }
    let mut world = World::new(&program, FLOWS, &mut |_| {})?;
    let mut traffic = world.traffic(Size::Least);
    let batches = batches.into();
    match what.as_str() {
        "live" => world.run(&mut traffic, Counted::Both, batches)?,
        "floor" => {
            let mut floor = world.floor()?;
            world.run_floor(&mut floor, &mut traffic, Counted::Both, batches)?
        }
        other => return Err(format!("`{other}` is none of live, floor and new").into()),
    };
    Ok(())
}
