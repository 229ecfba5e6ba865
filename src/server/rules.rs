//! The rules of the server by name, and which are in force. Knows nothing of requests.
//!
//! Every rule is asked in exactly one place, through [`Rules::broken`] or [`Rules::waived`]. A misbehaviour that
//! leaves a rule out is therefore a value of [`Rules`], not a branch.

/// Declares the rules and the list of all of them.
macro_rules! rules {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// A rule that the server keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])+ $name,)+
        }

        impl Rule {
            /// Every rule, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

rules! {
    // Requests
    /// Only the methods of an endpoint are answered (RFC 9110 §15.5.6).
    MethodsAsDeclared,
    /// The body of a protocol request is a form (RFC 6749 App. B).
    FormBody,
    /// Parameters come in the body, never in the query (RFC 6749 §2.3.1).
    ParametersInBody,
    /// No request carries credentials in its URI (RFC 6749 §2.3.1).
    NoCredentialsInUri,
    /// A parameter without a value counts as omitted (RFC 6749 §3.2, RFC 8628 §3.1).
    EmptyIsOmitted,
    /// A parameter stands once (RFC 6749 §3.2, RFC 8628 §3.1); `resource` may be repeated (RFC 8707 §2).
    ParametersOnce,

    // Clients
    /// A client names itself (RFC 8628 §3.1, §3.4).
    ClientNamesItself,
    /// The client is registered (RFC 6749 §5.2).
    ClientIsKnown,
    /// One authentication method per request (RFC 6749 §2.3).
    OneAuthenticationMethod,
    /// `client_id` in the body is the client that authenticates by header (RFC 6749 §3.2.1).
    HeaderAndBodyAgree,
    /// Identifier and secret of a Basic header are form-encoded (RFC 6749 §2.3.1).
    BasicIsDecoded,
    /// A secret that is sent is the right one (RFC 6749 §2.3.1).
    SecretIsRight,
    /// Wrong secrets are limited (RFC 6749 §2.3.1).
    SecretLimit,
    /// A confidential client authenticates for the device authorization request (RFC 8628 §3.1).
    DeviceRequestAuthenticates,
    /// A confidential client authenticates at the token endpoint (RFC 6749 §3.2.1).
    TokenRequestAuthenticates,
    /// A confidential client authenticates to revoke (RFC 7009 §2.1).
    RevocationAuthenticates,
    /// Whoever introspects authenticates (RFC 7662 §2.1).
    IntrospectionAuthenticates,
    /// The device authorization endpoint refuses clients without the grant (RFC 6749 §5.2).
    GrantAllowedForCodes,
    /// The token endpoint refuses clients without the grant (RFC 6749 §5.2).
    GrantAllowedForTokens,
    /// A failed authentication leaves the device code usable for its owner.
    FailedAuthenticationSparesCode,

    // Scope and resource
    /// Unknown and malformed scopes are refused (RFC 6749 §3.3).
    ScopeIsKnown,
    /// A scope that comes with a poll changes nothing: the user approved the first one (RFC 6749 §3.3).
    PollKeepsScope,
    /// Unknown resources are refused (RFC 8707 §2).
    ResourceIsKnown,

    // The device authorization session
    /// No two live sessions share a user code (RFC 8628 §3.2).
    UserCodesUnique,
    /// A user code that is taken is drawn again (RFC 8628 §3.2).
    TakenCodesAreDrawnAgain,
    /// No two sessions share a device code (RFC 8628 §3.2).
    DeviceCodesUnique,
    /// Every character of a device code counts.
    WholeCodeCounts,
    /// A user code is no device code.
    CodesApart,
    /// A poll is answered about the code that it sends.
    AnswersAboutOwnCode,
    /// No session is forgotten while it may still matter.
    KeepsSessions,
    /// A device code is good for its own client only (RFC 6749 §5.2).
    CodeBoundToClient,
    /// A poll by another client changes nothing.
    ForeignPollSparesCode,
    /// Polls that come before the interval is over are answered `slow_down` (RFC 8628 §3.5).
    ThrottleEarlyPolls,
    /// The first poll is free: the interval counts from a poll, not from issuance.
    FirstPollIsFree,
    /// Pace is measured more finely than in whole seconds.
    FinePace,
    /// Each session has an interval of its own.
    ThrottlePerSession,
    /// `slow_down` raises the session's interval (RFC 8628 §3.5).
    SlowDownGrowsInterval,
    /// A burst raises the interval once.
    BurstCountsOnce,
    /// An approved code gives its token even to an early poll (RFC 8628 §3.5: `slow_down` is a kind of pending).
    ApprovalBeforeThrottle,
    /// A denied code says so even to an early poll.
    DenialBeforeThrottle,
    /// An expired code says so even to an early poll.
    ExpiryBeforeThrottle,
    /// Undecided and denied sessions end with their lifetime (RFC 8628 §3.2).
    ExpireSessions,
    /// An approved session that nobody collected ends with its lifetime (RFC 8628 §3.2).
    ExpireApprovals,
    /// A user code can be used in its lifetime only (RFC 8628 §3.2).
    ExpireUserCodes,
    /// A code that is over is over whether somebody opened its page since or not (RFC 8628 §3.2).
    ExpiryNeedsNoVisit,
    /// Polls change nothing about the lifetime (RFC 8628 §3.2).
    PollsKeepLifetime,
    /// A device code gives one token (by analogy with RFC 6749 §10.5).
    SingleUse,
    /// A user may connect several devices of a client (RFC 8628 §1).
    SeveralDevicesOfOneUser,
    /// A used code that comes again leaves its token alive: the device may have lost the answer.
    ReplaySparesToken,
    /// What was approved cannot be decided again before the device has its token.
    ApprovalIsFinal,
    /// What was denied cannot be decided again.
    DenialIsFinal,
    /// What brought its token cannot be decided again.
    RedemptionIsFinal,

    // Pages
    /// Whoever uses the pages has signed in (RFC 8628 §3.3).
    SignInRequired,
    /// The password is the user's.
    PasswordIsRight,
    /// Wrong passwords are limited.
    PasswordLimit,
    /// A browser session gets a new identifier when it signs in.
    NewSessionAtSignIn,
    /// Forms carry the token of their browser session (RFC 6749 §10.12).
    CsrfToken,
    /// Forms that come from another site are refused (RFC 6749 §10.12).
    SameOrigin,
    /// Opening a page decides nothing (RFC 8628 §3.3.1).
    ConfirmFirst,
    /// Only approve and deny are decisions.
    KnownDecisions,
    /// A decision is about the code of its form, not about the last one that this browser looked at.
    CodeOfTheForm,
    /// No page has a device code (RFC 8628 §3.3).
    DeviceCodeStaysAway,
    /// A device code is no user code.
    DeviceCodeIsNotTyped,
    /// Entry ignores the case of a user code (RFC 8628 §6.1).
    IgnoreCase,
    /// Entry ignores punctuation and spaces in a user code (RFC 8628 §6.1).
    IgnorePunctuation,
    /// Wrong user codes of one sign-in are limited (RFC 8628 §5.1).
    GuessLimitPerSignIn,
    /// Wrong user codes of one user are limited (RFC 8628 §5.1).
    GuessLimitPerUser,

    // Tokens
    /// Every grant gets tokens of its own (RFC 6749 §1.4).
    TokensOfOwnGrant,
    /// Access tokens end with their lifetime (RFC 6749 §5.1).
    ExpireAccessTokens,
    /// The API refuses tokens without one of its scopes (RFC 6750 §3.1).
    ApiWantsScope,
    /// The API takes a token from the header only, and from one place (RFC 6750 §2).
    OneTokenPlace,
    /// A refresh token is good for its own client only (RFC 6749 §6).
    RefreshBoundToClient,
    /// A refresh for less scope leaves the next refresh token its whole scope (RFC 6749 §6).
    RotationKeepsScope,
    /// A refresh never widens the scope (RFC 6749 §6).
    RefreshKeepsScope,
    /// A refresh token comes with `offline_access` only (OpenID Connect Core §11).
    OfflineAccessAsked,
    /// A public client's refresh token is used once (RFC 9700 §4.14.2).
    RotateRefreshTokens,
    /// A used refresh token that comes again ends its grant (RFC 9700 §4.14.2).
    ReuseEndsGrant,
    /// A token is revoked by its own client only (RFC 7009 §2.1).
    RevokeOwnTokens,
    /// A wrong hint does not keep a token from being found (RFC 7009 §2.1).
    HintIsNoMatter,
    /// Revocation takes effect (RFC 7009 §2).
    RevocationTakesEffect,
    /// Revoking a refresh token ends the access tokens of its grant (RFC 7009 §2.1).
    RevocationEndsGrant,
}

/// Which rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// One bit for each rule that is left out.
    waived: u128,
}

