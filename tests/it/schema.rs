//! The schema takes what the loader takes, and finds mistakes of shape. The validator knows as much of JSON Schema as the
//! schema uses.

use devgrant::catalog::Catalog;
use devgrant::scenario::Scenario;
use serde_json::{Map, Value, json};

use crate::repository;

struct Validator {
    root: Value,
}

impl Validator {
    /// The first mistake, if there is one.
    fn mistake(&self, text: &str) -> Option<String> {
        let value: Value = serde_yaml::from_str(text).unwrap();
        self.check(&self.root, &value, "").err()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let Some(schema) = schema.as_object() else { return Ok(()) };
        for (keyword, rule) in schema {
            match keyword.as_str() {
                "$ref" => {
                    let pointer = rule.as_str().unwrap().trim_start_matches('#');
                    self.check(self.root.pointer(pointer).unwrap(), value, at)?;
                }
                "allOf" => {
                    rule.as_array().unwrap().iter().try_for_each(|part| self.check(part, value, at))?
                }
                "anyOf" | "oneOf" => {
                    let parts = rule.as_array().unwrap();
                    let fitting = parts.iter().filter(|part| self.check(part, value, at).is_ok()).count();
                    expect(fitting == 1 || (fitting > 1 && keyword == "anyOf"), || {
                        format!("{at}: {value} fits {fitting} of {} choices", parts.len())
                    })?;
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}/{index}"))?;
                    }
                }
                "properties" | "additionalProperties" => {}
                _ => simple(keyword, rule, value, at)?,
            }
        }
        self.members(schema, value, at)
    }

    fn members(&self, schema: &Map<String, Value>, value: &Value, at: &str) -> Result<(), String> {
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (known.and_then(|known| known.get(name)), schema.get("additionalProperties")) {
                (Some(rule), _) | (None, Some(rule @ Value::Object(_))) => self.check(rule, member, &at)?,
                (None, Some(Value::Bool(false))) => return Err(format!("{at}: unknown")),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Keywords that look at the value itself.
fn simple(keyword: &str, rule: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fits = match keyword {
        "$schema" | "$id" | "title" | "description" | "definitions" | "format" | "default" | "pattern" => {
            true
        }
        "type" => {
            let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
            names.iter().any(|name| match name.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("unknown type {other}"),
            })
        }
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "minProperties" => value.as_object().is_none_or(|all| all.len() as u64 >= rule.as_u64().unwrap()),
        "required" => {
            let names = rule.as_array().unwrap();
            value
                .as_object()
                .is_none_or(|all| names.iter().all(|name| all.contains_key(name.as_str().unwrap())))
        }
        "dependencies" => value.as_object().is_none_or(|all| {
            rule.as_object().unwrap().iter().all(|(name, needed)| {
                let mut needed = needed.as_array().unwrap().iter();
                !all.contains_key(name) || needed.all(|name| all.contains_key(name.as_str().unwrap()))
            })
        }),
        other => panic!("the schema uses {other}, which this validator does not know"),
    };
    expect(fits, || format!("{at}: {value} against {keyword} {rule}"))
}

fn expect(fits: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if fits { Ok(()) } else { Err(otherwise()) }
}

fn validator() -> Validator {
    Validator { root: serde_json::from_str(&devgrant::suite::schema()).unwrap() }
}

#[test]
fn the_shipped_suites_fit_the_schema() {
    let validator = validator();
    for source in Catalog::builtin_sources() {
        assert_eq!(validator.mistake(&source.text), None, "{}", source.name);
    }
}

#[test]
fn mistakes_of_shape_do_not_fit_the_schema() {
    let validator = validator();
    for name in [
        "grade-without-reason",
        "level-and-severity",
        "no-level",
        "unknown-capability",
        "unknown-key",
        "unknown-matcher",
        "unknown-outcome",
        "unknown-verb",
    ] {
        let text = repository::text(&format!("fixtures/suites-broken/{name}.yaml"));
        assert!(validator.mistake(&text).is_some(), "{name}");
    }
}

#[test]
fn load_scenarios_have_a_schema_that_fits_them() {
    let validator = Validator { root: serde_json::from_str(&Scenario::schema()).unwrap() };
    for source in Scenario::builtin_sources() {
        assert_eq!(validator.mistake(&source.text), None, "{}", source.name);
    }
    for name in [
        "empty-polls",
        "missing-why",
        "two-arrivals",
        "unknown-arrival",
        "unknown-choice",
        "unknown-key",
        "unknown-polls",
        "wrong-mode",
    ] {
        let text = repository::text(&format!("fixtures/scenarios-broken/{name}.yaml"));
        assert!(validator.mistake(&text).is_some(), "{name}");
    }
    let text = validator.root.to_string();
    assert!(!text.contains(r#""type":"null""#) && !text.contains("(by shape)"));
}

#[test]
fn the_schema_says_what_it_is() {
    let schema = validator().root;
    assert_eq!(schema["$schema"], json!("http://json-schema.org/draft-07/schema#"));
    for pointer in ["/properties/checks/description", "/definitions/Check/properties/why/description"] {
        assert!(schema.pointer(pointer).is_some_and(Value::is_string), "{pointer}");
    }
    let text = schema.to_string();
    assert!(!text.contains(r#""type":"null""#) && !text.contains("(by shape)"));
    let verbs = schema["definitions"]["Step"]["oneOf"].as_array().unwrap();
    assert_eq!(verbs.len(), 19);
}
