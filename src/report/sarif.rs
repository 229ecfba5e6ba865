//! SARIF 2.1.0, for pages of code scanning: a rule for each check that found something, a result for each failure and
//! warning, at the line of the target file that says which server is judged.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::judgement::is_known;
use crate::event::CaseResult;
use crate::record::RunRecord;
use crate::verdict::Verdict;

/// Where the shape of this document is described.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the document.
pub(super) fn write(record: &RunRecord) -> Vec<u8> {
    let found: Vec<&CaseResult> =
        record.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail | Verdict::Warn)).collect();
    let checks: BTreeSet<&str> = found.iter().map(|case| case.check.as_str()).collect();
    let rules: Vec<Value> = checks
        .iter()
        .filter_map(|check| found.iter().find(|case| case.check == *check))
        .map(|case| rule(case))
        .collect();
    let results: Vec<Value> = found
        .iter()
        .map(|case| {
            let index = checks.iter().position(|check| *check == case.check);
            result(case, index, record)
        })
        .collect();
    let is_whole = record.ended.as_ref().is_some_and(|ended| !ended.interrupted);
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "devgrant",
                "version": record.began.as_ref().map_or(env!("CARGO_PKG_VERSION"), |began| &began.devgrant),
                "rules": rules,
            } },
            "invocations": [{ "executionSuccessful": is_whole, "exitCode": record.exit_code() }],
            "results": results,
        }],
    });
    serde_json::to_vec_pretty(&document).unwrap_or_default()
}

fn rule(case: &CaseResult) -> Value {
    json!({
        "id": case.check,
        "shortDescription": { "text": case.title },
        "fullDescription": { "text": format!("{} {}", case.clause, case.why) },
        "help": { "text": format!("devgrant explain {}", case.check) },
        "properties": { "tags": [case.weight.label(), case.clause], "requirements": case.requirements },
    })
}

fn result(case: &CaseResult, index: Option<usize>, record: &RunRecord) -> Value {
    let said: Vec<String> = case
        .mismatches
        .iter()
        .map(|mismatch| format!("expected {}, got {}", mismatch.expected, mismatch.actual))
        .collect();
    let (file, line) = record
        .began
        .as_ref()
        .and_then(|began| began.target_file.as_ref())
        .map_or(("devgrant", 1), |place| (place.path.as_str(), place.line));
    let target = record.began.as_ref().map_or("", |began| began.target.as_str());
    let mut result = json!({
        "ruleId": case.check,
        "level": if case.verdict == Verdict::Fail { "error" } else { "warning" },
        "message": { "text": format!("{}: {}", case.title, said.join("; ")) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(file) },
            "region": { "startLine": line },
        } }],
        "partialFingerprints": { "checkAndTarget/v1": format!("{} {target}", case.case()) },
    });
    if let (Some(object), Some(index)) = (result.as_object_mut(), index) {
        object.insert("ruleIndex".to_owned(), json!(index));
        if is_known(case) {
            let why = case.known.as_deref().unwrap_or_default();
            object.insert("suppressions".to_owned(), json!([{ "kind": "external", "justification": why }]));
        }
    }
    result
}

/// A path as a relative reference (RFC 3986 §4.2): what is no letter, digit or mark of a path is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
