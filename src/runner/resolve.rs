//! Where the endpoints are: what the target file says before what the metadata says (RFC 8414 §3).

use serde_json::{Map, Value};
use url::Url;

use crate::protocol::Endpoint;
use crate::suite::MetadataDocument;
use crate::target::Target;

/// The endpoints of one target, absolute.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// RFC 8628 §3.1.
    pub device_authorization: String,
    /// RFC 6749 §3.2.
    pub token: String,
    /// The protected API.
    pub api: Option<String>,
    /// RFC 7009.
    pub revocation: Option<String>,
    /// RFC 7662.
    pub introspection: Option<String>,
    /// The RFC 8414 document, if it was found.
    pub oauth_metadata: Option<String>,
    /// The OpenID document, if it was found.
    pub openid_metadata: Option<String>,
    /// The keys that verify what the server signs, if the metadata names a place.
    pub jwks: Option<String>,
    /// A resource indicator that the server knows.
    pub resource: Option<String>,
}

impl Resolved {
    /// The URL of an endpoint, if the target has it.
    #[must_use]
    pub fn url(&self, endpoint: Endpoint) -> Option<&str> {
        match endpoint {
            Endpoint::DeviceAuthorization => Some(&self.device_authorization),
            Endpoint::Token => Some(&self.token),
            Endpoint::Api => self.api.as_deref(),
            Endpoint::Revocation => self.revocation.as_deref(),
            Endpoint::Introspection => self.introspection.as_deref(),
            Endpoint::Metadata => self.metadata(None),
            // Each session has its own; the approval driver opens them.
            Endpoint::Pages => None,
        }
    }

    /// The URL of a metadata document; the RFC 8414 one first where none is named (RFC 8414 §5).
    #[must_use]
    pub fn metadata(&self, document: Option<MetadataDocument>) -> Option<&str> {
        match document {
            Some(MetadataDocument::Oauth) => self.oauth_metadata.as_deref(),
            Some(MetadataDocument::Openid) => self.openid_metadata.as_deref(),
            Some(MetadataDocument::Jwks) => self.jwks.as_deref(),
            None => self.oauth_metadata.as_deref().or(self.openid_metadata.as_deref()),
        }
    }

    /// Fills in what the target file says and, where it says nothing, what the metadata says.
    ///
    /// # Errors
    /// The sentence that says which endpoint is nowhere to be found.
    pub fn fill(&mut self, target: &Target, metadata: &Map<String, Value>) -> Result<(), String> {
        let written = &target.endpoints;
        let find = |own: &Option<String>, name: &str| {
            own.as_ref().map_or_else(
                || metadata.get(name).and_then(Value::as_str).map(ToOwned::to_owned),
                |own| absolute(target.issuer.as_deref(), own),
            )
        };
        let required = |own: &Option<String>, name: &str, key: &str| {
            find(own, name).ok_or_else(|| {
                format!(
                    "there is no {key} endpoint: the metadata does not name {name}, and the target file has no \
                     absolute endpoints.{key}"
                )
            })
        };
        self.device_authorization =
            required(&written.device_authorization, "device_authorization_endpoint", "device_authorization")?;
        self.token = required(&written.token, "token_endpoint", "token")?;
        self.api = find(&written.api, "userinfo_endpoint");
        self.revocation = find(&written.revocation, "revocation_endpoint");
        self.introspection = find(&written.introspection, "introspection_endpoint");
        self.jwks = find(&None, "jwks_uri");
        let resource = target.resource.as_ref().and_then(|own| absolute(target.issuer.as_deref(), own));
        self.resource = resource.or_else(|| self.api.clone());
        Ok(())
    }
}

/// An absolute URL, or a path at the issuer's origin.
pub(super) fn absolute(issuer: Option<&str>, written: &str) -> Option<String> {
    if Url::parse(written).is_ok() {
        return Some(written.to_owned());
    }
    let base = Url::parse(issuer?).ok()?;
    base.join(written).ok().map(String::from)
}

/// Where the documents of an issuer may be, in the order in which they are tried (RFC 8414 §3.1 and §5).
#[must_use]
pub(super) fn well_known(issuer: &str) -> Vec<(MetadataDocument, String)> {
    let Ok(url) = Url::parse(issuer) else { return Vec::new() };
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let mut places = vec![
        (MetadataDocument::Oauth, format!("{origin}/.well-known/oauth-authorization-server{path}")),
        (MetadataDocument::Openid, format!("{origin}{path}/.well-known/openid-configuration")),
    ];
    if !path.is_empty() {
        places.push((
            MetadataDocument::Oauth,
            format!("{origin}{path}/.well-known/oauth-authorization-server"),
        ));
        places.push((MetadataDocument::Openid, format!("{origin}/.well-known/openid-configuration{path}")));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_segment_goes_before_the_issuers_path_and_a_trailing_slash_is_dropped() {
        for (issuer, first) in [
            ("https://e.com", "https://e.com/.well-known/oauth-authorization-server"),
            ("https://e.com/", "https://e.com/.well-known/oauth-authorization-server"),
            ("https://e.com/i1", "https://e.com/.well-known/oauth-authorization-server/i1"),
            ("https://e.com/i1/", "https://e.com/.well-known/oauth-authorization-server/i1"),
        ] {
            assert_eq!(well_known(issuer)[0].1, first);
        }
        assert_eq!(well_known("https://e.com/i1")[1].1, "https://e.com/i1/.well-known/openid-configuration");
    }

    #[test]
    fn paths_are_completed_from_the_issuers_origin() {
        assert_eq!(absolute(Some("http://h:1/realm"), "/token").unwrap(), "http://h:1/token");
        assert_eq!(absolute(None, "http://h:1/token").unwrap(), "http://h:1/token");
        assert_eq!(absolute(None, "/token"), None);
    }
}
