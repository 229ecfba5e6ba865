//! Placeholders in texts: `{tv.device_code}`, `{client.tv.id}`, `{random}`. Knows which there are, not their values.

use crate::protocol::Role;
use crate::protocol::words::words;

/// Every device code of the run, in `lacks:` alone.
pub const ANY_DEVICE_CODE: &str = "{any.device_code}";

words! {
    /// A value of a session that texts can refer to.
    SessionValue {
        /// Of the device authorization response.
        DeviceCode = "device_code",
        /// Of the device authorization response.
        UserCode = "user_code",
        /// Of the device authorization response.
        VerificationUri = "verification_uri",
        /// Of the device authorization response.
        VerificationUriComplete = "verification_uri_complete",
        /// The lifetime of the codes in seconds.
        ExpiresIn = "expires_in",
        /// The interval in seconds.
        Interval = "interval",
        /// Of the token response.
        AccessToken = "access_token",
        /// Of the token response.
        RefreshToken = "refresh_token",
        /// The client that asked for the codes.
        ClientId = "client_id",
        /// The scope that was asked for without its last word; there is none where it has one word only.
        LessScope = "less_scope",
    }
}

words! {
    /// A value of a client that texts can refer to.
    ClientValue {
        /// `client_id`.
        Id = "id",
        /// `client_secret`.
        Secret = "secret",
    }
}

words! {
    /// A value of the target that texts can refer to.
    TargetValue {
        /// The issuer of the target file.
        Issuer = "issuer",
        /// A resource indicator that the server knows (RFC 8707 §2).
        Resource = "resource",
    }
}

/// `{probe.answer}`: the error word of a named answer, or what came in its place.
pub const ANSWER: &str = "answer";

/// `{wrong.typed_codes}`: how many codes `enter_code` typed up to the page that the name stands for.
pub const TYPED_CODES: &str = "typed_codes";

/// What stands between the braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder<'t> {
    /// A text drawn at random.
    Random,
    /// A value of a client of the target.
    Client(Role, ClientValue),
    /// A value of the target.
    Target(TargetValue),
    /// A value of a session, or a member of a named answer.
    Value {
        /// The session or answer.
        of: &'t str,
        /// The value or member.
        name: &'t str,
    },
}

/// Why a placeholder is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misread {
    /// `{tv}`
    NoValue,
    /// `{client.tvv.id}`
    UnknownRole,
    /// `{client.tv.name}`
    UnknownClientValue,
    /// `{target.name}`
    UnknownTargetValue,
}

/// Every placeholder of a text in order, with the word between its braces. Braces around anything but such a word, as in
/// JSON, are text.
pub fn placeholders(text: &str) -> impl Iterator<Item = (&str, Result<Placeholder<'_>, Misread>)> {
    text.split('{').skip(1).filter_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        is_word.then(|| (word, read(word)))
    })
}

fn read(word: &str) -> Result<Placeholder<'_>, Misread> {
    if word == "random" {
        return Ok(Placeholder::Random);
    }
    let (of, name) = word.split_once('.').ok_or(Misread::NoValue)?;
    if of == "target" {
        let value = TargetValue::ALL.iter().find(|known| known.word() == name);
        return value.map(|value| Placeholder::Target(*value)).ok_or(Misread::UnknownTargetValue);
    }
    if of != "client" {
        return Ok(Placeholder::Value { of, name });
    }
    let (role, value) = name.split_once('.').ok_or(Misread::UnknownClientValue)?;
    let role = Role::ALL.iter().find(|known| known.word() == role).ok_or(Misread::UnknownRole)?;
    let value = ClientValue::ALL.iter().find(|known| known.word() == value);
    Ok(Placeholder::Client(*role, *value.ok_or(Misread::UnknownClientValue)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_braces_are_placeholders_and_json_is_not() {
        let text = r#"{"device_code":"{tv.device_code}","x":{}} {random} {client.tv.id} {tv} {client.tvv.id} {a b} {target.issuer}"#;
        let found: Vec<_> = placeholders(text).collect();
        assert_eq!(
            found,
            [
                ("tv.device_code", Ok(Placeholder::Value { of: "tv", name: "device_code" })),
                ("random", Ok(Placeholder::Random)),
                ("client.tv.id", Ok(Placeholder::Client(Role::Tv, ClientValue::Id))),
                ("tv", Err(Misread::NoValue)),
                ("client.tvv.id", Err(Misread::UnknownRole)),
                ("target.issuer", Ok(Placeholder::Target(TargetValue::Issuer))),
            ]
        );
    }
}
