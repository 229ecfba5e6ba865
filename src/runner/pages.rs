//! The verbs of the verification pages, and how what was asked and shown there goes into the record.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::seq::IndexedRandom as _;

use super::case::{Player, Stop, ended_by_itself, no_session, no_value};
use super::link::milliseconds;
use super::session::{Codes, Session};
use super::visit::Visit;
use crate::approval::{Ask, Fetched, Manner, Opened, Opening, PageError, Start, Tab, Trace, header_list};
use crate::event::ShownExchange;
use crate::exchange::{Answer, Asked, Exchange, NoAnswer, Page};
use crate::expect::LOOK_ALIKES;
use crate::plan::decides_as;
use crate::protocol::{CodeFate, Decision, Endpoint, Role, UserRole};
use crate::redact;
use crate::suite::{Decide, EnterCode, OpenPage, PageMethod, Reach, StartUri, Step, Typed};
use crate::timing::Timekeeper;

/// A page that was opened, and every exchange on the way.
struct Seen {
    opened: Opened,
    exchanges: Vec<Arc<Exchange>>,
}

impl<'a> Player<'a> {
    /// The codes of a session and whose they are.
    pub(super) fn visit(&self, name: &str) -> Result<Visit, Stop> {
        let session = self.session(name).ok_or_else(|| no_session(name))?;
        let codes = session.codes.clone().ok_or_else(|| no_session(name))?;
        Ok(Visit { codes, client: session.role, lifetime: session.lifetime(), may_end: session.may_end() })
    }

    /// The first of the sessions of a name whose code can be typed in this way, what is typed, and all their codes.
    fn typing(&self, name: &str, typed: Typed) -> Result<(Visit, Vec<String>), Stop> {
        let first = self.visit(name)?;
        let sessions = self.sessions.get(name).map(Vec::as_slice).unwrap_or_default();
        let of = |session: &Session| {
            let codes = session.codes.clone()?;
            Some(Visit {
                codes,
                client: first.client,
                lifetime: session.lifetime(),
                may_end: session.may_end(),
            })
        };
        let all: Vec<Visit> = sessions.iter().filter_map(of).collect();
        let shown: Vec<String> = all.iter().map(|visit| visit.codes.user_code.clone()).collect();
        let fit = all.into_iter().find(|visit| written(typed, &visit.codes, &shown).is_some());
        Ok((fit.ok_or_else(no_look_alike)?, shown))
    }

