//! `devgrant init`: writes a target file for a server, from what it says of itself and what people know of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::console::{self, Console};
use super::doctor::{Format, Patient};
use super::exit::Exit;
use super::files;
use super::pages::Gated;
use super::wait::Wait;
use crate::diagnostic::messages;
use crate::http::{HttpPages, Trust, Wire};
use crate::protocol::{AuthMethod, Role, UserRole};
use crate::runner::{Link, acquaint, published};
use crate::target::{Client, Endpoints, Target, User};
use crate::timing::plain_length;
use crate::yaml::Source;

mod ask;
mod draft;

use ask::Asker;
use draft::Draft;

/// What is asked for where nobody says otherwise, as far as the server offers it.
const SCOPES: [&str; 2] = ["openid", "offline_access"];

/// The roles of the users, in the order in which they are named.
const USERS: [UserRole; 2] = [UserRole::Alice, UserRole::Bob];

/// Pages at a time.
const AT_ONCE: usize = 4;

/// Write a target file: reads the metadata, asks what it cannot know, tries the pages, and ends in `doctor`.
///
/// At a terminal it asks for what the flags leave out; without one it needs ISSUER and --client-id.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The issuer, as its metadata names it: https://login.example.test
    #[arg(value_name = "ISSUER")]
    issuer: Option<String>,
    /// Where the target file goes
    #[arg(short, long, value_name = "FILE", default_value = "target.yaml")]
    output: PathBuf,
    /// The client that checks use: its client_id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Its client_secret, if it has one; it will stand in the file, which only you can read
    #[arg(long, value_name = "SECRET")]
    client_secret: Option<String>,
    /// How it sends its secret: by what the metadata lists, unless given
    #[arg(long, value_name = "METHOD", value_enum)]
    auth: Option<Auth>,
    /// What it asks for; tried out unless given
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Who can sign in, the first as alice and the second as bob; never a real person
    #[arg(long = "user", value_name = "LOGIN:PASSWORD", value_parser = user)]
    users: Vec<User>,
    /// For a server without metadata: where codes come from, absolute or a path
    #[arg(long, value_name = "URL", requires = "token")]
    device_authorization: Option<String>,
    /// For a server without metadata: where devices poll, absolute or a path
    #[arg(long, value_name = "URL", requires = "device_authorization")]
    token: Option<String>,
    /// Certificates in PEM of authorities to trust beside those of the platform
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "10 s", value_parser = plain_length)]
    timeout: Duration,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// Do not look at the server once more when the file is written
    #[arg(long)]
    no_doctor: bool,
}

/// How a client sends its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Auth {
    None,
    Basic,
    Post,
}

impl Auth {
    const fn method(self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::Basic => AuthMethod::Basic,
            Self::Post => AuthMethod::Post,
        }
    }
}

fn user(text: &str) -> Result<User, String> {
    let (login, password) = text.split_once(':').ok_or("write LOGIN:PASSWORD")?;
    Ok(User::new(login, password))
}

/// Why nothing was written: the exit, and the words.
struct Stop(Exit, String);

