//! The other account's consent.

use super::candidate::Candidate;
use super::places::element;
use super::scene::Scene;
use vpcsim_dataplane::{Drop, Element};
use vpcsim_network::edit::{Change, Yaml};

pub(super) fn accepted(scene: &Scene, drop: &Drop) -> Vec<Candidate> {
    let Element::Peering(peering) = drop.element else {
        return Vec::new();
    };
    let name = &scene.network().peering(peering).name;
    let accept = Change::Set {
        path: element("peerings", name).key("accepted"),
        value: Yaml::word(true),
    };
    vec![Candidate::one(
        format!("peering {name}: accepted by the other account"),
        0,
        vec![accept],
    )]
}
