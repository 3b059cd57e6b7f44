//! The page of a replay, in a browser.

use crate::chromium::Browser;
use crate::material::{Shelf, demo, page, program, scenario};
use serde_json::json;
use std::path::PathBuf;
use vpcsim_capture::{LinkType, PcapWriter, Resolution};
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::tcp;
use vpcsim_testkit::Size;

const WIDTHS: [u32; 2] = [1280, 400];

/// Fails if the page is wider than the window, complains, or loads anything.
#[track_caller]
fn assert_calm(browser: &mut Browser, what: &str) {
    let wide = browser.run("[document.scrollingElement.scrollWidth, innerWidth]");
    let (page, window) = (wide[0].as_u64().unwrap(), wide[1].as_u64().unwrap());
    assert!(page <= window, "{what}: {page} pixels in {window}");
    assert_eq!(browser.complaints(), Vec::<String>::new(), "{what}");
}

/// The page of the demo in a browser as wide as that.
fn opened(width: u32, dark: bool) -> Option<(Browser, Shelf)> {
    let mut browser = Browser::start()?;
    let (path, shelf) = shelved();
    browser.look(width, dark);
    browser.open(&path);
    Some((browser, shelf))
}

/// The page of the demo as a file.
fn shelved() -> (PathBuf, Shelf) {
    let (program, report) = demo();
    let shelf = Shelf::new();
    let path = shelf.put(
        "demo.html",
        &vpcsim_picture::page(&program, "demo", &report),
    );
    (path, shelf)
}

/// How many pixels of each canvas are not empty.
fn painted(browser: &mut Browser) -> Vec<u64> {
    let counts = browser.run(
        "[...document.querySelectorAll('canvas')].map((canvas) => canvas.getContext('2d') \
         .getImageData(0, 0, canvas.width, canvas.height).data.filter((value, at) => at % 4 === 3 && value).length)",
    );
    let counts = counts.as_array().unwrap().iter();
    counts.map(|count| count.as_u64().unwrap()).collect()
}

#[test]
fn the_demo_looks_right_narrow_and_wide_light_and_dark() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (path, _shelf) = shelved();
    let mut pictures = Vec::new();
    for width in WIDTHS {
        for dark in [false, true] {
            let scheme = if dark { "dark" } else { "light" };
            let name = format!("page-{width}-{scheme}");
            browser.look(width, dark);
            browser.open(&path);
            assert_calm(&mut browser, &name);
            let painted = painted(&mut browser);
            assert_eq!(painted.len(), 2, "a timeline and the use of tables");
            assert!(painted.iter().all(|&pixels| pixels > 5_000), "{painted:?}");
            let ground = browser.run("getComputedStyle(document.body).backgroundColor");
            let wanted = if dark {
                "rgb(18, 22, 27)"
            } else {
                "rgb(255, 255, 255)"
            };
            assert_eq!(ground, wanted);
            pictures.push(browser.screenshot(&name));
        }
    }
    // Four looks, four pictures.
    for (at, picture) in pictures.iter().enumerate() {
        assert!(picture.len() > 20_000);
        assert!(!pictures[..at].contains(picture));
    }
}

#[test]
fn a_change_of_the_window_or_of_the_colours_draws_anew() {
    let Some((mut browser, _shelf)) = opened(1280, false) else {
        return;
    };
    let corner = "(() => { const c = document.querySelector('#timeline-chart canvas'); \
                  return [c.width, c.toDataURL().length, c.toDataURL()]; })()";
    let before = browser.run(corner);
    browser.look(1280, true);
    browser.settle();
    let dark = browser.run(corner);
    assert_eq!(before[0], dark[0]);
    assert_ne!(
        before[2], dark[2],
        "the axes are still those of a light page"
    );
    browser.look(400, true);
    browser.settle();
    let narrow = browser.run(corner);
    assert!(narrow[0].as_u64() < dark[0].as_u64());
    assert_calm(&mut browser, "after both");
}

