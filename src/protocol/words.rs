//! The closed sets of words that suites and targets use, each with the spelling that people write.

/// Declares a set of words: the enum, all its values, and its spelling both ways.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as written in YAML and shown to people.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How binding the judged sentence is.
    Level {
        /// A literal MUST or REQUIRED on the server, or a definition whose breach breaks a conforming client.
        Must = "must",
        /// SHOULD or RECOMMENDED.
        Should = "should",
        /// Follows from a duty of the client; no sentence binds the server.
        Implied = "implied",
        /// A permission worth showing.
        May = "may",
    }
}

words! {
    /// How bad a security finding is; stands in place of a level.
    Severity {
        /// The user's access goes to somebody else.
        Critical = "critical",
        /// An attack that needs little luck.
        High = "high",
        /// A missing safeguard.
        Medium = "medium",
        /// A detail that helps an attacker.
        Low = "low",
    }
}

words! {
    /// The tally a check counts in; follows from its requirement's document.
    Tally {
        /// RFC 8628.
        Rfc8628 = "rfc8628",
        /// RFC 6749.
        Rfc6749 = "rfc6749",
        /// RFC 8414 and OpenID discovery.
        Metadata = "metadata",
        /// RFC 6750: the protected API.
        ResourceServer = "resource server",
        /// OpenID Connect.
        Openid = "openid",
        /// HTTP and JSON.
        Http = "http",
        /// Findings whose basis is security reasoning rather than a literal sentence.
        Security = "security",
        /// Our own device.
        Client = "client",
    }
}

words! {
    /// What a client of the target file is for.
    Role {
        /// The public client that checks use unless they say otherwise.
        Tv = "tv",
        /// A second public client.
        OtherPublic = "other-public",
        /// A client with a secret.
        TvConfidential = "tv-confidential",
        /// A second client with a secret.
        OtherConfidential = "other-confidential",
        /// A confidential client whose secret has reserved characters.
        SpecialSecret = "special-secret",
        /// A client that may not use the device grant.
        NoGrant = "no-grant",
        /// A public client with a longer lifetime, for pace checks; `tv` where there is none.
        Pace = "pace",
        /// A public client whose access tokens live for seconds.
        ShortTokens = "short-tokens",
        /// No client at all: an identifier drawn at random for the run.
        Unknown = "unknown",
    }
}

words! {
    /// Who decides at the verification page.
    UserRole {
        /// The first user.
        Alice = "alice",
        /// The second user.
        Bob = "bob",
    }
}

words! {
    /// An endpoint of the target.
    Endpoint {
        /// Where the flow starts (RFC 8628 §3.1).
        DeviceAuthorization = "device_authorization",
        /// Where the device polls (RFC 8628 §3.4).
        Token = "token",
        /// The protected API.
        Api = "api",
        /// RFC 7009.
        Revocation = "revocation",
        /// RFC 7662.
        Introspection = "introspection",
        /// RFC 8414 or OpenID discovery.
        Metadata = "metadata",
        /// The verification page and those behind it (RFC 8628 §3.3): opened by the approval driver.
        Pages = "pages",
    }
}

words! {
    /// What the user decides at the verification page (RFC 8628 §3.3).
    Decision {
        /// Yes.
        Approve = "approve",
        /// No.
        Deny = "deny",
    }
}

words! {
    /// What became of a user code that was typed in at the verification page.
    CodeFate {
        /// The pages went on to the decision.
        Accepted = "accepted",
        /// The page says that it is none, or asks for it again.
        Refused = "refused",
        /// The server takes no more codes for now: 429, 503, a sign-in that ended, or another page than before.
        Limited = "limited",
    }
}

words! {
    /// What a target can do, declared or found; what a check needs.
    Capability {
        /// Device polls are understood.
        Polling = "polling",
        /// A user can approve: the target has an approval driver.
        Approval = "approval",
        /// A user can deny.
        Denial = "denial",
        /// The verification page can be read.
        Page = "page",
        /// `verification_uri_complete` is given.
        CompleteUri = "complete-uri",
        /// A second public client.
        SecondClient = "second-client",
        /// A client with a secret.
        ConfidentialClient = "confidential-client",
        /// A second client with a secret.
        OtherConfidential = "other-confidential",
        /// A client whose secret has reserved characters.
        SpecialSecret = "special-secret",
        /// A client without the grant.
        NoGrantClient = "no-grant-client",
        /// A second user.
        SecondUser = "second-user",
        /// Refresh tokens are issued.
        Refresh = "refresh",
        /// RFC 7009.
        Revocation = "revocation",
        /// RFC 7662.
        Introspection = "introspection",
        /// A protected API.
        Api = "api",
        /// Metadata is published.
        Metadata = "metadata",
        /// ID tokens are issued.
        Openid = "openid",
        /// RFC 8707.
        Resource = "resource",
        /// Codes live 60 s or less.
        ShortCodes = "short-codes",
        /// A client whose access tokens live for seconds.
        ShortTokens = "short-tokens",
    }
}

words! {
    /// How a client proves who it is (names of RFC 7591 §2, shortened).
    AuthMethod {
        /// Not at all: `client_id` alone (`none`).
        None = "none",
        /// HTTP Basic (`client_secret_basic`).
        Basic = "basic",
        /// Secret in the body (`client_secret_post`).
        Post = "post",
    }
}

impl Role {
    /// The capability that a target has when it names a client for this role, if any.
    #[must_use]
    pub const fn gives(self) -> Option<Capability> {
        match self {
            Self::OtherPublic => Some(Capability::SecondClient),
            Self::TvConfidential => Some(Capability::ConfidentialClient),
            Self::OtherConfidential => Some(Capability::OtherConfidential),
            Self::SpecialSecret => Some(Capability::SpecialSecret),
            Self::NoGrant => Some(Capability::NoGrantClient),
            Self::ShortTokens => Some(Capability::ShortTokens),
            Self::Tv | Self::Pace | Self::Unknown => None,
        }
    }
}
