//! Where everything stands: boxes in boxes, from the top to the bottom.
//!
//! A vpc has its subnets at the left, zone by zone, and its gateways in a column at the right. What
//! lies outside stands further right: lanes for the peerings, networks behind externals, the
//! internet. All vpcs are equally wide, so that what goes out goes straight.

use super::super::Graph;
use super::super::links::Kind;
use super::super::shown::{Cell, externals, gates, loose_eips, regions, vpcs_of, zones_of};
use super::super::text::{self, Label};
use super::super::walk::Spot;
use super::measure::{HEAD, width};
use std::collections::BTreeMap;
use vpcsim_network::{PeeringId, RegionId, SubnetId, VpcId, ZoneId};

/// A rectangle, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    pub(super) fn right(self) -> i32 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub(super) fn middle(self) -> i32 {
        self.y + self.h / 2
    }
}

/// The way from a host's box to its vpc's avenue: to the right of the box, down to the street
/// below its row of subnets, along the street.
#[derive(Debug, Clone, Copy)]
pub(super) struct Driveway {
    pub(super) gap: i32,
    pub(super) street: i32,
    pub(super) avenue: i32,
}

/// What kind of frame a rectangle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Region,
    Vpc,
    Zone,
    Subnet,
}

/// A box without boxes in it.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) label: Label,
    pub(super) rect: Rect,
    pub(super) look: Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Host,
    /// Stopped, virtual, or bound to nothing.
    Pale,
    Gate,
    Outside,
    Note,
}

#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) frames: Vec<(Frame, Rect, Label)>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) places: BTreeMap<Spot, Rect>,
    pub(super) driveways: BTreeMap<Spot, Driveway>,
    pub(super) lanes: Vec<(PeeringId, i32)>,
    /// The avenues of the vpcs: left of their gateways.
    pub(super) avenue: i32,
    pub(super) internet: Rect,
    /// What all of it needs.
    pub(super) width: i32,
    pub(super) bottom: i32,
}

const MARGIN: i32 = 16;
const PAD: i32 = 12;
const HOST: i32 = 158;
const GAP: i32 = 12;
const GATE: i32 = 196;
const AVENUE: i32 = 30;
/// Rows of subnets are no wider, unless one alone is.
const AREA: i32 = 860;
const LANE: i32 = 14;
const BEHIND: i32 = 150;
const INTERNET: i32 = 40;
const SUBNET_HEAD: i32 = 46;
const VPC_HEAD: i32 = 42;
const LABEL: i32 = 22;

struct Planner<'g, 'n> {
    graph: &'g Graph<'n>,
    out: Layout,
    /// Between rows of subnets; wide enough for numbers where a trace goes.
    street: i32,
    /// The width that subnets take.
    area: i32,
}

/// Lays a graph out below `top`.
pub(super) fn layout(graph: &Graph<'_>, top: i32) -> Layout {
    let mut planner = Planner {
        graph,
        out: Layout::default(),
        street: if graph.walk.is_some() { 36 } else { 14 },
        area: 0,
    };
    planner.area = planner.widest();
    planner.everything(top);
    planner.out
}

/// A subnet before it has a place.
struct Plot {
    id: SubnetId,
    columns: usize,
    cell: i32,
    size: (i32, i32),
}

impl Planner<'_, '_> {
    fn plot(&self, id: SubnetId) -> Plot {
        let cells = self.graph.shown.cells(id);
        let lines = cells.iter().map(|cell| self.label(cell).lines.len());
        let cell = 26 + 15 * lines.max().unwrap_or(0) as i32;
        let columns = match cells.len() {
            0 | 1 => 1,
            2..=4 => 2,
            5..=9 => 3,
            10..=20 => 4,
            _ => 5,
        };
        // A heading that needs it gets a second column.
        let label = text::subnet(self.graph.network, id);
        let heading = width(&label.head, HEAD, true);
        let columns: usize = if heading > HOST {
            columns.max(2)
        } else {
            columns
        };
        let rows = cells.len().div_ceil(columns) as i32;
        let between = (columns as i32 - 1) * GAP;
        let inside = (rows * (cell + GAP) - GAP).max(0);
        Plot {
            id,
            columns,
            cell,
            size: (
                2 * PAD + columns as i32 * HOST + between,
                SUBNET_HEAD + inside + PAD,
            ),
        }
    }

    fn label(&self, cell: &Cell) -> Label {
        let network = self.graph.network;
        match cell {
            Cell::Nic(nic) => text::nic(network, *nic),
            Cell::Havip(havip) => text::havip(network, *havip),
            Cell::More(nics) => text::more(network, nics),
        }
    }

