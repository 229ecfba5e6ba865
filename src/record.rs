//! Events folded: everything a report needs, complete even when the run was interrupted.

use std::collections::BTreeMap;

use crate::event::{Began, CardLine, CaseResult, Ended, Event, FORMAT, OLDEST_FORMAT, ShownExchange};
use crate::protocol::Level;
use crate::verdict::{Verdict, Weight};

/// One run, as far as it got.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRecord {
    /// How it began; missing when nothing could be judged.
    pub began: Option<Began>,
    /// The exchanges, by number.
    pub exchanges: BTreeMap<u32, ShownExchange>,
    /// The cases, in the order they were judged.
    pub cases: Vec<CaseResult>,
    /// The behaviour card, in the order of its lines.
    pub card: Vec<CardLine>,
    /// How it ended; missing when the process was killed.
    pub ended: Option<Ended>,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A line is not an event.
    #[error("line {line} is not an event of a record: {message}")]
    NotAnEvent {
        /// Which line, from 1 on.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Written by another version.
    #[error("the record has format {found}, this devgrant reads formats {OLDEST_FORMAT} to {FORMAT}")]
    OtherFormat {
        /// Its format.
        found: u32,
    },
    /// There is nothing in it.
    #[error("the record is empty")]
    Empty,
}

impl RunRecord {
    /// Takes one event in.
    pub fn fold(&mut self, event: Event) {
        match event {
            Event::Began(began) => self.began = Some(*began),
            Event::Exchanged(exchange) => {
                self.exchanges.insert(exchange.number, *exchange);
            }
            Event::Waiting(_) => {}
            Event::Judged(case) => self.cases.push(*case),
            Event::Measured(line) => {
                let at = self.card.partition_point(|known| known.place <= line.place);
                self.card.insert(at, *line);
            }
            Event::Ended(ended) => self.ended = Some(*ended),
        }
    }

    /// Reads a record: one event a line. A last line that was cut off is left out.
    ///
    /// # Errors
    /// A line in the middle is no event, the record is of another format, or there is nothing in it.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let mut record = Self::default();
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
        if lines.peek().is_none() {
            return Err(RecordError::Empty);
        }
        while let Some((index, line)) = lines.next() {
            match serde_json::from_str::<Event>(line) {
                Ok(Event::Began(began)) if !(OLDEST_FORMAT..=FORMAT).contains(&began.format) => {
                    return Err(RecordError::OtherFormat { found: began.format });
                }
                Ok(event) => record.fold(event),
                Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
                Err(error) => {
                    return Err(RecordError::NotAnEvent { line: index + 1, message: error.to_string() });
                }
            }
        }
        Ok(record)
    }

    /// The record as it stands in a file, one event a line: [`RunRecord::read`] reads it again.
    #[must_use]
    pub fn text(&self) -> String {
        let events = self.began.iter().map(|began| Event::Began(Box::new(began.clone())));
        let exchanged = |exchange: &ShownExchange| Event::Exchanged(Box::new(exchange.clone()));
        let events = events
            .chain(self.exchanges.values().map(exchanged))
            .chain(self.cases.iter().map(|case| Event::Judged(Box::new(case.clone()))))
            .chain(self.card.iter().map(|line| Event::Measured(Box::new(line.clone()))))
            .chain(self.ended.iter().map(|ended| Event::Ended(Box::new(ended.clone()))));
        // Every map has words as keys, and writing into memory cannot fail.
        events.map(|event| serde_json::to_string(&event).unwrap_or_default() + "\n").collect()
    }

    /// How many cases have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|case| case.verdict == verdict).count()
    }

    /// The exit code (suite language guide, section 2): 130 interrupted, 1 a fail or a stale known failure, 3 nothing
    /// judged or our own trouble, 0 otherwise. 1 wins over 3.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let ended = self.ended.as_ref();
        if ended.is_none_or(|ended| ended.interrupted) {
            return 130;
        }
        if self.cases.iter().any(CaseResult::is_red)
            || ended.is_some_and(|ended| !ended.stale_known.is_empty())
        {
            return 1;
        }
        if self.not_judged_because().is_some() { 3 } else { 0 }
    }

    /// Why the run as a whole says nothing, if so.
    #[must_use]
    pub fn not_judged_because(&self) -> Option<String> {
        let is_judged = self.cases.iter().any(|case| case.verdict.is_judged());
        let is_card_alone = self.cases.is_empty() && self.card.iter().any(|line| line.measured().is_some());
        if !is_judged && !is_card_alone {
            let because = self.ended.as_ref().and_then(|ended| ended.because.clone());
            return Some(because.unwrap_or_else(|| "nothing could be judged".to_owned()));
        }
        let scored = || self.cases.iter().filter(|case| case.unscored.is_none());
        let errors = scored().filter(|case| case.verdict == Verdict::Error).count();
        if errors > 0 {
            return Some(format!(
                "{errors} {} ended in an error of our own",
                plural(errors, "case", "cases")
            ));
        }
        if let Some(first) = self.ended.as_ref().and_then(|ended| ended.never_came_out.first()) {
            return Some(first.clone());
        }
        let must =
            |case: &&CaseResult| case.weight == Weight::Level(Level::Must) && case.verdict != Verdict::Skip;
        let planned = scored().filter(must).count();
        let unsure = scored().filter(must).filter(|case| case.verdict == Verdict::Inconclusive).count();
        (unsure * 10 > planned)
            .then(|| format!("{unsure} of {planned} must-level cases were inconclusive, more than a tenth"))
    }
}

/// The word for one or for many.
#[must_use]
pub const fn plural<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}
