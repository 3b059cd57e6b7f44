//! Rules of security groups and acls, templates.

fn ingress(rule: &str) -> String {
    format!(
        "vpcs: {{shop: {{cidr: 10.0.0.0/16}}}}\naddress_templates: {{office: [192.0.2.1], both: []}}\nservice_templates: {{db: [\"tcp:3306\"]}}\nsecurity_groups:\n  both: {{}}\n  web:\n    ingress:\n      - {rule}\n"
    )
}

fn egress(rule: &str) -> String {
    ingress("drop all from any") + &format!("    egress:\n      - {rule}\n")
}

fn acl(rule: &str) -> String {
    format!("vpcs: {{shop: {{cidr: 10.0.0.0/16}}}}\nacls:\n  edge:\n    ingress:\n      - {rule}\n")
}

fn template(members: &str) -> String {
    format!("vpcs: {{shop: {{cidr: 10.0.0.0/16}}}}\naddress_templates: {{office: [{members}]}}\n")
}

fn service(member: &str) -> String {
    format!("vpcs: {{shop: {{cidr: 10.0.0.0/16}}}}\nservice_templates: {{db: [\"{member}\"]}}\n")
}

refused! {
    an_unknown_action: ingress("allow tcp 80 from any") => [("unknown-value", "allow")];
    an_unknown_protocol: ingress("accept tpc 80 from any") => [("unknown-value", "tpc")];
    an_upper_case_protocol: ingress("accept TCP 80 from any") => [("unknown-value", "TCP")];
    a_port_that_is_none: ingress("accept tcp http from any") => [("bad-port", "http")];
    a_port_too_large: ingress("accept tcp 80,65536 from any") => [("bad-port", "65536")];
    an_empty_range: ingress("accept tcp 443,90-80 from any") => [("empty-range", "90-80")];
    a_missing_port: ingress("accept tcp 80,,443 from any") => [("bad-port", "")];
    ports_on_icmp: ingress("accept icmp 80 from any") => [("ports-without-port-protocol", "80")];
    ports_on_gre: ingress("accept gre 1-2 from any") => [("ports-without-port-protocol", "1-2")];
    ports_on_all: ingress("accept all 80 from any") => [("ports-without-port-protocol", "80")];
    ports_on_icmp_in_a_mapping: ingress("{action: accept, protocol: icmp, ports: 8, from: any}")
        => [("ports-without-port-protocol", "8")];
    no_peer: ingress("accept tcp 80") => [("bad-rule", "accept tcp 80")];
    nothing_after_from: ingress("accept tcp 80 from") => [("bad-rule", "from")];
    the_wrong_direction: ingress("accept tcp 80 to any") => [("bad-rule", "to")];
    the_wrong_direction_out: egress("accept tcp 80 from any") => [("bad-rule", "from")];
    the_wrong_direction_in_a_mapping: ingress("{action: accept, to: any}")
        => [("unknown-key", "to")];
    no_protocol: ingress("accept from any") => [("bad-rule", "accept")];
    one_word_too_many: ingress("accept tcp 80 from any please") => [("bad-rule", "please")];
    an_unknown_peer: ingress("accept tcp 80 from offise") => [("unknown-reference", "offise")];
    an_ambiguous_peer: ingress("accept tcp 80 from both") => [("ambiguous-reference", "both")];
    an_unknown_explicit_group: ingress("accept tcp 80 from group/office") => [("unknown-reference", "office")];
    an_unknown_explicit_template: ingress("accept tcp 80 from template/web") => [("unknown-reference", "web")];
    host_bits_in_a_peer: ingress("accept tcp 80 from 10.0.0.1/8") => [("host-bits", "10.0.0.1/8")];
    a_bad_prefix_in_a_peer: ingress("accept tcp 80 from 10.0.0.0/33") => [("bad-cidr", "10.0.0.0/33")];
    a_bad_address_in_a_peer: ingress("accept tcp 80 from 10.0.0.256") => [("bad-address", "10.0.0.256")];
    an_ipv6_peer: ingress("accept tcp 80 from fd00::/8") => [("bad-cidr", "fd00::/8")];
    several_mistakes_in_one_rule: ingress("allow tcp 80,x from nobody")
        => [("unknown-value", "allow"), ("bad-port", "x"), ("unknown-reference", "nobody")];
    mistakes_behind_escapes_mark_the_whole_rule: ingress("\"accept tcp\\u0020x from any\"")
        => [("bad-port", "\"accept tcp\\u0020x from any\"")];
    mistakes_inside_quotes_mark_the_word: ingress("'accept tcp x from any'") => [("bad-port", "x")];
    unquoted_ports_in_a_mapping: ingress("{action: accept, protocol: tcp, ports: 80,443, from: any}")
        => [("unknown-key", "443")];
    ports_without_protocol: ingress("{action: accept, ports: 80, from: any}")
        => [("missing-key", "{action: accept, ports: 80, from: any}")];
    services_beside_ports: ingress("{action: accept, services: db, ports: 80, from: any}")
        => [("conflicting-keys", "db")];
    an_unknown_service_template: ingress("{action: accept, services: bd, from: any}")
        => [("unknown-reference", "bd")];
    a_list_for_a_rule: ingress("[accept, tcp]") => [("wrong-type", "[accept, tcp]")];
    acl_port_lists: acl("accept tcp 80,443 from any") => [("bad-port", "80,443")];
    acl_gre: acl("accept gre from any") => [("unknown-value", "gre")];
    acl_group_peers: acl("accept tcp 80 from web") => [("bad-rule", "web")];
    acl_services: acl("{action: accept, services: db, from: any}") => [("unknown-key", "services")];
    acl_ports_on_icmp: acl("accept icmp 8 from any") => [("ports-without-port-protocol", "8")];
    template_word: template("office") => [("bad-address", "office")];
    template_empty_range: template("192.0.2.9-192.0.2.1") => [("empty-range", "192.0.2.9-192.0.2.1")];
    template_half_a_range: template("192.0.2.9-x") => [("bad-address", "x")];
    template_host_bits: template("192.0.2.9/24") => [("host-bits", "192.0.2.9/24")];
    service_without_protocol: service("80") => [("unknown-value", "80")];
    service_protocol: service("sctp:80") => [("unknown-value", "sctp")];
    service_ports: service("tcp:80-") => [("bad-port", "")];
    service_ports_on_icmp: service("icmp:8") => [("ports-without-port-protocol", "8")];
}
