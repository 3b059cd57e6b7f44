//! A service where nothing listens.

use super::candidate::Candidate;
use super::scene::Scene;
use vpcsim_network::CvmId;
use vpcsim_network::edit::{Change, Yaml};
use vpcsim_packet::Protocol;

pub(super) fn listening(
    scene: &Scene,
    cvm: CvmId,
    protocol: Protocol,
    port: u16,
) -> Vec<Candidate> {
    let name = &scene.network().cvm(cvm).name;
    let service = format!("{protocol}:{port}");
    let what = format!("cvm {name}: something listens on {protocol} {port}");
    let listen = Change::Insert {
        list: scene.cvm_path(cvm).key("listen"),
        before: None,
        item: Yaml::word(service),
    };
    vec![Candidate::one(what, 0, vec![listen])]
}
