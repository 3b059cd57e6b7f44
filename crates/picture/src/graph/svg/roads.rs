//! Lines that go between boxes, not over them.

use super::super::walk::Spot;
use super::layout::Layout;

/// A point, in pixels.
pub(super) type Point = (i32, i32);

impl Layout {
    /// The line from one place to another; empty where none can be drawn.
    pub(super) fn road(&self, from: Spot, to: Spot) -> Vec<Point> {
        let mut road = match (from, to) {
            (Spot::Internet, gate) => {
                let mut road = self.straight(gate, Spot::Internet);
                road.reverse();
                road
            }
            (gate, Spot::Internet) => self.straight(gate, Spot::Internet),
            (Spot::External(_), Spot::Behind(_)) => self.straight(from, to),
            (Spot::Behind(_), Spot::External(_)) => {
                let mut road = self.straight(to, from);
                road.reverse();
                road
            }
            (Spot::Peering(a, _), Spot::Peering(b, _)) if a == b => self.lane(from, to),
            _ => self.streets(from, to),
        };
        road.dedup();
        road
    }

    /// Where a line to a place ends when it comes from nowhere.
    pub(super) fn point(&self, spot: Spot) -> Option<Point> {
        match spot {
            Spot::Door(_) => self.driveways.get(&spot).map(|way| (way.gap, way.street)),
            Spot::Internet => Some((self.internet.x, self.internet.y + 40)),
            _ => self
                .places
                .get(&spot)
                .map(|rect| (rect.right(), rect.middle())),
        }
    }

    /// Straight out of a gateway.
    fn straight(&self, gate: Spot, to: Spot) -> Vec<Point> {
        let inside = matches!(gate, Spot::Nic(_) | Spot::Door(_) | Spot::Havip(_));
        match (self.places.get(&gate), self.places.get(&to)) {
            (Some(gate), Some(to)) if !inside => {
                vec![(gate.right(), gate.middle()), (to.x, gate.middle())]
            }
            // No gateway has been met: to the edge of the subnets, and no further.
            _ => self.access(gate),
        }
    }

    fn lane(&self, from: Spot, to: Spot) -> Vec<Point> {
        let Spot::Peering(id, _) = from else {
            return Vec::new();
        };
        let lane = self.lanes.iter().find(|(peering, _)| *peering == id);
        match (self.places.get(&from), self.places.get(&to), lane) {
            (Some(from), Some(to), Some(&(_, lane))) => vec![
                (from.right(), from.middle()),
                (lane, from.middle()),
                (lane, to.middle()),
                (to.right(), to.middle()),
            ],
            _ => Vec::new(),
        }
    }

    /// From a place to the avenue of its vpc.
    fn access(&self, spot: Spot) -> Vec<Point> {
        if let Some(way) = self.driveways.get(&spot) {
            let door = [(way.gap, way.street), (way.avenue, way.street)];
            return match (spot, self.places.get(&spot)) {
                (Spot::Nic(_) | Spot::Havip(_), Some(rect)) => {
                    let mut points = vec![(rect.right(), rect.middle()), (way.gap, rect.middle())];
                    points.extend(door);
                    points
                }
                _ => door.to_vec(),
            };
        }
        match self.places.get(&spot) {
            Some(rect) if spot != Spot::Internet => {
                vec![(rect.x, rect.middle()), (self.avenue, rect.middle())]
            }
            _ => Vec::new(),
        }
    }

    /// By streets and avenues within a vpc.
    fn streets(&self, from: Spot, to: Spot) -> Vec<Point> {
        let (mut there, mut back) = (self.access(from), self.access(to));
        if there.is_empty() || back.is_empty() {
            return Vec::new();
        }
        // On one street there is no need for the avenue.
        let street = |spot| self.driveways.get(&spot).map(|way| way.street);
        if street(from).is_some() && street(from) == street(to) {
            there.pop();
            back.pop();
        }
        back.reverse();
        there.extend(back);
        there
    }
}
