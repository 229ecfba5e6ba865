//! What is written on buttons, in the languages that come up most.

/// Which way a button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaning {
    /// The user says yes.
    Yes,
    /// On to the next page, which may be a yes.
    On,
    /// The user says no.
    No,
}

/// Looked at first: "do not allow" is no yes.
const NO: [&str; 26] = [
    "abbrechen",
    "ablehnen",
    "abort",
    "annuler",
    "annulla",
    "avbryt",
    "block",
    "cancel",
    "cancelar",
    "decline",
    "denegar",
    "deny",
    "disallow",
    "don",
    "no",
    "non",
    "not",
    "nein",
    "rechazar",
    "recusar",
    "refuse",
    "refuser",
    "reject",
    "rejected",
    "rifiuta",
    "verweigern",
];

const YES: [&str; 28] = [
    "accept",
    "accepter",
    "accetta",
    "aceptar",
    "agree",
    "akzeptieren",
    "allow",
    "approve",
    "authorise",
    "authorize",
    "autoriser",
    "autorizar",
    "autorizza",
    "bestätigen",
    "confirm",
    "confirmar",
    "confirmer",
    "consent",
    "erlauben",
    "genehmigen",
    "grant",
    "ja",
    "oui",
    "permitir",
    "si",
    "sí",
    "yes",
    "zulassen",
];

const ON: [&str; 8] = ["continue", "continuer", "continuar", "next", "ok", "proceed", "submit", "weiter"];

/// Which way a text leads, if it says so.
pub(super) fn leaning(text: &str) -> Option<Leaning> {
    let text = text.to_lowercase();
    let has = |words: &[&str]| text.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
    [(Leaning::No, &NO[..]), (Leaning::Yes, &YES), (Leaning::On, &ON)]
        .into_iter()
        .find_map(|(leaning, words)| has(words).then_some(leaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_leads_where_its_words_say() {
        for (text, leads) in [
            ("Allow", Some(Leaning::Yes)),
            ("Grant Access", Some(Leaning::Yes)),
            ("[ Abort ]", Some(Leaning::No)),
            ("Don't allow", Some(Leaning::No)),
            ("Do not allow", Some(Leaning::No)),
            ("Zugriff erlauben", Some(Leaning::Yes)),
            ("Continue", Some(Leaning::On)),
            ("Notifications", None),
            ("Sign in", None),
            ("", None),
        ] {
            assert_eq!(leaning(text), leads, "{text}");
        }
    }
}
