//! Decisions that the user at the page does not make: the form of the page, sent as somebody else could send it.

use http::Method;
use url::Url;

use crate::approval::agent::{Cookies, Oddity};
use crate::approval::page::{Control, Form, Kind, Submission};
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
    known: Option<&Form>,
) -> Result<Submission, &'static str> {
    if let Some(Pressed::Unknown) = tamper.press {
        press_unknown(&mut form, pressed)?;
    }
    if tamper.drop.contains(&Dropped::Csrf) {
        let is_guard = |name: &str, value: &str| is_guard(name, value, user_code, known);
        for control in &mut form.controls {
            match &mut control.kind {
                Kind::Button { action: Some(action), .. } => leave_out(action, is_guard),
                // What has no name is not sent, and the place of the pressed button stays.
                Kind::Hidden if is_guard(&control.name, &control.value) => control.name.clear(),
                _ => {}
            }
        }
        leave_out(&mut form.action, is_guard);
    }
    if let Some(PageMethod::Get | PageMethod::Head) = tamper.method {
        if form.method == Method::GET {
            return Err("its form is sent by GET anyway");
        }
        as_link(&mut form, pressed);
    }
    Ok(form.submit(pressed))
}

/// Makes the pressed button one that the page does not have: by its value where buttons share the name, and by its name
/// where that alone tells them apart.
fn press_unknown(form: &mut Form, pressed: Option<usize>) -> Result<(), &'static str> {
    let index = pressed.filter(|index| form.controls.get(*index).is_some_and(|it| !it.name.is_empty()));
    let index = index.ok_or("its button has no name, so that there is no other decision to send")?;
    let name = form.controls[index].name.clone();
    let shares = form.buttons().any(|(other, button)| other != index && button.name == name);
    let has_others = form.buttons().any(|(other, button)| other != index && !button.name.is_empty());
    let button = &mut form.controls[index];
    let changed = if shares || !has_others { &mut button.value } else { &mut button.name };
    *changed = "devgrant-unknown".to_owned();
    Ok(())
}

/// The form as a link: what stands in its address goes along, where a form sent by GET would lose it.
fn as_link(form: &mut Form, pressed: Option<usize>) {
    form.method = Method::GET;
    let mut action = form.action.clone();
    for (index, control) in form.controls.iter_mut().enumerate() {
        if let Kind::Button { method, action: own, .. } = &mut control.kind {
            *method = None;
            if let Some(own) = own.as_ref().filter(|_| pressed == Some(index)) {
                action = own.clone();
            }
        }
    }
    form.controls.extend(action.query_pairs().map(|(name, value)| Control {
        name: name.into_owned(),
        value: value.into_owned(),
        kind: Kind::Hidden,
        mark: None,
    }));
}

/// Takes what only this user's pages have out of an address.
fn leave_out(address: &mut Url, is_guard: impl Fn(&str, &str) -> bool) {
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let kept: Vec<_> = pairs.iter().filter(|(name, value)| !is_guard(name, value)).collect();
    if kept.is_empty() {
        address.set_query(None);
    } else if kept.len() < pairs.len() {
        address.query_pairs_mut().clear().extend_pairs(kept);
    }
}

/// Is it something that only this user's pages have: not what the forger saw at his own, if he saw one?
fn is_guard(name: &str, value: &str, user_code: &str, known: Option<&Form>) -> bool {
    let bare = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    if bare(value).eq_ignore_ascii_case(&bare(user_code)) {
        return false;
    }
    let is_telling = || {
        let name = name.to_ascii_lowercase();
        value.len() >= UNGUESSABLE || NAMES.iter().any(|known| name.contains(known))
    };
    known.map_or_else(is_telling, |known| !has(known, name, value))
}

