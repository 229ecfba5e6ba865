//! Why a decision could not be submitted: where the driver stopped, what it saw, what to do about it.

use std::fmt;

use super::PageError;
use crate::target::{Decision, FormButton};

/// Why a decision could not be submitted. Holds no password and no cookie; the user code may be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalError {
    /// An address cannot be opened.
    #[error("cannot open {url}: {why}; {}", match why {
        PageError::NotAllowed => "passwords are typed over https or on this machine only",
        PageError::TooLarge => "is this a verification page?",
        PageError::Unreachable(_) => "is the server up, and its verification URI right?",
    })]
    Address {
        /// The address, without its query.
        url: String,
        /// Why not.
        why: PageError,
    },
    /// The browser could not be used.
    #[error("the browser could not be used: {why}")]
    Browser {
        /// Why not, and what to do.
        why: String,
    },
    /// The step's form is sent in a way that the driver does not know.
    #[error(
        "step {step} of the form recipe fits {place}, whose form is sent as {encoding}; only \
             application/x-www-form-urlencoded is known: use `approval: {{ manual: {{}} }}` in the target file"
    )]
    Encoding {
        /// The step's number, from 1.
        step: usize,
        /// What the form asks for.
        encoding: String,
        /// Where.
        place: Box<Place>,
    },
    /// The person says that it cannot be done.
    #[error("the person at the prompt could not {decision}; is the user registered, and the page in order?")]
    CouldNot {
        /// What was wanted.
        decision: Decision,
    },
    /// The program that decides did not.
    #[error("{program} did not {decision}: {why}")]
    Command {
        /// The program.
        program: String,
        /// What was wanted.
        decision: Decision,
        /// What became of it, and what to do.
        why: String,
    },
    /// The code form came again.
    #[error(
        "the code was refused: the form of step {step} came again with {user_code} sent, on {place}; has it \
             expired, and does the step fill the right field?"
    )]
    CodeRefused {
        /// The step's number, from 1.
        step: usize,
        /// The code that was typed.
        user_code: String,
        /// Where.
        place: Box<Place>,
    },
    /// It is too late.
    #[error("the time was over before the decision was submitted{}; is the server slow, or `give_up_after` short?",
            place.as_ref().map_or_else(String::new, |place| format!(", after {place}")))]
    Deadline {
        /// The last page that was read.
        place: Option<Box<Place>>,
    },
    /// More pages than any server needs.
    #[error(
        "went in circles, {pages} pages or too many redirects without a decision; the last is {place}; does a step of the form recipe \
             fit a page it should not?"
    )]
    Loop {
        /// How many pages were shown.
        pages: usize,
        /// The last of them.
        place: Box<Place>,
    },
    /// The pages ended, the decision was not among them.
    #[error(
        "the pages never offered to {decision}: they end at {place}; mark the step that does it \
             with `decides: {decision}`, or say under `done` how this page shows that it is decided"
    )]
    NeverOffered {
        /// What was wanted.
        decision: Decision,
        /// The last page.
        place: Box<Place>,
    },
    /// The step's button is not there, or there are several and the step names none.
    #[error("step {step} of the form recipe fits {place}, but {}", match button {
        Some(button) => format!("there is no button {button}; change its `press`"),
        None => "the form has several buttons; name one: `press: { text: ... }`".to_owned(),
    })]
    NoButton {
        /// The step's number, from 1.
        step: usize,
        /// The button that is wanted.
        button: Option<FormButton>,
        /// Where.
        place: Box<Place>,
    },
    /// `verification_uri_complete` is wanted, and the server gives none.
    #[error(
        "there is no verification_uri_complete to start at; the server gives none (RFC 8628 §3.3.1 is optional)"
    )]
    NoCompleteUri,
    /// The recipe has no way to this decision.
    #[error("the recipe has no {what} to {decision}; add it, or declare `lacks: [{}]` in the target file if the \
             server cannot", match decision {
        Decision::Approve => "approval",
        Decision::Deny => "denial",
    })]
    NoDecision {
        /// What was wanted.
        decision: Decision,
        /// What is missing.
        what: &'static str,
    },
    /// The step's field is not there or cannot take the value.
    #[error(
        "step {step} of the form recipe fits {place}, but `{field}` {problem}; change its `fill` or `check`"
    )]
    NoField {
        /// The step's number, from 1.
        step: usize,
        /// The field's name.
        field: String,
        /// What is wrong with it.
        problem: FieldProblem,
        /// Where.
        place: Box<Place>,
    },
    /// No step fits a form of the page.
    #[error(
        "no step of the form recipe fits {place}; add a step for it under `approval: {{ form: {{ steps: ... }} }}` \
             in the target file, or mend the `when` that should fit"
    )]
    NoFormFits {
        /// Where.
        place: Box<Place>,
    },
    /// A forged decision cannot be made out of this page.
    #[error("a forged decision cannot be made at {place}: {why}")]
    NoForgery {
        /// Why not.
        why: &'static str,
        /// The page with the decision.
        place: Box<Place>,
    },
    /// The driver sees no pages.
    #[error(
        "{who} reads no pages; give the target `approval: {{ form: ... }}` or `browser` to have them read"
    )]
    NoPages {
        /// Who decides.
        who: &'static str,
    },
    /// Nobody can be asked.
    #[error("nobody can be asked: {why}; run it at a terminal, or give the target another `approval`")]
    NoPerson {
        /// Why not.
        why: String,
    },
    /// The closure that decides in place of pages had no success.
    #[error("the closure said: {why}; does the server know the code, and is it undecided?")]
    NotTaken {
        /// Its words.
        why: String,
    },
    /// It is nothing that a browser sends.
    #[error("a browser sends no {what}; only `approval: {{ form: ... }}` does")]
    NotOfABrowser {
        /// What was wanted.
        what: &'static str,
    },
    /// A request of the `http` driver did not come out.
    #[error("request {number} of `{list}` ({method} {url}) {came}; {}", match list {
        &"sign_in" => "check `users` in the target file, and what the request sends",
        _ => "does the server know the code, is it undecided, and is everything sent that it wants?",
    })]
    Request {
        /// The list of the target file.
        list: &'static str,
        /// Its number there, from 1.
        number: usize,
        /// The method.
        method: String,
        /// The address, without its query.
        url: String,
        /// What came.
        came: String,
    },
    /// The same sign-in form came again.
    #[error(
        "the sign-in was refused: the form of step {step} came again with the user {login}, on {place}; check \
             `users` in the target file, and which fields the step fills"
    )]
    SignInRefused {
        /// The step's number, from 1.
        step: usize,
        /// Who signed in.
        login: String,
        /// Where.
        place: Box<Place>,
    },
    /// The verification URI is not an address.
    #[error(
        "{uri:?} is not an absolute address ({why}); the server's device authorization response is wrong"
    )]
    StartUri {
        /// What the server gave.
        uri: String,
        /// Why not.
        why: url::ParseError,
    },
}

