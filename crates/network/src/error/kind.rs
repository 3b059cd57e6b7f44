//! The closed list of mistakes, each with its message and how to mend it.

use ipnet::Ipv4Net;
use miette::Diagnostic;
use std::net::Ipv4Addr;
use thiserror::Error;

/// What is wrong. The kebab-case code of each is stable.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[allow(missing_docs)] // The messages are the documentation of the fields.
pub enum NetworkErrorKind {
    // The file as YAML.
    #[error("the file is longer than {most} bytes")]
    #[diagnostic(code("file-too-large"), help("split it: no network needs this much"))]
    FileTooLarge { most: usize },

    #[error("the file declares nothing")]
    #[diagnostic(
        code("empty-file"),
        help("a network starts with `vpcs:`; docs/network-file.md has an example to copy")
    )]
    EmptyFile,

    #[error("not YAML: {what}")]
    #[diagnostic(code("syntax"), help("{help}"))]
    Syntax { what: String, help: &'static str },

    #[error("the file holds more than one document")]
    #[diagnostic(
        code("several-documents"),
        help(
            "one file is one network: remove the `---`, or put what follows into a file of its own"
        )
    )]
    SeveralDocuments,

    #[error("tag `{tag}` means nothing here")]
    #[diagnostic(code("unexpected-tag"), help("remove it"))]
    UnexpectedTag { tag: String },

    #[error("an alias repeats what it is part of")]
    #[diagnostic(code("recursive-alias"), help("write out what is meant here"))]
    RecursiveAlias,

    #[error("the file's aliases repeat more than {most} values")]
    #[diagnostic(
        code("aliases-too-large"),
        help("an alias of aliases multiplies what it repeats: write the values out")
    )]
    AliasesTooLarge { most: u64 },

    #[error("lists and mappings are nested more than {most} deep")]
    #[diagnostic(code("nested-too-deep"), help("the format needs eight levels at most"))]
    NestedTooDeep { most: usize },

    #[error("a key must be a word")]
    #[diagnostic(code("key-not-a-word"), help("write `NAME: …` with a plain name"))]
    KeyNotAWord,

    #[error("`<<` merges a mapping, or a list of mappings, that an alias names")]
    #[diagnostic(
        code("bad-merge"),
        help("write `<<: *NAME`, where `&NAME` stands before a mapping")
    )]
    BadMerge,

    #[error("`{key}` is given twice")]
    #[diagnostic(
        code("duplicate-key"),
        help("remove one of the two, or give it another name")
    )]
    DuplicateKey { key: String },

    // Keys and values.
    #[error("{record} has no key `{key}`")]
    #[diagnostic(code("unknown-key"), help("{hint}"))]
    UnknownKey {
        record: &'static str,
        key: String,
        hint: String,
    },

    #[error("{record} lacks `{key}`")]
    #[diagnostic(code("missing-key"), help("{hint}"))]
    MissingKey {
        record: String,
        key: &'static str,
        hint: String,
    },

    #[error("`{one}` and `{other}` cannot both be given")]
    #[diagnostic(code("conflicting-keys"), help("{hint}"))]
    ConflictingKeys {
        one: &'static str,
        other: &'static str,
        hint: &'static str,
    },

    #[error("expected {wanted}, found {found}")]
    #[diagnostic(code("wrong-type"), help("{hint}"))]
    WrongType {
        wanted: &'static str,
        found: String,
        hint: String,
    },

    #[error("`{value}` is not {what}")]
    #[diagnostic(code("unknown-value"), help("{hint}"))]
    UnknownValue {
        what: &'static str,
        value: String,
        hint: String,
    },

    #[error("`{value}` is out of range")]
    #[diagnostic(code("out-of-range"), help("give a number from {least} to {most}"))]
    OutOfRange {
        value: String,
        least: u64,
        most: u64,
    },

    #[error("`{text}` is not an IPv4 address")]
    #[diagnostic(code("bad-address"), help("{hint}"))]
    BadAddress { text: String, hint: &'static str },

    #[error("`{text}` is not an IPv4 prefix")]
    #[diagnostic(code("bad-cidr"), help("{hint}"))]
    BadCidr { text: String, hint: String },

    #[error("`{text}` has bits set beyond its prefix length")]
    #[diagnostic(code("host-bits"), help("the network of that length is `{network}`"))]
    HostBits { text: String, network: Ipv4Net },

    #[error("{what}")]
    #[diagnostic(code("bad-port"), help("{hint}"))]
    BadPort { what: String, hint: &'static str },

    #[error("the range `{text}` is empty: its end comes before its start")]
    #[diagnostic(code("empty-range"), help("write `{mended}`"))]
    EmptyRange { text: String, mended: String },

    #[error("a rule for {protocol} has no ports")]
    #[diagnostic(
        code("ports-without-port-protocol"),
        help("remove the ports, or make it a rule for `tcp` or `udp`")
    )]
    PortsWithoutPortProtocol { protocol: &'static str },

    #[error("{what}")]
    #[diagnostic(code("bad-rule"), help("{hint}"))]
    BadRule { what: String, hint: String },

    #[error("`{name}` is not a valid {what} name")]
    #[diagnostic(code("bad-name"), help("{hint}"))]
    BadName {
        what: &'static str,
        name: String,
        hint: &'static str,
    },

    #[error("`{text}` {fault}")]
    #[diagnostic(code("bad-reference"), help("{hint}"))]
    BadReference {
        text: String,
        fault: &'static str,
        hint: String,
    },

    // References.
    #[error("there is no {what} `{name}`")]
    #[diagnostic(code("unknown-reference"), help("{hint}"))]
    UnknownReference {
        what: &'static str,
        name: String,
        hint: String,
    },

    #[error("`{name}` is both {one} and {other}")]
    #[diagnostic(code("ambiguous-reference"), help("{hint}"))]
    AmbiguousReference {
        name: String,
        one: String,
        other: String,
        hint: String,
    },

    #[error("two {what}s are named `{name}`")]
    #[diagnostic(
        code("duplicate-name"),
        help("rename one: {what} names are unique over the file")
    )]
    DuplicateName { what: &'static str, name: String },

    #[error("`{name}` is listed twice")]
    #[diagnostic(code("listed-twice"), help("remove one of the two"))]
    ListedTwice { name: String },

    #[error("`{lint}` is both allowed and denied")]
    #[diagnostic(
        code("allowed-and-denied"),
        help("a lint is one or the other: remove it from one of the two")
    )]
    AllowedAndDenied { lint: String },

    #[error("{what} `{name}` belongs to vpc `{vpc}`, not to `{wanted}`")]
    #[diagnostic(code("other-vpc"), help("{hint}"))]
    OtherVpc {
        what: &'static str,
        name: String,
        vpc: String,
        wanted: String,
        hint: String,
    },

    #[error("external `{name}` is a `{kind}`, not a `{wanted}`")]
    #[diagnostic(
        code("wrong-external-kind"),
        help("write `{kind}/{name}` or `external/{name}`")
    )]
    WrongExternalKind {
        name: String,
        kind: &'static str,
        wanted: &'static str,
    },

    // Regions, vpcs, subnets.
    #[error("zone `{zone}` is in region `{region}`, vpc `{vpc}` in `{wanted}`")]
    #[diagnostic(
        code("other-region"),
        help("name a zone of region `{wanted}`: a vpc lives in one region")
    )]
    OtherRegion {
        zone: String,
        region: String,
        vpc: String,
        wanted: String,
    },

    #[error("region `{region}` has no zones")]
    #[diagnostic(code("no-zones"), help("list at least one: `zones: [{region}-1]`"))]
    NoZones { region: String },

    #[error("vpc `{vpc}` has no CIDR")]
    #[diagnostic(code("no-cidr"), help("give at least one, the primary first"))]
    NoCidr { vpc: String },

    #[error("`{cidr}` is not a range a vpc may have")]
    #[diagnostic(
        code("vpc-cidr-not-private"),
        help("a vpc's ranges lie within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
    )]
    VpcCidrNotPrivate { cidr: Ipv4Net },

    #[error("`{cidr}` is not of a size a {what} may have")]
    #[diagnostic(
        code("cidr-size"),
        help("the prefix length must be from /{least} to /{most} here")
    )]
    CidrSize {
        cidr: Ipv4Net,
        what: &'static str,
        least: u8,
        most: u8,
    },

    #[error("CIDRs `{one}` and `{other}` of vpc `{vpc}` overlap")]
    #[diagnostic(
        code("vpc-cidrs-overlap"),
        help("the ranges of one vpc must be disjoint")
    )]
    VpcCidrsOverlap {
        vpc: String,
        one: Ipv4Net,
        other: Ipv4Net,
    },

    #[error("subnet `{subnet}` ({cidr}) lies outside vpc `{vpc}`")]
    #[diagnostic(
        code("subnet-outside-vpc"),
        help("the vpc has {ranges}: choose a range inside, or add a secondary CIDR to the vpc")
    )]
    SubnetOutsideVpc {
        subnet: String,
        cidr: Ipv4Net,
        vpc: String,
        ranges: String,
    },

    #[error("subnets `{one}` ({one_cidr}) and `{other}` ({other_cidr}) overlap")]
    #[diagnostic(code("subnets-overlap"), help("give `{one}` a range of its own"))]
    SubnetsOverlap {
        one: String,
        one_cidr: Ipv4Net,
        other: String,
        other_cidr: Ipv4Net,
    },

    // Peerings.
    #[error("a peering joins two vpcs, found {found}")]
    #[diagnostic(code("peering-ends"), help("write `vpcs: [ONE, OTHER]`"))]
    PeeringEnds { found: usize },

    #[error("a vpc cannot peer with itself")]
    #[diagnostic(
        code("peering-with-itself"),
        help("name another vpc: inside one vpc everything is already reachable")
    )]
    PeeringWithItself,

    #[error("vpcs `{one}` and `{other}` are already joined by peering `{first}`")]
    #[diagnostic(code("duplicate-peering"), help("remove one of the two peerings"))]
    DuplicatePeering {
        one: String,
        other: String,
        first: String,
    },

    #[error(
        "peering `{peering}` joins vpcs whose CIDRs overlap: `{one}` ({one_cidr}) and `{other}` ({other_cidr})"
    )]
    #[diagnostic(
        code("peers-overlap"),
        help("renumber one of the two vpcs: the platform refuses such a peering")
    )]
    PeersOverlap {
        peering: String,
        one: String,
        one_cidr: Ipv4Net,
        other: String,
        other_cidr: Ipv4Net,
    },

    #[error(
        "vpc `{vpc}` has two peers whose CIDRs overlap: `{one}` ({one_cidr}) and `{other}` ({other_cidr})"
    )]
    #[diagnostic(
        code("two-peers-overlap"),
        help("renumber one of the two, or remove one peering: a route could not tell them apart")
    )]
    TwoPeersOverlap {
        vpc: String,
        one: String,
        one_cidr: Ipv4Net,
        other: String,
        other_cidr: Ipv4Net,
    },

    // Routes.
    #[error("the route to {destination} lies inside vpc `{vpc}` ({cidr})")]
    #[diagnostic(
        code("route-inside-vpc"),
        help("remove it: traffic inside the vpc is always local, and no route overrides that")
    )]
    RouteInsideVpc {
        destination: Ipv4Net,
        vpc: String,
        cidr: Ipv4Net,
    },

    #[error(
        "two enabled routes to {destination} by {one} and {other} cannot stand beside each other"
    )]
    #[diagnostic(code("routes-conflict"), help("{hint}"))]
    RoutesConflict {
        destination: Ipv4Net,
        one: &'static str,
        other: &'static str,
        hint: &'static str,
    },

    #[error("more than {most} equal-cost routes to {destination} by {by}")]
    #[diagnostic(
        code("too-many-equal-routes"),
        help("remove or disable some: at most {most} next hops share one destination")
    )]
    TooManyEqualRoutes {
        destination: Ipv4Net,
        by: &'static str,
        most: usize,
    },

    #[error("the route to {destination} is given twice")]
    #[diagnostic(code("duplicate-route"), help("remove one of the two"))]
    DuplicateRoute { destination: Ipv4Net },

    // Addresses.
    #[error("address {address} lies outside subnet `{subnet}` ({cidr})")]
    #[diagnostic(
        code("address-outside-subnet"),
        help("choose one from {first} to {last}")
    )]
    AddressOutsideSubnet {
        address: Ipv4Addr,
        subnet: String,
        cidr: Ipv4Net,
        first: Ipv4Addr,
        last: Ipv4Addr,
    },

    #[error("address {address} is the {role} of subnet `{subnet}` ({cidr})")]
    #[diagnostic(code("reserved-address"), help("choose one from {first} to {last}"))]
    ReservedAddress {
        address: Ipv4Addr,
        role: &'static str,
        subnet: String,
        cidr: Ipv4Net,
        first: Ipv4Addr,
        last: Ipv4Addr,
    },

    #[error("address {address} is taken by {owner}")]
    #[diagnostic(code("address-taken"), help("give one of the two another address"))]
    AddressTaken { address: Ipv4Addr, owner: String },

    #[error("{address} is not an address a host can have")]
    #[diagnostic(code("address-not-unicast"), help("choose a unicast address"))]
    AddressNotUnicast { address: Ipv4Addr },

    #[error("nobody in vpc `{vpc}` has the address {address}")]
    #[diagnostic(
        code("nobodys-address"),
        help("name a cvm, or an address of a nic or havip in that vpc")
    )]
    NobodysAddress { address: Ipv4Addr, vpc: String },

    #[error("no nic or havip has the address {address}")]
    #[diagnostic(
        code("nobodys-bind-address"),
        help("name a private address that a nic declares, a cvm, or `havip/NAME`")
    )]
    NobodysBindAddress { address: Ipv4Addr },

    // Cvms.
    #[error("cvm `{cvm}` has no nic")]
    #[diagnostic(
        code("no-nic"),
        help("give it `subnet` and `address`, or `nics: {{eth0: {{subnet: …, address: …}}}}`")
    )]
    NoNic { cvm: String },

    #[error("nic `{nic}` has no address")]
    #[diagnostic(code("no-address"), help("give it at least one, the primary first"))]
    NoAddress { nic: String },

    #[error("nic `{nic}` is in vpc `{vpc}`, the cvm's `{first}` in `{wanted}`")]
    #[diagnostic(
        code("nic-in-other-vpc"),
        help("all nics of a cvm live in one vpc: name a subnet of `{wanted}`")
    )]
    NicInOtherVpc {
        nic: String,
        vpc: String,
        first: String,
        wanted: String,
    },

    #[error("nic `{nic}` is in zone `{zone}`, the cvm's `{first}` in `{wanted}`")]
    #[diagnostic(
        code("nic-in-other-zone"),
        help("all nics of a cvm live in one zone: name a subnet in `{wanted}`")
    )]
    NicInOtherZone {
        nic: String,
        zone: String,
        first: String,
        wanted: String,
    },

    #[error("`{key}` is not a sysctl vpcsim knows")]
    #[diagnostic(code("unknown-sysctl"), help("{hint}"))]
    UnknownSysctl { key: String, hint: String },

    #[error("router {via} is not on the link of {link}")]
    #[diagnostic(
        code("router-off-link"),
        help("a host reaches a router directly: name an address inside the nic's subnet")
    )]
    RouterOffLink { via: Ipv4Addr, link: String },

    // Public addresses.
    #[error("{address} is not a public address")]
    #[diagnostic(
        code("not-public"),
        help(
            "an eip is a public unicast address; 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 serve in examples"
        )
    )]
    NotPublic { address: Ipv4Addr },

    #[error("eip address {address} lies inside vpc `{vpc}` ({cidr})")]
    #[diagnostic(code("eip-inside-vpc"), help("choose an address that no vpc contains"))]
    EipInsideVpc {
        address: Ipv4Addr,
        vpc: String,
        cidr: Ipv4Net,
    },

    #[error("eip `{eip}` is already bound to {owner}")]
    #[diagnostic(
        code("eip-bound-twice"),
        help("an eip has one target: remove one of the two, or declare another eip")
    )]
    EipBoundTwice { eip: String, owner: String },

    #[error("{target} already has eip `{first}`")]
    #[diagnostic(
        code("target-bound-twice"),
        help("one private address has one eip: bind this one to another address")
    )]
    TargetBoundTwice { target: String, first: String },

    #[error("an eip in direct mode can only be bound to a nic")]
    #[diagnostic(
        code("direct-mode-target"),
        help(
            "use `mode: nat`, or bind it to a cvm: in direct mode the guest carries the public address itself"
        )
    )]
    DirectModeTarget,

    // NAT gateways.
    #[error("nat gateway `{gateway}` has no eips")]
    #[diagnostic(
        code("no-eips"),
        help("list at least one eip: without a public address it cannot translate")
    )]
    NoEips { gateway: String },

    #[error("this rule has no eips")]
    #[diagnostic(
        code("no-rule-eips"),
        help("list at least one of the gateway's eips, or remove the rule to use all of them")
    )]
    NoRuleEips,

    #[error("eip `{eip}` is not bound to nat gateway `{gateway}`")]
    #[diagnostic(code("not-the-gateways-eip"), help("{hint}"))]
    NotTheGatewaysEip {
        eip: String,
        gateway: String,
        hint: String,
    },

    #[error("{value} connections are more than a {spec} gateway has")]
    #[diagnostic(
        code("above-spec"),
        help("a {spec} gateway has {most}: give at most that, or a larger `spec`")
    )]
    AboveSpec {
        value: u32,
        spec: &'static str,
        most: u32,
    },

    #[error("{protocol} port {port} of eip `{eip}` is already forwarded")]
    #[diagnostic(
        code("duplicate-dnat"),
        help("one public port leads to one place: choose another port or eip")
    )]
    DuplicateDnat {
        protocol: &'static str,
        port: u16,
        eip: String,
    },

    #[error("{subject} already has a snat rule")]
    #[diagnostic(
        code("duplicate-snat"),
        help("merge the two: list all eips in one rule")
    )]
    DuplicateSnat { subject: String },

    #[error("dnat target {address} lies outside vpc `{vpc}`")]
    #[diagnostic(
        code("dnat-outside-vpc"),
        help("a nat gateway forwards into its own vpc only")
    )]
    DnatOutsideVpc { address: Ipv4Addr, vpc: String },

    // Expectations.
    #[error("a request that is reachable is dropped nowhere")]
    #[diagnostic(
        code("reachable-because"),
        help("remove `because`, or write `is: blocked`")
    )]
    ReachableBecause,

    #[error("nothing can start at {address}: {why}")]
    #[diagnostic(
        code("nothing-starts-there"),
        help("name a cvm, an address that one has, or `internet`")
    )]
    NothingStartsThere {
        address: Ipv4Addr,
        why: &'static str,
    },

    #[error("nobody is known behind external `{name}`")]
    #[diagnostic(
        code("nothing-behind"),
        help("declare its `networks`: the first address of the first one asks and is asked")
    )]
    NothingBehind { name: String },

    #[error("nobody is there: whatever is expected of nobody holds")]
    #[diagnostic(
        code("nobody-there"),
        help(
            "name a group with members, a subnet or vpc with hosts, or a prefix that somebody has"
        )
    )]
    NobodyThere,

    // Havips.
    #[error("holder `{holder}` has no nic in subnet `{subnet}`")]
    #[diagnostic(
        code("holder-elsewhere"),
        help("a havip moves inside its subnet only: name a cvm with a nic there")
    )]
    HolderElsewhere { holder: String, subnet: String },
}
