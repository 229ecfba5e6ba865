//! Whom a client trusts beside the authorities of the platform, and by which certificate it shows itself.

use std::sync::Arc;

use reqwest::Certificate;
use thiserror::Error;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::client::plain;

/// What stands before the name of each part of a PEM file (RFC 7468 §2).
const BEGIN: &str = "-----BEGIN ";

/// Certificates of authorities, trusted beside those of the platform, and one of the client; none unless said.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// For the judging client.
    pub(super) certificates: Vec<Certificate>,
    /// The same for the connections of the load engine.
    pub(super) ders: Vec<CertificateDer<'static>>,
    /// What the client shows.
    pub(super) shown: Option<Shown>,
    /// Whatever certificate the server shows is taken.
    pub(super) anybody: bool,
}

/// The certificate that a client shows (RFC 8705 §2), and its key.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// For the judging client.
    pub(super) identity: reqwest::Identity,
    /// The same for the connections of the load engine.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The key to it.
    pub(super) key: Arc<PrivateKeyDer<'static>>,
}

/// Why there is nobody to trust in a text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrustError {
    /// No part of it begins as PEM does.
    #[error("is not PEM: no line begins with -----BEGIN")]
    NotPem,
    /// It is PEM, of other things.
    #[error("has no certificate, but {}", .found.join(", "))]
    NoCertificate {
        /// What its parts are called: `PRIVATE KEY`.
        found: Vec<String>,
    },
    /// A client's certificate without a key to it.
    #[error("has no private key beside the certificate, and none was named")]
    NoKey,
    /// The key is not that of the certificate, or of a kind that is not known.
    #[error("cannot be shown to a server: {0}")]
    Unusable(String),
    /// What calls itself a certificate is none.
    #[error("has a certificate that cannot be read: {0}")]
    Broken(String),
}

impl Trust {
    /// All certificates of a text in PEM (RFC 7468 §5); what else stands in it is passed over.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one that cannot be read.
    pub fn from_pem(text: &[u8]) -> Result<Self, TrustError> {
        let shown = String::from_utf8_lossy(text);
        let parts = shown.lines().filter_map(|line| line.trim().strip_prefix(BEGIN));
        let found: Vec<String> = parts.map(|name| name.trim_end_matches('-').to_owned()).collect();
        if found.is_empty() {
            return Err(TrustError::NotPem);
        }
        let broken = |error: &reqwest::Error| {
            let cause =
                std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            TrustError::Broken(cause)
        };
        let certificates = Certificate::from_pem_bundle(text).map_err(|error| broken(&error))?;
        if certificates.is_empty() {
            return Err(if found.iter().any(|name| name == "CERTIFICATE") {
                TrustError::Broken("it has no end".to_owned())
            } else {
                TrustError::NoCertificate { found }
            });
        }
        let ders = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>();
        let ders = ders.map_err(|error| TrustError::Broken(error.to_string()))?;
        let trust = Self { certificates, ders, ..Self::default() };
        // Only a client reads what is in them.
        plain(&trust).build().map_err(|error| broken(&error))?;
        Ok(trust)
    }

    /// The same, with a certificate that the client shows and its key, both in PEM.
    ///
    /// # Errors
    ///
    /// When there is no certificate, no key, or they do not belong together.
    pub fn showing(self, certificate: &[u8], key: &[u8]) -> Result<Self, TrustError> {
        let ders = Self::from_pem(certificate)?.ders;
        let key_der = PrivateKeyDer::from_pem_slice(key).map_err(|_| TrustError::NoKey)?;
        let unusable = |error: &reqwest::Error| {
            let cause =
                std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            TrustError::Unusable(cause)
        };
        let both = if certificate == key { certificate.to_vec() } else { [key, b"\n", certificate].concat() };
        let identity = reqwest::Identity::from_pem(&both).map_err(|error| unusable(&error))?;
        let shown = Shown { identity, chain: ders, key: Arc::new(key_der) };
        let trust = Self { shown: Some(shown), ..self };
        plain(&trust).build().map_err(|error| unusable(&error))?;
        Ok(trust)
    }

    /// The same, and whatever certificate a server shows is taken: for a server of tests.
    #[must_use]
    pub fn trusting_anybody(self) -> Self {
        Self { anybody: true, ..self }
    }

    /// Whether a server's certificate is not looked at.
    #[must_use]
    pub const fn trusts_anybody(&self) -> bool {
        self.anybody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bundle_of_certificates_says_why() {
        let said = |text: &str| Trust::from_pem(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(said(""), "is not PEM: no line begins with -----BEGIN");
        assert_eq!(said("0\u{82}\u{1}MII"), "is not PEM: no line begins with -----BEGIN");
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(said(key), "has no certificate, but PRIVATE KEY");
        for broken in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
        ] {
            assert!(said(broken).starts_with("has a certificate that cannot be read: "), "{}", said(broken));
        }
    }
}
