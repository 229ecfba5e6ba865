//! Every format, seen on the same recorded runs.

use crate::compare::compare;
use crate::event::Event;
use crate::record::RunRecord;

use super::FORMATS;
use super::comparison;
use super::terminal::{Colour, Kept, Style, Verbosity, render};

const RECORDS: [(&str, &str); 3] = [
    ("green", include_str!("../../fixtures/records/green.jsonl")),
    ("interrupted", include_str!("../../fixtures/records/interrupted.jsonl")),
    ("mixed", include_str!("../../fixtures/records/mixed.jsonl")),
];

fn shown(name: &str, style: Style) -> String {
    let (_, text) = RECORDS.into_iter().find(|(record, _)| *record == name).unwrap();
    render(&RunRecord::read(text).unwrap(), &style)
}

fn plain(width: usize, verbose: Verbosity) -> Style {
    Style { colour: Colour::Off, width, verbose, kept: Kept::InAFile }
}

#[test]
fn the_recorded_runs_are_written_as_this_version_writes_them() {
    for (name, text) in RECORDS {
        for line in text.lines() {
            let event: Event = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), line, "{name}");
        }
    }
}

#[test]
fn every_format_writes_every_record() {
    for format in FORMATS {
        for (name, text) in RECORDS {
            let written = String::from_utf8((format.write)(&RunRecord::read(text).unwrap())).unwrap();
            insta::assert_snapshot!(format!("{}_{name}", format.name), written);
        }
        assert!(!(format.write)(&RunRecord::default()).is_empty(), "{}", format.name);
    }
}

#[test]
fn a_narrow_terminal_gets_lines_that_fit() {
    let text = shown("mixed", plain(72, Verbosity::Normal));
    for line in text.lines().filter(|line| !line.contains("devgrant explain")) {
        assert!(line.chars().count() <= 72, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn verbose_lists_what_is_green() {
    insta::assert_snapshot!(shown("mixed", plain(100, Verbosity::Verbose)));
}

#[test]
fn a_run_that_says_nothing_says_what_to_type_next() {
    let (_, text) = RECORDS[0];
    let mut record = RunRecord::read(text).unwrap();
    let ended = record.ended.as_mut().unwrap();
    ended.never_came_out.push("refresh is declared, and no answer had a refresh_token".to_owned());
    insta::assert_snapshot!(render(&record, &plain(100, Verbosity::Normal)));
}

/// Two runs of the same server, the second with faults; their exchanges are not kept.
const PAIR: [&str; 2] =
    [include_str!("../../fixtures/records/before.jsonl"), include_str!("../../fixtures/records/after.jsonl")];

#[test]
fn the_card_is_readable_in_narrow_and_in_wide_terminals() {
    for width in [60, 120] {
        let text = render(&RunRecord::read(PAIR[1]).unwrap(), &plain(width, Verbosity::Normal));
        let card: String = text
            .lines()
            .skip_while(|line| !line.starts_with("Behaviour"))
            .take_while(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        for line in card.lines() {
            assert!(line.chars().count() <= width, "{line}");
        }
        insta::assert_snapshot!(format!("card_{width}"), card);
    }
}

#[test]
fn a_comparison_is_told_to_people_and_to_programs() {
    let [before, after] = PAIR.map(|text| RunRecord::read(text).unwrap());
    let worse = compare(&before, &after).unwrap();
    insta::assert_snapshot!(
        "worse",
        comparison::text(&before, &after, &worse, &plain(80, Verbosity::Normal))
    );
    insta::assert_snapshot!("worse_json", comparison::json(&worse));
    let better = compare(&after, &before).unwrap();
    insta::assert_snapshot!(
        "better",
        comparison::text(&after, &before, &better, &plain(80, Verbosity::Normal))
    );
    let same = compare(&before, &before).unwrap();
    let text = comparison::text(&before, &before, &same, &plain(80, Verbosity::Normal));
    assert!(text.ends_with("B is not worse: nothing differs. exit 0\n"), "{text}");
    let (_, old) = RECORDS[0];
    let old = RunRecord::read(old).unwrap();
    let other = compare(&old, &after).unwrap();
    insta::assert_snapshot!(
        "other_runs",
        comparison::text(&old, &after, &other, &plain(80, Verbosity::Normal))
    );
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let style = Style { colour: Colour::On, ..plain(100, Verbosity::Normal) };
    let coloured = shown("mixed", style);
    insta::assert_snapshot!(coloured.replace('\x1b', "ESC"));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((text, code)) = rest.split_once('\x1b') {
        bare.push_str(text);
        rest = code.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&bare), trimmed(&shown("mixed", plain(100, Verbosity::Normal))));
}