    /// Opens a page, and goes on to the decision if the step says so.
    pub(super) async fn open_page(&mut self, open: &'a OpenPage, step: &'a Step) -> Result<(), Stop> {
        let visit = self.visit(&open.session)?;
        let values = self.values();
        let fill = |(name, text): (&String, &String)| {
            let filled = values.filled(text, ToOwned::to_owned).map_err(|word| no_value(&word))?;
            Ok((name.clone(), filled))
        };
        let headers = open.header.iter().map(fill).collect::<Result<Vec<_>, Stop>>()?;
        let typed = visit.codes.user_code.clone();
        let wanted = Wanted {
            typed: &typed,
            start: start(open.uri),
            user: decides_as(self.case.variant, open.user),
            browser: open.browser.as_deref(),
            reach: open.to.unwrap_or(Reach::Address),
            method: open.method.unwrap_or(PageMethod::Get),
            headers: &headers,
            decision: Decision::Approve,
        };
        let Seen { opened, exchanges } = self.see(&visit, &wanted).await?;
        if let Some(name) = &open.name {
            self.pages.insert(name.clone(), opened.tab);
        }
        if let Some(short_of) = opened.short_of {
            let text = self.run.link.scrub(&short_of.to_string());
            if !open.attempt {
                return Err(visit.in_vain(self.run.link.now(), format!("the page did not open: {text}")));
            }
            self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text);
        }
        let page = match open.to {
            Some(Reach::Decision) => asking(&exchanges),
            Some(Reach::Address) | None => exchanges.last().cloned(),
        };
        self.judge_page(step, page.as_ref())
    }

    /// Types a code, once or until the server takes no more.
    pub(super) async fn enter_code(&mut self, enter: &'a EnterCode, step: &'a Step) -> Result<(), Stop> {
        let varied = self.case.variant.filter(|variant| step.name() == Some(variant.at.as_str()));
        let typed = varied.and_then(|variant| variant.typed).or(enter.typed).unwrap_or(Typed::AsShown);
        let (visit, shown) = self.typing(&enter.session, typed)?;
        let user = decides_as(self.case.variant, enter.user);
        if typed == Typed::LowerCase && visit.codes.user_code.contains(char::is_lowercase) {
            return Err(Stop::NotExercised("the code has small letters of its own".to_owned()));
        }
        let mut browser = enter.browser.clone();
        // What the first refusal looked like and how long it took: what comes otherwise is a limit.
        let mut usual: Option<(String, Duration)> = None;
        let mut last = None;
        for number in 1..=enter.times.unwrap_or(1) {
            let text = written(typed, &visit.codes, &shown).ok_or_else(no_look_alike)?;
            let wanted = Wanted {
                typed: &text,
                start: Start::Uri,
                user,
                browser: browser.as_deref(),
                reach: Reach::Decision,
                method: PageMethod::Get,
                headers: &[],
                decision: Decision::Approve,
            };
            let Seen { opened, exchanges } = self.see(&visit, &wanted).await?;
            let name = enter.name.clone().unwrap_or_else(|| step.verb().to_owned());
            self.pages.insert(name.clone(), opened.tab);
            browser = Some(name);
            let Some(told) = exchanges.iter().rev().find(|exchange| fate(exchange).is_some()) else {
                let words = opened.short_of.map_or_else(String::new, |why| format!(": {why}"));
                let words = self.run.link.scrub(&words);
                let words = format!("it did not show what became of the code{words}");
                return Err(visit.in_vain(self.run.link.now(), words));
            };
            if fate(told) == Some(CodeFate::Refused) && visit.may_end.is_some_and(|end| told.done > end) {
                return Err(ended_by_itself(told));
            }
            let looks = (face(told, &text), told.took());
            let is_slow = |(_, took): &(String, Duration)| looks.1 > *took * 3 + Duration::from_secs(1);
            let is_other = |(face, _): &(String, Duration)| looks.0 != *face;
            let limited = fate(told) == Some(CodeFate::Limited)
                || usual.as_ref().is_some_and(|usual| is_other(usual) || is_slow(usual));
            let became = if limited { Some(CodeFate::Limited) } else { fate(told) };
            let told = if enter.times.is_some() { counted(told, became, number) } else { told.clone() };
            usual.get_or_insert(looks);
            let ends = fate(&told) != Some(CodeFate::Refused);
            last = Some(told);
            if ends {
                break;
            }
        }
        self.judge_page(step, last.as_ref())
    }

    /// The page at which a decision is made, open in a browser of its own; nothing where it cannot be opened before the
    /// decision.
    pub(super) async fn at_decision(&self, decide: &Decide, decision: Decision) -> Option<Tab> {
        let visit = self.visit(&decide.session).ok()?;
        let typed = visit.codes.user_code.clone();
        let wanted = Wanted {
            typed: &typed,
            start: start(decide.uri),
            user: decides_as(self.case.variant, decide.user),
            browser: None,
            reach: Reach::Decision,
            method: PageMethod::Get,
            headers: &[],
            decision,
        };
        let opened = self.see(&visit, &wanted).await.ok()?.opened;
        opened.short_of.is_none().then_some(opened.tab)
    }

    /// Holds the page of a step against its expectations.
    pub(super) fn judge_page(&mut self, step: &'a Step, page: Option<&Arc<Exchange>>) -> Result<(), Stop> {
        let Some(page) = page else { return Ok(()) };
        if let Some(name) = step.name() {
            self.named.insert(name.to_owned(), page.clone());
        }
        let case = self.case;
        self.judge(case.expect_at(step), page);
        Ok(())
    }

    /// Has the driver open a page; what it asked for and saw is kept, whatever came of it.
    async fn see(&self, visit: &Visit, wanted: &Wanted<'_>) -> Result<Seen, Stop> {
        let driver = self.run.driver.as_ref().ok_or_else(|| not_there("approval driver"))?;
        let user = self.run.target.users.get(&wanted.user).ok_or_else(|| not_there(wanted.user.word()))?;
        let tab = match wanted.browser {
            Some(name) => self.pages.get(name),
            None => None,
        };
        let trace = Trace::default();
        let deadline = self.deadline(visit);
        let opened = {
            let _permit = self.run.deciding.acquire().await;
            self.waits_for_pages(deadline).await;
            let ask = Ask {
                case: &self.name,
                decision: wanted.decision,
                user,
                user_code: wanted.typed,
                verification_uri: &visit.codes.verification_uri,
                verification_uri_complete: visit.codes.verification_uri_complete.as_deref(),
                start: wanted.start,
                deadline: self.run.link.instant(deadline),
                manner: Manner { trace: Some(&trace), tab, ..Manner::default() },
            };
            let Wanted { reach, method, headers, .. } = *wanted;
            driver.open(Opening { ask, reach, method, headers }).await
        };
        let exchanges = self.keep_pages(trace, visit, wanted.typed).await;
        match opened {
            Ok(opened) => Ok(Seen { opened, exchanges }),
            Err(error) => {
                let text = self.run.link.scrub(&error.to_string());
                Err(visit.in_vain(self.run.link.now(), format!("the page did not open: {text}")))
            }
        }
    }

    /// When a visit is too late.
    pub(super) fn deadline(&self, visit: &Visit) -> Duration {
        self.run.link.now() + visit.lifetime.max(Duration::from_secs(30))
    }

    /// Tells that pages are visited.
    pub(super) async fn waits_for_pages(&self, deadline: Duration) {
        self.run.link.tell_waiting(&self.name, "a user's decision", deadline).await;
    }

    /// Keeps everything that a visit asked for and saw.
    pub(super) async fn keep_pages(&self, trace: Trace, visit: &Visit, typed: &str) -> Vec<Arc<Exchange>> {
        let mut kept = Vec::new();
        for mut fetched in trace.into_all() {
            // A page may repeat what was typed into it.
            fetched.raw |= typed == visit.codes.device_code;
            let exchange = self.run.link.keep_page(&self.name, visit.client, typed, fetched).await;
            self.take(exchange.clone());
            kept.push(exchange);
        }
        kept
    }
}

