//! SEMANTICS §10: the host is Linux. Reverse path filter, local or forward, its own routing.

mod forwarding;
mod local;
mod martians;
mod own_packets;
mod reverse_path;

use vpcsim_dataplane::Verdict;
use vpcsim_testkit::{End, Lab};

/// A host with two nics and more, a client in each of their subnets, one far away, and a sender
/// of anything.
fn dual(host: &str) -> Lab {
    dual_with("10.0.1.10", "10.0.2.10", host)
}

fn dual_with(eth0: &str, eth1: &str, host: &str) -> Lab {
    Lab::new(&format!(
        "
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets:
      front: {{cidr: 10.0.1.0/24}}
      back: {{cidr: 10.0.2.0/24}}
      far: {{cidr: 10.0.3.0/24}}
route_tables:
  out:
    routes:
      - {{to: 192.168.1.0/24, via: instance/dual/eth0}}
      - {{to: 192.168.2.0/24, via: instance/dual/eth1}}
      - {{to: 127.0.0.0/8, via: instance/dual/eth0}}
      - {{to: 0.0.0.0/0, via: cvm/dual/eth1}}
eips:
  direct: {{address: 203.0.113.22, bind: dual/eth1, mode: direct}}
havips:
  vip: {{subnet: back, address: 10.0.2.100, holder: dual/eth1}}
cvms:
  dual:
    nics:
      eth0: {{subnet: front, address: {eth0}}}
      eth1: {{subnet: back, address: {eth1}}}
    {host}
  front: {{subnet: front, address: 10.0.1.20}}
  back: {{subnet: back, address: 10.0.2.20}}
  far: {{subnet: far, address: 10.0.3.10}}
policies: {{source_check: \"off\"}}
"
    ))
}

const RULES: &str = "
    routes:
      - {to: 0.0.0.0/0, via: 10.0.1.1, nic: eth0, table: 10}
      - {to: 0.0.0.0/0, via: 10.0.2.1, nic: eth1, table: 20}
    rules: [{from: 10.0.1.10, table: 10}, {from: 10.0.2.10, table: 20}]";

/// What rp_filter saw: the effective value, and where the way back leads.
#[track_caller]
fn reverse_path(lab: &Lab, end: &End) -> (u8, Option<String>) {
    let Verdict::Dropped(drop) = end.verdict() else {
        panic!("{end}")
    };
    let reverse = drop.reverse_path.expect("rp_filter says what it saw");
    (
        reverse.value,
        reverse.nic.map(|nic| lab.program().nic_name(nic)),
    )
}

fn host_egress(end: &End) -> Option<&str> {
    let stop = end.stops().iter().find(|stop| stop.stage == "host-egress");
    stop.map(|stop| stop.element.as_str())
}
