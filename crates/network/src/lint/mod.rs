//! What is valid and still hurts: lints.
//!
//! A lint reads the file as it is written and the network that it means, and
//! says nothing unless the rules of SEMANTICS leave no doubt: a false alarm is
//! worse than silence. docs/lints.md explains each of them.

mod acl_replies;
mod covered;
mod dnat;
mod exposure;
mod finding;
mod forwarding;
mod groups;
mod judge;
mod level;
mod name;
mod nat;
mod peering;
mod rp_filter;
mod set;
mod silence;
mod subject;
mod world;
mod zero_prefix;

pub(crate) use level::LintsDecl;
pub(crate) use silence::Silences;

pub use finding::{Finding, FindingView, Findings, Why};
pub use level::{Level, Levels};
pub use name::Lint;

use crate::Network;
use crate::file::File;
use finding::Found;
use subject::Subject;

/// Everything that the lints have to say about a file without mistakes, in
/// file order.
pub(crate) fn lint(text: &str, file: &File, network: &Network) -> Vec<Finding> {
    let subject = Subject::new(text, file, network);
    let mut found = Found::default();
    let lints = [
        acl_replies::lint,
        covered::lint,
        dnat::lint,
        forwarding::lint,
        groups::empty_peer,
        groups::open_nic,
        nat::unused_eip,
        nat::unused_gateway,
        nat::unused_snat_rule,
        peering::one_way,
        peering::outside_peer,
        rp_filter::forgotten,
        rp_filter::strict,
        world::lint,
        zero_prefix::lint,
    ];
    for lint in lints {
        lint(&subject, &mut found);
    }
    found.into_sorted()
}
