//! Browser sessions: who has signed in, and the token that its forms carry. Knows no cookies and no HTML.

use std::sync::Arc;

use rand::Rng;
use subtle::ConstantTimeEq as _;

use super::codes;
use super::moment::Moment;
use super::rules::Rule;
use super::schedule::Schedule;
use super::table::Table;
use super::terms::Terms;

/// Random bytes of a session's identifier and of its form token.
const IDENTIFIER_BYTES: usize = 32;

/// One browser session.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The value of its cookie.
    pub id: String,
    /// What its forms carry (RFC 6749 §10.12).
    pub form_token: String,
    /// Who has signed in, if anybody.
    pub sign_in: Option<SignIn>,
    /// The user code of the confirmation it was shown last.
    pub looked_at: Option<Arc<str>>,
    /// When it ends, if it is not used before.
    expires: Moment,
}

/// Somebody has signed in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The user's name.
    pub user: Arc<str>,
    /// When, in seconds of wall time.
    pub at: i64,
    /// Wrong user codes since then.
    pub wrong_codes: u32,
}

/// All browser sessions.
#[derive(Debug, Default)]
pub struct Browsers {
    by_id: Table<String, Browser>,
    /// When to look whether a session has ended.
    look_at: Schedule<String>,
}

impl Browser {
    /// Whether a form carries this session's token.
    #[must_use]
    pub fn owns(&self, form_token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(form_token.as_bytes()).into()
    }
}

impl Browsers {
    /// The live session with this identifier, used now.
    pub fn visit(&mut self, id: &str, now: Moment, terms: &Terms) -> Option<&mut Browser> {
        let browser = self.by_id.get_mut(id).filter(|browser| now < browser.expires)?;
        browser.expires = now + terms.policy.sign_in_lifetime;
        Some(browser)
    }

    /// A new session in which nobody has signed in.
    pub fn open(&mut self, rng: &mut impl Rng, now: Moment, terms: &Terms) -> Browser {
        self.sweep(now);
        let browser = Browser {
            id: codes::opaque(rng, IDENTIFIER_BYTES),
            form_token: codes::opaque(rng, IDENTIFIER_BYTES),
            sign_in: None,
            looked_at: None,
            expires: now + terms.policy.sign_in_lifetime,
        };
        self.keep(browser)
    }

    /// Somebody signs in: a new identifier and a new token, so that an identifier known before is worth nothing.
    pub fn sign_in(
        &mut self,
        rng: &mut impl Rng,
        now: Moment,
        terms: &Terms,
        before: &str,
        sign_in: SignIn,
    ) -> Browser {
        let mut browser = self.open(rng, now, terms);
        self.close(before);
        browser.sign_in = Some(sign_in);
        if terms.rules.waived(Rule::NewSessionAtSignIn) {
            browser.id = before.to_owned();
        }
        self.keep(browser)
    }

    /// The session ends.
    pub fn close(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    fn keep(&mut self, browser: Browser) -> Browser {
        self.look_at.add(browser.expires, browser.id.clone());
        self.by_id.insert(browser.id.clone(), browser.clone());
        browser
    }

    fn sweep(&mut self, now: Moment) {
        for _ in 0..Schedule::<String>::BATCH {
            let Some(id) = self.look_at.due(now) else { return };
            match self.by_id.get(&id).map(|browser| browser.expires) {
                Some(later) if later > now => self.look_at.add(later, id),
                _ => self.close(&id),
            }
        }
    }
}
