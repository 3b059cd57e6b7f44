//! `acl-blocks-replies`.

/// `web-1` behind acl `edge`, a client in another subnet, the internet by an eip.
fn acl(ingress: &str, egress: &str, rest: &str) -> String {
    format!(
        "\
vpcs: {{shop: {{cidr: 10.0.0.0/16, subnets: {{web: {{cidr: 10.0.1.0/24, acl: edge}}, clients: {{cidr: 10.0.2.0/24}}}}}}}}
acls: {{edge: {{ingress: [{ingress}], egress: [{egress}]}}}}
cvms:
  web-1: {{subnet: web, address: 10.0.1.10, listen: [\"tcp:80\"]}}
  client: {{subnet: clients, address: 10.0.2.10}}
{rest}"
    )
}

const EIP: &str = "eips: {e: {address: 203.0.113.1, bind: web-1}}\n";

finds! {
    // SEMANTICS §7: stateless.
    no_rule_for_the_answers: acl("accept tcp 80 from any", "", "") => [("acl-blocks-replies", "accept tcp 80 from any")];
    answers_to_ephemeral_ports: acl("accept tcp 80 from any", "accept tcp 1024-65535 to any", "") => [];
    answers_to_linux_clients: acl("accept tcp 80 from any", "accept tcp 32768-60999 to any", "") => [];
    // The answer goes to the client's port, not from the server's.
    answers_by_the_servers_port: acl("accept tcp 80 from any", "accept tcp 80 to any", "")
        => [("acl-blocks-replies", "accept tcp 80 from any"), ("acl-blocks-replies", "accept tcp 80 to any")];
    answers_by_another_protocol: acl("accept tcp 80 from any", "accept udp all to any, accept icmp to any", "")
        => [("acl-blocks-replies", "accept tcp 80 from any")];
    answers_that_an_earlier_rule_drops: acl("accept tcp 80 from any", "drop tcp 1024-65535 to 10.0.0.0/8, accept all to 10.0.0.0/8", "")
        => [("acl-blocks-replies", "accept tcp 80 from any")];
    // Wide as it is, it is there for answers to some.
    everything_out_and_something_in: acl("accept tcp 80 from 10.0.2.0/24", "accept all to any", EIP) => [];
    answers_to_the_client_that_there_is: acl("accept tcp 80 from any", "accept tcp 1024-65535 to 10.0.2.0/24", "") => [];
    // By the eip others come too, and get no answer.
    answers_to_some_of_those_that_there_are: acl("accept tcp 80 from any", "accept tcp 1024-65535 to 10.0.2.0/24", EIP)
        => [("acl-blocks-replies", "accept tcp 80 from any")];
    a_rule_for_the_others_too: acl("accept tcp 80 from any", "accept tcp 1024-65535 to 10.0.2.0/24, accept all to 0.0.0.0/0", EIP)
        .replace("accept tcp 80 from any]", "accept tcp 80 from any, accept tcp 32768-65535 from any]") => [];
    out_without_a_way_in_for_answers: acl("accept tcp 80 from 10.0.2.0/24", "accept tcp 1024-65535 to 10.0.2.0/24, accept tcp 443 to any", "")
        => [("acl-blocks-replies", "accept tcp 443 to any")];
    // A rule for answers is not for flows that begin.
    a_rule_for_answers_alone: acl("accept tcp 1024-65535 from any", "accept tcp 443 to any", "") => [];
    everything_in_and_nothing_out: acl("accept all from any", "", "") => [("acl-blocks-replies", "accept all from any")];
    everything_both_ways: acl("accept all from any", "accept all to any", "") => [];
    nothing_at_all: acl("", "", "") => [];
    dropped_before_it_is_accepted: acl("drop tcp all from any, accept tcp 80 from any", "", "")
        => [("covered-rule", "accept tcp 80 from any")];
    // Logs and metrics go one way; names are asked for.
    logs_over_udp: acl("accept udp 514 from any", "", "") => [];
    names_over_udp: acl("accept udp 53 from any", "", "") => [("acl-blocks-replies", "accept udp 53 from any")];
    // Errors about what goes out come in by such a rule.
    icmp: acl("accept icmp from any", "", "") => [];
    an_acl_of_no_subnet: acl("accept tcp 80 from any", "", "").replace(", acl: edge", "") => [];
    another_reading_of_ports: acl("accept tcp 80 from any", "", "policies: {acl_port: either}\n") => [];
}
