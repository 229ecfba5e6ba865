//! A first walk through pages that nobody has described yet: what a form recipe for them could be. Approves the code that
//! it is given, since only the pages that follow tell a question from the decision.

use http::HeaderMap;
use url::Url;

use super::words::{Leaning, leaning};
use crate::approval::agent::{Agent, Jar, Oddity, Stop};
use crate::approval::page::{Control, Document, Form, Kind, Submission, View, fits, without_query};
use crate::approval::{Ask, PageError, Pages};
use crate::protocol::Decision;
use crate::target::{Blank, FormButton, FormMatch};

/// The most pages from the first to the decision.
const MOST_PAGES: usize = 12;

/// How names of fields for the user's name begin or end.
const LOGINS: [&str; 7] = ["login", "user", "email", "name", "account", "identifier", "mail"];

/// What was guessed.
#[derive(Debug, Clone, Default)]
pub struct Guess {
    /// The steps, in the order in which they are to be tried.
    pub steps: Vec<Guessed>,
    /// The approval was submitted, and no further question came.
    pub is_approved: bool,
    /// Why the walk ended before that, and what the last page has.
    pub stopped: Option<String>,
}

/// One step of the recipe.
#[derive(Debug, Clone)]
pub struct Guessed {
    /// The title of the page that it is for.
    pub page: String,
    /// What the page is for.
    pub purpose: Purpose,
    /// What the form must have.
    pub when: FormMatch,
    /// What is filled in, by field.
    pub fill: Vec<(String, Blank)>,
    /// The button, where the form has several.
    pub press: Option<FormButton>,
    /// The pages it was made for, and whether it is to come before the others of the same page.
    at: usize,
}

/// What a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It asks something else, and has a button that goes on.
    Between,
    /// It asks for the user code.
    Code,
    /// It asks for the decision.
    Decision(Decision),
    /// It asks who the user is.
    SignIn,
}

/// A page that was walked through, and what was done there.
struct Visited {
    document: Document,
    form: usize,
    purpose: Purpose,
    fill: Vec<(String, Blank)>,
    pressed: Option<usize>,
    /// The form and the button that say no.
    no: Option<(usize, usize)>,
}

/// Walks from the page where the code is typed to the decision, and approves.
pub(in crate::approval) async fn guess(pages: &dyn Pages, ask: Ask<'_>) -> Guess {
    let mut guess = Guess::default();
    let mut visited: Vec<Visited> = Vec::new();
    let url = match Url::parse(ask.verification_uri) {
        Ok(url) => url,
        Err(why) => {
            guess.stopped = Some(format!("{:?} is no address: {why}", ask.verification_uri));
            return guess;
        }
    };
    let browser = Agent::new(pages, HeaderMap::new(), Jar::default(), ask.deadline, None);
    let mut next = Submission::get(url);
    let mut from: Option<Url> = None;
    let stopped = loop {
        let view = match go(&browser, next, from.as_ref()).await {
            Ok(view) => view,
            // What was approved is: a device's own address cannot be opened, and need not be.
            Err(_) if is_decided(&visited) => break None,
            Err(why) => break Some(why),
        };
        let chosen = choose(&view.document, &visited);
        let is_over = chosen.as_ref().is_none_or(|chosen| !goes_on_after_decision(chosen.purpose));
        if is_decided(&visited) && is_over {
            break None;
        }
        let place = || outline(&view, ask);
        let Some(mut chosen) = chosen else { break Some(format!("no form to go on by: {}", place())) };
        if came_again(&chosen, &visited) {
            break Some(format!("what was typed was refused: {}", place()));
        }
        if visited.len() == MOST_PAGES {
            break Some(format!("went in circles: {}", place()));
        }
        let Some(form) = chosen.document.forms.get_mut(chosen.form) else { break None };
        let empty = form.clone();
        for (field, blank) in &chosen.fill {
            let value = match blank {
                Blank::UserCode => ask.user_code,
                Blank::Login => &ask.user.login,
                Blank::Password => ask.user.password.expose(),
                // No page is asked for these.
                Blank::Action | Blank::VerificationUri | Blank::VerificationUriComplete => continue,
            };
            // The field was just found there.
            let _ = form.fill(field, value);
        }
        next = form.submit(chosen.pressed);
        *form = empty;
        from = Some(view.url);
        visited.push(chosen);
    };
    guess.is_approved = stopped.is_none() && is_decided(&visited);
    guess.stopped = stopped;
    guess.steps = steps(&mut visited);
    guess
}

