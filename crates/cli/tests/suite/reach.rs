//! `reach`: who reaches whom, for every packet at once.

use crate::harness::{Desk, vpcsim};

const SHOP: &str = "
regions: {home: {zones: [home-1]}}
vpcs:
  shop: {cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}, data: {cidr: 10.0.2.0/24}}}
security_groups:
  web: {ingress: [accept tcp 443 from any], egress: [accept all to any]}
  db: {ingress: [accept tcp 3306 from web], egress: [accept all to any]}
cvms:
  web-1: {subnet: web, address: 10.0.1.10, security_groups: [web]}
  web-2: {subnet: web, address: 10.0.1.11, security_groups: [web]}
  db: {subnet: data, address: 10.0.2.10, security_groups: [db]}
eips:
  front: {address: 203.0.113.10, bind: web-1}
";

#[test]
fn one_question_is_answered_by_rules() {
    let desk = Desk::new();
    let shop = desk.file("shop.yaml", SHOP.as_bytes());
    vpcsim(["reach", &shop, "--from", "web-1", "--to", "db"])
        .status(0)
        .shows(&[
            "web-1 to db\n  tcp 3306 from 10.0.1.10 to 10.0.2.10\n",
            "assumed away: ",
        ]);
    vpcsim(["reach", &shop, "--from", "internet", "--to", "db"])
        .status(1)
        .shows(&["nothing\n"]);
    vpcsim([
        "reach", &shop, "--from", "internet", "--to", "web-1", "--port", "80",
    ])
    .status(1);
}

#[test]
fn without_a_question_there_is_a_table_of_everybody() {
    let desk = Desk::new();
    let shop = desk.file("shop.yaml", SHOP.as_bytes());
    vpcsim(["reach", &shop]).status(0).shows(&[
        "from",
        "reaches on",
        "internet",
        "tcp 443",
        "tcp 3306",
    ]);
    let json = vpcsim(["reach", &shop, "--json"]).status(0).json();
    assert_eq!(json["trip"], "both");
    assert_eq!(json["classes"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_change_is_told_exactly() {
    let desk = Desk::new();
    let old = desk.file("old.yaml", SHOP.as_bytes());
    let opened = SHOP.replace("accept tcp 3306 from web", "accept tcp 3306-3307 from web");
    let new = desk.file("new.yaml", opened.as_bytes());
    vpcsim(["reach", "--diff", &old, &old])
        .status(0)
        .shows(&["nothing became reachable, nothing was lost\n"]);
    vpcsim(["reach", "--diff", &old, &new, "--from", "web-1"])
        .status(1)
        .shows(&["web-1 to db\n  + tcp 3307 from 10.0.1.10 to 10.0.2.10\n"]);
    vpcsim(["reach", "--diff", &new, &old, "--from", "web-1"])
        .status(1)
        .shows(&["  - tcp 3307 "]);
}

#[test]
fn places_and_ports_that_cannot_be_are_refused_with_help() {
    let desk = Desk::new();
    let shop = desk.file("shop.yaml", SHOP.as_bytes());
    let ran = vpcsim(["reach", &shop, "--from", "web-11"]).status(2);
    assert!(ran.err.contains("no place `web-11`") && ran.err.contains("did you mean `web-1`?"));
    vpcsim(["reach", &shop, "--protocol", "icmp", "--port", "80"]).status(2);
    vpcsim(["reach", &shop, "--port", "90-80"]).status(2);
    vpcsim(["reach", "--diff", &shop]).status(2);
}
