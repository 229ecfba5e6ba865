//! A target from a file, with what must be true of it beyond its types.

use super::{Keeper, Target, Tls, kept, mistakes};
use crate::diagnostic::{Diagnostic, Mistakes};
use crate::protocol::Role;
use crate::yaml::{Loaded, Segment, Source, load};

impl Target {
    /// Reads a target file.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn read(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        Self::of(load::<Self>(source))
    }

    /// The same with secrets that are kept elsewhere: `{ env: NAME }`, `{ file: PATH }`.
    ///
    /// # Errors
    /// Every mistake in it, with its place; a secret that cannot be got is one.
    pub fn read_with(source: &Source, keeper: Keeper) -> Result<Self, Vec<Diagnostic>> {
        Self::of(kept::with_keeper(keeper, || load::<Self>(source)))
    }

    fn of(loaded: Loaded<Self>) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = loaded.diagnostics;
        let Some(target) = loaded.value else { return Err(diagnostics) };
        let at = |path: &[Segment]| loaded.marks.place(path);
        if !target.clients.contains_key(&Role::Tv) && diagnostics.is_empty() {
            diagnostics.push(
                Diagnostic::error("missing-client", "the target names no client for the role tv")
                    .at(at(&["clients".into()]))
                    .help("add the public client that checks use unless they say otherwise: tv: { id: ... }"),
            );
        }
        let missing = target.endpoints.device_authorization.is_none() || target.endpoints.token.is_none();
        if target.issuer.is_none() && missing && diagnostics.is_empty() {
            diagnostics.push(
                Diagnostic::error("no-endpoints", "the target does not say where the server is")
                    .at(at(&[]))
                    .help("give issuer (for its metadata), or endpoints.device_authorization and endpoints.token"),
            );
        }
        if target.approval.is_some() && target.users.is_empty() && diagnostics.is_empty() {
            diagnostics.push(
                Diagnostic::error("no-users", "the target has an approval driver and no user to play")
                    .at(at(&["approval".into()]))
                    .help("add users: { alice: { login: ..., password: ... } }"),
            );
        }
        let has_lone_key = |tls: &Tls| tls.key.is_some() && tls.certificate.is_none();
        if target.tls.as_ref().is_some_and(has_lone_key) && diagnostics.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    "key-without-certificate",
                    "the target has a key, and no certificate that it is for",
                )
                .at(at(&["tls".into(), "key".into()]))
                .help("add tls.certificate: the file with the client's certificate"),
            );
        }
        if let Some(approval) = target.approval.as_ref().filter(|_| diagnostics.is_empty()) {
            let below = |path: &[Segment]| {
                let whole: Vec<Segment> =
                    [Segment::from("approval")].into_iter().chain(path.iter().cloned()).collect();
                at(&whole)
            };
            diagnostics.extend(mistakes::of(approval, &below));
        }
        if diagnostics.is_empty() { Ok(target) } else { Err(diagnostics) }
    }

    /// A target from the text of a target file.
    ///
    /// # Errors
    /// Every mistake in it, drawn with its place.
    pub fn from_yaml(text: &str) -> Result<Self, Mistakes> {
        Self::read(&Source { name: "target".to_owned(), text: text.to_owned() }).map_err(Mistakes)
    }
}
