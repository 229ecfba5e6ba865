//! Authorities whose certificates are trusted beside those that the platform trusts.

use reqwest::Certificate;
use thiserror::Error;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::client::plain;

/// What stands before the name of each part of a PEM file (RFC 7468 §2).
const BEGIN: &str = "-----BEGIN ";

/// Certificates of authorities, trusted beside those of the platform; none unless said.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// For the judging client.
    pub(super) certificates: Vec<Certificate>,
    /// The same for the connections of the load engine.
    pub(super) ders: Vec<CertificateDer<'static>>,
}

/// Why there is nobody to trust in a text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootsError {
    /// No part of it begins as PEM does.
    #[error("is not PEM: no line begins with -----BEGIN")]
    NotPem,
    /// It is PEM, of other things.
    #[error("has no certificate, but {}", .found.join(", "))]
    NoCertificate {
        /// What its parts are called: `PRIVATE KEY`.
        found: Vec<String>,
    },
    /// What calls itself a certificate is none.
    #[error("has a certificate that cannot be read: {0}")]
    Broken(String),
}

impl Roots {
    /// All certificates of a text in PEM (RFC 7468 §5); what else stands in it is passed over.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one that cannot be read.
    pub fn from_pem(text: &[u8]) -> Result<Self, RootsError> {
        let shown = String::from_utf8_lossy(text);
        let parts = shown.lines().filter_map(|line| line.trim().strip_prefix(BEGIN));
        let found: Vec<String> = parts.map(|name| name.trim_end_matches('-').to_owned()).collect();
        if found.is_empty() {
            return Err(RootsError::NotPem);
        }
        let broken = |error: &reqwest::Error| {
            let cause =
                std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            RootsError::Broken(cause)
        };
        let certificates = Certificate::from_pem_bundle(text).map_err(|error| broken(&error))?;
        if certificates.is_empty() {
            return Err(if found.iter().any(|name| name == "CERTIFICATE") {
                RootsError::Broken("it has no end".to_owned())
            } else {
                RootsError::NoCertificate { found }
            });
        }
        let ders = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>();
        let ders = ders.map_err(|error| RootsError::Broken(error.to_string()))?;
        let roots = Self { certificates, ders };
        // Only a client reads what is in them.
        plain(&roots).build().map_err(|error| broken(&error))?;
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bundle_of_certificates_says_why() {
        let said = |text: &str| Roots::from_pem(text.as_bytes()).unwrap_err().to_string();
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
