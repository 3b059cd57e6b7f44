//! SEMANTICS §9, DNAT, and §2.5a: replies leave by the gateway by which the flow came in.

use vpcsim_testkit::{Lab, complaint, ping, tcp, udp};

const SHOP: &str = "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: TABLE
    subnets: {web: {cidr: 10.0.1.0/24}}
route_tables:
  out: {routes: [{to: 0.0.0.0/0, via: nat/gw}]}
  none: {}
security_groups:
  web: {ingress: [accept all from 198.51.100.0/24], egress: [accept all to any]}
eips:
  e1: {address: 203.0.113.1}
  e2: {address: 203.0.113.2}
  own: {address: 203.0.113.9, bind: a}
nat_gateways:
  gw:
    eips: [e1, e2]
    dnat:
      - {eip: e1, protocol: tcp, port: 8443, to: a, to_port: 443}
      - {eip: e2, protocol: tcp, port: 443, to: a}
      - {eip: e1, protocol: udp, port: 53, to: 10.0.1.10}
cvms:
  a: {subnet: web, address: 10.0.1.10, security_groups: [web]}
";

fn lab(table: &str) -> Lab {
    Lab::new(&SHOP.replace("TABLE", table))
}

const CLIENT: &str = "198.51.100.7:50000";

#[test]
fn a_rule_is_eip_protocol_and_port() {
    let mut lab = lab("out");
    let end = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
    end.delivered_at("a/eth0")
        .passed("nat-gateway", "destination-translated")
        .checksums_are_right();
    let stop = end
        .stops()
        .iter()
        .find(|stop| stop.stage == "nat-gateway")
        .expect("a stop");
    assert_eq!(stop.rule.as_deref(), Some("dnat 1"));
    for (packet, why) in [
        (tcp(CLIENT, "203.0.113.2:8443"), "another eip"),
        (udp(CLIENT, "203.0.113.1:8443"), "another protocol"),
        (tcp(CLIENT, "203.0.113.1:443"), "another port"),
    ] {
        assert_eq!(
            lab.from_internet(packet).outcome(),
            "no-nat-session",
            "{why}"
        );
    }
    let end = lab.from_internet(udp(CLIENT, "203.0.113.1:53"));
    end.delivered_at("a/eth0").checksums_are_right();
    assert_eq!(
        end.flow(),
        "udp 198.51.100.7:50000 > 10.0.1.10:53",
        "the same port unless to_port"
    );
}

#[test]
fn the_cvm_sees_the_clients_real_address_and_its_group_judges_it() {
    let mut lab = lab("out");
    let end = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
    assert_eq!(end.flow(), "tcp 198.51.100.7:50000 > 10.0.1.10:443");
    lab.from_internet(tcp("192.0.2.7:50000", "203.0.113.1:8443"))
        .dropped("security-group-deny", "security-group-ingress", "web");
}

#[test]
fn the_reply_returns_by_the_gateway_whatever_the_table_says() {
    // §2.5a. The table knows no way out, and the cvm has an eip of its own besides.
    for table in ["out", "none"] {
        let mut lab = lab(table);
        let syn = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
        let reply = lab.reply_to(&syn);
        reply
            .delivered_at("internet")
            .passed("route", "return-path")
            .checksums_are_right();
        assert_eq!(reply.flow(), "tcp 203.0.113.1:8443 > 198.51.100.7:50000");
    }
    // What the cvm begins itself goes by the table.
    let out = lab("none").send(tcp("10.0.1.10:443", "198.51.100.7:50001"));
    out.delivered_at("internet").passed("route", "eip-fallback");
}

#[test]
fn icmp_errors_about_the_flow_return_by_the_gateway_too() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = lab("none");
    let query = lab.from_internet(udp(CLIENT, "203.0.113.1:53"));
    let end = lab.send(complaint("10.0.1.10", PortUnreachable, query.bytes()));
    end.delivered_at("internet")
        .passed("route", "return-path")
        .checksums_are_right();
    assert_eq!(end.headers().source.to_string(), "203.0.113.1");
    assert_eq!(end.quoted(), "udp 198.51.100.7:50000 > 203.0.113.1:53");
}