/// A page as a step wants it.
struct Wanted<'w> {
    typed: &'w str,
    start: Start,
    user: UserRole,
    browser: Option<&'w str>,
    reach: Reach,
    method: PageMethod,
    headers: &'w [(String, String)],
    decision: Decision,
}

/// At which address the user starts.
pub(super) const fn start(uri: Option<StartUri>) -> Start {
    match uri {
        Some(StartUri::Complete) => Start::CompleteUri,
        Some(StartUri::Bare) | None => Start::Uri,
    }
}

pub(super) fn not_there(what: &str) -> Stop {
    Stop::NotExercised(format!("the target has no {what}"))
}

fn fate(exchange: &Exchange) -> Option<CodeFate> {
    exchange.page.as_ref()?.code
}

/// The last page, with what is said and offered by all pages of the visit that offer a decision: some servers have the
/// user compare the code at one page and approve at the next.
fn asking(exchanges: &[Arc<Exchange>]) -> Option<Arc<Exchange>> {
    let mut last = exchanges.last()?.as_ref().clone();
    let before: Vec<&Page> = exchanges
        .iter()
        .rev()
        .skip(1)
        .filter_map(|exchange| exchange.page.as_ref())
        .filter(|page| !page.offers.is_empty())
        .collect();
    if let Some(page) = &mut last.page {
        for other in before {
            page.text = format!("{} {}", other.text, page.text);
            page.offers.extend(&other.offers);
        }
    }
    Some(Arc::new(last))
}

