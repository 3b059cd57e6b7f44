//! What a person sees.

use miette::{GraphicalReportHandler, GraphicalTheme};
use vpcsim_network::Network;

const FIVE: &str = "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets:
      web: {cidr: 10.0.1.0/24}
      app: {cidr: 10.0.1.128/25}

security_groups:
  web:
    ingress:
      - accept tcp 80,443x from any
      - accept tcp 22 from offise

address_templates:
  office: [198.51.100.0/24]

cvms:
  web-1: {subnet: web, adress: 10.0.1.10, security_groups: [web]}
  web-2:
    subnet: web
    address: 10.0.1.1
";

#[test]
fn five_mistakes_on_a_terminal() {
    let errors = Network::from_yaml("shop.yaml", FIVE).unwrap_err();
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(80);
    let mut text = String::new();
    handler.render_report(&mut text, &errors).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn five_mistakes_in_plain_lines() {
    let errors = Network::from_yaml("shop.yaml", FIVE).unwrap_err();
    insta::assert_snapshot!(errors.plain());
}

#[test]
fn five_mistakes_for_machines() {
    let errors = Network::from_yaml("shop.yaml", FIVE).unwrap_err();
    insta::assert_json_snapshot!(errors.views());
}
