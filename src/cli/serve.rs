//! `devgrant serve`: the reference server in the foreground.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::console::{self, Console};
use super::exit::Exit;
use super::faults;
use crate::server::endpoint::Endpoint;
use crate::server::faults::Fault;
use crate::server::{Config, config, start};
use crate::timing::plain_length;

/// Run the reference server, for testing only.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8628)]
    port: u16,
    /// The port of the hooks that approve, deny and expire without a user; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    admin_port: u16,
    /// The address; loopback only
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The announced and enforced polling interval: `5 s`
    #[arg(long, value_parser = plain_length)]
    interval: Option<Duration>,
    /// The lifetime of the codes: `10 min`
    #[arg(long, value_parser = plain_length)]
    lifetime: Option<Duration>,
    /// The same for one client: `pace=16 s`
    #[arg(long, value_name = "CLIENT=TIME", value_parser = for_client)]
    client_lifetime: Vec<(String, Duration)>,
    /// The same for one client: `pace=2 s`
    #[arg(long, value_name = "CLIENT=TIME", value_parser = for_client)]
    client_interval: Vec<(String, Duration)>,
    /// Another path for an endpoint: `token=/as/token`
    #[arg(long, value_name = "ENDPOINT=PATH", value_parser = for_endpoint)]
    path: Vec<(Endpoint, String)>,
    /// The users, instead of alice and bob: `NAME:PASSWORD`
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = user)]
    user: Vec<(String, String)>,
    /// Misbehave on purpose; `devgrant faults` lists how
    #[arg(long, value_name = "ID", value_parser = faults::parse)]
    fault: Vec<&'static Fault>,
    /// The short times of the embedded target: interval 1 s, lifetime 10 s
    #[arg(long)]
    short: bool,
    /// Where to write, once it listens, one line of JSON: `{"issuer": ..., "admin": ..., "pid": ...}`; the file appears
    /// whole. `-` is stdout, in place of the words for people
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// End when stdin is closed, so that the server never outlives the program that started it
    #[arg(long)]
    until_stdin_closes: bool,
}

fn for_client(text: &str) -> Result<(String, Duration), String> {
    let (client, time) = text.split_once('=').ok_or("write CLIENT=TIME, such as pace=16 s")?;
    plain_length(time).map(|time| (client.to_owned(), time)).map_err(|error| error.to_string())
}

fn user(text: &str) -> Result<(String, String), String> {
    let (name, password) = text.split_once(':').ok_or("write NAME:PASSWORD")?;
    Ok((name.to_owned(), password.to_owned()))
}

/// The endpoints whose path can be set, by the words people use.
const PATHS: [(&str, Endpoint); 11] = [
    ("device_authorization", Endpoint::DeviceAuthorization),
    ("token", Endpoint::Token),
    ("activate", Endpoint::Activate),
    ("decision", Endpoint::Decision),
    ("login", Endpoint::Login),
    ("api", Endpoint::UserInfo),
    ("revocation", Endpoint::Revocation),
    ("introspection", Endpoint::Introspection),
    ("jwks", Endpoint::Jwks),
    ("metadata", Endpoint::Metadata),
    ("openid_metadata", Endpoint::OpenIdMetadata),
];

fn for_endpoint(text: &str) -> Result<(Endpoint, String), String> {
    let names = || PATHS.map(|(name, _)| name).join(", ");
    let (name, path) = text.split_once('=').ok_or("write ENDPOINT=PATH, such as token=/as/token")?;
    let found = PATHS.iter().find(|(known, _)| *known == name);
    let (_, endpoint) = found.ok_or_else(|| format!("no endpoint {name}; one of: {}", names()))?;
    Ok((*endpoint, path.to_owned()))
}

