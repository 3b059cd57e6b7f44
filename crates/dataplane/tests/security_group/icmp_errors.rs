//! ICMP errors belong to the flow that they quote.

use crate::{CLIENT, guarded};
use vpcsim_testkit::udp;

#[test]
fn an_icmp_error_belongs_to_the_flow_that_it_quotes() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes());
    lab.send(error)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "related")
        .passed("security-group-ingress", "related");
    // One that quotes what never was is judged by the rules.
    let unknown = udp(CLIENT, "10.0.2.10:54").bytes();
    let error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, &unknown);
    lab.send(error)
        .dropped("security-group-deny", "security-group-egress", "a");
}

#[test]
fn an_icmp_error_prolongs_nothing() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let error = || vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes());
    let _ = lab.wait(20);
    lab.send(error()).delivered_at("client/eth0");
    let _ = lab.wait(10);
    assert_eq!(lab.send(error()).outcome(), "security-group-deny");
}

#[test]
fn an_icmp_error_to_somebody_else_is_unrelated() {
    use vpcsim_packet::icmp::IcmpError::PortUnreachable;
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let mut error = vpcsim_testkit::complaint("10.0.2.10", PortUnreachable, query.bytes()).bytes();
    error[19] = 11; // to the other client
    assert_eq!(lab.send(error).outcome(), "security-group-deny");
}

#[test]
fn a_redirect_is_related() {
    // nat-and-kernel-cases 55.
    let mut lab = guarded("  a: {ingress: [accept udp from any]}", "a");
    let query = lab.send(udp(CLIENT, "10.0.2.10:53"));
    let redirect = vpcsim_packet::build::icmp(
        [10, 0, 2, 10],
        [10, 0, 1, 10],
        5,
        1,
        [10, 0, 1, 1],
        query.bytes(),
    );
    lab.send(redirect)
        .delivered_at("client/eth0")
        .passed("security-group-egress", "related");
}