#[test]
fn a_click_on_a_drop_shows_it_alone_on_the_timeline() {
    let Some((mut browser, _shelf)) = opened(1280, false) else {
        return;
    };
    let labels = "[...document.querySelectorAll('#timeline-chart .u-legend .u-label')].map((l) => l.textContent)";
    let says = "document.querySelector('#timeline-says').textContent";
    let pressed = "[...document.querySelectorAll('[data-drop] [aria-pressed=true]')].length";
    assert_eq!(browser.run(labels).as_array().unwrap().len(), 7);
    assert_eq!(browser.run(pressed), 0);

    browser.click("tr[data-drop='1'] button");
    let shown = browser.run(labels);
    assert_eq!(shown.as_array().unwrap().len(), 2, "{shown}");
    let row = browser.run("document.querySelector('tr[data-drop=\"1\"] button').textContent");
    let (label, row) = (shown[1].as_str().unwrap(), row.as_str().unwrap());
    assert!(label.starts_with(row), "{label}");
    assert!(browser.run(says).as_str().unwrap().ends_with(label));
    assert_eq!(browser.run(pressed), 1);

    // Once more, and all is as it was.
    browser.click("tr[data-drop='1'] button");
    assert_eq!(browser.run(labels).as_array().unwrap().len(), 7);
    assert_eq!(browser.run(pressed), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn verdicts_can_be_left_out_and_rows_unfolded() {
    let Some((mut browser, _shelf)) = opened(400, false) else {
        return;
    };
    let labels = "[...document.querySelectorAll('#timeline-chart .u-legend .u-label')].map((l) => l.textContent)";
    browser.click("#verdicts button:first-child");
    let shown = browser.run(labels);
    assert!(
        !shown.as_array().unwrap().contains(&json!("delivered")),
        "{shown}"
    );
    browser.click("#verdicts button:first-child");
    assert!(
        browser
            .run(labels)
            .as_array()
            .unwrap()
            .contains(&json!("delivered"))
    );

    let rows =
        "[...document.querySelectorAll('tr[data-drop]')].filter((row) => row.offsetHeight).length";
    assert_eq!(browser.run(rows), 12);
    browser.click("#more");
    let all = browser.run("document.querySelectorAll('tr[data-drop]').length");
    assert!(all.as_u64() > Some(12));
    assert_eq!(browser.run(rows), all);
    assert_calm(&mut browser, "unfolded");
}

#[test]
fn a_click_on_a_cell_tells_its_numbers() {
    let Some((mut browser, _shelf)) = opened(400, true) else {
        return;
    };
    for (table, words) in [("talks", " packets, "), ("reach", "app-1")] {
        let detail = format!("document.querySelector('#{table} .detail').textContent");
        assert!(browser.run(&detail).as_str().unwrap().starts_with("Choose"));
        browser.click(&format!("#{table} td .cell[data-told*='{words}']"));
        let told = browser.run(&detail);
        let told = told.as_str().unwrap();
        assert!(told.contains(words) && told.contains(" to "), "{told}");
    }
    assert_calm(&mut browser, "two cells chosen");
}

#[test]
fn arrows_lead_from_cell_to_cell() {
    let Some((mut browser, _shelf)) = opened(1280, false) else {
        return;
    };
    browser.run("document.querySelector('#talks td .cell').focus()");
    let place = "(() => { const td = document.activeElement.closest('td'); return [td.parentElement.rowIndex, td.cellIndex]; })()";
    let start = browser.run(place);
    let mut seen = vec![start.clone()];
    for key in [
        "ArrowRight",
        "ArrowDown",
        "ArrowLeft",
        "ArrowRight",
        "ArrowUp",
    ] {
        for kind in ["rawKeyDown", "keyUp"] {
            browser.ask(
                "Input.dispatchKeyEvent",
                json!({"type": kind, "key": key, "code": key}),
            );
        }
        let here = browser.run(place);
        assert_ne!(Some(&here), seen.last(), "{key}");
        seen.push(here);
    }
    let stops = "[...document.querySelectorAll('#talks td .cell')].filter((cell) => cell.tabIndex === 0).length";
    assert_eq!(browser.run(stops), 1);
    assert_calm(&mut browser, "arrows");
}

/// Without scripts the page is tables, and they have everything but the charts.
#[test]
fn the_page_reads_without_scripts() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let (path, _shelf) = shelved();
    browser.forbid_scripts();
    browser.look(400, false);
    browser.open(&path);
    browser.screenshot("page-400-no-scripts");
    let shown = browser.run(
        "[document.querySelectorAll('.scripted').length, \
          [...document.querySelectorAll('.scripted')].filter((e) => e.offsetHeight).length, \
          [...document.querySelectorAll('table')].every((t) => t.caption && t.caption.textContent), \
          [...document.querySelectorAll('tr[data-drop]')].every((row) => row.offsetHeight)]",
    );
    assert_eq!(shown, json!([4, 0, true, true]));
    assert_calm(&mut browser, "without scripts");
}

#[test]
fn names_that_are_markup_stay_names() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let hostile = "</script></title><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">'&\u{1}";
    let long = "x".repeat(300);
    let empty = nothing();
    let names = [hostile, long.as_str()];
    let captures: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, empty.as_slice())).collect();
    let text = page(&scenario("tour"), &format!("{hostile}{long}"), &captures);
    let shelf = Shelf::new();
    let path = shelf.put("hostile.html", &text);
    for width in WIDTHS {
        browser.look(width, false);
        browser.open(&path);
        assert_ne!(browser.run("document.title"), "taken");
        assert_eq!(browser.run("document.querySelectorAll('img').length"), 0);
        let title = browser.run("document.querySelector('h1').textContent");
        assert!(title.as_str().unwrap().contains("</script>"), "{title}");
        assert_calm(&mut browser, "hostile names");
    }
}