impl ApprovalError {
    /// The words in two: what was seen, and what to do about it.
    #[must_use]
    pub fn seen_and_help(&self) -> (String, String) {
        let words = self.to_string();
        let parts = words.rsplit_once("; ").map(|(seen, help)| (seen.to_owned(), help.to_owned()));
        parts.unwrap_or((words, "devgrant login shows the page to you".to_owned()))
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldProblem {
    /// It is a box: `check` checks it.
    IsABox,
    /// There is none of this name.
    Missing,
    /// None of its choices has this value.
    NoSuchChoice,
    /// It is no box: `fill` fills it.
    NotABox,
}

/// A page at which the driver stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The title.
    pub title: String,
    /// The address, without its query.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// How the page's text begins, without the user's password.
    pub text: String,
    /// The forms, each with address, fields and buttons.
    pub forms: Vec<String>,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IsABox => "is a box, which `check` checks",
            Self::Missing => "is no field of the form",
            Self::NoSuchChoice => "has no choice of that value",
            Self::NotABox => "is no box, `fill` fills it",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page {:?} ({}, status {})", self.title, self.url, self.status)?;
        if !self.text.is_empty() {
            write!(f, " that says {:?}", self.text)?;
        }
        match self.forms.as_slice() {
            [] => f.write_str(" and has no form"),
            [form] => write!(f, " and has a form {form}"),
            forms => write!(f, " and has the forms {}", forms.join(" and ")),
        }
    }
}