/// The next page, and those after it to which a browser goes by itself.
async fn go(browser: &Agent<'_>, first: Submission, from: Option<&Url>) -> Result<View, String> {
    let failed = |stop: Stop| match stop {
        Stop::Browser(why) => why,
        Stop::Deadline => "the time was over".to_owned(),
        Stop::Failed(url, PageError::NotAllowed) => format!("{} may not be opened", without_query(&url)),
        Stop::Failed(url, why) => format!("cannot open {}: {why}", without_query(&url)),
    };
    let mut view = browser.go(first, from, &Oddity::default()).await.map_err(failed)?;
    for _ in 0..MOST_PAGES {
        let Some(passage) = view.document.passage.take() else { break };
        let url = view.url.clone();
        view = browser.go(passage, Some(&url), &Oddity::default()).await.map_err(failed)?;
    }
    Ok(view)
}

fn is_decided(visited: &[Visited]) -> bool {
    visited.last().is_some_and(|last| last.purpose == Purpose::Decision(Decision::Approve))
}

/// Whether what came after a button that looked like the decision shows that it was none.
fn goes_on_after_decision(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::SignIn | Purpose::Decision(_))
}

/// The same question again, right after it was answered.
fn came_again(chosen: &Visited, visited: &[Visited]) -> bool {
    visited.last().is_some_and(|last| {
        matches!(chosen.purpose, Purpose::SignIn | Purpose::Code)
            && last.purpose == chosen.purpose
            && last.fill == chosen.fill
    })
}

fn outline(view: &View, ask: Ask<'_>) -> String {
    let text: String = view.document.text.replace(ask.user.password.expose(), "").chars().take(80).collect();
    let forms: Vec<String> = view.document.forms.iter().map(Form::outline).collect();
    let forms = if forms.is_empty() { "no form".to_owned() } else { forms.join(" and ") };
    format!(
        "the page {:?} ({}, status {}) says {text:?} and has {forms}",
        view.document.title,
        without_query(&view.url),
        view.status
    )
}

/// What to do at a page, as far as its looks tell.
fn choose(document: &Document, visited: &[Visited]) -> Option<Visited> {
    let did = |purpose: Purpose| visited.iter().any(|visited| visited.purpose == purpose);
    let visit = |form: usize, purpose, fill, pressed| {
        let no = button_that(document, Leaning::No);
        Some(Visited { document: document.clone(), form, purpose, fill, pressed, no })
    };
    let forms = || document.forms.iter().enumerate();
    for (index, form) in forms() {
        let Some(password) = form.fields().find(|field| matches!(field.kind, Kind::Password)) else {
            continue;
        };
        let login = login_field(form).map(|login| (login.name.clone(), Blank::Login));
        let fill = login.into_iter().chain([(password.name.clone(), Blank::Password)]).collect();
        return visit(index, Purpose::SignIn, fill, default_button(form));
    }
    if !did(Purpose::Code) {
        let named = forms().find_map(|(index, form)| Some((index, form, code_field(form)?)));
        if let Some((index, form, field)) = named {
            let fill = vec![(field.name.clone(), Blank::UserCode)];
            // One page for everything: the code, and yes or no.
            if let (Some(yes), Some(_)) = (button_of(form, Leaning::Yes), button_of(form, Leaning::No)) {
                return visit(index, Purpose::Decision(Decision::Approve), fill, Some(yes));
            }
            return visit(index, Purpose::Code, fill, default_button(form));
        }
    }
    for leaning in [Leaning::Yes, Leaning::On] {
        if let Some((form, button)) = button_that(document, leaning) {
            return visit(form, Purpose::Decision(Decision::Approve), Vec::new(), Some(button));
        }
    }
    for (index, form) in forms() {
        let mut texts = form.fields().filter(|field| matches!(field.kind, Kind::Text));
        match (texts.next(), texts.next()) {
            (Some(field), None) if is_login(&field.name) => {
                let fill = vec![(field.name.clone(), Blank::Login)];
                return visit(index, Purpose::SignIn, fill, default_button(form));
            }
            (Some(field), None) if !did(Purpose::Code) => {
                let fill = vec![(field.name.clone(), Blank::UserCode)];
                return visit(index, Purpose::Code, fill, default_button(form));
            }
            (None, _) if form.buttons().count() == 1 && !visited.is_empty() => {
                return visit(index, Purpose::Between, Vec::new(), default_button(form));
            }
            _ => {}
        }
    }
    None
}

