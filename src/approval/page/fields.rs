//! A form of a page: what it has, how it is filled in, what is sent. Knows no recipe.

use http::Method;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::approval::FieldProblem;

/// A form. No `Debug` here: its values are secrets.
#[derive(Clone)]
pub(in crate::approval) struct Form {
    pub(in crate::approval) method: Method,
    pub(in crate::approval) action: Url,
    /// The encoding it asks for, when that is not the usual one.
    pub(in crate::approval) encoding: Option<String>,
    /// Fields and buttons in the order of the page.
    pub(in crate::approval) controls: Vec<Control>,
}

/// A field or a button.
#[derive(Clone)]
pub(in crate::approval) struct Control {
    pub(in crate::approval) name: String,
    pub(in crate::approval) value: String,
    pub(in crate::approval) kind: Kind,
    /// Its number among the controls of a page that a real browser shows.
    pub(in crate::approval) mark: Option<usize>,
}

/// What a control is.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::approval) enum Kind {
    Button {
        text: String,
        action: Option<Url>,
        method: Option<Method>,
    },
    Checkbox {
        checked: bool,
    },
    Hidden,
    /// A text that is not shown while it is typed.
    Password,
    Radio {
        checked: bool,
    },
    /// A list of choices; the chosen ones are sent.
    Select {
        choices: Vec<String>,
        chosen: Vec<String>,
    },
    Text,
}

/// What a submitted form asks of the server.
#[derive(Clone)]
pub(in crate::approval) struct Submission {
    pub(in crate::approval) method: Method,
    pub(in crate::approval) url: Url,
    /// The encoded fields of a form that is posted.
    pub(in crate::approval) body: Option<String>,
    /// The fields whose values may be shown.
    pub(in crate::approval) open: Vec<String>,
}

impl Submission {
    /// A request for a page.
    pub(in crate::approval) const fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None, open: Vec::new() }
    }
}

impl Form {
    /// Fills in a text, or chooses.
    pub(in crate::approval) fn fill(&mut self, name: &str, value: &str) -> Result<(), FieldProblem> {
        let mut problem = Some(FieldProblem::Missing);
        let radio = self.fields().any(|field| {
            field.name == name && field.value == value && matches!(field.kind, Kind::Radio { .. })
        });
        for control in self.controls.iter_mut().filter(|control| control.name == name) {
            problem = match &mut control.kind {
                Kind::Button { .. } => continue,
                Kind::Checkbox { .. } => Some(FieldProblem::IsABox),
                Kind::Radio { checked } => {
                    *checked = control.value == value;
                    (!radio).then_some(FieldProblem::NoSuchChoice)
                }
                Kind::Select { choices, chosen } => {
                    *chosen = vec![value.to_owned()];
                    (!choices.iter().any(|choice| choice == value)).then_some(FieldProblem::NoSuchChoice)
                }
                Kind::Hidden | Kind::Password | Kind::Text => {
                    value.clone_into(&mut control.value);
                    None
                }
            };
        }
        problem.map_or(Ok(()), Err)
    }

    /// Checks all boxes of a name.
    pub(in crate::approval) fn check(&mut self, name: &str) -> Result<(), FieldProblem> {
        let mut problem = Some(FieldProblem::Missing);
        for control in self.controls.iter_mut().filter(|control| control.name == name) {
            match &mut control.kind {
                Kind::Checkbox { checked } => {
                    *checked = true;
                    problem = None;
                }
                // A hidden field of the same name is what is sent where the box is not checked.
                _ => problem = problem.map(|_| FieldProblem::NotABox),
            }
        }
        problem.map_or(Ok(()), Err)
    }

    /// Everything but the buttons.
    pub(in crate::approval) fn fields(&self) -> impl Iterator<Item = &Control> {
        self.controls.iter().filter(|control| !matches!(control.kind, Kind::Button { .. }))
    }

    /// The buttons, each with its place among the controls.
    pub(in crate::approval) fn buttons(&self) -> impl Iterator<Item = (usize, &Control)> {
        let all = self.controls.iter().enumerate();
        all.filter(|(_, control)| matches!(control.kind, Kind::Button { .. }))
    }

    /// What is sent when this button is pressed, or none.
    pub(in crate::approval) fn submit(&self, pressed: Option<usize>) -> Submission {
        let mut url = self.action.clone();
        let mut method = self.method.clone();
        let mut body = Serializer::new(String::new());
        for (index, control) in self.controls.iter().enumerate() {
            let one = std::slice::from_ref(&control.value);
            let values: &[String] = match &control.kind {
                Kind::Button { action, method: own, .. } if pressed == Some(index) => {
                    url = action.clone().unwrap_or(url);
                    method = own.clone().unwrap_or(method);
                    one
                }
                Kind::Button { .. } | Kind::Checkbox { checked: false } | Kind::Radio { checked: false } => {
                    &[]
                }
                Kind::Checkbox { checked: true }
                | Kind::Hidden
                | Kind::Password
                | Kind::Radio { checked: true }
                | Kind::Text => one,
                Kind::Select { chosen, .. } => chosen,
            };
            if !control.name.is_empty() {
                body.extend_pairs(values.iter().map(|value| (&control.name, value)));
            }
        }
        let body = body.finish();
        let button = pressed.and_then(|index| self.controls.get(index));
        let open = button.map(|button| button.name.clone()).into_iter().collect();
        if method == Method::GET {
            url.set_query(Some(&body));
            return Submission { method, url, body: None, open };
        }
        Submission { method, url, body: Some(body), open }
    }

    /// Method, address without query, names of fields and buttons: no values, they may be secrets.
    pub(in crate::approval) fn outline(&self) -> String {
        let fields: Vec<_> = self.fields().map(|field| field.name.as_str()).collect();
        let buttons: Vec<_> = self
            .buttons()
            .map(|(_, button)| match &button.kind {
                Kind::Button { text, .. } if !text.is_empty() => format!("{text:?} ({:?})", button.name),
                _ => format!("({:?})", button.name),
            })
            .collect();
        let or_none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
        format!(
            "[{} {}; fields: {}; buttons: {}]",
            self.method,
            without_query(&self.action),
            or_none(fields.join(", ")),
            or_none(buttons.join(", ")),
        )
    }
}

/// An address that may be shown.
pub(in crate::approval) fn without_query(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Fails for addresses that cannot have a password, which is as good.
    let _ = shown.set_password(None);
    shown.to_string()
}
