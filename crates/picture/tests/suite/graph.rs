//! Graphs of networks: everything is in them, nothing breaks out of them.

use crate::material::{program, scenario, scenarios, traced};
use vpcsim_dataplane::Program;
use vpcsim_picture::{Format, Graph};
use vpcsim_replay::Endpoint;
use vpcsim_replay::trace::{Question, trace};
use vpcsim_testkit::Size;

const FORMATS: [Format; 3] = [Format::Svg, Format::Dot, Format::Mermaid];

/// Fails unless the text is one well-formed XML document.
#[track_caller]
fn assert_xml(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.check_comments = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
            }
            Ok(_) => {}
            Err(error) => panic!("{error} at {}", reader.error_position()),
        }
    }
}

#[test]
fn every_element_of_every_scenario_is_in_every_picture() {
    for name in scenarios() {
        let program = scenario(&name);
        let network = program.network();
        let hosts = network.cvms.iter().map(|cvm| &cvm.name);
        let names = hosts
            .chain(network.subnets.iter().map(|subnet| &subnet.name))
            .chain(network.vpcs.iter().map(|vpc| &vpc.name))
            .chain(network.nat_gateways.iter().map(|gateway| &gateway.name))
            .chain(network.eips.iter().map(|eip| &eip.name))
            .chain(network.peerings.iter().map(|peering| &peering.name))
            .chain(network.externals.iter().map(|external| &external.name))
            .chain(network.havips.iter().map(|havip| &havip.name));
        let names: Vec<&String> = names.collect();
        for format in FORMATS {
            let picture = Graph::new(&program, &name).write(format);
            assert_eq!(picture, Graph::new(&program, &name).write(format), "{name}");
            for element in &names {
                let element = match format {
                    Format::Mermaid => element.replace('_', "#95;"),
                    _ => element.to_string(),
                };
                assert!(
                    picture.contains(&element),
                    "no {element} in {name} as {format:?}"
                );
            }
            if format == Format::Svg {
                assert_xml(&picture);
            }
        }
    }
}

/// Every line on which boxes are joined names boxes that there are.
#[test]
fn lines_join_boxes_that_are_drawn() {
    let large = Size {
        vpcs: 3,
        subnets: 9,
        cvms: 90,
        groups: 2,
        rules: 5,
        acl_rules: 6,
    };
    let mut programs: Vec<Program> = scenarios().iter().map(|name| scenario(name)).collect();
    programs.push(program(&large.network()));
    for program in programs {
        let dot = Graph::new(&program, "all").write(Format::Dot);
        let lines = dot.lines().map(str::trim);
        let (joins, others): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.contains(" -> "));
        let is_drawn = |id: &str| {
            let opened = format!("{id} [");
            others.iter().any(|line| line.starts_with(&opened))
        };
        for join in joins {
            let (from, to) = join.split_once(" -> ").unwrap();
            let to = to.split(' ').next().unwrap();
            assert!(is_drawn(from) && is_drawn(to), "{join}");
        }
    }
}

#[test]
fn a_drop_is_red_and_says_why() {
    let demo = scenario("demo");
    let graph = traced(&demo, "demo", ("db-1", "api-1", 443));
    let svg = graph.write(Format::Svg);
    assert_xml(&svg);
    assert!(svg.contains("v-pill-drop"));
    assert!(svg.contains(">r4–5 ✕ no-route</text>"), "{svg}");
    assert!(svg.contains(
        "the reply is dropped at route: no route of route table partner leads to 10.0.3.10"
    ));
    let dot = graph.write(Format::Dot);
    assert!(dot.contains("color=red"));
    let mermaid = graph.write(Format::Mermaid);
    assert!(mermaid.contains("dropped{{\"✕ no-route\"}}"), "{mermaid}");
    assert!(mermaid.contains("linkStyle"));
}

