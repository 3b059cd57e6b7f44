//! The page of a replay, read as text.

use crate::material::{demo, program, root};
use std::fs;
use vpcsim_testkit::Size;

#[test]
fn the_same_replay_gives_the_same_page() {
    let ((program, report), (again, other)) = (demo(), demo());
    let page = vpcsim_picture::page(&program, "demo", &report);
    assert!(page == vpcsim_picture::page(&again, "demo", &other));
}

/// Nothing in it names another file; what would load one is forbidden besides.
#[test]
fn the_page_loads_nothing() {
    let (program, report) = demo();
    let page = vpcsim_picture::page(&program, "demo", &report);
    for way_out in [
        " src=",
        "href=",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ] {
        assert!(!page.contains(way_out), "{way_out}");
    }
    // Addresses are names: of XML's vocabulary, and in the library's notice.
    let addresses = page.match_indices("http").map(|(at, _)| &page[at..]);
    for address in addresses.filter(|address| !address.starts_with("http-equiv")) {
        let known = [
            "http://www.w3.org/2000/svg\"",
            "https://github.com/leeoniya/uPlot (v1.6.32)",
        ];
        assert!(
            known.iter().any(|known| address.starts_with(known)),
            "{}",
            &address[..80]
        );
    }
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-";
    let before_anything = page.find(policy).unwrap();
    assert!(before_anything < page.find("<style>").unwrap());
    assert!(before_anything < page.find("<script").unwrap());
}

/// Every drop that the report counts is on the page with its rule and line, and the numbers are
/// those of the report.
#[test]
fn the_page_says_what_the_report_says() {
    let (program, report) = demo();
    let page = vpcsim_picture::page(&program, "demo", &report);
    for row in &report.drops {
        if !row.element.starts_with("address") {
            assert!(page.contains(&row.element), "{row:?}");
        }
        if let Some(rule) = &row.rule {
            assert!(page.contains(rule.as_str()), "{row:?}");
        }
    }
    for words in [
        "<b>2,150</b>",
        "<b>853</b>",
        "172.31.3.0/24 via havip/standby",
        "routes 7 (line 112)",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// A network of two thousand hosts: the parts that would not fit say where to look instead.
#[test]
fn a_large_network_has_a_page_that_says_what_it_leaves_out() {
    let program = program(&Size::COMPANY.network());
    let capture = fs::read(root().join("pcaps/demo.pcapng")).unwrap();
    let page = crate::material::page(&program, "large", &[("demo.pcapng", &capture)]);
    assert!(page.contains("classes of hosts are too many for a page"));
    assert!(!page.contains("<svg"));
}

/// Without a timeline the page is shorter, and whole.
#[test]
fn a_report_without_a_timeline_is_a_page() {
    let (program, mut report) = demo();
    report.timeline = None;
    let page = vpcsim_picture::page(&program, "demo", &report);
    assert!(!page.contains("<script"));
    assert!(page.contains("id=\"reach\"") && page.ends_with("</html>\n"));
}
