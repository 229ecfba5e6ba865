//! Every format, seen on the same recorded runs.

use crate::event::Event;
use crate::record::RunRecord;

use super::FORMATS;
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
