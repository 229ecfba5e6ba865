//! Decisions that the user at the page does not make: the form of the page, sent as somebody else could send it.

use http::Method;

use super::browser::{Cookies, Oddity};
use super::fields::{Control, Form, Kind, Submission};
use crate::suite::{Dropped, PageMethod, Pressed, Tamper};

/// The least length of a hidden value that nobody guesses.
const UNGUESSABLE: usize = 16;

/// What hidden fields against forgery are called (RFC 6749 §10.12).
const NAMES: [&str; 5] = ["csrf", "xsrf", "token", "nonce", "authenticity"];

/// How the forged request goes out.
pub(super) fn oddity(tamper: &Tamper) -> Oddity {
    let cookies = match (tamper.drop.contains(&Dropped::Cookies), tamper.all_cookies) {
        (true, _) => Cookies::None,
        (false, true) => Cookies::All,
        (false, false) => Cookies::Usual,
    };
    Oddity { foreign: tamper.origin.is_some(), cookies, raw: true, ..Oddity::default() }
}

/// The form as the forged request has it.
///
/// # Errors
/// Why this form cannot be forged like that.
pub(super) fn submission(
    tamper: &Tamper,
    mut form: Form,
    pressed: Option<usize>,
    user_code: &str,
) -> Result<Submission, &'static str> {
    if let Some(Pressed::Unknown) = tamper.press {
        let button = pressed.and_then(|index| form.controls.get_mut(index));
        let named = button.filter(|button| !button.name.is_empty());
        named.ok_or("its button has no name, so that there is no other decision to send")?.value =
            "devgrant-unknown".to_owned();
    }
    if let Some(PageMethod::Get | PageMethod::Head) = tamper.method {
        if form.method == Method::GET {
            return Err("its form is sent by GET anyway");
        }
        form.method = Method::GET;
        for control in &mut form.controls {
            if let Kind::Button { method, .. } = &mut control.kind {
                *method = None;
            }
        }
    }
    if tamper.drop.contains(&Dropped::Csrf) {
        for control in form.controls.iter_mut().filter(|control| is_guard(control, user_code)) {
            // What has no name is not sent, and the place of the pressed button stays.
            control.name.clear();
        }
    }
    Ok(form.submit(pressed))
}

/// Is it a hidden field that only this user's pages have?
fn is_guard(control: &Control, user_code: &str) -> bool {
    let bare = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let name = control.name.to_ascii_lowercase();
    let is_code = bare(&control.value).eq_ignore_ascii_case(&bare(user_code));
    matches!(control.kind, Kind::Hidden)
        && !is_code
        && (control.value.len() >= UNGUESSABLE || NAMES.iter().any(|known| name.contains(known)))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::html::Document;
    use super::*;

    fn forged(tamper: &Tamper) -> Result<Submission, &'static str> {
        let page = Document::read(
            "<form method=post action=/decide><input type=hidden name=_csrf value=abc>
             <input type=hidden name=state value=0123456789abcdef><input type=hidden name=user_code value=BCDF-GHJK>
             <input type=hidden name=step value=2><button name=decision value=yes>Yes</button></form>",
            &Url::parse("https://as.example/device").unwrap(),
        );
        let form = page.forms[0].clone();
        let pressed = form.buttons().next().map(|(index, _)| index);
        submission(tamper, form, pressed, "bcdfghjk")
    }

    #[test]
    fn what_nobody_else_can_know_is_left_out_and_the_rest_stays() {
        let dropped = forged(&Tamper { drop: vec![Dropped::Csrf], ..Tamper::default() }).unwrap();
        assert_eq!(dropped.body.unwrap(), "user_code=BCDF-GHJK&step=2&decision=yes");
        let by_link =
            Tamper { drop: vec![Dropped::Csrf], method: Some(PageMethod::Get), ..Tamper::default() };
        let by_link = forged(&by_link).unwrap();
        assert_eq!(by_link.url.as_str(), "https://as.example/decide?user_code=BCDF-GHJK&step=2&decision=yes");
        assert!(by_link.body.is_none());
        let unknown = forged(&Tamper { press: Some(Pressed::Unknown), ..Tamper::default() }).unwrap();
        assert!(unknown.body.unwrap().ends_with("decision=devgrant-unknown"));
    }
}