#[test]
fn a_walk_that_arrives_has_no_red_in_it() {
    let tour = scenario("tour");
    let graph = traced(&tour, "tour", ("laptop", "internet", 443));
    let svg = graph.write(Format::Svg);
    assert!(!svg.contains("\"v-ring\"") && !svg.contains("\"v-pill v-pill-drop\""));
    for part in [
        ">1–3</text>",
        ">4–5</text>",
        ">r1</text>",
        "v-way v-request",
        "v-way v-reply",
    ] {
        assert!(svg.contains(part), "no {part} in {svg}");
    }
    assert!(!graph.write(Format::Dot).contains("dropped"));
}

/// Wherever a packet ends between any two hosts of the demo, the picture is whole.
#[test]
fn every_trace_of_the_demo_can_be_drawn() {
    let demo = scenario("demo");
    let hosts = demo.network().cvms.iter().map(|cvm| cvm.name.clone());
    let mut ends: Vec<String> = hosts.collect();
    for other in [
        "internet",
        "external:office",
        "203.0.113.21",
        "10.0.1.100",
        "10.0.2.250",
    ] {
        ends.push(other.to_owned());
    }
    let (mut drawn, mut dropped) = (0, 0);
    for (from, to) in ends
        .iter()
        .flat_map(|from| ends.iter().map(move |to| (from, to)))
    {
        let end = |name: &str| Endpoint::parse(&demo, name).unwrap();
        let Ok(trace) = trace(&demo, end(from), end(to), Question::default()) else {
            continue;
        };
        let graph = Graph::new(&demo, "demo").with_trace(&trace);
        let svg = graph.write(Format::Svg);
        assert_xml(&svg);
        drawn += 1;
        let lost = trace
            .legs
            .iter()
            .any(|leg| leg.verdict.verdict == "dropped");
        assert_eq!(svg.contains("v-pill v-pill-drop"), lost, "{from} to {to}");
        dropped += usize::from(lost);
    }
    assert!(drawn > 300 && dropped > 50, "{drawn} {dropped}");
}

#[test]
fn text_of_others_stays_text() {
    let hostile = "</title></svg><script>alert(1)</script>\"'&`]|;#%\u{1}\n\\";
    let text = "
vpcs:
  shop: {account: '</svg><script>\"&]', cidr: 10.0.0.0/16, subnets: {web: {cidr: 10.0.1.0/24}}}
cvms:
  数据库_x.y: {subnet: web, address: 10.0.1.10}
";
    let program = program(text);
    for format in FORMATS {
        let picture = Graph::new(&program, hostile).write(format);
        assert!(!picture.contains('\u{1}'));
        match format {
            Format::Svg => {
                assert_xml(&picture);
                assert!(!picture.contains("<script"));
            }
            // Within quotes, and the quotes stay whole.
            Format::Dot => {
                let line = picture
                    .lines()
                    .find(|line| line.contains("alert(1)"))
                    .unwrap();
                assert!(line.contains("\\\"'&amp;"), "{line}");
            }
            Format::Mermaid => {
                let chart = picture.split_once("flowchart").unwrap().1;
                assert!(!chart.contains("<script"), "{chart}");
                assert!(chart.contains("数据库#95;x.y"));
            }
        }
    }
}

#[test]
fn a_large_network_shows_a_few_hosts_of_each_subnet_and_those_that_are_traced() {
    let program = program(&Size::COMPANY.network());
    let svg = Graph::new(&program, "company").write(Format::Svg);
    assert!(svg.contains(">+8 more</text>"));
    assert!(!svg.contains(">c3-7-6</text>"));
    let svg = traced(&program, "company", ("c3-7-6", "c4-2-5", 443)).write(Format::Svg);
    assert!(svg.contains(">c3-7-6</text>") && svg.contains(">c4-2-5</text>"));
}

#[test]
fn the_file_s_ending_says_the_format() {
    for (ending, format) in [
        ("svg", Some(Format::Svg)),
        ("SVG", Some(Format::Svg)),
        ("dot", Some(Format::Dot)),
        ("gv", Some(Format::Dot)),
        ("mmd", Some(Format::Mermaid)),
        ("mermaid", Some(Format::Mermaid)),
        ("png", None),
        ("", None),
    ] {
        assert_eq!(Format::of_ending(ending), format, "{ending}");
    }
}
