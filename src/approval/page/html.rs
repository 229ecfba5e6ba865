//! A page's forms, title and text out of its HTML, as a browser with scripts would see them.

use http::Method;
use scraper::{ElementRef, Html, Node};
use url::Url;

use super::fields::{Control, Form, Kind, Submission};

/// What a page has for its reader.
#[derive(Clone)]
pub(in crate::approval) struct Document {
    pub(in crate::approval) title: String,
    /// The text that a reader sees, spaces run together.
    pub(in crate::approval) text: String,
    pub(in crate::approval) forms: Vec<Form>,
    /// It has an element of our own, which no page has unless it was typed.
    pub(in crate::approval) has_typed_markup: bool,
    /// Where a browser goes on by itself, nobody doing anything.
    pub(in crate::approval) passage: Option<Submission>,
}

/// Where a page comes from, which decides what is a control.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::approval) enum Origin {
    /// As the server sent it: what a form sends without scripts.
    Server,
    /// As a browser shows it, scripts and all: also buttons that scripts listen to, and controls outside of every form.
    Browser,
}

/// By this attribute a browser's page says which number a control has.
const MARK: &str = "data-devgrant-control";

/// Elements whose text nobody reads; with scripts on, `noscript` is one of them.
const UNREAD: [&str; 5] = ["script", "style", "noscript", "template", "title"];

/// The longest delay of a refresh that is a redirect in disguise, in seconds.
const SHORT: f64 = 1.0;

impl Document {
    /// Reads the page at `url`, as the server sent it.
    pub(in crate::approval) fn read(html: &str, url: &Url) -> Self {
        Self::from(html, url, Origin::Server)
    }

    /// Reads a page of this origin.
    pub(in crate::approval) fn from(html: &str, url: &Url, origin: Origin) -> Self {
        let page = Html::parse_document(html);
        let base = elements(&page, &["base"])
            .find_map(|base| url.join(base.attr("href")?).ok())
            .unwrap_or_else(|| url.clone());
        let forms = forms(&page, url, &base, origin);
        // A browser goes on by itself.
        let passage = match origin {
            Origin::Server => refresh(&page, &base).or_else(|| self_submitting(&page, &forms)),
            Origin::Browser => None,
        };
        let title = elements(&page, &["title"]).next();
        Self {
            title: title.map(|title| spaced(title.text())).unwrap_or_default(),
            text: spaced(read_text(page.root_element())),
            forms,
            has_typed_markup: elements(&page, &["devgrant"]).next().is_some(),
            passage,
        }
    }

    /// Whether its title or text has this text.
    pub(in crate::approval) fn shows(&self, text: &str) -> bool {
        self.title.contains(text) || self.text.contains(text)
    }
}

/// The forms of a page, each with the controls that belong to it: inside it, or naming it by `form`. Of a browser's page
/// the controls that belong to none are the last.
fn forms(page: &Html, url: &Url, base: &Url, origin: Origin) -> Vec<Form> {
    let owners: Vec<ElementRef<'_>> = elements(page, &["form"]).collect();
    let mut forms: Vec<Form> = owners.iter().map(|form| bare_form(*form, url, base)).collect();
    let mut stray = Vec::new();
    for control in elements(page, &["input", "button", "select", "textarea"]) {
        let owner = owners.iter().position(|form| match control.attr("form") {
            Some(id) => form.attr("id") == Some(id),
            None => control.ancestors().any(|ancestor| ancestor.id() == form.id()),
        });
        let read = read_control(control, base, origin);
        match owner.and_then(|owner| forms.get_mut(owner)) {
            Some(form) => form.controls.extend(read),
            None => stray.extend(read),
        }
    }
    if origin == Origin::Browser && !stray.is_empty() {
        let (method, action) = (Method::POST, url.clone());
        forms.push(Form { method, action, encoding: None, controls: stray });
    }
    forms
}

/// A form without its controls.
fn bare_form(form: ElementRef<'_>, url: &Url, base: &Url) -> Form {
    let encoding = form.attr("enctype").map(str::to_ascii_lowercase);
    Form {
        method: form.attr("method").and_then(method).unwrap_or(Method::GET),
        action: form.attr("action").and_then(|action| address(action, base)).unwrap_or_else(|| url.clone()),
        // Browsers take a word they do not know for the usual encoding.
        encoding: encoding.filter(|it| it == "multipart/form-data" || it == "text/plain"),
        controls: Vec::new(),
    }
}

