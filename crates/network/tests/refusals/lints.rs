//! The `lints` section.

use crate::{VPCS, after};

fn lints(lints: &str) -> String {
    after(VPCS, &format!("lints: {lints}\n"))
}

refused! {
    an_unknown_lint: lints("{allow: [unused-epi]}") => [("unknown-value", "unused-epi")];
    an_unknown_level: lints("{forbid: [all]}") => [("unknown-key", "forbid")];
    a_word_instead_of_a_list: lints("{allow: all}") => [("wrong-type", "all")];
    a_lint_twice: lints("{allow: [unused-eip, open-nic, unused-eip]}") => [("listed-twice", "unused-eip")];
    allowed_and_denied: lints("{allow: [unused-eip], deny: [unused-eip]}") => [("allowed-and-denied", "unused-eip")];
    all_allowed_and_denied: lints("{deny: [all], allow: [all]}") => [("allowed-and-denied", "all")];
}
