//! Writes the network file of a company to standard output: 10 vpcs, 200 subnets, 2 000 hosts, 100
//! groups of 100 rules, 500 acl rules. What docs/reach.md measures.

use vpcsim_testkit::Size;

fn main() {
    print!("{}", Size::COMPANY.network());
}