/// The same page, with what became of its code and the number of that.
fn counted(exchange: &Exchange, became: Option<CodeFate>, number: u32) -> Arc<Exchange> {
    let mut counted = exchange.clone();
    if let Some(page) = &mut counted.page {
        page.code = became;
        page.typed_codes = Some(number);
    }
    Arc::new(counted)
}

/// How a page looks apart from what was typed and from numbers.
fn face(exchange: &Exchange, typed: &str) -> String {
    let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
    let Some(Page { title, text, .. }) = &exchange.page else { return status.to_string() };
    let plain: String =
        format!("{title} {text}").replace(typed, "").chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{status} {plain}")
}

fn no_look_alike() -> Stop {
    Stop::NotExercised("no character of the codes looks like one that they do not have".to_owned())
}

/// What is typed; nothing where the code has no character that looks like one which none of `shown` has.
fn written(typed: Typed, codes: &Codes, shown: &[String]) -> Option<String> {
    let code = &codes.user_code;
    let is_mark = |c: char| !c.is_alphanumeric();
    Some(match typed {
        Typed::AsShown => code.clone(),
        Typed::LowerCase => code.to_lowercase(),
        Typed::NoMarks => code.chars().filter(|c| !is_mark(*c)).collect(),
        Typed::Spaced => code.chars().map(|c| if is_mark(c) { ' ' } else { c }).collect(),
        Typed::Padded => {
            let middle = code.chars().count() / 2;
            let (front, back): (String, String) =
                (code.chars().take(middle).collect(), code.chars().skip(middle).collect());
            format!(" {front}.{back} ")
        }
        Typed::LookAlike => return misread(code, shown),
        Typed::Random => another(code),
        Typed::DeviceCode => codes.device_code.clone(),
        Typed::Markup => format!("{code}\"'><devgrant>"),
    })
}

/// The code with its first character that looks like one outside the set taken for that one.
fn misread(code: &str, shown: &[String]) -> Option<String> {
    let is_outside = |c: char| !shown.iter().any(|code| code.chars().any(|of| of.eq_ignore_ascii_case(&c)));
    let both_ways = || LOOK_ALIKES.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]);
    let twin = |c: char| both_ways().find(|(own, other)| own.eq_ignore_ascii_case(&c) && is_outside(*other));
    let (at, own) = code.char_indices().find(|(_, c)| twin(*c).is_some())?;
    let (_, other) = twin(own)?;
    Some(format!("{}{other}{}", code.get(..at)?, code.get(at + own.len_utf8()..)?))
}

/// Another code of the same form, of the letters and digits of this one.
fn another(code: &str) -> String {
    let letters: BTreeSet<char> = code.chars().filter(|c| c.is_alphanumeric()).collect();
    let letters: Vec<char> = letters.into_iter().collect();
    let mut rng = rand::rng();
    let mut draw = || -> String {
        let one = |c: char| if c.is_alphanumeric() { *letters.choose(&mut rng).unwrap_or(&c) } else { c };
        code.chars().map(one).collect()
    };
    // Of a code that is one letter over and over there is no other of its letters.
    (0..16).map(|_| draw()).find(|drawn| drawn != code).unwrap_or_else(|| format!("{code}X"))
}

/// The exchange of a page, raw.
pub(super) fn exchange(
    number: u32,
    client: Role,
    (sent, done): (Duration, Duration),
    fetched: &Fetched,
) -> Exchange {
    let Fetched { request, answer, page, raw, .. } = fetched;
    let mut asked = Asked {
        endpoint: Endpoint::Pages,
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: header_list(request.headers()),
        body: request.body().to_vec(),
        client,
        manner: crate::exchange::Manner::default(),
    };
    asked.manner.raw = *raw;
    let answer = match answer {
        Ok(response) => Ok(Answer {
            status: response.status().as_u16(),
            headers: header_list(response.headers()),
            body: response.body().to_vec(),
        }),
        Err(PageError::Unreachable(why)) => Err(NoAnswer::Unreachable(why.clone())),
        Err(why @ (PageError::TooLarge | PageError::NotAllowed)) => Err(NoAnswer::CutOff(why.to_string())),
    };
    Exchange::new(number, asked, answer, sent, done).showing(page.clone())
}