/// The field for the user's name: by its name, or the one before the password.
fn login_field(form: &Form) -> Option<&Control> {
    let texts = || form.fields().filter(|field| matches!(field.kind, Kind::Text));
    texts().find(|field| is_login(&field.name)).or_else(|| texts().next())
}

fn is_login(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LOGINS.iter().any(|login| name.contains(login)) && !name.contains("code")
}

fn code_field(form: &Form) -> Option<&Control> {
    form.fields()
        .find(|field| matches!(field.kind, Kind::Text) && field.name.to_ascii_lowercase().contains("code"))
}

/// The button of a form with text fields: one that goes on, or the first.
fn default_button(form: &Form) -> Option<usize> {
    let yes = button_of(form, Leaning::Yes).or_else(|| button_of(form, Leaning::On));
    yes.or_else(|| form.buttons().next().map(|(index, _)| index))
}

fn button_of(form: &Form, wanted: Leaning) -> Option<usize> {
    form.buttons().find(|(_, button)| leaning_of(button) == Some(wanted)).map(|(index, _)| index)
}

fn leaning_of(button: &Control) -> Option<Leaning> {
    let Kind::Button { text, .. } = &button.kind else { return None };
    // What is written on it goes before what it is called.
    leaning(text).or_else(|| leaning(&button.value)).or_else(|| leaning(&button.name))
}

/// The first button of the page that leans so, in a form that wants nothing typed.
fn button_that(document: &Document, wanted: Leaning) -> Option<(usize, usize)> {
    let wants_text = |form: &Form| {
        form.fields()
            .any(|field| matches!(field.kind, Kind::Text | Kind::Password) && code_field(form).is_none())
    };
    document
        .forms
        .iter()
        .enumerate()
        .filter(|(_, form)| !wants_text(form))
        .find_map(|(index, form)| Some((index, button_of(form, wanted)?)))
}

/// The recipe of a walk: each step told from the pages of the others, and put before those that would take its page.
fn steps(visited: &mut [Visited]) -> Vec<Guessed> {
    // What looked like it and led on was none.
    let decision = is_decided(visited).then(|| visited.len() - 1);
    for (index, it) in visited.iter_mut().enumerate() {
        if Some(index) != decision && matches!(it.purpose, Purpose::Decision(_)) {
            it.purpose = Purpose::Between;
        }
    }
    let visited = &*visited;
    let mut steps: Vec<Guessed> = Vec::new();
    // The decision's page says no as well; where it does not, an earlier one may.
    let no = decision.into_iter().chain((0..visited.len()).rev()).find(|index| visited[*index].no.is_some());
    let no = no.filter(|index| !matches!(visited[*index].purpose, Purpose::SignIn | Purpose::Code));
    if let Some((index, (form, button))) = no.and_then(|index| Some((index, visited[index].no?))) {
        let purpose = Purpose::Decision(Decision::Deny);
        let fill = if visited[index].form == form { visited[index].fill.clone() } else { Vec::new() };
        steps.push(step(visited, index, purpose, form, Some(button), fill));
    }
    for (index, it) in visited.iter().enumerate().rev() {
        steps.push(step(visited, index, it.purpose, it.form, it.pressed, it.fill.clone()));
    }
    in_order(steps, visited)
}

