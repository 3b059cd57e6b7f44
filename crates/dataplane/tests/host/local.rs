//! Which addresses are its own.

use crate::{dual, dual_with};
use vpcsim_testkit::ping;

#[test]
fn any_address_of_the_host_is_local_on_any_nic() {
    let host = "lo: [192.168.1.1, 192.168.2.2]\n    sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    let mut lab = dual(host);
    for (to, nic) in [
        ("192.168.1.1", "dual/eth0"),
        ("192.168.2.2", "dual/eth1"),
        ("10.0.2.100", "dual/eth1"),
        ("10.0.1.10", "dual/eth0"),
    ] {
        lab.send(ping("10.0.3.10", to)).delivered_at(nic);
    }
    lab.from_internet(ping("198.51.100.7", "203.0.113.22"))
        .delivered_at("dual/eth1");
    // The route to 192.168.1.0/24 leads to eth0; the same address on eth1's side is as local.
    let swapped = "lo: [192.168.1.1, 192.168.2.2, 198.51.100.9]\n    sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    dual(swapped)
        .send(ping("10.0.3.10", "198.51.100.9"))
        .delivered_at("dual/eth1");
}

#[test]
fn an_address_that_is_not_configured_is_not_local() {
    let unknown = "{address: 10.0.1.10, configured: false}";
    let open = "sysctl: {net.ipv4.conf.all.rp_filter: 0}";
    dual_with(unknown, "10.0.2.10", open)
        .send(ping("10.0.1.20", "10.0.1.10"))
        .dropped("not-local", "host", "dual");
    let on_lo = format!("lo: [10.0.1.10]\n    {open}");
    dual_with(unknown, "10.0.2.10", &on_lo)
        .send(ping("10.0.1.20", "10.0.1.10"))
        .delivered_at("dual/eth0");
}

#[test]
fn not_local_is_not_forwarded_unless_the_host_forwards() {
    // As a next hop it is host-not-forwarding, as its own destination not-local.
    dual("ip_forward: false")
        .send(ping("10.0.1.20", "192.168.1.1"))
        .dropped("host-not-forwarding", "host", "dual");
    dual_with(
        "10.0.1.10",
        "{address: 10.0.2.10, configured: false}",
        "sysctl: {net.ipv4.conf.all.rp_filter: 0}",
    )
    .send(ping("10.0.3.10", "10.0.2.10"))
    .dropped("not-local", "host", "dual");
}
