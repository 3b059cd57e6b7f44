//! Drawings of networks, in a browser.

use crate::chromium::Browser;
use crate::material::{Shelf, program, scenario, scenarios, traced};
use vpcsim_dataplane::Program;
use vpcsim_picture::{Format, Graph};
use vpcsim_testkit::Size;

/// Every text of a group that does not lie within the group's rectangle.
const OVERFLOWS: &str = "[...document.querySelectorAll('g')].flatMap((group) => { \
    const box = group.querySelector('rect').getBBox(); \
    return [...group.querySelectorAll('text:not([transform])')].filter((text) => { \
        const own = text.getBBox(); \
        return own.x < box.x || own.x + own.width > box.x + box.width || own.y < box.y || own.y + own.height > box.y + box.height + 1; \
    }).map((text) => text.textContent); })";

/// Boxes for hosts and gateways of which two overlap.
const OVERLAPS: &str = "(() => { const boxes = [...document.querySelectorAll('.v-host, .v-gate, .v-pale')].map((rect) => rect.getBBox()); \
    let met = 0; for (const a of boxes) for (const b of boxes) \
    if (a !== b && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) met++; return met; })()";

/// Lines and boxes that leave the drawing.
const OUTSIDE: &str = "(() => { const all = document.documentElement.viewBox.baseVal; \
    return [...document.querySelectorAll('rect, path, text')].filter((one) => { const box = one.getBBox(); \
    return box.x < 0 || box.y < 0 || box.x + box.width > all.width + 1 || box.y + box.height > all.height + 1; }).map((one) => one.outerHTML); })()";

#[track_caller]
fn assert_tidy(browser: &mut Browser, what: &str) {
    for (question, nothing) in [
        (OVERFLOWS, serde_json::json!([])),
        (OVERLAPS, serde_json::json!(0)),
        (OUTSIDE, serde_json::json!([])),
    ] {
        assert_eq!(browser.run(question), nothing, "{what}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new(), "{what}");
}

/// Thirty hosts, long names and names of another script among them.
fn thirty() -> Program {
    let mut text = String::from(
        "regions: {guangzhou: {zones: [guangzhou-3, guangzhou-4]}, shanghai: {zones: [shanghai-2]}}\n\
         vpcs:\n  shop:\n    region: guangzhou\n    cidr: 10.0.0.0/16\n    subnets:\n",
    );
    let subnets = [
        "web",
        "app",
        "缓存",
        "a-subnet-with-a-name-that-goes-on-and-on-and-on",
    ];
    for (at, name) in subnets.iter().enumerate() {
        text += &format!(
            "      {name}: {{cidr: 10.0.{at}.0/24, zone: guangzhou-{}}}\n",
            3 + at % 2
        );
    }
    text += "  far: {region: shanghai, cidr: 10.1.0.0/16, subnets: {far-a: {cidr: 10.1.0.0/24}, empty: {cidr: 10.1.1.0/24}}}\n\
             peerings: {p: {vpcs: [shop, far]}}\n\
             eips: {a: {address: 203.0.113.11, bind: WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW}}\n\
             cvms:\n  WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW: {subnet: web, address: 10.0.0.100}\n  \
             数据库服务器主节点名称很长很长很长很长: {subnet: app, address: 10.0.1.100}\n";
    for n in 0..30 {
        let subnet = subnets[n % 4];
        text += &format!(
            "  host-{n}: {{subnet: {subnet}, address: 10.0.{}.{}}}\n",
            n % 4,
            10 + n
        );
    }
    program(&text)
}

#[test]
fn text_stays_in_its_box_and_boxes_apart() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let shelf = Shelf::new();
    browser.look(1280, false);
    let demo = scenario("demo");
    let thirty = thirty();
    let company = program(&Size::COMPANY.network());
    let drawings = [
        ("demo", Graph::new(&demo, "demo")),
        (
            "demo-dropped",
            traced(&demo, "demo", ("db-1", "api-1", 443)),
        ),
        (
            "demo-nat",
            traced(&demo, "demo", ("app-1", "internet", 443)),
        ),
        (
            "demo-eip",
            traced(&demo, "demo", ("internet", "web-1", 443)),
        ),
        (
            "demo-vpn",
            traced(&demo, "demo", ("bastion", "192.168.0.5", 22)),
        ),
        ("demo-acl", traced(&demo, "demo", ("web-1", "db-1", 5432))),
        (
            "thirty",
            Graph::new(&thirty, &"a title that goes on ".repeat(20)),
        ),
        (
            "thirty-traced",
            traced(&thirty, "thirty", ("host-1", "host-2", 22)),
        ),
        ("company", Graph::new(&company, "company")),
    ];
    for (name, graph) in drawings {
        for dark in [false, true] {
            browser.look(1400, dark);
            let svg = graph.write(Format::Svg);
            browser.open(&shelf.put(&format!("{name}.svg"), &svg));
            assert_tidy(&mut browser, name);
            if name != "company" {
                let scheme = if dark { "dark" } else { "light" };
                browser.screenshot(&format!("graph-{name}-{scheme}"));
            }
        }
    }
}

#[test]
fn every_scenario_is_tidy() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let shelf = Shelf::new();
    browser.look(1400, false);
    for name in scenarios() {
        let program = scenario(&name);
        let svg = Graph::new(&program, &name).write(Format::Svg);
        browser.open(&shelf.put(&format!("{name}.svg"), &svg));
        assert_tidy(&mut browser, &name);
    }
}