    /// The subnets of a zone in rows.
    fn rows(&self, subnets: &[SubnetId]) -> Vec<Vec<Plot>> {
        let mut rows: Vec<Vec<Plot>> = Vec::new();
        let mut used = 0;
        for &id in subnets {
            let plot = self.plot(id);
            let more = used + GAP + plot.size.0;
            match rows.last_mut() {
                Some(row) if more <= AREA => {
                    used = more;
                    row.push(plot);
                }
                _ => {
                    used = plot.size.0;
                    rows.push(vec![plot]);
                }
            }
        }
        rows
    }

    fn widest(&self) -> i32 {
        let network = self.graph.network;
        let vpcs = (0..network.vpcs.len() as u32).map(VpcId);
        let zones = vpcs.flat_map(|vpc| zones_of(network, vpc));
        let rows = zones.flat_map(|(_, subnets)| self.rows(&subnets));
        let widths = rows.map(|row| {
            let gaps = GAP * (row.len() as i32 - 1);
            row.iter().map(|plot| plot.size.0).sum::<i32>() + gaps
        });
        widths.max().unwrap_or(0).max(2 * HOST + 3 * PAD)
    }

    fn everything(&mut self, top: i32) {
        let network = self.graph.network;
        let vpc_width = 2 * PAD + self.area + 2 * PAD + AVENUE + GATE + PAD;
        self.out.avenue = MARGIN + PAD + 4 * PAD + self.area + AVENUE / 2 - PAD;
        let mut y = top;
        for region in regions(network) {
            y = self.region(region, y, vpc_width) + 18;
        }
        let right = MARGIN + vpc_width + 2 * PAD;
        let lanes = (0..network.peerings.len() as i32).map(|lane| right + 16 + lane * LANE);
        self.out.lanes = (0..).map(PeeringId).zip(lanes).collect();
        let after = self.out.lanes.last().map_or(right, |(_, x)| *x) + 24;
        let mut outer = after;
        for id in externals(network) {
            let Some(&gate) = self.out.places.get(&Spot::External(id)) else {
                continue;
            };
            let rect = Rect {
                x: after,
                y: gate.y,
                w: BEHIND,
                h: gate.h,
            };
            self.leaf(
                Some(Spot::Behind(id)),
                text::behind(network, id),
                rect,
                Look::Outside,
            );
            outer = rect.right() + 24;
        }
        self.out.internet = Rect {
            x: outer,
            y: top,
            w: INTERNET,
            h: (y - 18 - top).max(120),
        };
        self.out.places.insert(Spot::Internet, self.out.internet);
        self.out.width = self.out.internet.right() + MARGIN;
        self.out.bottom = y.max(self.out.internet.bottom() + 18);
        self.loose();
    }

    /// Eips that are bound to nothing, below everything.
    fn loose(&mut self) {
        let network = self.graph.network;
        let (mut x, mut y) = (MARGIN, self.out.bottom);
        let mut any = false;
        for id in loose_eips(network) {
            if x + GATE > self.out.width - MARGIN {
                (x, y) = (MARGIN, y + 56 + GAP);
            }
            let rect = Rect {
                x,
                y,
                w: GATE,
                h: 56,
            };
            self.leaf(
                Some(Spot::Eip(id)),
                text::eip(network, id),
                rect,
                Look::Pale,
            );
            x += GATE + GAP;
            any = true;
        }
        if any {
            self.out.bottom = y + 56 + 18;
        }
    }

    fn region(&mut self, region: RegionId, top: i32, vpc_width: i32) -> i32 {
        let network = self.graph.network;
        // One that no line declares has no frame.
        let declared = network.region(region).mark.line > 0;
        let frame = self.out.frames.len();
        let mut y = top + if declared { LABEL } else { 0 };
        for (at, vpc) in vpcs_of(network, region).enumerate() {
            let gap = if at > 0 { 16 } else { 0 };
            y = self.vpc(vpc, y + gap, vpc_width);
        }
        y += if declared { PAD } else { 0 };
        let rect = Rect {
            x: MARGIN,
            y: top,
            w: vpc_width + 2 * PAD,
            h: y - top,
        };
        if declared {
            let label = Label::of(&format!("region {}", network.region(region).name));
            self.out.frames.insert(frame, (Frame::Region, rect, label));
        }
        y
    }

