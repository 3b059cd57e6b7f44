//! The JSON Schema describes what the reader reads.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use regex::Regex;
use serde_json::{Value, json};
use vpcsim_network::Network;

const REFERENCE: &str = include_str!("../../../scenarios/reference/network.yaml");

/// What is wrong with `value` by `schema`. Knows the keywords that the schema
/// uses and fails on any other.
fn violations(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("{path}: {what}: {value}"));
    let fits = |schema: &Value| violations(root, schema, value, path).is_empty();
    let keywords = schema.as_object().expect("a schema is an object");
    for (keyword, wanted) in keywords {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "examples" => {}
            "properties" | "patternProperties" | "additionalProperties" => {}
            "$ref" => {
                let name = wanted.as_str().and_then(|r| r.strip_prefix("#/$defs/"));
                let target = &root["$defs"][name.expect("a local reference")];
                assert!(target.is_object(), "{wanted} leads nowhere");
                if !fits(target) {
                    let inner = violations(root, target, value, path);
                    wrong(format!("by {wanted}: {inner:?}"));
                }
            }
            "anyOf" => {
                if !wanted.as_array().unwrap().iter().any(fits) {
                    wrong("fits none".to_owned());
                }
            }
            "type" => {
                let types = match wanted {
                    Value::Array(types) => types.clone(),
                    one => vec![one.clone()],
                };
                let is = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                if !types.contains(&json!(is)) {
                    wrong(format!("not {wanted}"));
                }
            }
            "const" if value != wanted => wrong(format!("not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                wrong(format!("not in {wanted}"))
            }
            "minimum" if value.as_u64() < wanted.as_u64() => wrong(format!("below {wanted}")),
            "maximum" if value.as_u64() > wanted.as_u64() => wrong(format!("above {wanted}")),
            "const" | "enum" | "minimum" | "maximum" | "minItems" => {}
            "pattern" => {
                let pattern = Regex::new(wanted.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    wrong(format!("does not match {wanted}"));
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    for violation in violations(root, wanted, item, &format!("{path}/{i}")) {
                        wrong(violation);
                    }
                }
            }
            "required" => {
                for key in wanted.as_array().unwrap() {
                    if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
                        wrong(format!("lacks {key}"));
                    }
                }
            }
            other => panic!("keyword {other} is not known to this test"),
        }
    }
    for (key, member) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        let mut of_key: Vec<&Value> = schema["properties"].get(key).into_iter().collect();
        for (pattern, schema) in schema["patternProperties"]
            .as_object()
            .into_iter()
            .flatten()
        {
            if Regex::new(pattern).unwrap().is_match(key) {
                of_key.push(schema);
            }
        }
        if of_key.is_empty() && keywords.contains_key("additionalProperties") {
            of_key.push(&schema["additionalProperties"]);
        }
        for schema in of_key {
            if schema == &json!(false) {
                found.push(format!("{path}: no such key"));
            } else {
                found.extend(violations(root, schema, member, &path));
            }
        }
    }
    found
}

/// YAML as JSON, by the core schema's rules for plain words.
fn json_of(yaml: &str) -> Value {
    use saphyr_parser::{Event, Parser, ScalarStyle};
    let mut open: Vec<(Value, Option<String>)> = vec![(json!([]), None)];
    for event in Parser::new_from_str(yaml) {
        let done = match event.unwrap().0 {
            Event::MappingStart(..) => {
                open.push((json!({}), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push((json!([]), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().unwrap().0,
            Event::Scalar(text, style, _, _) => match (&*text, style) {
                ("" | "~" | "null", ScalarStyle::Plain) => Value::Null,
                ("true", ScalarStyle::Plain) => json!(true),
                ("false", ScalarStyle::Plain) => json!(false),
                (word, ScalarStyle::Plain) => word.parse::<u64>().map_or(json!(word), |n| json!(n)),
                (word, _) => json!(word),
            },
            _ => continue,
        };
        let (parent, key) = open.last_mut().unwrap();
        match (parent, key.take()) {
            (Value::Array(items), _) => items.push(done),
            (Value::Object(members), Some(name)) => {
                members.insert(name, done);
            }
            (_, _) => {
                *key = Some(
                    done.as_str()
                        .map_or_else(|| done.to_string(), str::to_owned),
                )
            }
        }
    }
    open.pop().unwrap().0[0].take()
}

fn check(yaml: &str) -> Vec<String> {
    let schema = Network::schema();
    violations(&schema, &schema, &json_of(yaml), "")
}

#[test]
fn the_reference_file_fits() {
    assert_eq!(check(REFERENCE), Vec::<String>::new());
}

#[test]
fn what_the_reader_refuses_by_key_or_word_does_not_fit() {
    for (good, bad) in [
        ("region: guangzhou", "regoin: guangzhou"),
        ("accept tcp 8080 from web", "allow tcp 8080 from web"),
        ("accept tcp 80 from any", "accept tcp 80 to any"),
        ("cidr: 10.9.0.0/16", "cidr: 10.9.0.0"),
        ("via: eip", "via: internet"),
        ("mode: direct", "mode: dircet"),
        ("spec: small", "spec: tiny"),
        ("bandwidth: 200", "bandwidth: 5001"),
        ("strict_snat: false", "strict_snat: nope"),
        ("fabric_ttl: 0", "fabric_ttl: 2"),
        ("eth1.rp_filter: 2", "eth1.rp_filter: 3"),
        ("net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.rp_filtre"),
        ("tcp:3306", "sctp:3306"),
        ("address: 10.0.1.10 ", "addres: 10.0.1.10 "),
    ] {
        let broken = REFERENCE.replacen(good, bad, 1);
        assert_ne!(broken, REFERENCE, "{good}");
        assert_ne!(check(&broken), Vec::<String>::new(), "{bad}");
        assert!(Network::from_yaml("test.yaml", &broken).is_err(), "{bad}");
    }
}

/// Every key of the schema stands in the reference file or is one of two ways to say a thing.
#[test]
fn the_reference_file_uses_every_key() {
    let schema = Network::schema();
    let elsewhere = ["cidr", "address", "addresses", "services", "default"];
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        for key in definition["properties"].as_object().unwrap().keys() {
            let used = REFERENCE.contains(&format!("{key}:"));
            let deeper = matches!(name.as_str(), "conntrack-section");
            assert!(
                used || deeper || elsewhere.contains(&key.as_str()),
                "{name}.{key}"
            );
            assert_ne!(
                definition["properties"][key]["description"],
                Value::Null,
                "{name}.{key}"
            );
        }
    }
}
