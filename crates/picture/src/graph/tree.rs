//! The boxes of the graph in the order in which languages with boxes in boxes want them.

use super::Graph;
use super::legend;
use super::shown::{Cell, externals, gates, loose_eips, regions, vpcs_of, zones_of};
use super::text::{self, Label};
use super::walk::Spot;
use vpcsim_network::{SubnetId, VpcId};

/// What a box holds others of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Region,
    Vpc,
    Zone,
    Subnet,
}

/// What a box without boxes stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Host,
    /// A virtual address, or a public one that nothing has.
    Address,
    /// Words, not a thing.
    Note,
    Gate,
    /// Outside of the network.
    Outside,
}

/// Writes boxes in a language.
pub(super) trait Boxes {
    fn open(&mut self, id: &str, label: &[String], level: Level);
    fn close(&mut self);
    fn node(&mut self, id: &str, label: &Label, shape: Shape);
}

/// Every box of a graph.
pub(super) fn boxes(graph: &Graph<'_>, to: &mut impl Boxes) {
    let network = graph.network;
    for region in regions(network) {
        let name = format!("region {}", network.region(region).name);
        to.open(&format!("region{}", region.0), &[name], Level::Region);
        for vpc in vpcs_of(network, region) {
            boxes_of_vpc(graph, vpc, to);
        }
        to.close();
    }
    for id in loose_eips(network) {
        to.node(&Spot::Eip(id).id(), &text::eip(network, id), Shape::Address);
    }
    for id in externals(network) {
        let label = text::behind(network, id);
        to.node(&Spot::Behind(id).id(), &label, Shape::Outside);
    }
    let internet = Label::of("internet");
    to.node(&Spot::Internet.id(), &internet, Shape::Outside);
    if let Some(walk) = &graph.walk {
        let lines = legend::lines(walk).into_iter().map(|line| {
            let cells = line.cells.into_iter().filter(|cell| !cell.is_empty());
            cells.collect::<Vec<_>>().join("  ")
        });
        let mut lines = lines;
        let stops = Label {
            head: lines.next().unwrap_or_default(),
            lines: lines.collect(),
            tip: walk.headline(),
        };
        to.node("stops", &stops, Shape::Note);
    }
}

fn boxes_of_vpc(graph: &Graph<'_>, vpc: VpcId, to: &mut impl Boxes) {
    let network = graph.network;
    let label = text::vpc(network, vpc);
    to.open(&format!("vpc{}", vpc.0), &label.all(), Level::Vpc);
    for (zone, subnets) in zones_of(network, vpc) {
        let name = format!("zone {}", network.zone(zone).name);
        to.open(
            &format!("vpc{}_zone{}", vpc.0, zone.0),
            &[name],
            Level::Zone,
        );
        for subnet in subnets {
            boxes_of_subnet(graph, subnet, to);
        }
        to.close();
    }
    for (spot, label) in gates(network, vpc) {
        to.node(&spot.id(), &label, Shape::Gate);
    }
    to.close();
}

fn boxes_of_subnet(graph: &Graph<'_>, subnet: SubnetId, to: &mut impl Boxes) {
    let network = graph.network;
    let label = text::subnet(network, subnet);
    to.open(&format!("subnet{}", subnet.0), &label.all(), Level::Subnet);
    let cells = graph.shown.cells(subnet);
    // A box without anything in it is not drawn by everybody.
    if cells.is_empty() {
        let id = format!("empty{}", subnet.0);
        to.node(&id, &Label::of("no hosts"), Shape::Note);
    }
    for cell in cells {
        match cell {
            Cell::Nic(nic) => {
                let label = text::nic(network, *nic);
                to.node(&Spot::Nic(*nic).id(), &label, Shape::Host);
            }
            Cell::Havip(havip) => {
                let label = text::havip(network, *havip);
                to.node(&Spot::Havip(*havip).id(), &label, Shape::Address);
            }
            Cell::More(nics) => {
                let label = text::more(network, nics);
                to.node(&format!("more{}", subnet.0), &label, Shape::Note);
            }
        }
    }
    to.close();
}
