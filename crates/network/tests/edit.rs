//! Changes to the text of a network file leave the rest of it as it is.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use vpcsim_network::Network;
use vpcsim_network::edit::{Change, EditError, Path, Yaml, apply};

fn insert(list: Path, before: Option<usize>, item: &str) -> Change {
    let item = Yaml::word(item);
    Change::Insert { list, before, item }
}

fn set(path: Path, value: Yaml) -> Change {
    Change::Set { path, value }
}

fn path(keys: &[&str]) -> Path {
    Path::new(keys.iter().copied())
}

#[track_caller]
fn changes(before: &str, changes: &[Change], after: &str) {
    let edited = apply(before, changes).unwrap();
    assert_eq!(edited.text, after, "\n{}", edited.text);
}

#[test]
fn an_item_comes_where_it_is_wanted() {
    let file = "\
acls:
  edge: # the shop's
    ingress:
      # the web
      - accept tcp 80 from any
      # not from there
      - drop tcp 443 from 198.51.100.0/24   # a scanner
      - accept tcp 443 from any
    # nothing goes out yet
";
    let ingress = || path(&["acls", "edge", "ingress"]);
    let edited = |before, text| {
        apply(file, &[insert(ingress(), before, text)])
            .unwrap()
            .text
    };
    assert_eq!(
        edited(Some(1), "accept udp 53 from any"),
        file.replace(
            "      # not from",
            "      - accept udp 53 from any\n      # not from"
        ),
        "above the comment about the next one"
    );
    assert_eq!(
        edited(Some(0), "drop all from 10.0.0.1"),
        file.replace(
            "      # the web",
            "      - drop all from 10.0.0.1\n      # the web"
        )
    );
    let end = file.replace(
        "    # nothing",
        "      - accept icmp from any\n    # nothing",
    );
    assert_eq!(edited(None, "accept icmp from any"), end);
    assert_eq!(edited(Some(9), "accept icmp from any"), end);
}

#[test]
fn an_empty_list_gets_a_line_below_its_key() {
    let rule = || {
        insert(
            path(&["acls", "web", "egress"]),
            None,
            "accept tcp 80,443 to any",
        )
    };
    let after = "acls:\n  web:\n    egress: # none\n      - accept tcp 80,443 to any\n";
    changes("acls:\n  web:\n    egress: [] # none\n", &[rule()], after);
    changes("acls:\n  web:\n    egress: # none\n", &[rule()], after);
    // The dashes stand as they do elsewhere in the file.
    changes(
        "acls:\n  web:\n    ingress:\n    - drop all from any\n    egress: []\n",
        &[rule()],
        "acls:\n  web:\n    ingress:\n    - drop all from any\n    egress:\n    - accept tcp 80,443 to any\n",
    );
    // Between brackets it stays between brackets, and commas are quoted.
    changes(
        "acls: {shut: {ingress: [], egress: [ ]}}",
        &[
            insert(
                path(&["acls", "shut", "ingress"]),
                None,
                "accept tcp 80,443 from any",
            ),
            insert(path(&["acls", "shut", "egress"]), None, "accept all to any"),
        ],
        "acls: {shut: {ingress: [\"accept tcp 80,443 from any\"], egress: [accept all to any ]}}",
    );
}

#[test]
fn items_between_brackets() {
    let listen = || path(&["cvms", "web", "listen"]);
    let file = "cvms:\n  web: {listen: [\"tcp:80\", 'udp:53'], subnet: a} # the web\n";
    let before = |at, list: &str| {
        changes(
            file,
            &[insert(listen(), at, "tcp:22")],
            &file.replace("[\"tcp:80\", 'udp:53']", list),
        );
    };
    before(None, "[\"tcp:80\", 'udp:53', tcp:22]");
    before(Some(0), "[tcp:22, \"tcp:80\", 'udp:53']");
    before(Some(1), "[\"tcp:80\", tcp:22, 'udp:53']");
    changes(
        "a: [\n  1,\n  2,\n]\nb: {c: 1,}\n",
        &[
            insert(path(&["a"]), None, "3"),
            set(path(&["b", "d"]), Yaml::word(2)),
        ],
        "a: [\n  1,\n  2, 3\n]\nb: {c: 1, d: 2}\n",
    );
}

