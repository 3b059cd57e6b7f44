//! The file as YAML.

refused! {
    empty: "" => [("empty-file", "")];
    only_a_comment: "# nothing\n" => [("empty-file", "")];
    null: "~\n" => [("empty-file", "")];
    a_word: "hello\n" => [("wrong-type", "hello")];
    a_list: "- vpcs\n" => [("wrong-type", "- vpcs")];
    a_tab: "vpcs:\n\tshop: {cidr: 10.0.0.0/16}\n" => [("syntax", "s")];
    an_open_bracket: "vpcs: {shop: {cidr: 10.0.0.0/16}\n" => [("syntax", "")];
    an_open_quote: "vpcs: {shop: {cidr: '10.0.0.0/16}}\n" => [("syntax", "'")];
    a_missing_line_break: "vpcs: shop: {cidr: 10.0.0.0/16}\n" => [("syntax", ":")];
    two_documents: "vpcs: {}\n---\nvpcs: {}\n" => [("several-documents", "---")];
    a_tag: "vpcs: {shop: !ip {cidr: 10.0.0.0/16}}\n" => [("unexpected-tag", "!ip {")];
    an_unknown_anchor: "vpcs: {shop: *base}\n" => [("syntax", "*")];
    an_alias_of_itself: "vpcs: &v {shop: *v}\n" => [("recursive-alias", "*v")];
    a_key_twice: "vpcs:\n  shop: {cidr: 10.0.0.0/16}\n  shop: {cidr: 10.1.0.0/16}\n"
        => [("duplicate-key", "shop")];
    a_list_as_a_key: "vpcs: {}\n? [a, b]\n: c\n" => [("key-not-a-word", "[a, b]")];
    a_merge_of_a_word: "vpcs:\n  shop: {<<: ten, cidr: 10.0.0.0/16}\n" => [("bad-merge", "<<")];
    deep_nesting: "[".repeat(5000) => [("nested-too-deep", "[")];
    deep_mappings: "{a: ".repeat(5000) => [("nested-too-deep", "{")];
    deep_indentation: (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect::<String>()
        => [("nested-too-deep", "")];
    an_alias_bomb: bomb() => [("aliases-too-large", "*d")];
    a_long_word_repeated: format!("a: &a {}\nb: [{}*a]\n", "x".repeat(1_000_000), "*a, ".repeat(1000))
        => [("aliases-too-large", "*a")];
    a_non_ascii_comment_moves_nothing: "# é–漢字\r\nvpcs: {shop: {cidr: 10.0.0.1/16}}\r\n"
        => [("host-bits", "10.0.0.1/16")];
    a_byte_order_mark_moves_nothing: "\u{feff}vpcs: {shop: {cidr: 10.0.0.1/16}}\n"
        => [("host-bits", "10.0.0.1/16")];
}

/// Ten times ten times ten… words.
fn bomb() -> String {
    let mut yaml = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ('b'..='z').zip('a'..='y') {
        let aliases = vec![format!("*{of}"); 10].join(", ");
        yaml += &format!("{name}: &{name} [{aliases}]\n");
    }
    yaml
}
