//! One case that is worth a reader's time, as a block of aligned lines.
//!
//! ```text
//! FAIL  client-authentication/wrong-secret[basic]                      must · RFC 6749 §5.2
//!       A wrong secret is answered invalid_client
//!       expected  error invalid_client
//!       actual    401  {"error":"unauthorized_client"}
//!       why       client libraries decide by this word whether the credentials are wrong
//!       exchange  #417 POST /token, 23 ms    devgrant show 417
//!       more      devgrant explain client-authentication/wrong-secret
//! ```

use crate::event::{CaseResult, ShownExchange};
use crate::record::RunRecord;
use crate::report::judgement::{is_known, is_unscored};
use crate::report::span;
use crate::verdict::{Grade, Mismatch, Verdict};

use super::style::{Ink, Style, Verbosity};
use super::wrap::{clean, columns, wrap};

/// Where the lines of a block begin, and how wide their labels are.
const INDENT: usize = 6;
const LABEL: usize = 10;

/// The lines about one case; empty when there is nothing to say about it.
///
/// A block begins with an empty line, a remark does not.
#[must_use]
pub fn finding(case: &CaseResult, record: &RunRecord, style: &Style) -> String {
    let verbose = style.verbose == Verbosity::Verbose;
    match case.verdict {
        Verdict::Fail if is_known(case) => known(case, style),
        Verdict::Pass if verbose => pass(case, style),
        Verdict::Acceptable if verbose => {
            let said: Vec<String> = case.mismatches.iter().map(in_short).collect();
            let said = if said.is_empty() { case.title.clone() } else { said.join("; ") };
            remark("ACCEPTABLE", case, &said, style)
        }
        Verdict::Pass | Verdict::Acceptable | Verdict::Skip => String::new(),
        // One cause leaves many cases without a verdict: they are told together, at the end.
        Verdict::NotExercised if !verbose => String::new(),
        Verdict::Warn | Verdict::Fail | Verdict::NotExercised | Verdict::Inconclusive | Verdict::Error => {
            Block { lines: vec![String::new()], style }.of(case, record)
        }
    }
}

/// One line, however long the title is: there are many of these.
fn pass(case: &CaseResult, style: &Style) -> String {
    let name = clean(&case.case());
    let title = clean(&case.title).replace('\n', " ");
    let room = style.text_width().saturating_sub("PASS".len() + 2 + columns(&name) + 2);
    let title = if columns(&title) <= room {
        title
    } else {
        title.chars().take(room.saturating_sub(1)).chain(['…']).collect()
    };
    format!("{}  {name}  {}\n", style.paint(Ink::Pass, "PASS"), style.paint(Ink::Dim, &title))
}

fn known(case: &CaseResult, style: &Style) -> String {
    let reason = case.known.as_deref().unwrap_or_default();
    remark("KNOWN", case, &format!("fails, as listed: {reason}"), style)
}

fn remark(label: &str, case: &CaseResult, text: &str, style: &Style) -> String {
    let name = clean(&case.case());
    let lead = format!("{label}  {name}  ");
    let text = clean(text).replace('\n', " ");
    let ink = if label == "KNOWN" { Ink::Warn } else { Ink::Pass };
    let head = format!("{}  {}", style.paint(ink, label), name);
    if columns(&lead) + columns(&text) <= style.text_width() {
        return format!("{head}  {}\n", style.paint(Ink::Dim, &text));
    }
    let below: Vec<String> = wrap(&text, style.text_width() - INDENT)
        .iter()
        .map(|line| format!("{:INDENT$}{}\n", "", style.paint(Ink::Dim, line)))
        .collect();
    format!("{head}\n{}", below.concat())
}

fn in_short(mismatch: &Mismatch) -> String {
    let because = mismatch.because.as_ref().map_or_else(String::new, |because| format!(" ({because})"));
    format!("{}, not {}{because}", mismatch.actual, mismatch.expected)
}

/// A block in the making.
struct Block<'a> {
    lines: Vec<String>,
    style: &'a Style,
}