#[test]
fn a_value_is_replaced_and_its_comment_stays() {
    changes(
        "peerings:\n  a-b: {vpcs: [a, b], accepted: false} # asked\n",
        &[set(
            path(&["peerings", "a-b", "accepted"]),
            Yaml::word(true),
        )],
        "peerings:\n  a-b: {vpcs: [a, b], accepted: true} # asked\n",
    );
    changes(
        "cvms:\n  a:\n    running: false   # broken since May\n    subnet: s\n",
        &[set(path(&["cvms", "a", "running"]), Yaml::word(true))],
        "cvms:\n  a:\n    running: true   # broken since May\n    subnet: s\n",
    );
    let routes = path(&["route_tables", "main", "routes"]);
    changes(
        "route_tables:\n  main:\n    routes:\n      - {to: 10.1.0.0/16, via: peering/p}\n",
        &[set(routes.item(0).key("to"), Yaml::word("10.2.0.0/16"))],
        "route_tables:\n  main:\n    routes:\n      - {to: 10.2.0.0/16, via: peering/p}\n",
    );
}

#[test]
fn a_key_is_added_as_the_file_writes_keys() {
    let sysctl = |value: u8| {
        let key = "net.ipv4.conf.eth1.rp_filter";
        set(path(&["cvms", "a", "sysctl", key]), Yaml::word(value))
    };
    changes(
        "cvms:\n  a:\n    sysctl:\n      net.ipv4.ip_forward: 1 # a router\n\n  b: {}\n",
        &[sysctl(2)],
        "cvms:\n  a:\n    sysctl:\n      net.ipv4.ip_forward: 1 # a router\n      net.ipv4.conf.eth1.rp_filter: 2\n\n  b: {}\n",
    );
    changes(
        "cvms:\n    a:\n        subnet: s\n",
        &[sysctl(0)],
        "cvms:\n    a:\n        subnet: s\n        sysctl:\n            net.ipv4.conf.eth1.rp_filter: 0\n",
    );
    changes(
        "cvms:\n  a: {subnet: s}\n",
        &[sysctl(0)],
        "cvms:\n  a: {subnet: s, sysctl: {net.ipv4.conf.eth1.rp_filter: 0}}\n",
    );
    changes(
        "cvms:\n  a: {sysctl: , subnet: s}\n",
        &[sysctl(0)],
        "cvms:\n  a: {sysctl: {net.ipv4.conf.eth1.rp_filter: 0} , subnet: s}\n",
    );
    changes(
        "cvms:\n  a: {}\n",
        &[sysctl(0)],
        "cvms:\n  a:\n    sysctl:\n      net.ipv4.conf.eth1.rp_filter: 0\n",
    );
}

#[test]
fn a_key_gets_another_name() {
    let address = || path(&["cvms", "a", "address"]);
    let list = Yaml::List(vec![Yaml::word("10.0.0.4"), Yaml::word("10.0.0.5")]);
    let rename = Change::Rename {
        path: address(),
        key: "addresses".into(),
    };
    changes(
        "cvms:\n  a: {subnet: s, address: 10.0.0.4}\n",
        &[set(address(), list), rename],
        "cvms:\n  a: {subnet: s, addresses: [10.0.0.4, 10.0.0.5]}\n",
    );
}

#[test]
fn a_section_comes_where_the_documentation_has_it() {
    let eip = || {
        let eip = Yaml::inline([
            ("address", Yaml::word("203.0.113.1")),
            ("bind", Yaml::word("a")),
        ]);
        set(path(&["eips", "a"]), eip)
    };
    let added = "eips:\n  a: {address: 203.0.113.1, bind: a}\n";
    changes(
        "vpcs:\n  v:\n    cidr: 10.0.0.0/16\n\n# ---- machines\ncvms:\n  a: {}\n",
        &[eip()],
        &format!(
            "vpcs:\n  v:\n    cidr: 10.0.0.0/16\n\n{added}\n# ---- machines\ncvms:\n  a: {{}}\n"
        ),
    );
    changes(
        "vpcs:\n  v: {}\ncvms:\n  a: {}\n",
        &[eip()],
        &format!("vpcs:\n  v: {{}}\n{added}cvms:\n  a: {{}}\n"),
    );
    let route = set(
        path(&["route_tables", "v"]),
        Yaml::Map(vec![
            ("vpc".into(), Yaml::word("v")),
            (
                "routes".into(),
                Yaml::List(vec![Yaml::inline([("to", Yaml::word("0.0.0.0/0"))])]),
            ),
        ]),
    );
    changes(
        "cvms:\n  a: {}",
        &[route],
        "cvms:\n  a: {}\nroute_tables:\n  v:\n    vpc: v\n    routes:\n      - {to: 0.0.0.0/0}",
    );
}

