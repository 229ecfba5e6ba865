//! The words of the verification pages: opening them, typing a code, decisions that no user makes, what a page shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::expectation::Expectation;
use super::graded::many;
use super::steps::StartUri;
use crate::protocol::words::words;
use crate::protocol::{Decision, UserRole};

/// `open_page: { session: tv, uri: complete, as: tab, expect: [{ status: 200 }] }`: decides nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPage {
    /// Whose code.
    pub session: String,
    /// A name for the page: for `in`, for `page` of a decision, for `at`.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// Which address is opened; the bare verification URI unless said.
    #[serde(default)]
    pub uri: Option<StartUri>,
    /// How far the user goes; no further than the address unless said.
    #[serde(default)]
    pub to: Option<Reach>,
    /// Who signs in where the pages ask for it; alice unless said.
    #[serde(default)]
    pub user: Option<UserRole>,
    /// In the browser of this page, with its cookies; in a new one unless said.
    #[serde(default, rename = "in")]
    pub browser: Option<String>,
    /// The method of the first request; GET unless said.
    #[serde(default)]
    pub method: Option<PageMethod>,
    /// Headers of the first request, beside those that a browser sends.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// The pages may end before the decision: the step is no set-up, only the polls after it judge.
    #[serde(default)]
    pub attempt: bool,
    /// What the page must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

words! {
    /// How far the user goes.
    Reach {
        /// The address is opened, redirects are followed, and that is all.
        Address = "address",
        /// Through sign-in and code to the page that asks for the decision.
        Decision = "decision",
    }
}

words! {
    /// How a page is asked for.
    PageMethod {
        /// As a browser does.
        Get = "GET",
        /// As a preview does.
        Head = "HEAD",
    }
}

/// `enter_code: { session: tv, typed: lower-case, expect: [{ code: accepted }] }`: decides nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterCode {
    /// Whose code.
    pub session: String,
    /// A name for the page that follows.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// What is typed; the code as the device shows it unless said.
    #[serde(default)]
    pub typed: Option<Typed>,
    /// So many times, each time another random code; ends when the server takes no more.
    #[serde(default)]
    pub times: Option<u32>,
    /// Who signs in where the pages ask for it; alice unless said.
    #[serde(default)]
    pub user: Option<UserRole>,
    /// In the browser of this page; in a new one unless said.
    #[serde(default, rename = "in")]
    pub browser: Option<String>,
    /// What the page that follows must be.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

words! {
    /// What is typed for the user code.
    Typed {
        /// The code as the device shows it.
        AsShown = "as-shown",
        /// In small letters.
        LowerCase = "lower-case",
        /// Letters and digits only.
        NoMarks = "no-marks",
        /// A space in place of every grouping mark.
        Spaced = "spaced",
        /// A space before and behind it, and a dot in the middle.
        Padded = "padded",
        /// With a character in place of one that looks like it, and that the session's codes do not have: O for 0.
        LookAlike = "look-alike",
        /// Another code of the same form, drawn at random.
        Random = "random",
        /// The device code.
        DeviceCode = "device-code",
        /// The code with an HTML element behind it, `<devgrant>`.
        Markup = "markup",
    }
}

/// `tamper: { drop: csrf, origin: foreign }`: a decision that the user at the page does not make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tamper {
    /// What is left out.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Dropped>")]
    pub drop: Vec<Dropped>,
    /// A page of the case that the forger has seen in a browser of his own: what stands there too, he can send.
    #[serde(default)]
    pub known: Option<String>,
    /// Where the request seems to come from. Cookies go along by their SameSite, as a browser does it.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// All cookies go along, whatever their SameSite says.
    #[serde(default)]
    pub all_cookies: bool,
    /// The method; that of the form unless said.
    #[serde(default)]
    pub method: Option<PageMethod>,
    /// Which button; the one of the decision unless said.
    #[serde(default)]
    pub press: Option<Pressed>,
}

words! {
    /// What a forged decision leaves out.
    Dropped {
        /// What nobody else can know of the form, hidden fields and the query of its address: what the page `known`
        /// does not have; without one, by name, or long and not the user code.
        Csrf = "csrf",
        /// All cookies: nobody has signed in.
        Cookies = "cookies",
    }
}

words! {
    /// Where a forged decision comes from.
    Origin {
        /// A page of another site.
        Foreign = "foreign",
    }
}

words! {
    /// Which button a forged decision presses.
    Pressed {
        /// One that the page does not have: the button's own value, changed, or its name where that alone tells it
        /// from the others.
        Unknown = "unknown",
    }
}

/// `page: { shows: "{tv.user_code}", button: deny }`: what a reader of the page sees.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRule {
    /// A text that it shows, compared by letters and digits only.
    #[serde(default)]
    pub shows: Option<String>,
    /// Words of which it says at least one, whatever their case.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<String>")]
    pub says: Vec<String>,
    /// Decisions that it offers, as the target's recipe finds their buttons.
    #[serde(default, deserialize_with = "many")]
    #[schemars(with = "super::graded::OneOrMany<Decision>")]
    pub button: Vec<Decision>,
    /// It has the field for the user code.
    #[serde(default)]
    pub code_field: bool,
    /// Markup that was typed comes back as text.
    #[serde(default)]
    pub escapes_markup: bool,
    /// It says something else than this page of the case, codes and numbers apart.
    #[serde(default)]
    pub unlike: Option<String>,
}
