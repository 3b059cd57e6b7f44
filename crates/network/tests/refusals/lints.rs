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
    an_unknown_lint_in_a_comment: after(VPCS, "# vpcsim: allow unused-epi\n") => [("unknown-value", "unused-epi")];
    a_lint_after_a_comma_in_a_comment: after(VPCS, "# vpcsim: allow unused-eip, for now\n") => [("unknown-value", "for")];
    a_comment_that_allows_nothing: after(VPCS, "# vpcsim: allow\n") => [("unknown-value", "")];
    another_word_in_a_comment: after(VPCS, "# vpcsim: deny unused-eip\n") => [("unknown-value", "deny")];
    all_allowed_and_denied: lints("{deny: [all], allow: [all]}") => [("allowed-and-denied", "all")];
}