#[test]
fn after_the_session_expired_a_reply_is_like_a_first_packet() {
    // The group's flow lives for days, the session for three hours. What is left of the
    // connection takes a mapping of its own (mid_stream: judge), and the client hears from a
    // port that it does not know.
    let mut lab = lab("out");
    let syn = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
    let syn_ack = lab.reply_to(&syn);
    let ack = lab.reply_to(&syn_ack);
    ack.delivered_at("a/eth0");
    let _ = lab.wait(10_800);
    let late = tcp("10.0.1.10:443", CLIENT)
        .ack()
        .sequence(9001)
        .acknowledgment(1001);
    let end = lab.send(late.clone());
    end.delivered_at("internet").passed("route", "return-path");
    let from = end.headers();
    assert_ne!(
        (
            from.source.to_string().as_str(),
            end.flow().contains(":8443 >")
        ),
        ("203.0.113.1", true)
    );
    // A SYN-ACK or a RST takes none.
    let mut lab = self::lab("out");
    let _ = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
    let _ = lab.wait(120 - 1);
    lab.send(tcp("10.0.1.10:443", CLIENT).syn_ack())
        .delivered_at("internet");
    let _ = lab.wait(120);
    lab.send(late.rst())
        .dropped("invalid-state", "nat-gateway", "gw");
}

#[test]
fn two_public_ports_of_one_client_that_lead_to_one_private_port() {
    // nat-and-kernel-cases 52: the flows would look the same inside; the second one's source
    // port changes, its address does not, and replies find the right public side.
    let mut lab = lab("out");
    let first = lab.from_internet(tcp(CLIENT, "203.0.113.1:8443"));
    let second = lab.from_internet(tcp(CLIENT, "203.0.113.2:443"));
    first.delivered_at("a/eth0");
    second.delivered_at("a/eth0").checksums_are_right();
    assert_ne!(first.flow(), second.flow());
    assert_eq!(second.headers().source.to_string(), "198.51.100.7");
    let back = lab.reply_to(&first);
    assert_eq!(back.flow(), "tcp 203.0.113.1:8443 > 198.51.100.7:50000");
    let back = lab.reply_to(&second);
    back.delivered_at("internet").checksums_are_right();
    assert_eq!(back.flow(), "tcp 203.0.113.2:443 > 198.51.100.7:50000");
}

#[test]
fn a_rule_outranks_an_old_mapping_of_its_port() {
    // Under endpoint-independent filtering, sessions of the rule itself are mappings too; the
    // verdict still names the rule.
    let yaml = format!(
        "{}policies: {{filtering: endpoint-independent}}\n",
        SHOP.replace("TABLE", "out")
    );
    let mut lab = Lab::new(&yaml);
    for client in ["198.51.100.7:1", "198.51.100.8:1"] {
        let end = lab.from_internet(tcp(client, "203.0.113.1:8443"));
        let stop = end
            .stops()
            .iter()
            .find(|stop| stop.stage == "nat-gateway")
            .expect("a stop");
        assert_eq!(stop.rule.as_deref(), Some("dnat 1"));
        assert_eq!(stop.policy, None);
    }
}

#[test]
fn the_internet_to_an_eip_beside_the_gateway() {
    // The same cvm by its own eip: another door, and replies leave by that one.
    let mut lab = lab("out");
    let syn = lab.from_internet(tcp(CLIENT, "203.0.113.9:443"));
    syn.delivered_at("a/eth0");
    let reply = lab.reply_to(&syn);
    assert_eq!(reply.flow(), "tcp 203.0.113.9:443 > 198.51.100.7:50000");
    let echo = lab.from_internet(ping("198.51.100.7", "203.0.113.9"));
    echo.delivered_at("a/eth0");
    let answer = lab.reply_to(&echo);
    answer
        .delivered_at("internet")
        .passed("route", "return-path");
}