#[test]
fn what_aliases_repeat_is_changed_where_it_stands_and_said_to_be_shared() {
    let file = "a: &rules\n  - one # first\nb: *rules\nc: &base\n  k: 1\nd:\n  <<: *base\n";
    let edited = apply(file, &[insert(path(&["b"]), None, "two")]).unwrap();
    assert_eq!(edited.text, file.replace("# first", "# first\n  - two"));
    assert!(edited.shared);
    // What a merge key lends is overridden, not changed for all.
    let edited = apply(file, &[set(path(&["d", "k"]), Yaml::word(2))]).unwrap();
    assert_eq!(edited.text, format!("{file}  k: 2\n"));
    assert!(!edited.shared);
}

#[test]
fn lines_end_as_they_do_in_the_file() {
    changes(
        "a:\r\n  - 1\r\nb: []\r\n",
        &[
            insert(path(&["a"]), None, "2"),
            insert(path(&["a"]), Some(0), "0"),
            insert(path(&["b"]), None, "3"),
        ],
        "a:\r\n  - 0\r\n  - 1\r\n  - 2\r\nb:\r\n  - 3\r\n",
    );
    changes(
        "a: # 网关\n  - 网 # 关\nb: 1\n",
        &[insert(path(&["a"]), None, "二")],
        "a: # 网关\n  - 网 # 关\n  - 二\nb: 1\n",
    );
}

#[test]
fn there_is_not_a_place_for_everything() {
    let at = path(&["a", "b"]);
    let error = apply("a: 1\n", &[set(at.clone(), Yaml::word(1))]).unwrap_err();
    assert_eq!(error, EditError::NoPlace(at));
    assert_eq!(error.to_string(), "there is no place for `a: b`");
    let error = apply("a: [1]\n", &[set(path(&["a"]).item(3), Yaml::word(1))]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no place for `a: 4`"
    );
    let unreadable = apply("a: [", &[set(path(&["a"]), Yaml::word(1))]);
    assert_eq!(unreadable.unwrap_err(), EditError::Unreadable);
}

#[test]
fn words_are_quoted_where_they_would_be_something_else() {
    for text in [
        "a: b", "- x", "*x", "#", "", "x #y", "\"", "a\\b:", "{", "a, b",
    ] {
        let edited = apply("k: {l: [1]}\n", &[insert(path(&["k", "l"]), None, text)]).unwrap();
        let again = apply(&edited.text, &[insert(path(&["k", "l"]), Some(1), "x")]).unwrap();
        let quoted = format!("k: {{l: [1, x, {:?}]}}\n", text);
        assert_eq!(again.text, quoted);
    }
}

/// Every list of rules and routes of the reference network takes an item at every position, and
/// the file stays a network with all its comments.
#[test]
fn the_reference_network_takes_rules_everywhere() {
    let file = include_str!("../../../scenarios/reference/network.yaml");
    let network = Network::from_yaml("reference", file).unwrap();
    let mut tried = 0;
    let mut try_each = |list: Path, len: usize, item: Yaml| {
        for position in 0..=len {
            let change = Change::Insert {
                list: list.clone(),
                before: Some(position),
                item: item.clone(),
            };
            let edited = apply(file, &[change]).unwrap().text;
            Network::from_yaml("edited", &edited).unwrap();
            let mut lines = edited.lines();
            assert!(
                file.lines().all(|line| lines.any(|edited| edited == line)),
                "{edited}"
            );
            tried += 1;
        }
    };
    for group in network
        .security_groups
        .iter()
        .filter(|group| group.mark.line > 0)
    {
        let at = path(&["security_groups", &group.name]);
        try_each(
            at.clone().key("ingress"),
            group.ingress.len(),
            Yaml::word("accept gre from any"),
        );
        try_each(
            at.key("egress"),
            group.egress.len(),
            Yaml::word("accept gre to any"),
        );
    }
    for table in network
        .route_tables
        .iter()
        .filter(|table| table.mark.line > 0)
    {
        let route = [
            ("to", Yaml::word("192.0.2.0/24")),
            ("via", Yaml::word("nat/gw")),
        ];
        let at = path(&["route_tables", &table.name, "routes"]);
        try_each(at, table.routes.len(), Yaml::inline(route));
    }
    assert!(tried > 15, "{tried}");
}

/// What is left of a file takes changes or refuses them, wherever it was cut.
#[test]
fn a_file_that_was_cut_short() {
    let file = include_str!("../../../scenarios/reference/network.yaml");
    let wanted = [
        insert(
            path(&["security_groups", "web", "ingress"]),
            Some(2),
            "accept all from any",
        ),
        set(path(&["cvms", "relay", "sysctl", "x"]), Yaml::word(1)),
        set(
            path(&["nat_gateways", "gw", "eips"]).item(0),
            Yaml::word("gw-2"),
        ),
    ];
    for (end, _) in file.char_indices().step_by(7) {
        for change in &wanted {
            let _ = apply(&file[..end], std::slice::from_ref(change));
        }
    }
}