/// `get` or `post`; browsers take other words for `get`.
fn method(word: &str) -> Option<Method> {
    match word.to_ascii_lowercase().as_str() {
        "get" => Some(Method::GET),
        "post" => Some(Method::POST),
        _ => None,
    }
}

/// An address of the page; an empty one is that of the page itself.
fn address(text: &str, base: &Url) -> Option<Url> {
    let text = text.trim();
    if text.is_empty() { None } else { base.join(text).ok() }
}

/// A field or a button, unless it is never sent.
fn read_control(element: ElementRef<'_>, base: &Url, origin: Origin) -> Option<Control> {
    let set = |name: &str| element.attr(name).is_some();
    let closed = |fieldset: ElementRef<'_>| fieldset.attr("disabled").is_some() && is(fieldset, "fieldset");
    if set("disabled") || element.ancestors().filter_map(ElementRef::wrap).any(closed) {
        return None;
    }
    let value = element.attr("value");
    let kind = element.attr("type").map(str::to_ascii_lowercase).unwrap_or_default();
    let button = |text: String| Kind::Button {
        text,
        action: element.attr("formaction").and_then(|action| address(action, base)),
        method: element.attr("formmethod").and_then(method),
    };
    let (value, kind) = match (element.value().name(), kind.as_str()) {
        ("button", "button") if origin == Origin::Browser => {
            (value.unwrap_or_default().to_owned(), button(spaced(element.text())))
        }
        ("input", "button") if origin == Origin::Browser => {
            (value.unwrap_or_default().to_owned(), button(spaced(value)))
        }
        ("button", "button" | "reset") | ("input", "button" | "reset" | "file" | "image") => return None,
        ("button", _) => (value.unwrap_or_default().to_owned(), button(spaced(element.text()))),
        ("input", "submit") => {
            (value.unwrap_or_default().to_owned(), button(spaced([value.unwrap_or("Submit")])))
        }
        ("input", "checkbox") => {
            (value.unwrap_or("on").to_owned(), Kind::Checkbox { checked: set("checked") })
        }
        ("input", "radio") => (value.unwrap_or("on").to_owned(), Kind::Radio { checked: set("checked") }),
        ("input", "hidden") => (value.unwrap_or_default().to_owned(), Kind::Hidden),
        ("input", "password") => (value.unwrap_or_default().to_owned(), Kind::Password),
        ("select", _) => (String::new(), read_select(element)),
        ("textarea", _) => (element.text().collect(), Kind::Text),
        _ => (value.unwrap_or_default().to_owned(), Kind::Text),
    };
    let name = match origin {
        Origin::Server => element.attr("name"),
        Origin::Browser => {
            element.attr("name").filter(|name| !name.is_empty()).or_else(|| element.attr("id"))
        }
    };
    let mark = element.attr(MARK).and_then(|mark| mark.parse().ok());
    Some(Control { name: name.unwrap_or_default().to_owned(), value, kind, mark })
}

/// A list of choices, with those that the page has chosen.
fn read_select(select: ElementRef<'_>) -> Kind {
    let options: Vec<ElementRef<'_>> = select
        .descendants()
        .filter_map(ElementRef::wrap)
        .filter(|it| is(*it, "option") && it.attr("disabled").is_none())
        .collect();
    let value = |option: &ElementRef<'_>| {
        option.attr("value").map_or_else(|| spaced(option.text()), ToOwned::to_owned)
    };
    let mut chosen: Vec<String> =
        options.iter().filter(|option| option.attr("selected").is_some()).map(value).collect();
    if select.attr("multiple").is_none() {
        // Of a list for one choice the last selected one counts, or else the first.
        chosen = chosen.pop().or_else(|| options.first().map(value)).into_iter().collect();
    }
    Kind::Select { choices: options.iter().map(value).collect(), chosen }
}