fn step(
    visited: &[Visited],
    at: usize,
    purpose: Purpose,
    form: usize,
    pressed: Option<usize>,
    fill: Vec<(String, Blank)>,
) -> Guessed {
    let document = &visited[at].document;
    let form = &document.forms[form];
    let button = pressed.map(|index| named(document, &form.controls[index]));
    let press = button.clone().filter(|_| form.buttons().count() > 1);
    let base = match purpose {
        Purpose::Decision(_) => FormMatch { button, ..FormMatch::default() },
        Purpose::Between => between(form, button),
        Purpose::Code | Purpose::SignIn => {
            let field = fill.last().map(|(field, _)| field.clone());
            FormMatch { field, ..FormMatch::default() }
        }
    };
    let is_alone = |when: &FormMatch| {
        let others = visited.iter().enumerate().filter(|(index, _)| *index != at);
        !others.into_iter().any(|(_, other)| fits_any(when, &other.document)) && fits(when, document, form)
    };
    let when = std::iter::once(base.clone())
        .chain(told_apart(&base, document, form))
        .find(|when| is_alone(when))
        .unwrap_or_else(|| base.clone());
    Guessed { page: document.title.clone(), purpose, when, fill, press, at }
}

/// A page between is told by a field of its own rather than by a button, of which there are many alike.
fn between(form: &Form, button: Option<FormButton>) -> FormMatch {
    let own = form.fields().find(|field| field.name.eq_ignore_ascii_case("confirm"));
    match own {
        Some(field) => FormMatch { field: Some(field.name.clone()), ..FormMatch::default() },
        None => FormMatch { button, ..FormMatch::default() },
    }
}

/// The same with one more thing that the form has: a field, a fixed value, its address, the title of its page.
fn told_apart<'a>(
    base: &'a FormMatch,
    document: &'a Document,
    form: &'a Form,
) -> impl Iterator<Item = FormMatch> + 'a {
    let is_word = |text: &str| (2..=16).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase());
    let values =
        form.fields().filter(move |field| matches!(field.kind, Kind::Hidden) && is_word(&field.value)).map(
            |field| FormMatch { values: [(field.name.clone(), field.value.clone())].into(), ..base.clone() },
        );
    let fields = form
        .fields()
        .filter(|field| base.field.is_none() && !field.name.is_empty())
        .map(|field| FormMatch { field: Some(field.name.clone()), ..base.clone() });
    let last = form.action.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let action = is_word(last).then(|| FormMatch { action: Some(format!("/{last}")), ..base.clone() });
    let title = (!document.title.is_empty())
        .then(|| FormMatch { text: Some(document.title.clone()), ..base.clone() });
    values.chain(fields).chain(action).chain(title)
}

/// A button by as little as tells it from the others of its page.
fn named(document: &Document, button: &Control) -> FormButton {
    let Kind::Button { text, .. } = &button.kind else { return FormButton::default() };
    let all: Vec<&Control> =
        document.forms.iter().flat_map(|form| form.buttons().map(|(_, button)| button)).collect();
    let is_alone = |same: &dyn Fn(&Control) -> bool| all.iter().filter(|other| same(other)).count() == 1;
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let (name, value, text) = (some(&button.name), some(&button.value), some(text));
    if name.is_some() && is_alone(&|other| other.name == button.name) {
        FormButton { name, ..FormButton::default() }
    } else if value.is_some() && is_alone(&|other| other.value == button.value) {
        FormButton { name, value, text: None }
    } else {
        FormButton { name, value: None, text }
    }
}

fn fits_any(when: &FormMatch, document: &Document) -> bool {
    document.forms.iter().any(|form| fits(when, document, form))
}

/// A step that fits a page of another one comes after it; a decision before what goes on from the same page.
fn in_order(mut steps: Vec<Guessed>, visited: &[Visited]) -> Vec<Guessed> {
    let takes = |step: &Guessed, page: usize| fits_any(&step.when, &visited[page].document);
    for _ in 0..steps.len() {
        for first in 0..steps.len() {
            for second in first + 1..steps.len() {
                let (a, b) = (&steps[first], &steps[second]);
                if a.at != b.at && takes(a, b.at) && !takes(b, a.at) {
                    let late = steps.remove(second);
                    steps.insert(first, late);
                }
            }
        }
    }
    steps
}