/// The exchange of a page as it may be read: what a reader of the page sees, not its source, which has the values of
/// hidden fields.
pub(super) fn show(
    exchange: &Exchange,
    case: &str,
    user_code: &str,
    open: &[String],
    secrets: &redact::Known,
) -> ShownExchange {
    let bare = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let is_open = |name: &str, value: &str| {
        open.iter().any(|open| open == name) || bare(value).eq_ignore_ascii_case(&bare(user_code))
    };
    let scrubbed = |headers: &[(String, String)]| -> Vec<(String, String)> {
        let headers = redact::page_headers(headers, &is_open);
        headers.into_iter().map(|(name, value)| (name, secrets.scrub(&value))).collect()
    };
    let asked = &exchange.asked;
    let answer = exchange.answer.as_ref();
    ShownExchange {
        number: exchange.number,
        case: case.to_owned(),
        endpoint: Endpoint::Pages,
        method: asked.method.clone(),
        url: secrets.scrub(&redact::page_url(&asked.url, &is_open)),
        request_headers: scrubbed(&asked.headers),
        request_body: secrets.scrub(&redact::page_fields(&String::from_utf8_lossy(&asked.body), &is_open)),
        status: answer.ok().map(|answer| answer.status),
        response_headers: answer.map_or_else(|_| Vec::new(), |answer| scrubbed(&answer.headers)),
        response_body: exchange.page.as_ref().map_or_else(String::new, |page| secrets.scrub(&sight(page))),
        no_answer: answer.err().map(ToString::to_string),
        outcome: exchange.outcome(),
        sent_ms: milliseconds(exchange.sent),
        done_ms: milliseconds(exchange.done),
    }
}

/// The page in lines: title, text, forms.
fn sight(page: &Page) -> String {
    if *page == Page::default() {
        return String::new();
    }
    let mut lines = vec![format!("(the page as it is read: {:?})", page.title), page.text.clone()];
    lines.extend(page.forms.iter().map(|form| format!("form {form}")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Codes {
        Codes {
            device_code: "device".to_owned(),
            user_code: "BCDF-GHJK".to_owned(),
            verification_uri: String::new(),
            verification_uri_complete: None,
            interval: None,
            lifetime: None,
            issued: 1,
        }
    }

    #[test]
    fn codes_are_typed_in_many_ways() {
        let all: Vec<String> = Typed::ALL
            .iter()
            .filter(|typed| !matches!(typed, Typed::Random | Typed::LookAlike))
            .filter_map(|t| written(*t, &codes(), &[]))
            .collect();
        assert_eq!(
            all,
            [
                "BCDF-GHJK",
                "bcdf-ghjk",
                "BCDFGHJK",
                "BCDF GHJK",
                " BCDF.-GHJK ",
                "device",
                "BCDF-GHJK\"'><devgrant>"
            ]
        );
        let random = written(Typed::Random, &codes(), &[]).unwrap();
        assert_ne!(random, "BCDF-GHJK");
        assert_eq!((random.len(), random.find('-')), (9, Some(4)));
    }

    #[test]
    fn a_code_is_misread_only_as_what_no_code_has() {
        for (shown, typed) in [
            (&["BCDF-GHLK"][..], Some("BCDF-GH1K")),
            (&["BCDF-GHLK", "11"], Some("BCDF-GHIK")),
            (&["BCDF-GHLK", "1I"], None),
            (&["BCDF-GHJK"], None),
            (&["120-450"], Some("I20-450")),
            (&["920-450"], Some("92O-450")),
            (&["920-450", "O"], None),
        ] {
            let shown: Vec<String> = shown.iter().map(|code| (*code).to_owned()).collect();
            assert_eq!(misread(&shown[0], &shown).as_deref(), typed, "{shown:?}");
        }
    }
}