/// An empty capture and a capture of one packet.
#[test]
fn little_is_a_page_too() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let shelf = Shelf::new();
    let tour = scenario("tour");
    let empty = nothing();
    let packet = tcp(
        ([10, 0, 1, 10], 4000),
        ([198, 51, 100, 7], 443),
        TcpFlags::SYN,
    );
    let one = capture_of(&[(1_767_225_600_000_000_000, packet.bytes())]);
    for (name, bytes, canvases) in [("empty", &empty, 0), ("one", &one, 2)] {
        let text = page(&tour, name, &[(name, bytes)]);
        let path = shelf.put(&format!("{name}.html"), &text);
        for width in WIDTHS {
            browser.look(width, true);
            browser.open(&path);
            assert_calm(&mut browser, name);
            assert_eq!(painted(&mut browser).len(), canvases, "{name}");
            browser.screenshot(&format!("page-{name}-{width}"));
        }
    }
}

/// Some ninety hosts: the heat map has numbers for names, the graph is left to a page of its own.
#[test]
fn many_hosts_fit() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let size = Size {
        vpcs: 4,
        subnets: 40,
        cvms: 90,
        groups: 10,
        rules: 10,
        acl_rules: 20,
    };
    let empty = nothing();
    let text = page(&program(&size.network()), "many", &[("empty", &empty)]);
    let shelf = Shelf::new();
    let path = shelf.put("many.html", &text);
    for width in WIDTHS {
        browser.look(width, false);
        browser.open(&path);
        assert_calm(&mut browser, "many hosts");
        browser.screenshot(&format!("page-many-{width}"));
    }
    assert_eq!(
        browser.run("document.querySelectorAll('.matrix.compact').length"),
        1
    );
    assert_eq!(browser.run("document.querySelectorAll('svg').length"), 0);
}

/// A pcap file of raw IPv4 packets with their times.
fn capture_of(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), Resolution::Nanos, LinkType::RAW, 0).unwrap();
    for (time, bytes) in packets {
        writer.write(*time, bytes.len() as u32, bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn nothing() -> Vec<u8> {
    capture_of(&[])
}
