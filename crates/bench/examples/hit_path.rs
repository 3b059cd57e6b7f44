//! Packets of live flows, for counting instructions: `cargo xtask instructions`.
//!
//! `hit_path pipeline 64` opens 1024 flows and carries 64 batches of 256 packets through every
//! stage; `hit_path floor 64` has the bare loop carry them.

use std::error::Error;
use vpcsim_bench::{Counted, Size, World, program};

/// Few enough that opening them costs little, more than one batch has packets.
const FLOWS: u32 = 1024;
const RULES: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [carrier, batches] = arguments.as_slice() else {
        return Err("usage: hit_path pipeline|floor BATCHES".into());
    };
    let batches = batches.parse()?;
    let mut world = World::new(&program(RULES)?, FLOWS, &mut |_| {})?;
    let mut traffic = world.traffic(Size::Least);
    match carrier.as_str() {
        "pipeline" => world.run(&mut traffic, Counted::Both, batches)?,
        "floor" => {
            let mut floor = world.floor()?;
            world.run_floor(&mut floor, &mut traffic, Counted::Both, batches)?
        }
        other => return Err(format!("`{other}` is neither pipeline nor floor").into()),
    };
    Ok(())
}
