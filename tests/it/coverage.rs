//! No row of the catalogue is silently missing: each has a check, a device test or a reason, and no reason is stale.

use devgrant::catalog::Catalog;
use devgrant::cli::coverage::text;
use devgrant::cli::explain::explain;
use devgrant::coverage::{Coverage, Standing};

use crate::device_tests;

#[test]
fn every_testable_row_is_judged_or_says_why_not() {
    let catalog = Catalog::builtin().unwrap();
    let coverage = Coverage::of(&catalog);
    let open: Vec<&str> = coverage
        .rows
        .iter()
        .filter(|row| row.standing() == Standing::Uncovered && row.reason().is_none())
        .map(|row| row.requirement.id.as_str())
        .collect();
    assert!(
        open.is_empty(),
        "nothing judges these rows of suites/requirements.yaml, and they do not say why: {open:?}\nwrite a check that \
         names the row, or a device test and judged_by, or a reason in uncovered"
    );
}

#[test]
fn no_reason_stands_beside_a_judge() {
    let catalog = Catalog::builtin().unwrap();
    let coverage = Coverage::of(&catalog);
    let stale = |row: &&devgrant::coverage::Row<'_>| row.reason().is_some() && !row.checks.is_empty();
    let stale: Vec<String> = coverage
        .rows
        .iter()
        .filter(stale)
        .map(|row| format!("  {} is judged by {}", row.requirement.id, row.checks.join(", ")))
        .collect();
    assert!(stale.is_empty(), "these rows say why nothing judges them:\n{}", stale.join("\n"));
}

#[test]
fn every_device_test_that_a_row_names_is_there() {
    let catalog = Catalog::builtin().unwrap();
    let tests = device_tests::names();
    for row in catalog.requirements.iter() {
        let Some(test) = &row.judged_by else { continue };
        assert!(tests.contains(test.name()), "{}: there is no {test} under tests/it/device_tests/", row.id);
    }
}

#[test]
fn the_screen_fits_every_terminal_and_names_every_row_that_is_not_judged() {
    let catalog = Catalog::builtin().unwrap();
    let coverage = Coverage::of(&catalog);
    for width in [40, 60, 80, 110] {
        let shown = text(&coverage, width);
        for line in shown.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        for row in &coverage.rows {
            let is_listed = matches!(row.standing(), Standing::Uncovered | Standing::NotTestable);
            let id = &row.requirement.id;
            // A reason that names a row goes on further to the right.
            let names_it =
                |line: &str| line.strip_prefix("  ").and_then(|rest| rest.split(' ').next()) == Some(id);
            assert_eq!(shown.lines().any(names_it), is_listed, "{id}");
        }
    }
}

#[test]
fn a_requirement_is_explained_with_its_judges_or_the_reason() {
    let catalog = Catalog::builtin().unwrap();
    let page = |id: &str| explain(&catalog, id, 80).unwrap();
    let of_the_device = page("RFC8628-3.5-l");
    assert!(of_the_device.contains("judged by  device-test "), "{of_the_device}");
    assert!(of_the_device.contains("\n  cargo test --test it "), "{of_the_device}");
    let both = page("RFC8628-3.1-b");
    assert!(both.contains("judged by  device-authorization-request/get-gives-no-codes\n"), "{both}");
    assert!(both.contains("and by     device-test "), "{both}");
    assert!(both.contains("\n  devgrant check --requirement RFC8628-3.1-b --target "), "{both}");
    let nothing = page("RFC8628-5.5-a");
    assert!(
        nothing.ends_with("judged by  nothing: who stands behind the user is not on the wire\n"),
        "{nothing}"
    );
    let mistyped = explain(&catalog, "RFC8628-3.5-ll", 80).unwrap_err();
    assert!(mistyped.contains("\n  RFC8628-3.5-"), "{mistyped}");
}
