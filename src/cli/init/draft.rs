//! The text of a target file, with comments that say what a reader may want to change. Knows no server and no terminal.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::approval::{Guess, Guessed, Purpose};
use crate::protocol::{AuthMethod, Decision, Role};
use crate::runner::Acquaintance;
use crate::target::{Client, FormButton, FormMatch, Target};

/// What is known of a server.
pub(super) struct Draft<'a> {
    /// Its name, issuer, endpoints that are no metadata's, its client and its users.
    pub(super) target: &'a Target,
    /// The members of its metadata.
    pub(super) members: &'a Map<String, Value>,
    /// What came of trying it.
    pub(super) met: &'a Acquaintance,
    /// The authority that was trusted.
    pub(super) ca: Option<&'a Path>,
}

impl Draft<'_> {
    /// The target file.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut text = String::from(HEAD);
        let Self { target, ca, .. } = self;
        line(&mut text, &format!("target: {}", scalar(&target.target)));
        if let Some(issuer) = &target.issuer {
            line(&mut text, &format!("issuer: {}", scalar(issuer)));
        }
        self.endpoints(&mut text);
        self.client(&mut text);
        self.users(&mut text);
        self.capabilities(&mut text);
        self.approval(&mut text);
        if let Some(ca) = ca {
            let ca = std::path::absolute(ca).unwrap_or_else(|_| ca.to_path_buf());
            line(&mut text, "");
            line(&mut text, &format!("tls: {{ ca: {} }}", scalar(&ca.display().to_string())));
        }
        text
    }

    /// What a person should know of the file that was written.
    #[must_use]
    pub(super) fn said(&self, path: &Path) -> String {
        let mut lines = vec![format!("{} is written", path.display())];
        let to_do = match self.met.guess.as_ref() {
            Some(guess) if guess.is_approved => {
                let no = guess.steps.iter().any(|step| step.purpose == Purpose::Decision(Decision::Deny));
                (!no).then(|| "no button was found that says no: see lacks in the file".to_owned())
            }
            Some(guess) => {
                let why = guess.stopped.clone().unwrap_or_default();
                Some(format!("the pages could not be walked through to their end: {why}"))
            }
            None if self.target.users.is_empty() => {
                Some("no test user: what needs a user's decision will be left out".to_owned())
            }
            None => None,
        };
        lines.extend(to_do);
        lines.join("\n")
    }

    fn endpoints(&self, text: &mut String) {
        let named = |member: &str| self.members.get(member).and_then(Value::as_str);
        line(text, "");
        let own = &self.target.endpoints;
        let keys = [
            ("device_authorization", own.device_authorization.as_deref(), "device_authorization_endpoint"),
            ("token", own.token.as_deref(), "token_endpoint"),
            ("api", None, "userinfo_endpoint"),
            ("revocation", None, "revocation_endpoint"),
            ("introspection", None, "introspection_endpoint"),
        ];
        if keys.iter().any(|(_, own, _)| own.is_some()) {
            line(
                text,
                "# Absolute addresses, or paths at the issuer's host; what stands here goes before the metadata.",
            );
            line(text, "endpoints:");
        } else {
            line(
                text,
                "# The metadata names these; take the mark away to say otherwise, or to add what it leaves out.",
            );
            line(text, "# endpoints:");
        }
        for (key, own, member) in keys {
            match (own, named(member)) {
                (Some(own), _) => line(text, &format!("  {key}: {}", scalar(own))),
                (None, Some(named)) => line(text, &format!("#   {key}: {}", comment(named))),
                (None, None) => line(text, &format!("#   {key}: /path")),
            }
        }
    }

    fn client(&self, text: &mut String) {
        line(text, "");
        line(text, CLIENTS);
        if let Some(client) = self.target.client(Role::Tv) {
            line(text, &format!("  tv: {}", written(client, self.met.scope.as_deref())));
        }
        line(text, MORE_CLIENTS);
    }

    fn users(&self, text: &mut String) {
        line(text, "");
        if self.target.users.is_empty() {
            line(text, "# Test users, never a real person: what needs a decision is left out without one.");
            return line(text, "# users:\n#   alice: { login: alice, password: change-me }");
        }
        line(
            text,
            "# Who can sign in at the verification page. With bob beside alice, checks of two users are possible.",
        );
        line(text, "users:");
        for (role, user) in &self.target.users {
            let (login, password) = (scalar(&user.login), scalar(user.password.expose()));
            line(text, &format!("  {role}: {{ login: {login}, password: {password} }}"));
        }
    }

    fn capabilities(&self, text: &mut String) {
        line(text, "");
        line(
            text,
            "# What the server can do beyond what this file shows: refresh (refresh tokens), openid (ID tokens), resource.",
        );
        let words: Vec<&str> = self.met.capabilities.iter().map(|capability| capability.word()).collect();
        match self.met.guess.as_ref().filter(|guess| guess.is_approved) {
            Some(_) => line(text, &format!("capabilities: [{}]  # what came with a token", words.join(", "))),
            None => line(text, "capabilities: []"),
        }
    }

    fn approval(&self, text: &mut String) {
        line(text, "");
        let Some(guess) = self.met.guess.as_ref().filter(|guess| !guess.steps.is_empty()) else {
            line(text, NO_PAGES);
            return;
        };
        let denies = guess.steps.iter().any(|step| step.purpose == Purpose::Decision(Decision::Deny));
        if guess.is_approved && !denies {
            line(
                text,
                "# No button was found that says no. Add a step with `decides: deny` if there is one.",
            );
            line(text, "lacks: [denial]\n");
        }
        recipe(text, guess);
    }
}

