//! The second engine against the first: the same scenario and seed must come to the same, on a good server and on a bad
//! one. What is compared depends on no speed: the scenario keeps every instant far from every other that it depends on.

use std::collections::{BTreeMap, BTreeSet};

use devgrant::oracle::{Said, State};
use devgrant::outcome::Outcome;
use devgrant::scenario::Operation;
use devgrant::tally::{Ending, LoadRecord, read};

use crate::binary::{Binary, Playing};
use crate::repository;

/// The requirement, and what was answered in which state.
type Violation = (Option<String>, Option<(Said, State)>);

/// What a run came to, as far as no speed plays a part.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    ends: BTreeMap<String, u64>,
    still_waiting: u64,
    counted: BTreeMap<String, u64>,
    violations: BTreeSet<Violation>,
    strangers: u64,
}

impl Came {
    fn to(record: &LoadRecord) -> Self {
        let is_timeless = |name: &str| ["issued", "approved", "denied", "undecided"].contains(&name);
        let counters = record.spent.counters.iter().filter(|(name, _)| is_timeless(name));
        let findings = record.spent.findings.iter().filter(|(kind, ..)| kind.is_violation);
        let strangers =
            record.totals.whole.latencies().filter(|(operation, ..)| *operation == Operation::Stranger);
        Self {
            ends: record.spent.ends.clone(),
            still_waiting: record.spent.still_waiting,
            counted: counters.map(|(name, count)| (name.clone(), *count)).collect(),
            violations: findings.map(|(kind, ..)| (kind.requirement.clone(), kind.answer)).collect(),
            strangers: strangers.map(|(.., latency)| latency.response.len()).sum(),
        }
    }

    fn ended(&self, how: &str) -> u64 {
        self.ends.get(how).copied().unwrap_or(0)
    }
}

fn record_at(path: &std::path::Path) -> LoadRecord {
    read(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Plays a fixture on both engines at the same time.
fn on_both(fixture: &str, more: &[&str]) -> (Came, Came) {
    let text = repository::text(&format!("fixtures/load/{fixture}.yaml"));
    let binary = Binary::new();
    let file = binary.file("played.yaml", &text);
    let play = |engine: &str| {
        let record = binary.name(&format!("{engine}.jsonl"));
        let arguments = ["load", &file, "--engine", engine, "--record", &record];
        Playing::start(binary.command(&[&arguments as &[&str], more].concat()))
    };
    let playing = ["native", "goose"].map(play);
    let ended = playing.map(Playing::end);
    let [native, goose] = ["native", "goose"].map(|engine| {
        let path = binary.path(&format!("{engine}.jsonl"));
        assert!(path.exists(), "{}\n{}", ended[0].all(), ended[1].all());
        let record = record_at(&path);
        assert_eq!(record.began.as_ref().unwrap().engine, engine);
        assert_eq!(record.ended.as_ref().unwrap().ending, Ending::Complete);
        Came::to(&record)
    });
    (native, goose)
}

#[test]
fn both_engines_find_a_good_server_good() {
    let (native, goose) = on_both("both_engines", &[]);
    assert_eq!(goose, native);
    let ends = ["granted", "denied", "expired", "abandoned"].map(|how| goose.ended(how));
    assert_eq!(ends, [14, 4, 3, 2], "{goose:?}");
    assert_eq!((goose.still_waiting, goose.strangers), (2, 65));
    assert_eq!(goose.violations, BTreeSet::new());
}

#[test]
fn both_engines_find_the_same_wrong_with_a_server_that_forgets_approvals() {
    let (native, goose) = on_both("both_engines", &["--fault", "approval-lost-to-pollers"]);
    assert_eq!(goose, native);
    assert_eq!((goose.ended("granted"), goose.ended("denied")), (0, 4), "{goose:?}");
    let answers: BTreeSet<_> = goose.violations.iter().filter_map(|(_, answer)| *answer).collect();
    assert_eq!(answers, BTreeSet::from([(Said::InvalidGrant, State::Approved)]), "{goose:?}");
}

#[test]
fn both_engines_race() {
    let (native, goose) = on_both("races", &[]);
    assert_eq!(goose, native);
    assert_eq!((goose.ended("granted"), goose.violations.len()), (4, 0), "{goose:?}");
}

#[test]
fn goose_counts_each_answer_by_its_meaning_and_judges_its_own_thresholds() {
    let binary = Binary::new();
    let file = binary.file("played.yaml", &repository::text("fixtures/load/races.yaml"));
    let (report, record) = (binary.name("goose.json"), binary.name("goose.jsonl"));
    let threshold = "error-rate<1%";
    let ended = binary.run(&[
        "load",
        &file,
        "--engine",
        "goose",
        "--goose-report",
        &report,
        "--goose-threshold",
        threshold,
        "--record",
        &record,
    ]);
    let written = std::fs::read_to_string(&report).unwrap_or_else(|_| panic!("{}", ended.all()));
    let granted = record_at(&binary.path("goose.jsonl"))
        .totals
        .whole
        .latencies()
        .any(|(of, what, _)| (of, what) == (Operation::Token, Outcome::Granted));
    assert!(granted, "{}", ended.all());
    for name in ["device_authorization:codes", "token:granted", "token:refused", threshold] {
        assert!(written.contains(name), "{name}: {written}");
    }
}

#[test]
fn what_goose_cannot_play_is_refused_before_anything_is_sent() {
    let binary = Binary::new();
    let ended = binary.run(&["load", "steady_pollers", "--engine", "goose"]);
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(ended.err.contains("at most 2000 devices") && ended.err.contains("native"), "{}", ended.err);
    let ended = binary.run(&["load", "million", "--devices", "10", "--engine", "goose"]);
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(ended.err.contains("at_most"), "{}", ended.err);
    let ended = binary.run(&["load", "rude_pollers", "--goose-dashboard"]);
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(ended.err.contains("--engine goose"), "{}", ended.err);
    assert!(binary.records().is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_goose_with_our_record_and_exit_code() {
    let binary = Binary::new();
    let file = binary.file("played.yaml", &repository::text("fixtures/load/both_engines.yaml"));
    let record = binary.name("goose.jsonl");
    let arguments = ["load", &file, "--engine", "goose", "--duration", "60 s", "--record", &record];
    let playing = Playing::start(binary.command(&arguments));
    let path = binary.path("goose.jsonl");
    // A second is told of, so Goose has set up its handler long ago.
    while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains("{\"second\":")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    playing.interrupt();
    let ended = playing.end();
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    let record = record_at(&path);
    assert_eq!(record.ended.unwrap().ending, Ending::Interrupted);
    assert!(record.spent.counters["issued"] > 0);
}