impl Block<'_> {
    fn of(mut self, case: &CaseResult, record: &RunRecord) -> String {
        self.head(case);
        for line in wrap(&case.title, self.style.text_width() - INDENT) {
            self.lines.push(format!("{:INDENT$}{line}", ""));
        }
        self.mismatches(case, record);
        if let Some(edition) = &case.unscored {
            self.field(
                "counts",
                &format!("not at all: it came with edition {edition}, an older one is scored"),
                None,
            );
        }
        if let Some(reason) = &case.reason {
            self.field("reason", reason, None);
        }
        if let Some(means) = means(case.verdict) {
            self.field("means", means, Some(Ink::Dim));
        }
        if case.mismatches.iter().all(|mismatch| mismatch.exchange.is_none())
            && let Some(last) = case.exchanges.last()
        {
            self.exchange(*last, record);
        }
        // Why a rule matters says nothing where it could not be judged.
        if matches!(case.verdict, Verdict::Warn | Verdict::Fail) {
            self.field("why", &case.why, Some(Ink::Dim));
        }
        // A command is never broken: it is there to be copied.
        self.line("more", &format!("devgrant explain {}", case.check), Some(Ink::Dim));
        self.lines.join("\n") + "\n"
    }

    fn head(&mut self, case: &CaseResult) {
        let (label, ink) = if is_unscored(case) {
            ("UNSCORED".to_owned(), Ink::Warn)
        } else {
            (case.verdict.word().to_uppercase(), Ink::of(case.verdict))
        };
        let name = clean(&case.case());
        let weight = format!("{} · {}", case.weight.label(), clean(&case.clause));
        let painted = format!("{}  {}", self.style.paint(ink, &label), self.style.paint(Ink::Strong, &name));
        let used = columns(&label) + 2 + columns(&name);
        let width = self.style.text_width();
        if used + 2 + columns(&weight) <= width {
            let gap = width - used - columns(&weight);
            self.lines.push(format!("{painted}{:gap$}{}", "", self.style.paint(Ink::Dim, &weight)));
        } else {
            self.lines.push(painted);
            self.lines.push(format!("{:INDENT$}{}", "", self.style.paint(Ink::Dim, &weight)));
        }
    }

    /// Every difference; an exchange that several of them share is named once, below the last.
    fn mismatches(&mut self, case: &CaseResult, record: &RunRecord) {
        let worst = case.mismatches.iter().map(|mismatch| mismatch.grade).max();
        let mut rest = case.mismatches.iter().peekable();
        while let Some(mismatch) = rest.next() {
            self.field("expected", &mismatch.expected, None);
            self.field("actual", &mismatch.actual, None);
            if let Some(because) = &mismatch.because {
                self.field("because", because, None);
            }
            if Some(mismatch.grade) < worst
                && let Some(counts) = milder(mismatch.grade)
            {
                self.field("counts", counts, Some(Ink::Dim));
            }
            if let Some(number) = mismatch.exchange
                && rest.peek().is_none_or(|next| next.exchange != Some(number))
            {
                self.exchange(number, record);
            }
        }
    }

    fn exchange(&mut self, number: u32, record: &RunRecord) {
        let command = format!("devgrant show {number}");
        let Some(exchange) = record.exchanges.get(&number) else {
            return self.field("exchange", &format!("#{number}, not kept in this record"), None);
        };
        let room = self.style.text_width() - INDENT - LABEL;
        let lead = format!("#{number} {} ", clean(&exchange.method));
        let took = format!(", {}", span::took(exchange.done_ms - exchange.sent_ms));
        let taken = columns(&lead) + columns(&took) + 4 + columns(&command);
        let what = format!("{lead}{}{took}", end_of_path(&clean(path(exchange)), room.saturating_sub(taken)));
        if self.style.hint(&command).is_empty() {
            self.field("exchange", &what, None);
        } else if columns(&what) + 4 + columns(&command) <= room {
            let command = self.style.paint(Ink::Dim, &command);
            self.line("exchange", &format!("{what}    {command}"), None);
        } else {
            self.field("exchange", &what, None);
            self.line("", &command, Some(Ink::Dim));
        }
    }

    /// A labelled text, wrapped.
    fn field(&mut self, label: &str, text: &str, ink: Option<Ink>) {
        let lines = wrap(text, self.style.text_width() - INDENT - LABEL);
        if lines.is_empty() {
            self.line(label, "(nothing)", ink);
        }
        for (index, line) in lines.iter().enumerate() {
            self.line(if index == 0 { label } else { "" }, line, ink);
        }
    }

    fn line(&mut self, label: &str, text: &str, ink: Option<Ink>) {
        let label = self.style.paint(Ink::Dim, &format!("{label:LABEL$}"));
        let text = ink.map_or_else(|| text.to_owned(), |ink| self.style.paint(ink, text));
        self.lines.push(format!("{:INDENT$}{label}{text}", ""));
    }
}

/// What a verdict says, where its word alone leaves open whose fault it is.
const fn means(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Error => Some("devgrant's own trouble, not the server's fault"),
        Verdict::Inconclusive => Some("measured, and not certain enough to blame the server"),
        Verdict::NotExercised => Some("not judged: what has to work before this check did not work"),
        Verdict::Pass | Verdict::Acceptable | Verdict::Warn | Verdict::Fail | Verdict::Skip => None,
    }
}

const fn milder(grade: Grade) -> Option<&'static str> {
    match grade {
        Grade::Acceptable => Some("as acceptable only"),
        Grade::Warn => Some("as a warning only"),
        Grade::Mismatch => None,
    }
}

/// As much of the end of a path as fits, from a slash on; at least its last part.
fn end_of_path(path: &str, room: usize) -> String {
    if columns(path) <= room {
        return path.to_owned();
    }
    let mut ends = path.match_indices('/').map(|(at, _)| &path[at..]).skip(1).peekable();
    let mut end = path;
    while let Some(shorter) = ends.next() {
        end = shorter;
        if columns(end) < room || ends.peek().is_none() {
            break;
        }
    }
    if end == path { path.to_owned() } else { format!("…{end}") }
}

/// The path of a URL, without host and query.
fn path(exchange: &ShownExchange) -> &str {
    let url = exchange.url.as_str();
    let after_host = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest.find(['/', '?', '#']).map_or("/", |start| &rest[start..]));
    let end = after_host.find(['?', '#']).unwrap_or(after_host.len());
    if end == 0 { "/" } else { &after_host[..end] }
}
