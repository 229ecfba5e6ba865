//! Asks a person, if one sits there; without a terminal the flags must say it.

use std::io::IsTerminal;

use dialoguer::{Input, Password};

use super::Stop;
use crate::cli::exit::Exit;

/// Whom to ask.
pub(super) struct Asker {
    is_there: bool,
}

impl Asker {
    pub(super) fn new() -> Self {
        Self { is_there: std::io::stdin().is_terminal() && std::io::stderr().is_terminal() }
    }

    /// Does somebody sit there?
    pub(super) const fn is_there(&self) -> bool {
        self.is_there
    }

    /// What was given, or what the person says; `flag` is what to give where nobody sits there.
    pub(super) async fn text(
        &self,
        given: Option<&str>,
        flag: &str,
        prompt: &str,
        otherwise: Option<&str>,
    ) -> Result<String, Stop> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        if !self.is_there {
            let words = format!(
                "error: {flag} is missing, and there is no terminal to ask at\nhelp: give {flag}; devgrant init --help shows all"
            );
            return Err(Stop(Exit::Usage, words));
        }
        let (prompt, otherwise) = (prompt.to_owned(), otherwise.map(ToOwned::to_owned));
        blocking(move || {
            let mut input = Input::<String>::new().with_prompt(prompt);
            if let Some(otherwise) = otherwise {
                input = input.default(otherwise).show_default(false).allow_empty(true);
            }
            input.interact_text()
        })
        .await
    }

    /// What the person types unseen; nothing where nobody sits there, or where it is left empty.
    pub(super) async fn secret(&self, prompt: &str) -> Result<Option<String>, Stop> {
        if !self.is_there {
            return Ok(None);
        }
        let prompt = prompt.to_owned();
        let typed =
            blocking(move || Password::new().with_prompt(prompt).allow_empty_password(true).interact())
                .await?;
        Ok(Some(typed).filter(|typed| !typed.is_empty()))
    }
}

/// Reading keys cannot be waited for, hence a thread.
async fn blocking(
    question: impl FnOnce() -> dialoguer::Result<String> + Send + 'static,
) -> Result<String, Stop> {
    let answer = tokio::task::spawn_blocking(question).await;
    let failed = |error: String| {
        Stop(
            Exit::Usage,
            format!(
                "error: nobody could be asked: {error}\nhelp: give it by a flag; devgrant init --help shows all"
            ),
        )
    };
    match answer {
        Ok(answer) => answer.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}