/// The recipe that was guessed; as comments, where it does not lead to a decision.
fn recipe(text: &mut String, guess: &Guess) {
    let mut lines = vec![
        "approval:".to_owned(),
        "  form:".to_owned(),
        "    # At every page the first step whose `when` fits a form of that page is taken.".to_owned(),
        "    steps:".to_owned(),
    ];
    for step in &guess.steps {
        lines.push(format!("      # {}, {}", of(step.purpose), comment(&format!("{:?}", step.page))));
        lines.push(format!("      - {}", flow(step)));
    }
    if guess.is_approved {
        line(text, "# How the user decides, as the pages looked when this file was written.");
        line(text, &lines.join("\n"));
        return;
    }
    line(text, "# How the user decides could not be found out. This far it went:");
    for found in lines {
        line(text, &format!("# {found}"));
    }
    let why = guess.stopped.as_deref().unwrap_or("no decision came");
    line(text, &format!("# Then: {}", comment(why)));
    line(
        text,
        "# docs/guide/describing-your-server.md tells how to write the steps; until then you decide yourself:",
    );
    line(text, "approval: { manual: {} }");
}

fn of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Between => "a page between",
        Purpose::Code => "the code",
        Purpose::Decision(Decision::Approve) => "yes",
        Purpose::Decision(Decision::Deny) => "no",
        Purpose::SignIn => "the sign-in",
    }
}

