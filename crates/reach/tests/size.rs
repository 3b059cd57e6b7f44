//! How large things get, in numbers that are the same on every machine.

use vpcsim_reach::{Reach, Trip};
use vpcsim_testkit::{Size, net};

/// A small one. Rules name the first ten hosts of subnets one by one; the eleventh is like all
/// that come after it.
const SMALL: Size = Size {
    vpcs: 2,
    subnets: 6,
    cvms: 6 * 11,
    groups: 6,
    rules: 40,
    acl_rules: 60,
};

/// Classes, sets of services, and nodes of the largest of them, of the whole matrix.
fn measured(size: Size) -> (usize, usize, usize) {
    let program = net(&size.network());
    let matrix = Reach::new(&program).matrix(Trip::Both);
    let sizes: Vec<usize> = matrix.pairs().map(|(_, _, set)| set.size()).collect();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    (matrix.classes.len(), sizes.len(), largest)
}

#[test]
fn a_company_has_a_few_hundred_classes() {
    // 200 subnets, ten hosts each; 10 have eips and stand alone, some are named by rules; the
    // internet.
    let program = net(&Size::COMPANY.network());
    let classes = Reach::new(&program).classes();
    assert_eq!(classes.len(), 310);
    let members: usize = classes.iter().map(|class| class.members.len()).sum();
    assert_eq!(members, 2_000 + 1);
}

#[test]
fn more_hosts_of_the_same_kind_change_nothing() {
    let more = Size {
        cvms: 6 * 33,
        ..SMALL
    };
    assert_eq!(measured(SMALL), measured(more));
}

#[test]
fn sets_stay_small_as_rules_grow() {
    let (_, _, largest) = measured(SMALL);
    let (_, _, larger) = measured(Size {
        rules: 120,
        ..SMALL
    });
    // A rule adds a port or a range, which is a few dozen nodes.
    assert!(largest < 1_000 && larger < 3_000, "{largest}, {larger}");
}
