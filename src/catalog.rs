//! All checks by id, with what follows from their requirements. Feeds the plan, `list`, `explain` and the docs.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use include_dir::{Dir, include_dir};

use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::edition::Editions;
use crate::event::case_name;
use crate::oracle::Table;
use crate::protocol::Tally;
use crate::requirement::Requirements;
use crate::suite::{Check, Suite, SuiteFile, validate};
use crate::verdict::Weight;
use crate::yaml::{self, Source};

/// Suites, requirements, oracle and load scenarios as they are in the repository.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/suites");

/// Files beside the suites that are none.
const NO_SUITES: [&str; 4] = ["ambiguous.yaml", "editions.yaml", "oracle.yaml", "requirements.yaml"];

/// One check with its place in the catalogue.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `suite/check`.
    pub id: String,
    /// The suite's id.
    pub suite: String,
    /// The suite's title.
    pub suite_title: String,
    /// The check.
    pub check: Check,
    /// How much it weighs.
    pub weight: Weight,
    /// The tally it counts in: security if it has a severity, else that of its first requirement.
    pub tally: Tally,
    /// The clause of its first requirement, `RFC 8628 §3.5`.
    pub clause: String,
    /// The check as its author wrote it, for `explain`.
    pub yaml: String,
}

impl Entry {
    /// The full id of the check that is this one's positive; written in short it is one of the same suite.
    #[must_use]
    pub fn control_id(&self) -> Option<String> {
        self.check.control_id(&self.suite)
    }
}

/// Every check of a set of suites.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The checks, in the order of their files.
    pub entries: Vec<Entry>,
    /// What they judge.
    pub requirements: Requirements,
    /// Which shipped case came when.
    pub editions: Editions,
    /// What may be answered in each state of a code.
    pub oracle: Table,
    /// Doubtful things in the files that keep nobody from using them.
    pub warnings: Vec<Diagnostic>,
}

/// Which checks are wanted. What is empty restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Globs on `suite/check`; a bare suite or check id will do.
    pub checks: Vec<String>,
    /// The same, for what is left out.
    pub skip: Vec<String>,
    /// Only these levels and severities.
    pub levels: Vec<Weight>,
    /// Globs on requirement ids: checks that judge any of them.
    pub requirements: Vec<String>,
}

impl Catalog {
    /// Is a file of this name, in a directory of suites, a suite?
    #[must_use]
    pub fn is_suite_file(name: &str) -> bool {
        (name.ends_with(".yaml") || name.ends_with(".yml")) && !NO_SUITES.contains(&name)
    }

    /// The suite files that devgrant brings along.
    #[must_use]
    pub fn builtin_sources() -> Vec<Source> {
        let mut sources: Vec<Source> = SHIPPED
            .files()
            .filter_map(|file| {
                let name = file.path().to_str()?;
                let is_suite = Self::is_suite_file(name);
                let text = file.contents_utf8().filter(|_| is_suite)?;
                Some(Source { name: format!("suites/{name}"), text: text.to_owned() })
            })
            .collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        sources
    }

