//! Which approval driver plays the user, with its settings; what each driver can do. Knows no page and no process.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Length;
use super::recipe::{FormDone, FormRecipe, FormStep};
use super::requests::HttpRecipe;
use crate::protocol::words::words;
use crate::protocol::{Capability, Decision};

words! {
    /// Whether decisions of one user share a sign-in.
    Sessions {
        /// Each decision signs in by itself, with cookies of its own.
        Fresh = "fresh",
        /// The cookies of the last sign-in are kept for each user, for servers that limit sign-ins.
        Shared = "shared",
    }
}

/// The approval driver and its settings; one key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub enum Approval {
    /// Plays the recipe of `form` in a real browser, for pages that need scripts.
    #[serde(rename = "browser")]
    Browser(BrowserRecipe),
    /// Runs a program that decides.
    #[serde(rename = "command")]
    Command(CommandSettings),
    /// Signs in, enters the code and decides by HTML forms over plain HTTP.
    #[serde(rename = "form")]
    Form(FormRecipe),
    /// Sends a list of requests, for servers with an API for it or whose page talks JSON.
    #[serde(rename = "http")]
    Http(HttpRecipe),
    /// Shows code and URI and waits for a person.
    #[serde(rename = "manual")]
    Manual(Manual),
}

impl Approval {
    /// What the driver is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Browser(_) => "browser",
            Self::Command(_) => "command",
            Self::Form(_) => "form",
            Self::Http(_) => "http",
            Self::Manual(_) => "manual",
        }
    }

    /// Whether its users can decide so.
    #[must_use]
    pub fn can(&self, decision: Decision) -> bool {
        match self {
            Self::Browser(browser) => browser.form.can(decision),
            Self::Form(recipe) => recipe.can(decision),
            Self::Http(recipe) => !recipe.requests(decision).is_empty(),
            Self::Command(_) | Self::Manual(_) => true,
        }
    }

    /// Whether it can say what was on the pages. A person at the prompt sees them, and says nothing of them.
    #[must_use]
    pub const fn reads_pages(&self) -> bool {
        matches!(self, Self::Browser(_) | Self::Form(_))
    }

    /// Why something is missing that its driver or its settings leave out.
    #[must_use]
    pub fn lacks(&self, capability: Capability) -> Option<String> {
        let name = self.name();
        match capability {
            Capability::Page if !self.reads_pages() => {
                Some(format!("the `{name}` driver reads no pages; `form` and `browser` do"))
            }
            Capability::Denial if !self.can(Decision::Deny) => {
                let what = match self {
                    Self::Http(_) => "list `deny`",
                    _ => "step with `decides: deny`",
                };
                Some(format!("the target's users cannot deny: the `{name}` recipe has no {what}"))
            }
            Capability::Approval if !self.can(Decision::Approve) => {
                let what = match self {
                    Self::Http(_) => "list `approve`",
                    _ => "step with `decides: approve`",
                };
                Some(format!("the target's users cannot approve: the `{name}` recipe has no {what}"))
            }
            _ => None,
        }
    }

    /// The same with the relative path of a program taken from the folder of the target file.
    #[must_use]
    pub fn beside(mut self, folder: &Path) -> Self {
        if let Self::Command(settings) = &mut self {
            let is_path = settings.program.components().count() > 1;
            if is_path && settings.program.is_relative() {
                settings.program = folder.join(&settings.program);
            }
        }
        self
    }
}

/// Settings of the `browser` driver: the recipe of `form`, played in a Chromium through WebDriver.
///
/// ```yaml
/// browser:
///   steps:
///     - { when: { field: password }, fill: { login: "{login}", password: "{password}" } }
///     - { when: { button: { text: Allow } }, press: { text: Allow }, decides: approve }
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(from = "WrittenBrowser")]
#[schemars(with = "WrittenBrowser")]
pub struct BrowserRecipe {
    /// Steps, and how a page looks that is done.
    pub form: FormRecipe,
    /// A ChromeDriver that runs already; one is started otherwise.
    pub webdriver: Option<String>,
}

/// The `browser` driver as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenBrowser {
    /// What to do at each kind of page, as for `form`; a control without a name goes by its id, and controls outside
    /// every form are taken for one form.
    steps: Vec<FormStep>,
    /// Texts of the page that shows that it is decided.
    #[serde(default)]
    done: FormDone,
    /// Whether decisions of one user share a sign-in; `fresh` otherwise.
    #[serde(default)]
    sessions: Option<Sessions>,
    /// Where a ChromeDriver listens on this machine, `http://127.0.0.1:9515`; one is started otherwise.
    #[serde(default)]
    webdriver: Option<String>,
}

impl From<WrittenBrowser> for BrowserRecipe {
    fn from(written: WrittenBrowser) -> Self {
        let WrittenBrowser { steps, done, sessions, webdriver } = written;
        let form = FormRecipe { steps, done, headers: http::HeaderMap::new(), sessions };
        Self { form, webdriver }
    }
}

/// Settings of the `command` driver: a program that decides. It is told of the decision by its environment,
/// `DEVGRANT_ACTION` (`approve` or `deny`), `DEVGRANT_USER_CODE`, `DEVGRANT_VERIFICATION_URI`,
/// `DEVGRANT_VERIFICATION_URI_COMPLETE` where there is one, `DEVGRANT_LOGIN` and `DEVGRANT_PASSWORD`, and ends with 0
/// once the decision is made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// The program: a name that is looked up in PATH, or a path, beside this file when it is relative. No shell reads it.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
}

/// Settings of the `manual` driver.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// How long to wait for the person before the step counts as not come out; the code's lifetime otherwise.
    #[serde(default)]
    pub give_up_after: Option<Length>,
}