/// `<meta http-equiv="refresh" content="0; url=/next">`.
fn refresh(page: &Html, base: &Url) -> Option<Submission> {
    elements(page, &["meta"]).find_map(|meta| {
        let content = meta.attr("content")?;
        let (delay, target) = content.split_once([';', ','])?;
        let (key, target) = target.split_once('=')?;
        let named = meta.attr("http-equiv")?.eq_ignore_ascii_case("refresh");
        let soon = delay.trim().parse::<f64>().is_ok_and(|delay| delay <= SHORT);
        if !named || !soon || !key.trim().eq_ignore_ascii_case("url") {
            return None;
        }
        let url = address(target.trim().trim_matches(['"', '\'']), base)?;
        Some(Submission::get(url))
    })
}

/// A page that is nothing but a form that a script sends: hidden fields only, and no button to press.
fn self_submitting(page: &Html, forms: &[Form]) -> Option<Submission> {
    let [form] = forms else { return None };
    let nothing_to_do = form.controls.iter().all(|control| matches!(control.kind, Kind::Hidden));
    let sends = |script: &str| script.contains("submit()");
    let script = elements(page, &["script"]).any(|script| script.text().any(sends));
    let on_load = elements(page, &["body"]).any(|body| body.attr("onload").is_some_and(sends));
    (nothing_to_do && (script || on_load) && form.encoding.is_none()).then(|| form.submit(None))
}

/// The elements of these names, wherever they stand.
fn elements<'page>(page: &'page Html, names: &[&str]) -> impl Iterator<Item = ElementRef<'page>> {
    page.tree
        .nodes()
        .filter_map(ElementRef::wrap)
        .filter(|element| names.iter().any(|name| is(*element, name)))
}

fn is(element: ElementRef<'_>, name: &str) -> bool {
    element.value().name() == name
}

/// The pieces of text that a reader sees.
fn read_text(root: ElementRef<'_>) -> impl Iterator<Item = &str> {
    root.descendants().filter_map(|node| {
        let Node::Text(text) = node.value() else { return None };
        let unread = |ancestor: ElementRef<'_>| UNREAD.iter().any(|name| is(ancestor, name));
        let hidden = node.ancestors().filter_map(ElementRef::wrap).any(unread);
        (!hidden).then_some(&**text)
    })
}