fn flow(step: &Guessed) -> String {
    let mut parts = vec![format!("when: {}", matched(&step.when))];
    if !step.fill.is_empty() {
        let fields: Vec<String> = step
            .fill
            .iter()
            .map(|(field, blank)| format!("{}: \"{{{}}}\"", scalar(field), blank.word()))
            .collect();
        parts.push(format!("fill: {{ {} }}", fields.join(", ")));
    }
    parts.extend(step.press.as_ref().map(|press| format!("press: {}", button(press))));
    if let Purpose::Decision(decision) = step.purpose {
        parts.push(format!("decides: {}", decision.word()));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn matched(when: &FormMatch) -> String {
    let FormMatch { field, values, button: pressed, text, action } = when;
    let mut parts = Vec::new();
    parts.extend(field.as_ref().map(|field| format!("field: {}", scalar(field))));
    if !values.is_empty() {
        let values: Vec<_> =
            values.iter().map(|(name, value)| format!("{}: {}", scalar(name), scalar(value))).collect();
        parts.push(format!("values: {{ {} }}", values.join(", ")));
    }
    parts.extend(pressed.as_ref().map(|pressed| format!("button: {}", button(pressed))));
    parts.extend(text.as_ref().map(|text| format!("text: {}", scalar(text))));
    parts.extend(action.as_ref().map(|action| format!("action: {}", scalar(action))));
    format!("{{ {} }}", parts.join(", "))
}

fn button(button: &FormButton) -> String {
    let FormButton { name, value, text } = button;
    let parts = [("name", name), ("value", value), ("text", text)];
    let named = parts.iter().filter_map(|(key, value)| Some(format!("{key}: {}", scalar(value.as_ref()?))));
    format!("{{ {} }}", named.collect::<Vec<_>>().join(", "))
}

fn written(client: &Client, scope: Option<&str>) -> String {
    let mut parts = vec![format!("id: {}", scalar(&client.id))];
    parts.extend(client.secret.as_ref().map(|secret| format!("secret: {}", scalar(secret.expose()))));
    let auth = client.auth.filter(|_| client.secret.is_some());
    parts.extend(auth.map(|auth: AuthMethod| format!("auth: {}", auth.word())));
    parts.extend(scope.map(|scope| format!("scope: {}", scalar(scope))));
    format!("{{ {} }}", parts.join(", "))
}

/// A text as YAML has it: plain where nobody could take it for anything else, quoted otherwise.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "null", "y"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | ':'))
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && text.len() > 1;
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// A text in a comment: on one line, and nothing in it moves a cursor.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn line(text: &mut String, line: &str) {
    // A String takes everything.
    let _ = writeln!(text, "{line}");
}

const HEAD: &str = "\
# Written by `devgrant init`: a start, to be changed. Every key is explained in fixtures/targets/example.yaml, and
# `devgrant doctor --target` with this file looks at each thing once.

";

const CLIENTS: &str = "\
# The registered clients, by what they are for: tv is the one that checks use unless they say otherwise.
clients:";

const MORE_CLIENTS: &str = "  \
  # Each other one makes more checks possible; register it, change the id, take the mark away.
  # other-public: { id: second-app }                     # a second public client
  # tv-confidential: { id: tv-box, secret: change-me }   # a client with a secret
  # other-confidential: { id: box-2, secret: change-me } # and a second one
  # no-grant: { id: web-app }                            # a client that may not use the device grant";

const NO_PAGES: &str = "\
# How the user decides: `form` walks through the pages by a recipe, `manual` asks you. The guide
# docs/guide/describing-your-server.md tells how to write a recipe; init writes one, given --user LOGIN:PASSWORD.
# approval: { manual: {} }";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::UserRole;
    use crate::secret::Secret;
    use crate::target::User;

    #[test]
    fn whatever_stands_in_a_draft_is_read_back_as_it_was() {
        let odd =
            ["a: b #c", "\"q\"\\", "{x}", "yes", "1.0", "-", " space ", "ü\u{1b}[2J", "line\nbreak", "'"];
        for text in odd {
            let client = Client { auth: Some(AuthMethod::Post), ..Client::confidential(text, text) };
            let target = Target::at("https://as.example/a b").named(text).with_client(Role::Tv, client);
            let target = target.with_user(UserRole::Alice, User::new(text, text));
            let met = Acquaintance {
                scope: Some("openid x".to_owned()),
                no_codes: None,
                guess: None,
                capabilities: Vec::new(),
            };
            let draft = Draft { target: &target, members: &Map::new(), met: &met, ca: None };
            let read = Target::from_yaml(&draft.text()).unwrap();
            let tv = &read.clients[&Role::Tv];
            assert_eq!((read.target.as_str(), tv.id.as_str()), (text, text));
            assert_eq!(tv.secret.as_ref().map(Secret::expose), Some(text));
            assert_eq!((tv.auth, tv.scope.as_deref()), (Some(AuthMethod::Post), Some("openid x")));
            assert_eq!(read.users[&UserRole::Alice].password.expose(), text);
        }
    }
}