    /// The checks that devgrant brings along.
    ///
    /// # Errors
    ///
    /// The mistakes of the shipped suites; a test proves that they have none.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        Self::load(&Self::builtin_sources())
    }

    /// The checks of these files.
    ///
    /// # Errors
    ///
    /// Every mistake of every file, and every warning.
    pub fn load(sources: &[Source]) -> Result<Self, Vec<Diagnostic>> {
        let requirements = Requirements::builtin()?;
        let editions = Editions::builtin()?;
        let oracle = Table::builtin(&requirements)?;
        let files: Vec<SuiteFile<'_>> =
            sources.iter().map(|source| SuiteFile { source, loaded: yaml::load::<Suite>(source) }).collect();
        let warnings = validate(&files, &requirements);
        if warnings.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(warnings);
        }
        let mut entries = Vec::new();
        for SuiteFile { source, loaded } in files {
            let Some(Suite { suite, title, checks }) = loaded.value else { continue };
            let texts = check_texts(&source.text);
            for check in checks {
                let Some(weight) = check.weight() else { continue };
                let first = check.requirements.first().map_or("", String::as_str);
                let tally = match weight {
                    Weight::Severity(_) => Tally::Security,
                    Weight::Level(_) | Weight::Card => requirements.tally(first).unwrap_or(Tally::Security),
                };
                entries.push(Entry {
                    id: format!("{suite}/{}", check.id),
                    suite: suite.clone(),
                    suite_title: title.clone(),
                    weight,
                    tally,
                    clause: requirements.clause(first),
                    yaml: texts.get(&check.id).cloned().unwrap_or_default(),
                    check,
                });
            }
        }
        Ok(Self { entries, requirements, editions, oracle, warnings })
    }

    /// Where the requirements of a check stand, each place once: `RFC 8628 §3.5`.
    #[must_use]
    pub fn clauses(&self, entry: &Entry) -> Vec<String> {
        let mut clauses: Vec<String> = Vec::new();
        for id in &entry.check.requirements {
            let clause = self.requirements.clause(id);
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        clauses
    }

    /// The checks by suite, in the order of the catalogue.
    pub fn suites<'a>(entries: &'a [&'a Entry]) -> impl Iterator<Item = &'a [&'a Entry]> {
        entries.chunk_by(|a, b| a.suite == b.suite)
    }

    /// The check of a full id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The checks that are wanted, in the order of the catalogue.
    ///
    /// # Errors
    ///
    /// A text for people if a pattern matches nothing, or nothing is left.
    pub fn select(&self, selection: &Selection) -> Result<Vec<&Entry>, String> {
        let wanted = self.patterns(&selection.checks)?;
        let unwanted = self.patterns(&selection.skip)?;
        let judged = self.requirement_patterns(&selection.requirements)?;
        let chosen: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| wanted.is_empty() || wanted.iter().any(|pattern| pattern.matches(entry)))
            .filter(|entry| !unwanted.iter().any(|pattern| pattern.matches(entry)))
            .filter(|entry| selection.levels.is_empty() || selection.levels.contains(&entry.weight))
            .filter(|entry| {
                let mut rows = entry.check.requirements.iter();
                judged.is_empty() || rows.any(|row| judged.iter().any(|glob| glob.is_match(row)))
            })
            .collect();
        if chosen.is_empty() {
            return Err("the selection leaves no check: each of its parts matches some, but not the same\n\
                        help: give fewer of check, skip, level and requirement"
                .to_owned());
        }
        Ok(chosen)
    }

    /// The cases of all checks by name, in the order of the catalogue.
    #[must_use]
    pub fn cases(&self) -> Vec<String> {
        let variants = |entry: &Entry| match entry.check.each.as_slice() {
            [] => vec![entry.id.clone()],
            each => each.iter().map(|variant| case_name(&entry.id, Some(&variant.variant))).collect(),
        };
        self.entries.iter().flat_map(variants).collect()
    }

    /// The checks, and behind them those that are the positive beside one of them.
    #[must_use]
    pub fn with_controls<'a>(&'a self, mut entries: Vec<&'a Entry>) -> Vec<&'a Entry> {
        let mut next = 0;
        while let Some(entry) = entries.get(next).copied() {
            next += 1;
            let Some(id) = entry.control_id() else { continue };
            if !entries.iter().any(|known| known.id == id)
                && let Some(control) = self.get(&id)
            {
                entries.push(control);
            }
        }
        entries
    }

    /// The check, suite or suite/check that was most likely meant.
    #[must_use]
    pub fn closest(&self, word: &str) -> Option<&str> {
        let ids = self.entries.iter().map(|entry| entry.id.as_str());
        let suites = self.entries.iter().map(|entry| entry.suite.as_str());
        let checks = self.entries.iter().map(|entry| entry.check.id.as_str());
        closest(word, ids.chain(suites).chain(checks))
    }

    fn patterns(&self, texts: &[String]) -> Result<Vec<Pattern>, String> {
        texts
            .iter()
            .map(|text| {
                let pattern = Pattern::new(self.without_variant(text))?;
                if self.entries.iter().any(|entry| pattern.matches(entry)) {
                    return Ok(pattern);
                }
                let help = self.closest(text).map_or_else(
                    || "list shows all checks".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                Err(format!("no check matches \"{text}\"\nhelp: {help}"))
            })
            .collect()
    }

    /// `suite/check[variant]` as reports write it names a check, not a class of characters.
    fn without_variant<'a>(&self, text: &'a str) -> &'a str {
        let base = text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map(|(base, _)| base);
        base.filter(|base| self.get(base).is_some()).unwrap_or(text)
    }

    fn requirement_patterns(&self, texts: &[String]) -> Result<Vec<GlobMatcher>, String> {
        texts
            .iter()
            .map(|text| {
                let glob = glob(text)?;
                let mut judged = self.entries.iter().flat_map(|entry| &entry.check.requirements);
                if judged.any(|row| glob.is_match(row)) {
                    return Ok(glob);
                }
                if self.requirements.iter().any(|row| glob.is_match(&row.id)) {
                    return Err(format!("no check judges the requirement \"{text}\""));
                }
                let help = self.requirements.closest(text).map_or_else(
                    || "docs/coverage.md has all requirements".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                Err(format!("no requirement matches \"{text}\"\nhelp: {help}"))
            })
            .collect()
    }
}

/// A glob on full ids; one without a slash is also one on the ids of suites and of checks.
struct Pattern(GlobMatcher);

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        glob(text).map(Self)
    }

    fn matches(&self, Entry { id, suite, check, .. }: &Entry) -> bool {
        [id, suite, &check.id].iter().any(|text| self.0.is_match(text))
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| {
        format!("cannot read the pattern \"{text}\": {}\nhelp: * stands for any text", error.kind())
    })
}