    fn vpc(&mut self, vpc: VpcId, top: i32, w: i32) -> i32 {
        let network = self.graph.network;
        let x = MARGIN + PAD;
        let frame = self.out.frames.len();
        let mut y = top + VPC_HEAD;
        for (at, (zone, subnets)) in zones_of(network, vpc).into_iter().enumerate() {
            y = self.zone(zone, &subnets, x + PAD, y + if at > 0 { GAP } else { 0 });
        }
        let bottom = self.gates(vpc, x + w - PAD - GATE, top + VPC_HEAD).max(y) + PAD;
        let rect = Rect {
            x,
            y: top,
            w,
            h: bottom - top,
        };
        let label = text::vpc(network, vpc);
        self.out.frames.insert(frame, (Frame::Vpc, rect, label));
        bottom
    }

    fn gates(&mut self, vpc: VpcId, x: i32, top: i32) -> i32 {
        let mut y = top;
        for (spot, label) in gates(self.graph.network, vpc) {
            let rect = Rect {
                x,
                y,
                w: GATE,
                h: 26 + 15 * label.lines.len() as i32,
            };
            y = rect.bottom() + GAP;
            let look = if self.is_off(spot) {
                Look::Pale
            } else {
                Look::Gate
            };
            self.leaf(Some(spot), label, rect, look);
        }
        y - GAP
    }

    /// A gateway that carries nothing.
    fn is_off(&self, spot: Spot) -> bool {
        let network = self.graph.network;
        match spot {
            Spot::Nat(id) => !network.nat_gateway(id).enabled,
            Spot::External(id) => !network.external(id).enabled,
            Spot::Peering(id, _) => !network.peering(id).active,
            _ => false,
        }
    }

    fn zone(&mut self, zone: ZoneId, subnets: &[SubnetId], x: i32, top: i32) -> i32 {
        let network = self.graph.network;
        let declared = network.zone(zone).mark.line > 0;
        let frame = self.out.frames.len();
        let mut y = top + if declared { LABEL } else { PAD };
        for row in self.rows(subnets) {
            let tallest = row.iter().map(|plot| plot.size.1).max().unwrap_or(0);
            let street = y + tallest + self.street / 2;
            let mut left = x + PAD;
            for plot in row {
                self.subnet(&plot, left, y, street);
                left += plot.size.0 + GAP;
            }
            y += tallest + self.street;
        }
        let rect = Rect {
            x,
            y: top,
            w: self.area + 2 * PAD,
            h: y - top,
        };
        let label = if declared {
            Label::of(&format!("zone {}", network.zone(zone).name))
        } else {
            Label::default()
        };
        self.out.frames.insert(frame, (Frame::Zone, rect, label));
        y
    }

    fn subnet(&mut self, plot: &Plot, x: i32, y: i32, street: i32) {
        let network = self.graph.network;
        let rect = Rect {
            x,
            y,
            w: plot.size.0,
            h: plot.size.1,
        };
        let label = text::subnet(network, plot.id);
        self.out.frames.push((Frame::Subnet, rect, label));
        for (at, cell) in self.graph.shown.cells(plot.id).iter().enumerate() {
            let (column, row) = ((at % plot.columns) as i32, (at / plot.columns) as i32);
            let rect = Rect {
                x: x + PAD + column * (HOST + GAP),
                y: y + SUBNET_HEAD + row * (plot.cell + GAP),
                w: HOST,
                h: plot.cell,
            };
            let driveway = Driveway {
                gap: rect.right() + GAP / 2,
                street,
                avenue: self.out.avenue,
            };
            let label = self.label(cell);
            let (spot, look) = match cell {
                Cell::Nic(nic) => {
                    let running = network.cvm(network.nic(*nic).cvm).running;
                    self.out.driveways.insert(Spot::Door(*nic), driveway);
                    let look = if running { Look::Host } else { Look::Pale };
                    (Some(Spot::Nic(*nic)), look)
                }
                Cell::Havip(havip) => (Some(Spot::Havip(*havip)), Look::Pale),
                Cell::More(_) => (None, Look::Note),
            };
            if let Some(spot) = spot {
                self.out.driveways.insert(spot, driveway);
            }
            self.leaf(spot, label, rect, look);
        }
    }

    fn leaf(&mut self, spot: Option<Spot>, label: Label, rect: Rect, look: Look) {
        if let Some(spot) = spot {
            self.out.places.insert(spot, rect);
        }
        self.out.leaves.push(Leaf { label, rect, look });
    }
}

/// Whether a link is drawn: what a label tells already is not.
pub(super) fn is_drawn(kind: Kind, from: Spot) -> bool {
    match kind {
        Kind::Way => !matches!(from, Spot::Nic(_) | Spot::Havip(_)),
        Kind::Peering | Kind::Inactive | Kind::OneHost => true,
        Kind::Holds => false,
    }
}
