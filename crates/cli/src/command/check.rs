//! `vpcsim check`.

use super::network_text;
use crate::args::Check;
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::render;
use serde_json::json;
use vpcsim_network::Network;

/// Reads a network file; its mistakes are the answer, so that with `--json` they
/// too go to standard output.
pub(crate) fn run(args: &Check, output: &Output) -> Result<Status, Failure> {
    let name = args.network.display().to_string();
    match (
        Network::from_yaml(&name, &network_text(&args.network)?),
        args.json,
    ) {
        (Ok(network), true) => {
            output.json(&json!({
                "network": name,
                "valid": true,
                "errors": [],
                "summary": network.summary(),
            }))?;
            Ok(Status::Done)
        }
        (Ok(network), false) => {
            output.print(&render::check::text(
                &name,
                &network.summary(),
                output.width(),
            ))?;
            Ok(Status::Done)
        }
        (Err(errors), true) => {
            output.json(&json!({
                "network": name,
                "valid": false,
                "errors": errors.views(),
                "summary": null,
            }))?;
            Ok(Status::BadInput)
        }
        (Err(errors), false) => Err(errors.into()),
    }
}
