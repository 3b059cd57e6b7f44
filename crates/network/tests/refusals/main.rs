//! Each mistake a network file can have: its kind, and the text it underlines.

use vpcsim_network::Network;

/// Declares tests: a file, and the kind and underlined text of each of its
/// mistakes, in file order.
macro_rules! refused {
    ($($name:ident: $yaml:expr => [$(($kind:literal, $text:literal)),* $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                let expected: Vec<(&str, &str)> = vec![$(($kind, $text)),*];
                crate::check(&$yaml, &expected);
            }
        )*
    };
}

mod cvms;
mod expect;
mod gateways;
mod keys;
mod lints;
mod networks;
mod routes;
mod rules;
mod yaml;

/// Two vpcs that most files here start with. Addresses of `web` and `app` are
/// free; `partner` belongs to the same account.
const VPCS: &str = "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, app: {cidr: 10.0.2.0/24}}
  partner:
    cidr: 10.9.0.0/16
    subnets: {api: {cidr: 10.9.1.0/24}}
";

/// `VPCS`, cvms `a` (10.0.1.10) and `b` (10.0.2.10) in shop, `p` (10.9.1.10) in partner.
const CVMS: &str = "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    subnets: {web: {cidr: 10.0.1.0/24}, app: {cidr: 10.0.2.0/24}}
  partner:
    cidr: 10.9.0.0/16
    subnets: {api: {cidr: 10.9.1.0/24}}
cvms:
  a: {subnet: web, address: 10.0.1.10}
  b: {subnet: app, address: 10.0.2.10}
  p: {subnet: api, address: 10.9.1.10}
";

fn after(base: &str, rest: &str) -> String {
    format!("{base}{rest}")
}

fn check(yaml: &str, expected: &[(&str, &str)]) {
    let errors = match Network::from_yaml("test.yaml", yaml) {
        Ok(_) => panic!("not refused:\n{yaml}"),
        Err(errors) => errors,
    };
    let found: Vec<(String, String)> = errors
        .views()
        .into_iter()
        .map(|view| (view.kind, view.text))
        .collect();
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(kind, text)| (kind.as_str(), text.as_str()))
        .collect();
    let start: String = yaml.chars().take(2000).collect();
    assert_eq!(found, expected, "\n{start}\n{errors:?}");
    for view in errors.views() {
        assert!(!view.help.is_empty(), "no hint: {view:?}");
        assert!(!view.message.is_empty());
        assert!(view.line > 0 && view.column > 0);
        let line = yaml.lines().nth(view.line as usize - 1).unwrap_or("");
        let from: String = line.chars().skip(view.column as usize - 1).collect();
        let first = view.text.lines().next().unwrap_or("");
        assert!(from.starts_with(first), "{view:?} is not at `{from}`");
    }
}
