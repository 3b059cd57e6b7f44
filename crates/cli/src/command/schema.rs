//! `vpcsim schema`.

use crate::failure::Failure;
use crate::output::{Output, Status};
use vpcsim_network::Network;

/// Prints the JSON Schema of the network file.
pub(crate) fn run(output: &Output) -> Result<Status, Failure> {
    output.json(&Network::schema())?;
    Ok(Status::Done)
}