impl Init {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let written = tokio::select! {
            written = self.write(console) => written,
            () = console::interrupted() => return Exit::Interrupted,
        };
        let (target, trust) = match written {
            Ok(written) => written,
            Err(Stop(exit, words)) => {
                console.note(&words);
                return exit;
            }
        };
        if self.no_doctor {
            return Exit::Good;
        }
        console.out("\n");
        let wait = Wait::default();
        let patient = Patient { target: &target, trust, timeout: self.timeout, wait: &wait };
        patient.looked_at(console, Format::Text).await
    }

    /// Writes the file, and gives the target that it is.
    async fn write(&self, console: &Console) -> Result<(Target, Trust), Stop> {
        if self.output.exists() && !self.force {
            let words = format!(
                "error: {} is there already\nhelp: another place with --output FILE, or --force to write over it",
                self.output.display()
            );
            return Err(Stop(Exit::Usage, words));
        }
        let asker = Asker::new();
        let issuer =
            asker.text(self.issuer.as_deref(), "ISSUER", "The server's issuer, https://...", None).await?;
        let mut target = self.start(issuer)?;
        let mistake = |diagnostic| Stop(Exit::Usage, messages(&[diagnostic]));
        let trust = files::trust(self.ca.as_deref(), None, &target).map_err(mistake)?;
        let our_trouble = |error: String| Stop(Exit::NotJudged, format!("error: {error}"));
        let wire =
            Wire::trusting(self.timeout, trust.clone()).map_err(|error| our_trouble(error.to_string()))?;
        let wire = Arc::new(wire);
        let link = Link::unheard(wire.clone(), &target);
        let not_there = |trouble: crate::runner::Trouble| Stop(Exit::NotJudged, trouble.text());
        let mut found = published(&link, &target).await.map_err(not_there)?;
        if found.endpoints.is_err() && asker.is_there() {
            console.note("the metadata does not say where the endpoints are");
            let prompt = "Where codes come from (device authorization endpoint), absolute or a path";
            let codes = asker.text(None, "--device-authorization", prompt, None).await?;
            let token = asker.text(None, "--token", "Where devices poll (token endpoint)", None).await?;
            target = target.with_endpoints(Endpoints::at(codes, token));
            found = published(&link, &target).await.map_err(not_there)?;
        }
        let endpoints = found.endpoints.map_err(not_there)?;
        if let Some(named) = found.issuer.filter(|named| target.issuer.as_ref() != Some(named)) {
            console.note(&format!("the metadata names the issuer {named:?}: that is written"));
            target.issuer = Some(named);
        }
        let client = self.client(&asker, &found.members).await?;
        let offered = scopes(&found.members);
        let scopes = match &self.scope {
            Some(scope) => vec![Some(scope.clone()).filter(|scope| !scope.is_empty())],
            None => offered,
        };
        target = target.with_client(Role::Tv, client);
        for (role, user) in USERS.into_iter().zip(self.users(&asker).await?) {
            target = target.with_user(role, user);
        }
        let pages = HttpPages::trusting(&trust).map_err(|error| our_trouble(error.to_string()))?;
        let pages = Gated::new(pages, Arc::new(Semaphore::new(AT_ONCE)), self.timeout);
        // A link of its own knows the secrets that were asked for.
        let link = Link::unheard(wire, &target);
        let met = acquaint(&link, &target, &endpoints, &scopes, &pages, &mut |what| console.note(what)).await;
        if let Some(word) = &met.no_codes {
            console.note(&format!("the client gets no codes ({word}), so the pages could not be tried"));
        }
        let draft = Draft { target: &target, members: &found.members, met: &met, ca: self.ca.as_deref() };
        let text = draft.text();
        let read = Target::read(&Source { name: self.output.display().to_string(), text: text.clone() });
        let read = read.map_err(|diagnostics| {
            our_trouble(format!("what was to be written cannot be read: {}", messages(&diagnostics)))
        })?;
        keep(&self.output, &text).map_err(|error| {
            let words = format!("error: {} cannot be written: {error}", self.output.display());
            Stop(Exit::Usage, format!("{words}\nhelp: another place with --output FILE"))
        })?;
        console.out(&draft.said(&self.output));
        Ok((read, trust))
    }

    /// The target as far as it is known before anything is asked of the server.
    fn start(&self, issuer: String) -> Result<Target, Stop> {
        let url = url::Url::parse(&issuer).ok().filter(|url| url.has_host());
        let Some(url) = url else {
            let words =
                format!("error: {issuer:?} is no issuer\nhelp: write it in full: https://login.example.test");
            return Err(Stop(Exit::Usage, words));
        };
        let name = url.host_str().unwrap_or("the server").to_owned();
        let target = Target::at(issuer).named(name);
        Ok(match (&self.device_authorization, &self.token) {
            (Some(codes), Some(token)) => target.with_endpoints(Endpoints::at(codes, token)),
            _ => target,
        })
    }

    async fn client(
        &self,
        asker: &Asker,
        members: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Client, Stop> {
        let prompt = "client_id of a client that may use the device grant";
        let id = asker.text(self.client_id.as_deref(), "--client-id", prompt, None).await?;
        let secret = match &self.client_secret {
            Some(secret) => Some(secret.clone()),
            None => asker.secret("Its client_secret (empty for a public client)").await?,
        };
        let secret = secret.filter(|secret| !secret.is_empty());
        let lists = |word: &str| {
            let listed = members.get("token_endpoint_auth_methods_supported")?.as_array()?;
            Some(listed.iter().any(|method| method == word))
        };
        // Basic is what a server takes that lists nothing (RFC 8414 §2).
        let by_post =
            lists("client_secret_basic") == Some(false) && lists("client_secret_post") == Some(true);
        let auth = self.auth.map(Auth::method);
        let auth = auth.or_else(|| (secret.is_some() && by_post).then_some(AuthMethod::Post));
        let client = match secret {
            Some(secret) => Client::confidential(id, secret),
            None => Client::public(id),
        };
        Ok(Client { auth, ..client })
    }

    async fn users(&self, asker: &Asker) -> Result<Vec<User>, Stop> {
        if !self.users.is_empty() || !asker.is_there() {
            return Ok(self.users.clone());
        }
        let mut users = Vec::new();
        for which in
            ["A test user's login (empty for none; never a real person)", "A second test user's login"]
        {
            let login = asker.text(None, "--user", which, Some("")).await?;
            if login.is_empty() {
                break;
            }
            let password = asker.secret("Password").await?.unwrap_or_default();
            users.push(User::new(login, password));
        }
        Ok(users)
    }
}

/// The scopes that are tried, most first: what the metadata lists of the usual ones, fewer, none.
fn scopes(members: &serde_json::Map<String, serde_json::Value>) -> Vec<Option<String>> {
    let listed = members.get("scopes_supported").and_then(serde_json::Value::as_array);
    let is_offered = |scope: &&str| listed.is_none_or(|listed| listed.iter().any(|one| one == scope));
    let mut wanted: Vec<&str> = SCOPES.into_iter().filter(is_offered).collect();
    let mut tries = Vec::new();
    while !wanted.is_empty() {
        tries.push(Some(wanted.join(" ")));
        wanted.pop();
    }
    tries.push(None);
    tries
}

/// Writes a file that only its owner can read: a secret may stand in it.
fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // A file that is written over keeps its mode otherwise.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}
