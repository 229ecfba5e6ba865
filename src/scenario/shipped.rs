//! Scenarios from files, and those that devgrant brings along.

use include_dir::{Dir, include_dir};

use super::model::Scenario;
use super::threshold::{Quantity, Share, Threshold, Timed};
use super::validate::validate;
use crate::diagnostic::{Diagnostic, closest};
use crate::suite::schema_of;
use crate::yaml::{Source, Spot, load};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/suites/load");

/// What a generator may be late, where the file says nothing.
const LAG: &str = "lag_p99 < 10 ms";
/// The part of the time that a shard may wait for its core, where the file says nothing.
const RUN_QUEUE: &str = "run_queue < 2 %";

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    ///
    /// Every mistake in it, each at its place.
    pub fn read(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let loaded = load::<Self>(source);
        let mut mistakes = loaded.diagnostics;
        if let Some(scenario) = &loaded.value {
            mistakes.extend(validate(scenario, &Spot::root(&loaded.marks)));
        }
        mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|place| (place.line, place.column)));
        loaded.value.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// The scenario files that devgrant brings along, by name.
    #[must_use]
    pub fn builtin_sources() -> Vec<Source> {
        let mut sources: Vec<Source> = SHIPPED
            .files()
            .filter_map(|file| {
                let name = file.path().to_str().filter(|name| name.ends_with(".yaml"))?;
                let text = file.contents_utf8()?.to_owned();
                Some(Source { name: format!("suites/load/{name}"), text })
            })
            .collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        sources
    }

    /// The file of a scenario that devgrant brings along; `steady_pollers` and `steady-pollers` are the same.
    ///
    /// # Errors
    ///
    /// If there is none of that name: a message with all of them, and the one that was most likely meant.
    pub fn builtin(name: &str) -> Result<Source, Diagnostic> {
        let sources = Self::builtin_sources();
        let wanted = name.replace('-', "_");
        let names: Vec<String> = sources.iter().map(|source| stem(&source.name).to_owned()).collect();
        if let Some(index) = names.iter().position(|known| *known == wanted) {
            return Ok(sources[index].clone());
        }
        let help = match closest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write one of these, or the path of a file of your own".to_owned(),
        };
        let message = format!("there is no scenario \"{name}\"");
        Err(Diagnostic::error("unknown-scenario", message).one_of(names).help(help))
    }

    /// The JSON Schema of a scenario file, as the text of `suites/load/schema.json`.
    #[must_use]
    pub fn schema() -> String {
        schema_of::<Self>("A load scenario of devgrant", "schema.json")
    }

    /// What must hold of the generator: what the file says, and `lag_p99 < 10 ms` and `run_queue < 2 %` where it says
    /// nothing about lag and run queue. When one of these is missed, the generator was the limit.
    #[must_use]
    pub fn validity(&self) -> Vec<Threshold> {
        let mut bounds: Vec<Threshold> = self.valid_while.iter().flat_map(|all| all.0.clone()).collect();
        let is_lag = |bound: &Threshold| matches!(bound.quantity, Quantity::Percentile(Timed::Lag, _));
        let is_queue = |bound: &Threshold| bound.quantity == Quantity::Share(Share::RunQueue);
        let defaults = [(LAG, bounds.iter().any(is_lag)), (RUN_QUEUE, bounds.iter().any(is_queue))];
        let missing = defaults.into_iter().filter(|(_, is_said)| !is_said);
        // Both can be read: a test does.
        bounds.extend(missing.filter_map(|(text, _)| text.parse().ok()));
        bounds
    }
}

/// The name of a file without directories and ending.
fn stem(name: &str) -> &str {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base.strip_suffix(".yaml").unwrap_or(base)
}
