//! Regions, vpcs, subnets, peerings.

use crate::decode::{Cidr, Int, List, Named, Spanned, record};

record! {
    /// A geography.
    struct RegionDecl("a region") {
        /// Names of its zones; the first is that of subnets that name none.
        required zones: List<Spanned<String>>,
    }

    /// A private network.
    struct VpcDecl("a vpc") {
        /// Its region. May be left out where there is one.
        optional region: Spanned<String>,
        /// The account that owns it. Default: `default`.
        optional account: Spanned<String>,
        /// Its range, where it has one: within 10.0.0.0/8 or 172.16.0.0/12 from /12 to /28, within 192.168.0.0/16 from /16 to /28.
        optional cidr: Spanned<Cidr>,
        /// Its ranges, the primary first; instead of `cidr`.
        optional cidrs: List<Spanned<Cidr>>,
        /// Largest IPv4 packet on its links, in bytes. Default: 1500.
        optional mtu: Spanned<Int<68, 65535>>,
        /// The route table of subnets that name none. Default: an empty one, named `VPC/default`.
        optional route_table: Spanned<String>,
        /// Its subnets. Names are unique over the file.
        optional subnets: Named<SubnetDecl>,
    }

    /// A slice of a vpc in one zone.
    struct SubnetDecl("a subnet") {
        /// Its range, inside one of the vpc's, from /16 to /28. The first address is the gateway's.
        required cidr: Spanned<Cidr>,
        /// Its zone. Default: the first of the vpc's region.
        optional zone: Spanned<String>,
        /// Its route table. Default: the vpc's.
        optional route_table: Spanned<String>,
        /// Its network acl. Default: none, no filtering.
        optional acl: Spanned<String>,
    }

    /// A link between two vpcs. Both sides need a route.
    struct PeeringDecl("a peering") {
        /// The two vpcs.
        required vpcs: List<Spanned<String>>,
        /// Whether the other account has accepted it; vpcs of one account need no acceptance. Default: false.
        optional accepted: Spanned<bool>,
    }
}
