//! The suites beside each other: ids that come twice, file names, controls in other checks.

use std::collections::HashMap;

use super::check;
use super::spot::Spot;
use crate::diagnostic::{Diagnostic, Place, closest};
use crate::requirement::Requirements;
use crate::suite::{Check, Suite};
use crate::yaml::{Loaded, Source};

/// A suite file and what came of reading it.
#[derive(Debug)]
pub struct SuiteFile<'a> {
    /// The file.
    pub source: &'a Source,
    /// What it says.
    pub loaded: Loaded<Suite>,
}

/// Every mistake of these files, of their words and of their meaning, in the order of the files.
#[must_use]
pub fn validate(files: &[SuiteFile<'_>], requirements: &Requirements) -> Vec<Diagnostic> {
    let ids = Ids::of(files);
    let mut suites = HashMap::new();
    let mut lines = HashMap::new();
    let mut diagnostics = Vec::new();
    for SuiteFile { source, loaded } in files {
        let mut found = loaded.diagnostics.clone();
        if let Some(suite) = &loaded.value {
            let at = Spot::root(&loaded.marks);
            whole(suite, source, &at, &mut suites, &mut found);
            let mut checks = HashMap::new();
            for (index, check) in suite.checks.iter().enumerate() {
                let at = at.to("checks").to(index);
                twice(suite, check, &at, &mut checks, &mut found);
                same_line(check, &at, &mut lines, &mut found);
                if !at.is_pruned() {
                    check::check(check, &at, requirements, &mut found);
                    control_by(suite, check, &at, &ids, &mut found);
                }
            }
        }
        found.sort_by_key(|mistake| mistake.place.as_ref().map(|place| (place.line, place.column)));
        diagnostics.extend(found);
    }
    diagnostics
}

/// The ids of all checks.
struct Ids {
    full: Vec<String>,
    /// Some checks could not be read, so that a name that is missing proves nothing.
    has_gaps: bool,
}

impl Ids {
    fn of(files: &[SuiteFile<'_>]) -> Self {
        let suites = files.iter().filter_map(|file| file.loaded.value.as_ref());
        let full = suites.flat_map(|s| s.checks.iter().map(|check| format!("{}/{}", s.suite, check.id)));
        let has_gaps = files.iter().any(|file| file.loaded.marks.was_pruned_below(&[]));
        Self { full: full.collect(), has_gaps }
    }
}

type Seen = HashMap<String, Option<Place>>;

fn whole(suite: &Suite, source: &Source, at: &Spot<'_>, seen: &mut Seen, out: &mut Vec<Diagnostic>) {
    let id = &suite.suite;
    let place = at.to("suite").place();
    check::slug(id, "suite", &at.to("suite"), out);
    if let Some(first) = seen.get(id) {
        out.push(
            Diagnostic::error("duplicate-suite", format!("two suites have the id \"{id}\""))
                .at(place)
                .note(first.clone(), "the first one")
                .help("give one of them another id; or was the same file named twice?"),
        );
        return;
    }
    seen.insert(id.clone(), place.clone());
    let file = file_id(&source.name);
    if file != id {
        out.push(
            Diagnostic::warning(
                "suite-file-name",
                format!("the suite \"{id}\" stands in a file called \"{file}\""),
            )
            .at(place)
            .help(format!(
                "call the file {id}.yaml (a section number before it is fine), or the suite {file}"
            )),
        );
    }
    if suite.checks.is_empty() && !at.to("checks").is_pruned() {
        out.push(
            Diagnostic::error("empty-suite", "a suite without checks judges nothing")
                .at(at.to("checks").key_place())
                .help("add a check"),
        );
    }
}

/// The name of a file without directories, section number and ending: `3.5-token-response.yaml` is `token-response`.
fn file_id(name: &str) -> &str {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = base.strip_suffix(".yaml").or_else(|| base.strip_suffix(".yml")).unwrap_or(base);
    match stem.split_once('-') {
        Some((number, rest)) if number.chars().all(|c| c.is_ascii_digit() || c == '.') => rest,
        _ => stem,
    }
}

fn twice(suite: &Suite, check: &Check, at: &Spot<'_>, seen: &mut Seen, out: &mut Vec<Diagnostic>) {
    let place = at.to("id").place();
    if let Some(first) = seen.get(&check.id) {
        out.push(
            Diagnostic::error(
                "duplicate-check",
                format!("two checks have the id \"{}/{}\"", suite.suite, check.id),
            )
            .at(place)
            .note(first.clone(), "the first one")
            .help(
                "say in the id what makes this one different; or make both variants of one check, with each:",
            ),
        );
    } else {
        seen.insert(check.id.clone(), place);
    }
}

/// Two checks that give the same line of the behaviour card.
fn same_line(check: &Check, at: &Spot<'_>, seen: &mut Seen, out: &mut Vec<Diagnostic>) {
    let Some(key) = &check.card else { return };
    let place = at.to("card").place();
    if let Some(first) = seen.get(key) {
        out.push(
            Diagnostic::error("duplicate-line", format!("two checks give the line \"{key}\" of the card"))
                .at(place)
                .note(first.clone(), "the first one")
                .help("give one of them another key"),
        );
    } else {
        seen.insert(key.clone(), place);
    }
}

fn control_by(suite: &Suite, check: &Check, at: &Spot<'_>, ids: &Ids, out: &mut Vec<Diagnostic>) {
    let Some(full) = check.control_id(&suite.suite).filter(|_| !check.steps.is_empty()) else { return };
    let at = at.to("control_by");
    let own = format!("{}/{}", suite.suite, check.id);
    if full == own {
        out.push(
            Diagnostic::error("unknown-control", "a check cannot be its own control")
                .at(at.place())
                .help("name the check that shows that a good request is answered well"),
        );
    } else if !ids.full.contains(&full) && !ids.has_gaps {
        let near = closest(&full, ids.full.iter().map(String::as_str));
        out.push(
            Diagnostic::error("unknown-control", format!("there is no check \"{full}\""))
                .at(at.place())
                .help(near.map_or_else(
                    || "write check, or suite/check for one of another file that is given too".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_suite() {
        for (name, id) in [
            ("suites/3.5-token-response.yaml", "token-response"),
            ("6.1-user-code.yaml", "user-code"),
            ("suites/rfc6749-client-authentication.yaml", "rfc6749-client-authentication"),
            ("C:\\mine\\tea.yml", "tea"),
            ("tea", "tea"),
        ] {
            assert_eq!(file_id(name), id, "{name}");
        }
    }
}
