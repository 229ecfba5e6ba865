//! What a page shows its reader, and what became of a code that was typed.

use super::relations::filled;
use super::view::{View, graded};
use super::{describe, grade_of, show};
use crate::exchange::Page;
use crate::protocol::{CodeFate, Decision};
use crate::suite::{Graded, PageRule};
use crate::verdict::Mismatch;

/// The shortest piece of capitals, digits and marks that is taken for a code and not for a word.
const SHORTEST_CODE: usize = 4;

/// `page: { shows: "{tv.user_code}", button: deny }`
pub(super) fn page(rule: &PageRule, view: &View<'_>) -> Vec<Mismatch> {
    let Some(page) = &view.exchange.page else { return vec![view.miss(describe::page(rule))] };
    let PageRule { shows, says, button, code_field, escapes_markup, unlike } = rule;
    let mut mismatches = Vec::new();
    if let Some(template) = shows {
        let actual = match filled(template, view.scope) {
            Ok(text) => (!has(page, &text)).then(|| read(view, page)),
            Err(missing) => Some(missing),
        };
        let expected = describe::page_shows(template);
        mismatches.extend(actual.map(|actual| view.miss_with(expected, actual)));
    }
    let text = format!("{} {}", page.title, page.text).to_lowercase();
    if !says.is_empty() && !says.iter().any(|word| text.contains(&word.to_lowercase())) {
        mismatches.push(view.miss_with(describe::page_says(says), read(view, page)));
    }
    for decision in button.iter().filter(|decision| !page.offers.contains(decision)) {
        let actual = match page.offers.as_slice() {
            [] => format!("no button of the recipe; {}", read(view, page)),
            offers => {
                format!("only {}", offers.iter().map(Decision::to_string).collect::<Vec<_>>().join(", "))
            }
        };
        mismatches.push(view.miss_with(describe::page_button(*decision), actual));
    }
    if *code_field && !page.asks_for_code {
        mismatches.push(view.miss_with(describe::page_code_field(), read(view, page)));
    }
    if *escapes_markup && page.has_typed_markup {
        let actual = "the element <devgrant> that was typed is an element of the page";
        mismatches.push(view.miss_with(describe::page_escapes_markup(), actual));
    }
    if let Some(name) = unlike {
        let other = view.scope.exchange(name).and_then(|exchange| exchange.page.as_ref());
        let actual = match other {
            None => Some(format!("the page {name} is not there")),
            Some(other) => (face(page) == face(other))
                .then(|| format!("the same but for the codes; {}", read(view, page))),
        };
        mismatches.extend(actual.map(|actual| view.miss_with(describe::page_unlike(name), actual)));
    }
    mismatches
}

/// `code: accepted`
pub(super) fn code(expected: &Graded<CodeFate>, view: &View<'_>) -> Vec<Mismatch> {
    let fate = view.exchange.page.as_ref().and_then(|page| page.code);
    let actual = || match fate {
        Some(fate) => format!("it was {fate}: {}", show::answer(view.exchange)),
        None => show::answer(view.exchange),
    };
    grade_of(expected, |wanted| fate == Some(*wanted))
        .map(|grade| graded(grade, view.miss_with(describe::code(expected), actual())))
        .into_iter()
        .collect()
}

/// Whether a reader finds this text, compared by letters and digits only.
fn has(page: &Page, text: &str) -> bool {
    let wanted = super::members::letters_and_digits(text);
    [&page.title, &page.text].iter().any(|shown| super::members::letters_and_digits(shown).contains(&wanted))
}

/// What was read instead.
fn read(view: &View<'_>, page: &Page) -> String {
    match page.text.is_empty() {
        true => "a page without text".to_owned(),
        false => show::answer(view.exchange),
    }
}

/// The words of a page without what differs from one visit to the next: codes and numbers.
fn face(page: &Page) -> String {
    let is_code = |word: &&str| {
        let length = word.chars().filter(|c| c.is_alphanumeric()).count();
        let capitals = word.chars().all(|c| !c.is_lowercase());
        word.chars().any(|c| c.is_ascii_digit()) || (capitals && length >= SHORTEST_CODE)
    };
    let text = format!("{} {}", page.title, page.text);
    text.split_whitespace().filter(|word| !is_code(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, expectations, stage};
    use super::*;
    use crate::verdict::Grade;

    fn shown(
        number: u32,
        text: &str,
        offers: &[Decision],
        code: Option<CodeFate>,
    ) -> crate::exchange::Exchange {
        let page = Page {
            title: "Connect".to_owned(),
            text: text.to_owned(),
            offers: offers.to_vec(),
            asks_for_code: offers.is_empty(),
            code,
            ..Page::default()
        };
        answered(number, 200, "<html>").showing(Some(page))
    }

    #[test]
    fn pages_are_judged_by_what_a_reader_sees() {
        let mut stage = stage();
        stage.exchanges.insert("radio", shown(1, "Radio wants in. Code ABCD-EFGH, 3 seconds", &[], None));
        let tv = shown(2, "Is it wdjb mjht on your Device?", &[Decision::Approve], None);
        for (written, exchange, holds) in [
            (json!({ "page": { "shows": "{tv.user_code}" } }), &tv, true),
            (json!({ "page": { "shows": "{tv.client_id}" } }), &tv, false),
            (json!({ "page": { "shows": "{nobody.user_code}" } }), &tv, false),
            (json!({ "page": { "says": ["screen", "device"] } }), &tv, true),
            (json!({ "page": { "says": "screen" } }), &tv, false),
            (json!({ "page": { "button": "approve" } }), &tv, true),
            (json!({ "page": { "button": ["approve", "deny"] } }), &tv, false),
            (json!({ "page": { "code_field": true } }), &tv, false),
            (json!({ "page": { "unlike": "radio" } }), &tv, true),
            (
                json!({ "page": { "unlike": "radio" } }),
                &shown(3, "Radio wants in. Code WXYZ-WXYZ, 8 seconds", &[], None),
                false,
            ),
            (json!({ "page": { "says": "screen" } }), &answered(4, 200, "screen"), false),
            (json!({ "code": "refused" }), &shown(5, "", &[], Some(CodeFate::Refused)), true),
            (json!({ "code": "accepted" }), &shown(5, "", &[], Some(CodeFate::Refused)), false),
            (json!({ "code": "accepted" }), &tv, false),
        ] {
            let found = super::super::judge(&expectations(json!([written])), exchange, &stage);
            let worst = found.iter().map(|mismatch| mismatch.grade).max();
            assert_eq!(worst, (!holds).then_some(Grade::Mismatch), "{written}: {found:?}");
        }
    }
}