/// Texts in one line, spaces run together.
fn spaced<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let words = pieces.into_iter().flat_map(str::split_whitespace);
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> Document {
        Document::read(html, &Url::parse("https://as.example/realms/devices/page?state=s1").unwrap())
    }

    fn sent(html: &str) -> String {
        let document = read(html);
        document.forms[0].submit(None).body.unwrap_or_default()
    }

    #[test]
    fn what_a_browser_would_send_is_sent() {
        let body = sent(
            r#"<form method="POST">
                 <input type="hidden" name="csrf" value="a&amp;b=&quot;c&quot;">
                 <input name="user" value="x"><input name="unnamed-is-not-sent" disabled value="1"><input value="1">
                 <input type="checkbox" name="c1"><input type="checkbox" name="c2" checked>
                 <input type="checkbox" name="c3" value="yes" checked>
                 <input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
                 <select name="s"><option>one</option><option value="2" selected>two</option></select>
                 <select name="t"><option disabled>choose</option><option>first one</option></select>
                 <select name="u" multiple><option selected>a</option><option selected>b</option></select>
                 <textarea name="note">
a &lt; b</textarea>
                 <input type="reset" name="reset" value="1"><button type="button" name="script">x</button>
                 <button name="go" value="1">Go</button><input type="submit" name="stop" value="Stop">
                 <fieldset disabled><input name="closed" value="1"></fieldset>
               </form>"#,
        );
        assert_eq!(body, "csrf=a%26b%3D%22c%22&user=x&c2=on&c3=yes&r=2&s=2&t=first+one&u=a&u=b&note=a+%3C+b");
    }

    #[test]
    fn only_the_pressed_button_is_sent_and_controls_may_name_their_form() {
        let document = read(
            r#"<button form="f" name="first" value="1">[  One ]</button>
               <form id="f" method="post" action="/done"><input type="hidden" name="h" value="1"></form>
               <form id="g"><input form="f" name="i" value="2"><input name="j" value="3"></form>
               <input type="submit" form="f" name="last" formaction="other" formmethod="get">"#,
        );
        let form = &document.forms[0];
        let first = form.submit(Some(0));
        assert_eq!(
            (first.url.as_str(), first.body.as_deref()),
            ("https://as.example/done", Some("first=1&h=1&i=2"))
        );
        let last = form.submit(Some(3));
        assert_eq!(
            (last.url.as_str(), last.body),
            ("https://as.example/realms/devices/other?h=1&i=2&last=", None)
        );
        assert_eq!(
            form.outline(),
            "[POST https://as.example/done; fields: h, i; buttons: \"[ One ]\" (\"first\"), \"Submit\" (\"last\")]"
        );
        assert_eq!(document.forms[1].submit(None).body, None);
    }

    #[test]
    fn an_action_is_relative_absolute_or_missing() {
        let action = |html: &str| read(html).forms[0].action.to_string();
        assert_eq!(action("<form>"), "https://as.example/realms/devices/page?state=s1");
        assert_eq!(action("<form action=' '>"), "https://as.example/realms/devices/page?state=s1");
        assert_eq!(action("<form action='?a=1&amp;b=2'>"), "https://as.example/realms/devices/page?a=1&b=2");
        assert_eq!(action("<form action='/login'>"), "https://as.example/login");
        assert_eq!(action("<form action='https://id.example/x'>"), "https://id.example/x");
        assert_eq!(action("<base href='/sub/'><form action='x'>"), "https://as.example/sub/x");
    }

    #[test]
    fn values_are_filled_in_and_chosen() {
        let html = r#"<form method="post"><input name="a" value="old"><input type="radio" name="r" value="1" checked>
             <input type="radio" name="r" value="2"><select name="s"><option value="x">X<option value="y">Y</select>
             <input type="hidden" name="box" value="0"><input type="checkbox" name="box" value="1"></form>"#;
        let mut form = read(html).forms.remove(0);
        for (name, value) in [("a", "new"), ("r", "2"), ("s", "y")] {
            assert_eq!(form.fill(name, value), Ok(()), "{name}");
        }
        assert_eq!(form.check("box"), Ok(()));
        assert_eq!(form.submit(None).body.as_deref(), Some("a=new&r=2&s=y&box=0&box=1"));

        use crate::approval::FieldProblem::{IsABox, Missing, NoSuchChoice, NotABox};
        assert_eq!(form.fill("b", "1"), Err(Missing));
        assert_eq!(form.fill("r", "3"), Err(NoSuchChoice));
        assert_eq!(form.fill("s", "z"), Err(NoSuchChoice));
        assert_eq!(form.fill("box", "1"), Err(IsABox));
        assert_eq!(form.check("a"), Err(NotABox));
        assert_eq!(form.check("b"), Err(Missing));
    }

    #[test]
    fn the_text_is_what_a_reader_sees() {
        let document = read(
            "<title> Sign\n in </title><style>p{}</style><script>let x = 1;</script>
             <p>One&nbsp;&amp; <b>two</b></p><noscript>Switch scripts on</noscript>",
        );
        assert_eq!((document.title.as_str(), document.text.as_str()), ("Sign in", "One & two"));
        assert!(document.shows("Sign in") && document.shows("two") && !document.shows("scripts"));
    }

    #[test]
    fn pages_that_go_on_by_themselves_are_told_from_those_that_wait() {
        let passage = |html: &str| read(html).passage.map(|it| (it.url.to_string(), it.body));
        let hidden = r#"<form method="post" action="/next"><input type="hidden" name="h" value="1">"#;
        let next = Some(("https://as.example/next".to_owned(), Some("h=1".to_owned())));
        let button = "<button>Allow</button>";
        assert_eq!(passage(&format!("<body onload='document.forms[0].submit()'>{hidden}")), next);
        let script = "<script>document.forms[0].submit()</script>";
        assert_eq!(passage(&format!("{script}{hidden}<noscript>{button}</noscript></form>")), next);
        assert_eq!(passage(&format!("{script}{hidden}{button}</form>")), None, "a person presses this one");
        assert_eq!(passage(hidden), None, "no script");

        let refresh = |content: &str| passage(&format!("<meta http-equiv='Refresh' content='{content}'>"));
        assert_eq!(refresh("0; URL=/next"), Some(("https://as.example/next".to_owned(), None)));
        assert_eq!(refresh("0;url=\"/next\""), Some(("https://as.example/next".to_owned(), None)));
        assert_eq!(refresh("300; url=/timeout"), None);
        assert_eq!(refresh("5"), None);
    }
}