impl Serve {
    pub(super) async fn run(self, console: &Console) -> Exit {
        let config = match self.config() {
            Ok(config) => config,
            Err(message) => {
                console.note(&format!("error: {message}"));
                return Exit::Usage;
            }
        };
        if !self.address.is_loopback() {
            console.note(&format!(
                "error: the reference server is for tests and listens on loopback only, not on {}\nhelp: leave --address out, or give 127.0.0.1 or ::1",
                self.address
            ));
            return Exit::Usage;
        }
        let public = SocketAddr::new(self.address, self.port);
        let admin = SocketAddr::new(self.address, self.admin_port);
        let running = match start(config.clone(), public, admin).await {
            Ok(running) => running,
            Err(error) => {
                console.note(&format!(
                    "error: cannot serve at {public}: {error}\nhelp: another port with --port, 0 for any free one"
                ));
                return Exit::NotJudged;
            }
        };
        let origin = format!("http://{}", running.public());
        let admin = format!("http://{}", running.admin());
        let ready = ready(config.origin().unwrap_or(&origin), &admin);
        match &self.ready_file {
            Some(file) if file == Path::new("-") => console.out(&ready),
            file => {
                console.out(&banner(&config, &origin, &admin));
                if let Some(Err(error)) = file.as_ref().map(|file| appear(file, &ready)) {
                    console.note(&format!(
                        "error: {error}\nhelp: give --ready-file a place that can be written to"
                    ));
                    return Exit::NotJudged;
                }
            }
        }
        tokio::select! {
            () = console::interrupted() => {}
            () = stdin_closed(), if self.until_stdin_closes => {}
        }
        running.shutdown().await;
        Exit::Good
    }

    fn config(&self) -> Result<Config, String> {
        let mut config = if self.short { Config::embedded() } else { Config::reference() };
        if let Some(interval) = self.interval {
            config.set_interval(interval);
        }
        if let Some(lifetime) = self.lifetime {
            config.set_lifetime(lifetime);
        }
        let known: Vec<String> = config.clients().iter().map(|client| client.id.to_string()).collect();
        let unknown = |id: &str| format!("there is no client {id}; one of: {}", known.join(", "));
        for (id, lifetime) in &self.client_lifetime {
            config.client_mut(id).ok_or_else(|| unknown(id))?.lifetime = Some(*lifetime);
        }
        for (id, interval) in &self.client_interval {
            config.client_mut(id).ok_or_else(|| unknown(id))?.interval = Some(*interval);
        }
        for (endpoint, path) in &self.path {
            config.set_path(*endpoint, path).map_err(|error| error.to_string())?;
        }
        if !self.user.is_empty() {
            config.set_users(
                self.user.iter().map(|(name, password)| config::User::new(name, password)).collect(),
            );
        }
        Ok(config.with_faults(self.fault.iter().copied()))
    }
}

/// Waits until nobody holds the other end of stdin; what is written there is left aside.
async fn stdin_closed() {
    // An error is as good as the end: nobody can be heard there.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

/// What a program needs to know to use the server.
fn ready(issuer: &str, admin: &str) -> String {
    format!("{}\n", serde_json::json!({ "issuer": issuer, "admin": admin, "pid": std::process::id() }))
}

/// Writes a file so that whoever waits for it never sees a part of it.
fn appear(file: &Path, text: &str) -> Result<(), String> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let aside = file.with_file_name(name);
    let written = fs::write(&aside, text).and_then(|()| fs::rename(&aside, file));
    written.map_err(|error| format!("write {}: {error}", file.display()))
}

/// What a person needs to know to use the server.
fn banner(config: &Config, origin: &str, admin: &str) -> String {
    let mut lines = vec![
        format!(
            "devgrant reference server at {origin}, for testing only: loopback, everything forgotten at the end"
        ),
        String::new(),
    ];
    for (what, endpoint) in [
        ("device authorization", Endpoint::DeviceAuthorization),
        ("token", Endpoint::Token),
        ("verification page", Endpoint::Activate),
        ("API", Endpoint::UserInfo),
        ("revocation", Endpoint::Revocation),
        ("introspection", Endpoint::Introspection),
        ("metadata", Endpoint::Metadata),
    ] {
        lines.push(format!("  {what:<21} {origin}{}", config.path(endpoint)));
    }
    lines.push(format!("  {:<21} {admin}/approve, /deny, /expire", "admin hooks"));
    lines.push(String::new());
    for client in config.clients() {
        let secret = client.secret.as_ref().map_or("public", |secret| secret.expose());
        let kind = if client.secret.is_some() { "secret   " } else { "" };
        lines.push(format!("  client {:<19} {kind}{secret}", client.id));
    }
    for user in config.users() {
        lines.push(format!("  user   {:<19} password {}", user.name, user.password.expose()));
    }
    lines.push(String::new());
    for fault in config.faults() {
        lines.push(format!("fault {}: {} ({})", fault.id, fault.summary, fault.clause));
    }
    lines.push(format!(
        "try   curl -d client_id=tv-public {origin}{}",
        config.path(Endpoint::DeviceAuthorization)
    ));
    lines.push("stop  with ctrl-C".to_owned());
    lines.join("\n")
}