/// Whether a form sends this by itself.
fn has(form: &Form, name: &str, value: &str) -> bool {
    let is_hidden = |control: &Control| {
        matches!(control.kind, Kind::Hidden) && control.name == name && control.value == value
    };
    let own = form.controls.iter().filter_map(|control| match &control.kind {
        Kind::Button { action, .. } => action.as_ref(),
        _ => None,
    });
    let is_in = |address: &Url| address.query_pairs().any(|pair| pair == (name.into(), value.into()));
    form.controls.iter().any(is_hidden) || own.chain([&form.action]).any(is_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::page::Document;

    const PAGE: &str = "<form method=post action='/decide?client=tv&tab=k3J9sQ&flow=device_authorization'>
        <input type=hidden name=_csrf value=abc><input type=hidden name=state value=0123456789abcdef>
        <input type=hidden name=user_code value=BCDF-GHJK><input type=hidden name=step value=2>
        <button name=decision value=yes>Yes</button></form>";

    fn form(page: &str) -> Form {
        Document::read(page, &Url::parse("https://as.example/device").unwrap()).forms[0].clone()
    }

    fn forged(tamper: &Tamper, known: Option<&str>) -> Submission {
        let form = form(PAGE);
        let pressed = form.buttons().next().map(|(index, _)| index);
        submission(tamper, form, pressed, "bcdfghjk", known.map(self::form).as_ref())
            .unwrap_or_else(|why| panic!("{why}"))
    }

    fn dropping() -> Tamper {
        Tamper { drop: vec![Dropped::Csrf], ..Tamper::default() }
    }

    #[test]
    fn what_nobody_else_can_know_is_left_out_and_the_rest_stays() {
        let dropped = forged(&dropping(), None);
        assert_eq!(dropped.body.unwrap(), "user_code=BCDF-GHJK&step=2&decision=yes");
        assert_eq!(dropped.url.as_str(), "https://as.example/decide?client=tv&tab=k3J9sQ");
        let unknown = Tamper { press: Some(Pressed::Unknown), ..Tamper::default() };
        let unknown = forged(&unknown, None);
        assert!(unknown.body.unwrap().ends_with("decision=devgrant-unknown"));
        assert!(unknown.url.as_str().ends_with("?client=tv&tab=k3J9sQ&flow=device_authorization"));
    }

    #[test]
    fn an_unknown_button_is_told_from_the_others_as_they_are_from_each_other() {
        let pressed = |buttons: &str| {
            let form = form(&format!("<form method=post action=/decide>{buttons}</form>"));
            let yes = form.buttons().next().map(|(index, _)| index);
            let unknown = Tamper { press: Some(Pressed::Unknown), ..Tamper::default() };
            submission(&unknown, form, yes, "bcdfghjk", None).map(|sent| sent.body.unwrap())
        };
        let by_value =
            "<button name=decision value=yes>Yes</button><button name=decision value=no>No</button>";
        assert_eq!(pressed(by_value).ok().unwrap(), "decision=devgrant-unknown");
        let by_name = "<button name=yes value=1>Yes</button><button name=no value=1>No</button>";
        assert_eq!(pressed(by_name).ok().unwrap(), "devgrant-unknown=1");
        assert!(pressed("<button>Yes</button>").is_err());
    }

    #[test]
    fn what_the_forger_saw_at_his_own_page_he_can_send() {
        let his = PAGE.replace("value=abc>", "value=xyz>").replace("k3J9sQ", "Zm8vYg");
        let dropped = forged(&dropping(), Some(&his));
        assert_eq!(dropped.body.unwrap(), "state=0123456789abcdef&user_code=BCDF-GHJK&step=2&decision=yes");
        assert_eq!(dropped.url.as_str(), "https://as.example/decide?client=tv&flow=device_authorization");
        let all_his_own =
            "<form method=post action=/decide><button name=decision value=yes>Yes</button></form>";
        assert_eq!(forged(&dropping(), Some(all_his_own)).url.as_str(), "https://as.example/decide");
    }

    #[test]
    fn a_link_keeps_what_stands_in_the_address() {
        let by_link = Tamper { method: Some(PageMethod::Get), ..dropping() };
        let by_link = forged(&by_link, None);
        assert_eq!(
            by_link.url.as_str(),
            "https://as.example/decide?user_code=BCDF-GHJK&step=2&decision=yes&client=tv&tab=k3J9sQ"
        );
        assert!(by_link.body.is_none());
    }
}
