//! Pictures: a network as a graph, and what a replay found as one page.
//!
//! [`Graph`] draws the regions, zones, vpcs, subnets and hosts of a network with what joins them,
//! and a trace over it, as SVG, for Graphviz or for Mermaid. [`page()`] shows a replay as one HTML
//! page with everything in it. Nothing here reads or writes files, and the same input gives the
//! same bytes.
//!
//! ```
//! use vpcsim_dataplane::Program;
//! use vpcsim_network::Network;
//! use vpcsim_picture::{Format, Graph};
//!
//! let network = Network::from_yaml("shop.yaml", "
//! vpcs:
//!   shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}
//! cvms:
//!   web-1: {subnet: web, address: 10.0.1.10}
//! ")?;
//! let program = Program::new(network);
//! let svg = Graph::new(&program, "shop.yaml").write(Format::Svg);
//! assert!(svg.starts_with("<svg"));
//! assert!(svg.contains("web-1"));
//! # Ok::<(), vpcsim_network::NetworkErrors>(())
//! ```
#![forbid(unsafe_code)]

mod graph;
mod page;

pub use graph::{Format, Graph};
pub use page::page;
