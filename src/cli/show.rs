//! `devgrant show 417`: one exchange of a record, in full.

use serde::de::IgnoredAny;

use crate::event::{CaseResult, ShownExchange};
use crate::protocol::Endpoint;
use crate::record::RunRecord;
use crate::report::span;
use crate::report::terminal::{Ink, Style, clean, columns, wrap};

/// How many exchanges of the same case are named before and after the one that is shown.
const AROUND: usize = 4;

/// The exchange with this number: what was asked, what was answered, when, and what became of its case.
///
/// # Errors
/// There is no such exchange; says which there are.
pub fn exchange(record: &RunRecord, number: u32, style: &Style) -> Result<String, String> {
    let exchange = record.exchanges.get(&number).ok_or_else(|| missing(record, number))?;
    let mut parts = vec![facts(record, exchange, style), request(exchange, style), answer(exchange, style)];
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("\n"))
}

fn missing(record: &RunRecord, number: u32) -> String {
    match (record.exchanges.first_key_value(), record.exchanges.last_key_value()) {
        (Some((first, _)), Some((last, _))) if first == last => {
            format!("there is no exchange #{number} in this record: its only one is #{first}")
        }
        (Some((first, _)), Some((last, _))) => {
            format!("there is no exchange #{number} in this record: it has #{first} to #{last}")
        }
        _ => format!("there is no exchange #{number} in this record: it has no exchanges at all"),
    }
}

/// ```text
/// #417  POST to the token endpoint: refused
///       sent      at 12.345 s, took 23 ms
///       case      client-authentication/wrong-secret[basic]: fail (must · RFC 6749 §5.2)
///       sequence  #416 codes · #417 refused (this one) · #418 pending
/// ```
fn facts(record: &RunRecord, exchange: &ShownExchange, style: &Style) -> String {
    let head = format!("#{}", exchange.number);
    let place = match exchange.endpoint {
        Endpoint::Pages => "verification pages".to_owned(),
        endpoint => format!("{} endpoint", endpoint.word().replace('_', " ")),
    };
    let what = format!("{place}: {}", meaning(exchange));
    let mut text = format!("{}  {what}\n", style.paint(Ink::Strong, &head));
    let mut field = |label: &str, value: &str| {
        text.push_str(&format!("      {}{value}\n", style.paint(Ink::Dim, &format!("{label:<10}"))));
    };
    let room = style.text_width() - 16;
    let took = span::took(exchange.done_ms - exchange.sent_ms);
    field("sent", &format!("at {} of the run, took {took}", span::instant(exchange.sent_ms)));
    match record.cases.iter().find(|case| case.case() == exchange.case) {
        Some(case) => {
            field("case", &format!("{}: {}", clean(&exchange.case), verdict(case, style)));
            field("about", &clean(&case.title));
            for (index, line) in wrap(&sequence(record, case, exchange.number), room).iter().enumerate() {
                field(if index == 0 { "sequence" } else { "" }, line);
            }
            field("more", &style.paint(Ink::Dim, &format!("devgrant explain {}", case.check)));
        }
        None if exchange.case.contains('/') => {
            field("case", &format!("{}: the run ended before it was judged", clean(&exchange.case)));
        }
        None => field("part of", &clean(&exchange.case)),
    }
    text
}

/// What the answer means; a page has a status for people and no outcome for a device.
fn meaning(exchange: &ShownExchange) -> String {
    match (exchange.endpoint, exchange.status) {
        (Endpoint::Pages, Some(status)) => format!("page {status}"),
        _ => exchange.outcome.word().to_owned(),
    }
}

/// The exchanges of a case as a row of outcomes: the few before and after this one.
fn sequence(record: &RunRecord, case: &CaseResult, this: u32) -> String {
    let at = case.exchanges.iter().position(|number| *number == this).unwrap_or_default();
    let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(case.exchanges.len()));
    let near = case.exchanges.get(from..to).unwrap_or_default().iter().map(|number| {
        let outcome = record.exchanges.get(number).map_or_else(|| "not kept".to_owned(), meaning);
        format!("#{number} {outcome}{}", if *number == this { " (this one)" } else { "" })
    });
    let before = (from > 0).then(|| format!("{from} before"));
    let after = (to < case.exchanges.len()).then(|| format!("{} after", case.exchanges.len() - to));
    before.into_iter().chain(near).chain(after).collect::<Vec<_>>().join(" · ")
}

fn verdict(case: &CaseResult, style: &Style) -> String {
    let word = style.paint(Ink::of(case.verdict), case.verdict.word());
    format!("{word} ({} · {})", case.weight.label(), clean(&case.clause))
}

