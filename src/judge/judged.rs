//! What a run in a test came to, and how the test says so.

use crate::event::CaseResult;
use crate::record::RunRecord;
use crate::report::terminal::{Colour, Kept, Style, Verbosity, render};
use crate::verdict::Verdict;

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Everything that happened, as reports read it. [`RunRecord::text`] is what `devgrant report` and `devgrant show`
    /// read from a file.
    pub record: RunRecord,
}

impl Judged {
    /// Nothing failed but what is a known failure, no known failure is stale, and the run says something: what
    /// `devgrant check` would end with 0 for. Warnings are green; [`super::Judge::strict`] makes failures of them.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.record.exit_code() == 0
    }

    /// Passes when it [is green](Self::is_green).
    ///
    /// # Panics
    /// Otherwise, with the [findings](Self::findings).
    #[track_caller]
    pub fn assert_green(&self) {
        assert!(self.is_green(), "the server does not keep the rules\n\n{}", self.findings());
    }

    /// What `devgrant check` shows: each finding with what was expected, what came and why it matters, then the counts,
    /// what was left out and why, and the judgement.
    #[must_use]
    pub fn findings(&self) -> String {
        let style = Style { colour: Colour::Off, width: 100, verbose: Verbosity::Normal, kept: Kept::Here };
        let mut text = render(&self.record, &style);
        if self.has_waited_in_vain() {
            text.push_str(
                "\nhelp: an answer did not come within the time: in virtual time a server must not wait for a socket, \
                 a thread or a\n      clock of its own; everything it waits for has to be of tokio's time\n",
            );
        }
        text
    }

    /// Every case, in the order they were judged.
    #[must_use]
    pub fn cases(&self) -> &[CaseResult] {
        &self.record.cases
    }

    /// The cases of these verdicts, by name and sorted: `token-response/expired-after-lifetime`, with `[variant]` behind
    /// it where the check has variants.
    #[must_use]
    pub fn named(&self, verdicts: &[Verdict]) -> Vec<String> {
        let cases = self.cases().iter().filter(|case| verdicts.contains(&case.verdict));
        let mut names: Vec<String> = cases.map(CaseResult::case).collect();
        names.sort();
        names
    }

    /// The failed cases, by name and sorted.
    #[must_use]
    pub fn failed(&self) -> Vec<String> {
        self.named(&[Verdict::Fail])
    }

    fn has_waited_in_vain(&self) -> bool {
        let late = |why: &String| why.starts_with("no answer within");
        self.record.exchanges.values().any(|exchange| exchange.no_answer.as_ref().is_some_and(late))
    }
}
