//! `captures DIRECTORY`: what `cargo xtask versus` replays. A network file and captures of a
//! million packets of 65 536 flows, all of which are delivered in it.

use std::error::Error;
use std::fs::{File, write};
use std::io::BufWriter;
use std::path::PathBuf;
use vpcsim_bench::{Size, write_capture, yaml};

const FLOWS: u32 = 65_536;
const PACKETS: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("captures DIRECTORY")?;
    let directory = PathBuf::from(directory);
    write(directory.join("network.yaml"), yaml(100))?;
    for size in [Size::Least, Size::Imix] {
        let file = File::create(directory.join(format!("{}.pcap", size.name())))?;
        write_capture(BufWriter::new(file), FLOWS, PACKETS, size)?;
    }
    Ok(())
}
