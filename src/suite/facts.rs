//! What can be said of any step or expectation, whichever it is.

use super::expectation::Expectation;
use super::request::Edits;
use super::steps::Step;
use crate::protocol::Role;

impl Step {
    /// The word that people write.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Discover(_) => "discover",
            Self::Authorize(_) => "authorize",
            Self::Poll(_) => "poll",
            Self::Polls(_) => "polls",
            Self::PollUntil(_) => "poll_until",
            Self::Wait(_) => "wait",
            Self::Approve(_) => "approve",
            Self::Deny(_) => "deny",
            Self::OpenPage(_) => "open_page",
            Self::EnterCode(_) => "enter_code",
            Self::Race(_) => "race",
            Self::Together(_) => "together",
            Self::CallApi(_) => "call_api",
            Self::Refresh(_) => "refresh",
            Self::Revoke(_) => "revoke",
            Self::Introspect(_) => "introspect",
            Self::Request(_) => "request",
            Self::Tls(_) => "tls",
            Self::OnlyIf(_) => "only_if",
        }
    }

    /// The expectations on this step's answer.
    #[must_use]
    pub fn expect(&self) -> &[Expectation] {
        match self {
            Self::Discover(step) => &step.expect,
            Self::Authorize(step) => &step.expect,
            Self::Poll(step) => &step.expect,
            Self::Polls(step) => &step.expect,
            Self::PollUntil(step) => &step.expect,
            Self::Race(step) => &step.expect,
            Self::CallApi(step) => &step.expect,
            Self::Refresh(step) => &step.expect,
            Self::Revoke(step) | Self::Introspect(step) => &step.expect,
            Self::Request(step) => &step.expect,
            Self::Approve(step) | Self::Deny(step) => &step.expect,
            Self::OpenPage(step) => &step.expect,
            Self::EnterCode(step) => &step.expect,
            Self::Wait(_) | Self::Together(_) | Self::Tls(_) | Self::OnlyIf(_) => &[],
        }
    }

    /// The name that `at:` and `same_as:` use for this step.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Discover(step) => step.name.as_deref(),
            Self::Authorize(step) => step.name.as_deref().or(Some(&step.session)),
            Self::Poll(step) => step.name.as_deref(),
            Self::PollUntil(step) => step.name.as_deref(),
            Self::CallApi(step) => step.name.as_deref(),
            Self::Refresh(step) => step.name.as_deref(),
            Self::Revoke(step) | Self::Introspect(step) => step.name.as_deref(),
            Self::Request(step) => step.name.as_deref(),
            Self::Approve(step) | Self::Deny(step) => step.name.as_deref(),
            Self::OpenPage(step) => step.name.as_deref(),
            Self::EnterCode(step) => step.name.as_deref(),
            _ => None,
        }
    }

    /// The session this step works on, if it works on one that must exist before.
    #[must_use]
    pub fn uses_session(&self) -> Option<&str> {
        match self {
            Self::Poll(step) => Some(&step.session),
            Self::Polls(step) => Some(&step.session),
            Self::PollUntil(step) => Some(&step.session),
            Self::Wait(step) => Some(&step.session),
            Self::Approve(step) | Self::Deny(step) => Some(&step.session),
            Self::OpenPage(step) => Some(&step.session),
            Self::EnterCode(step) => Some(&step.session),
            Self::Race(step) => Some(&step.session),
            Self::CallApi(step) => Some(&step.session),
            Self::Refresh(step) => Some(&step.session),
            Self::Revoke(step) | Self::Introspect(step) => Some(&step.session),
            Self::Request(step) => step.session.as_deref(),
            Self::Discover(_) | Self::Authorize(_) | Self::Together(_) | Self::Tls(_) | Self::OnlyIf(_) => {
                None
            }
        }
    }

    /// Does it carry a control?
    #[must_use]
    pub const fn has_control(&self) -> bool {
        match self {
            Self::Authorize(step) => step.control.is_some(),
            Self::Poll(step) => step.control.is_some(),
            Self::CallApi(step) => step.control.is_some(),
            Self::Refresh(step) => step.control.is_some(),
            _ => false,
        }
    }

    /// What it says about its request, if it sends one that can be changed.
    #[must_use]
    pub fn edits(&self) -> Option<Edits> {
        match self {
            Self::Authorize(step) => Some(step.edits()),
            Self::Poll(step) => Some(step.edits()),
            Self::CallApi(step) => Some(step.edits()),
            Self::Refresh(step) => Some(step.edits()),
            Self::Revoke(step) | Self::Introspect(step) => Some(step.edits()),
            _ => None,
        }
    }

    /// The client that it names.
    #[must_use]
    pub fn client(&self) -> Option<Role> {
        match self {
            Self::PollUntil(step) => step.client,
            _ => self.edits().and_then(|edits| edits.client),
        }
    }
}

impl Expectation {
    /// Does it look at many answers itself, rather than at one?
    #[must_use]
    pub const fn is_of_many(&self) -> bool {
        matches!(
            self,
            Self::Alphabet(_)
                | Self::Count(_)
                | Self::Distinct(_)
                | Self::Entropy(_)
                | Self::Uniform(_)
                | Self::Unordered(_)
                | Self::Unrelated(_)
                | Self::Never(_)
                | Self::Tokens(_)
        )
    }

    /// The word that people write.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Outcome(_) => "outcome",
            Self::Error(_) => "error",
            Self::Status(_) => "status",
            Self::Header(_) => "header",
            Self::ContentType(_) => "content_type",
            Self::Body(_) => "body",
            Self::Member(_) => "member",
            Self::Absent(_) => "absent",
            Self::Contains(_) => "contains",
            Self::FilledLists(_) => "filled_lists",
            Self::Not(_) => "not",
            Self::AnyOf(_) => "any_of",
            Self::Lenient(_) => "lenient",
            Self::When(_) => "when",
            Self::SameAs(_) => "same_as",
            Self::Same(_) => "same",
            Self::Differ(_) => "differ",
            Self::Near(_) => "near",
            Self::Later(_) => "later",
            Self::Jwt(_) => "jwt",
            Self::Lacks(_) => "lacks",
            Self::Request(_) => "request",
            Self::Target(_) => "target",
            Self::Scope(_) => "scope",
            Self::Tokens(_) => "tokens",
            Self::Count(_) => "count",
            Self::Never(_) => "never",
            Self::Distinct(_) => "distinct",
            Self::Entropy(_) => "entropy",
            Self::Uniform(_) => "uniform",
            Self::Unordered(_) => "unordered",
            Self::Unrelated(_) => "unrelated",
            Self::Alphabet(_) => "alphabet",
            Self::Page(_) => "page",
            Self::Code(_) => "code",
        }
    }
}