fn request(exchange: &ShownExchange, style: &Style) -> String {
    let line = clean(&format!("{} {}", exchange.method, exchange.url)).replace('\n', " ");
    let mut text =
        format!("{}\n{}", style.paint(Ink::Strong, &line), headers(&exchange.request_headers, style));
    let body = exchange.request_body.as_str();
    if body.is_empty() {
        return text;
    }
    text.push_str(&format!("\n{}\n", clean(&reading(body))));
    let is_form = exchange
        .request_headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("content-type") && value.contains("form-urlencoded"));
    if is_form {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let name = fields.iter().map(|(name, _)| columns(name)).max().unwrap_or_default();
        text.push_str(&format!("\n      {}\n", style.paint(Ink::Dim, "decoded, for reading")));
        for (key, value) in fields {
            text.push_str(&format!("      {:name$}  {}\n", clean(&key), clean(&value)));
        }
    }
    text
}

fn answer(exchange: &ShownExchange, style: &Style) -> String {
    let Some(status) = exchange.status else {
        let why = exchange.no_answer.as_deref().unwrap_or("the record does not say why");
        return format!("{} {}\n", style.paint(Ink::Fail, "no answer:"), clean(why));
    };
    let mut text = format!(
        "{}\n{}",
        style.paint(Ink::Strong, &format!("answered {status}")),
        headers(&exchange.response_headers, style)
    );
    if exchange.response_body.is_empty() {
        text.push_str(&format!("\n{}\n", style.paint(Ink::Dim, "(no body)")));
    } else {
        text.push_str(&format!("\n{}\n", clean(&reading(&exchange.response_body)).trim_end()));
    }
    if let Some(cut) = &exchange.no_answer {
        text.push_str(&format!("\n{} {}\n", style.paint(Ink::Fail, "incomplete:"), clean(cut)));
    }
    text
}

fn headers(headers: &[(String, String)], style: &Style) -> String {
    let one = |name: &str| style.paint(Ink::Dim, &format!("{}:", clean(name).replace('\n', " ")));
    headers
        .iter()
        .map(|(name, value)| format!("{} {}\n", one(name), clean(value).replace('\n', " ")))
        .collect()
}

/// JSON with line breaks, anything else as it came.
fn reading(body: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(body).is_ok() { broken_into_lines(body) } else { body.to_owned() }
}

/// Valid JSON with an indentation. Order, repeated members and the spelling of numbers stay: they are evidence.
fn broken_into_lines(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                text.push(c);
                let mut escaped = false;
                for c in chars.by_ref() {
                    text.push(c);
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
            }
            '{' | '[' => {
                text.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::terminal::{Colour, Kept, Verbosity};

    const PLAIN: Style =
        Style { colour: Colour::Off, width: 100, verbose: Verbosity::Normal, kept: Kept::InAFile };

    fn mixed() -> RunRecord {
        RunRecord::read(include_str!("../../fixtures/records/mixed.jsonl")).unwrap()
    }

    #[test]
    fn an_exchange_is_shown_with_its_case_and_its_neighbours() {
        let record = mixed();
        let of =
            |outcome: &str| record.exchanges.values().find(|e| e.outcome.word() == outcome).unwrap().number;
        insta::assert_snapshot!(exchange(&record, of("refused"), &PLAIN).unwrap());
        insta::assert_snapshot!(exchange(&record, of("slow_down"), &PLAIN).unwrap());
        insta::assert_snapshot!(exchange(&record, of("broken"), &PLAIN).unwrap());
    }

    #[test]
    fn a_number_that_is_not_there_says_which_are() {
        let record = mixed();
        assert_eq!(
            exchange(&record, 7, &PLAIN).unwrap_err(),
            "there is no exchange #7 in this record: it has #401 to #417"
        );
        assert!(exchange(&RunRecord::default(), 7, &PLAIN).unwrap_err().ends_with("no exchanges at all"));
    }

    #[test]
    fn json_keeps_its_order_and_its_spelling() {
        assert_eq!(
            reading(r#"{"b":1.0,"a":[ ],"b":{"c":"x,\"}:"},"n":[1,2]}"#),
            "{\n  \"b\": 1.0,\n  \"a\": [],\n  \"b\": {\n    \"c\": \"x,\\\"}:\"\n  },\n  \"n\": [\n    1,\n    2\n  ]\n}"
        );
        assert_eq!(reading("<html>"), "<html>");
    }
}