/// The text of each check of a suite file, by id: from its `- id:` to the next, without the indentation of the list.
fn check_texts(text: &str) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<(String, usize)> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if let Some(id) =
            trimmed.strip_prefix("- id:").filter(|_| current.as_ref().is_none_or(|c| c.1 == indent))
        {
            let id = id.trim().trim_matches(['"', '\'']).to_owned();
            texts.insert(id.clone(), String::new());
            current = Some((id, indent));
        } else if !trimmed.is_empty() && current.as_ref().is_some_and(|&(_, at)| indent < at + 2) {
            // A comment between two checks belongs to neither.
            if !trimmed.starts_with('#') {
                current = None;
            }
            continue;
        }
        if let Some(text) = current.as_ref().and_then(|(id, at)| Some((texts.get_mut(id)?, *at))) {
            let (text, at) = text;
            text.push_str(line.get(at..).unwrap_or_default());
            text.push('\n');
        }
    }
    texts.values_mut().for_each(|text| text.truncate(text.trim_end().len()));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "\
suite: tea
title: Tea
checks:
  - id: hot
    title: Tea is hot
    level: must
    requirements: [RFC8628-3.5-c]
    why: Cold tea is not tea.
    steps:
      - authorize: { as: tv, expect: [{ outcome: codes }] }

  # about cups
  - id: clean
    title: Cups are clean
    severity: low
    requirements: [INV-3, RFC8628-3.1-a]
    why: Health.
    steps:
      - authorize: { as: tv, expect: [{ outcome: codes }] }
";

    fn catalog() -> Catalog {
        Catalog::load(&[Source { name: "tea.yaml".to_owned(), text: SUITE.to_owned() }]).unwrap()
    }

    fn select(selection: &Selection) -> Result<Vec<String>, String> {
        catalog().select(selection).map(|entries| entries.iter().map(|entry| entry.id.clone()).collect())
    }

    fn checks(patterns: &[&str]) -> Selection {
        Selection { checks: patterns.iter().map(|&p| p.to_owned()).collect(), ..Selection::default() }
    }

    #[test]
    fn the_shipped_suites_are_without_mistake() {
        let catalog = Catalog::builtin().unwrap_or_else(|mistakes| {
            let drawn: Vec<_> =
                mistakes.iter().map(|mistake| mistake.draw(crate::diagnostic::Colour::Plain)).collect();
            panic!("{}", drawn.join("\n"));
        });
        assert_eq!(catalog.warnings, []);
    }

    #[test]
    fn an_entry_knows_what_follows_from_its_requirements() {
        let catalog = catalog();
        let hot = catalog.get("tea/hot").unwrap();
        assert_eq!((hot.tally, hot.clause.as_str()), (Tally::Rfc8628, "RFC 8628 §3.5"));
        assert!(hot.yaml.starts_with("- id: hot\n  title: Tea is hot\n"), "{}", hot.yaml);
        assert!(hot.yaml.ends_with("expect: [{ outcome: codes }] }"), "{}", hot.yaml);
        let clean = catalog.get("tea/clean").unwrap();
        assert_eq!((clean.tally, clean.clause.as_str()), (Tally::Security, "invariant INV-3"));
    }

    #[test]
    fn checks_are_selected_by_glob_suite_weight_and_requirement() {
        let both = ["tea/hot", "tea/clean"];
        for (patterns, expected) in [
            (&[][..], &both[..]),
            (&["tea"], &both),
            (&["tea/*"], &both),
            (&["*/h*"], &both[..1]),
            (&["hot"], &both[..1]),
            (&["tea/hot[basic]"], &both[..1]),
            (&["tea/clean", "hot"], &both),
        ] {
            assert_eq!(select(&checks(patterns)).unwrap(), expected, "{patterns:?}");
        }
        let skip = Selection { skip: vec!["hot".to_owned()], ..Selection::default() };
        assert_eq!(select(&skip).unwrap(), both[1..]);
        let levels = vec![Weight::from_word("must").unwrap()];
        assert_eq!(select(&Selection { levels, ..Selection::default() }).unwrap(), both[..1]);
        let requirements = vec!["RFC8628-3.1*".to_owned()];
        assert_eq!(select(&Selection { requirements, ..Selection::default() }).unwrap(), both[1..]);
    }

    #[test]
    fn a_selection_of_nothing_says_what_to_do() {
        let error = |selection: &Selection| select(selection).unwrap_err();
        assert_eq!(
            error(&checks(&["tea/hto"])),
            "no check matches \"tea/hto\"\nhelp: did you mean \"tea/hot\"?"
        );
        assert_eq!(error(&checks(&["zzzzzzz"])), "no check matches \"zzzzzzz\"\nhelp: list shows all checks");
        assert!(error(&checks(&["tea/[h"])).starts_with("cannot read the pattern"));
        let requirement =
            |text: &str| Selection { requirements: vec![text.to_owned()], ..Selection::default() };
        assert_eq!(error(&requirement("INV-4")), "no check judges the requirement \"INV-4\"");
        assert!(error(&requirement("RFC8628-3.5-zz")).contains("did you mean \"RFC8628-3.5-"));
        let clash = Selection { skip: vec!["hot".to_owned()], ..checks(&["hot"]) };
        assert!(error(&clash).starts_with("the selection leaves no check"));
    }
}