// One bit each.
const _: () = assert!(Rule::ALL.len() <= u128::BITS as usize);

impl Rules {
    /// All of them.
    #[must_use]
    pub const fn all() -> Self {
        Self { waived: 0 }
    }

    /// All of these but one.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self { waived: self.waived | 1 << rule as u32 }
    }

    /// Whether the rule is left out.
    #[must_use]
    pub const fn waived(self, rule: Rule) -> bool {
        self.waived & (1 << rule as u32) != 0
    }

    /// Whether the rule is in force and `breach` breaks it.
    #[must_use]
    pub const fn broken(self, rule: Rule, breach: bool) -> bool {
        breach && !self.waived(rule)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn leaving_one_rule_out_leaves_the_others_in_force() {
        for &rule in Rule::ALL {
            let rules = Rules::all().without(rule);
            assert!(!rules.broken(rule, true), "{rule:?}");
            for &other in Rule::ALL.iter().filter(|&&other| other != rule) {
                assert!(rules.broken(other, true) && !rules.broken(other, false), "{rule:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_rule_is_asked_in_exactly_one_place() {
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server");
        let code: String = ["", "routes", "pages"]
            .iter()
            .flat_map(|folder| fs::read_dir(server.join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            // Unit tests, at the end of a file, may name rules as often as they like.
            .map(|path| fs::read_to_string(path).unwrap().split("#[cfg(test)]").next().unwrap().to_owned())
            .collect();
        for rule in Rule::ALL {
            let name = format!("Rule::{rule:?}");
            let whole = |(at, _): &(usize, &str)| {
                !code[at + name.len()..].starts_with(|next: char| next.is_alphanumeric())
            };
            assert_eq!(code.match_indices(&name).filter(whole).count(), 1, "{name}");
        }
    }
}
