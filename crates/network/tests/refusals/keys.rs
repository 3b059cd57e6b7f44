//! Keys and the words under them.

use crate::{CVMS, VPCS, after};

refused! {
    an_unknown_section: after(VPCS, "security_group: {web: {}}\ncvms: {a: {subnet: web, address: 10.0.1.10, security_groups: [web]}}\n")
        => [("unknown-key", "security_group")];
    an_unknown_key: "vpcs: {shop: {cidr: 10.0.0.0/16, colour: red}}\n" => [("unknown-key", "colour")];
    a_misspelt_required_key_is_not_missing_as_well: "vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {cdir: 10.0.1.0/24}}}}\n"
        => [("unknown-key", "cdir")];
    no_vpcs: "cvms: {}\n" => [("missing-key", "cvms")];
    no_cidr: "vpcs: {shop: {}}\n" => [("missing-key", "shop")];
    no_subnet_cidr: "vpcs: {shop: {cidr: 10.0.0.0/16, subnets: {web: {}}}}\n" => [("missing-key", "web")];
    cidr_and_cidrs: "vpcs: {shop: {cidr: 10.0.0.0/16, cidrs: [10.1.0.0/16]}}\n" => [("conflicting-keys", "10.0.0.0/16")];
    a_word_for_a_mapping: "vpcs: {shop: 10.0.0.0/16}\n" => [("wrong-type", "10.0.0.0/16")];
    a_word_for_a_list: "vpcs: {shop: {cidrs: 10.0.0.0/16}}\n" => [("wrong-type", "10.0.0.0/16")];
    a_list_for_a_word: "vpcs: {shop: {cidr: [10.0.0.0/16]}}\n" => [("wrong-type", "[10.0.0.0/16]")];
    a_list_for_names: "vpcs: [shop]\n" => [("wrong-type", "[shop]")];
    nothing_for_a_word: "vpcs:\n  shop:\n    cidr:\n" => [("wrong-type", "cidr")];
    a_word_for_a_switch: after(CVMS, "policies: {hairpin: maybe}\n") => [("unknown-value", "maybe")];
    a_quoted_switch: after(CVMS, "policies: {hairpin: 'true'}\n") => [("unknown-value", "true")];
    a_word_for_a_number: "vpcs: {shop: {cidr: 10.0.0.0/16, mtu: big}}\n" => [("wrong-type", "big")];
    a_number_too_large: "vpcs: {shop: {cidr: 10.0.0.0/16, mtu: 70000}}\n" => [("out-of-range", "70000")];
    a_number_far_too_large: "vpcs: {shop: {cidr: 10.0.0.0/16, mtu: 99999999999999999999}}\n" => [("out-of-range", "99999999999999999999")];
    a_ttl_of_two: after(CVMS, "policies: {fabric_ttl: 2}\n") => [("out-of-range", "2")];
    an_unknown_policy_value: after(CVMS, "policies: {acl_port: dst, source_check: cvn}\n")
        => [("unknown-value", "dst"), ("unknown-value", "cvn")];
    an_unknown_policy: after(CVMS, "policies: {acl_ports: either}\n") => [("unknown-key", "acl_ports")];
    a_broken_element_is_not_unknown: after(VPCS, "security_groups: {web: 5}\ncvms: {a: {subnet: web, address: 10.0.1.10, security_groups: [web, wep]}}\n")
        => [("wrong-type", "5"), ("unknown-reference", "wep")];
    a_broken_section_leaves_nothing_unknown: after(VPCS, "security_groups: 5\ncvms: {a: {subnet: web, address: 10.0.1.10, security_groups: [web]}}\n")
        => [("wrong-type", "5")];
    a_name_with_a_slash: "vpcs: {a/b: {cidr: 10.0.0.0/16}}\n" => [("bad-name", "a/b")];
    a_name_with_a_space: "vpcs: {a b: {cidr: 10.0.0.0/16}}\n" => [("bad-name", "a b")];
    a_name_that_is_an_address: after(VPCS, "security_groups: {10.0.0.1: {}}\n") => [("bad-name", "10.0.0.1")];
    a_cvm_called_internet: after(VPCS, "cvms: {internet: {subnet: web, address: 10.0.1.10}}\n") => [("bad-name", "internet")];
    a_group_called_any: after(VPCS, "security_groups: {any: {}}\n") => [("bad-name", "any")];
    the_same_mistake_behind_an_alias_counts_once: after(VPCS, "security_groups:\n  a: &a {ingress: [accept tcp x from any]}\n  b: *a\n")
        => [("bad-port", "x")];
    many_mistakes_come_in_file_order: "\
vpcs:
  shop: {cidr: 10.0.0.1/16, subnets: {web: {cidr: 10.0.1.0/24, zone: nowhere}}}
cvms:
  a: {subnet: wep, address: 10.0.1.10}
  b: {subnet: web, address: 10.0.1.1}
security_groups:
  g: {ingress: [allow tcp 80 from any]}
polices: {hairpin: 3}
" => [
        ("host-bits", "10.0.0.1/16"),
        ("unknown-reference", "nowhere"),
        ("unknown-reference", "wep"),
        ("reserved-address", "10.0.1.1"),
        ("unknown-value", "allow"),
        ("unknown-key", "polices"),
        ("unknown-value", "3"),
    ];
}
