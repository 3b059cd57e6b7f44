//! Each lint: what it fires at, and the near miss that it leaves alone.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use vpcsim_network::{Levels, Network};

/// Declares tests: a file, and the lint and underlined text of each finding, in
/// file order.
macro_rules! finds {
    ($($name:ident: $yaml:expr => [$(($lint:literal, $text:literal)),* $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                let expected: Vec<(&str, &str)> = vec![$(($lint, $text)),*];
                crate::check(&$yaml, &expected);
            }
        )*
    };
}

mod acls;
mod groups;
mod hosts;
mod peering;
mod public;
mod scenarios;
mod unused;

#[track_caller]
fn check(yaml: &str, expected: &[(&str, &str)]) {
    let (_, findings) = Network::check("test.yaml", yaml).unwrap_or_else(|e| panic!("{e:?}"));
    let views = findings.views(&Levels::default());
    let found: Vec<(&str, &str)> = views.iter().map(|v| (v.lint, v.text.as_str())).collect();
    assert_eq!(found, expected, "{views:#?}\n{yaml}");
    for view in &views {
        assert!(view.line > 0 && !view.help.is_empty() && !view.why.is_empty());
    }
}
