//! The JSON Schema of a suite file, from the types, for editors that complete and check while one writes.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::model::Suite;

/// The schema, as the text of `suites/schema.json`.
///
/// It is of draft 7, which the language servers of editors know best. It does not know what names and values mean:
/// `devgrant validate` finds those mistakes.
#[must_use]
pub fn schema() -> String {
    let mut schema = value_of::<Suite>("A suite of devgrant", "schema.json");
    if let Some(check) = schema.pointer_mut("/definitions/Check").and_then(Value::as_object_mut) {
        let one_of =
            json!([{ "required": ["level"] }, { "required": ["severity"] }, { "required": ["card"] }]);
        check.insert("oneOf".to_owned(), one_of);
    }
    text(schema)
}

/// The schema of another file that people write beside the suites, as text.
#[must_use]
pub fn schema_of<T: JsonSchema>(title: &str, id: &str) -> String {
    text(value_of::<T>(title, id))
}

fn value_of<T: JsonSchema>(title: &str, id: &str) -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft07());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
        root.insert("$id".to_owned(), json!(id));
    }
    schema
}

fn text(mut schema: Value) -> String {
    // Another crate may have serde_json keep the order in which members came.
    schema.sort_all_objects();
    // Of a tree of strings, lists and maps with text keys; this cannot fail.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Takes out what the types allow and nobody writes: `null`, and defaults of nothing.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            members.values_mut().for_each(tidy);
            if members.get("default").is_some_and(is_nothing) {
                members.remove("default");
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            without_null(members);
        }
        _ => {}
    }
}

/// `anyOf` with `null` is what is left of it; in `allOf`, because draft 7 ignores everything beside a `$ref`.
fn without_null(members: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = members.get_mut("anyOf") else { return };
    let before = choices.len();
    choices.retain(|choice| *choice != json!({ "type": "null" }));
    if choices.len() < before && choices.len() == 1 {
        let choices = members.remove("anyOf").unwrap_or_default();
        members.insert("allOf".to_owned(), choices);
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
