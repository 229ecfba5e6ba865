//! The points that the standards leave open, and the checks and rows of the oracle's table that apply them: each knows the
//! other.

use devgrant::ambiguous::{Points, Standing, Use, uses};
use devgrant::catalog::Catalog;
use devgrant::verdict::Verdict;

fn all() -> (Points, Vec<Use>) {
    let catalog = Catalog::builtin().unwrap();
    (Points::builtin(&catalog.requirements).unwrap(), uses(&catalog))
}

#[test]
fn every_point_that_is_named_exists() {
    let (points, uses) = all();
    let unknown: Vec<&Use> = uses.iter().filter(|found| points.get(&found.point).is_none()).collect();
    assert_eq!(unknown, Vec::<&Use>::new());
    assert!(uses.len() > 60, "{}", uses.len());
}

#[test]
fn every_point_is_applied_or_says_why_it_cannot_be() {
    let (points, uses) = all();
    let idle: Vec<&str> = points
        .iter()
        .filter(|point| point.elsewhere.is_none() && uses.iter().all(|found| found.point != point.id))
        .map(|point| point.id.as_str())
        .collect();
    assert_eq!(idle, Vec::<&str>::new(), "nothing names these, and they do not say why");
}

/// In which tally a finding counts follows from its check; here it matters only how much it weighs.
const fn weight(standing: Standing) -> Verdict {
    match standing {
        Standing::Pass => Verdict::Pass,
        Standing::Acceptable => Verdict::Acceptable,
        Standing::Warn | Standing::SecurityMedium => Verdict::Warn,
        Standing::Fail | Standing::SecurityHigh | Standing::SecurityCritical => Verdict::Fail,
    }
}

/// A grade in a check that rests on a point is one of the point's grades; for a value that a reading names, it is the
/// grade of such a reading.
#[test]
fn checks_grade_as_the_points_say() {
    let (points, uses) = all();
    let mut wrong = Vec::new();
    for Use { point, by, graded } in &uses {
        let (Some(point), Some((value, grade))) = (points.get(point), graded) else { continue };
        let named: Vec<Standing> = point
            .readings
            .iter()
            .filter(|reading| reading.values.contains(value))
            .map(|reading| reading.grade)
            .collect();
        let allowed: Vec<Standing> = if named.is_empty() {
            point.readings.iter().map(|reading| reading.grade).collect()
        } else {
            named
        };
        if !allowed.iter().any(|&standing| weight(standing) == weight(*grade)) {
            wrong.push(format!("{by} grades {value} {grade} by ({}), which says {allowed:?}", point.id));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_value_of_a_point_is_graded_somewhere() {
    let (points, uses) = all();
    let mut unused = Vec::new();
    for point in points.iter() {
        for value in point.readings.iter().flat_map(|reading| &reading.values) {
            let is_used = uses.iter().any(|found| {
                found.point == point.id && found.graded.as_ref().is_some_and(|(graded, _)| graded == value)
            });
            if !is_used {
                unused.push(format!("{}: {value}", point.id));
            }
        }
    }
    assert!(unused.is_empty(), "no check and no row grades these by the point: {unused:?}");
}
