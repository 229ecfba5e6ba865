//! Random schedules of polls, decisions, replays, strangers and expiry against the reference server, in process and in
//! virtual time, judged by the oracle: the clean server never breaks a rule, and with a fault of its state it does.

use std::cell::RefCell;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use devgrant::compose::Composed;
use devgrant::exchange::Manner;
use devgrant::http::{Exchanger, InProcess};
use devgrant::oracle::{Answered, Asker, Choice, Grade, Life, Oracle, Said, Table, Terms};
use devgrant::outcome::{classify, json_object};
use devgrant::protocol::DEVICE_CODE_GRANT;
use devgrant::requirement::Requirements;
use devgrant::server::{Config, app, faults};
use devgrant::timing::Constants;
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{self, RngAlgorithm, TestError, TestRng, TestRunner};

const ORIGIN: &str = "http://127.0.0.1:8628";

/// How many codes a schedule plays with.
const CODES: usize = 2;

/// What one client or user does, to one of the codes.
#[derive(Clone, Copy, Debug)]
enum Act {
    Poll,
    StrangerPolls,
    Approve,
    Deny,
}

/// Some acts at the same moment, so many milliseconds after what came before.
#[derive(Clone, Debug)]
struct Moment {
    after: u64,
    acts: Vec<(usize, Act)>,
}

/// What is done, in order.
#[derive(Clone)]
struct Schedule(Vec<Moment>);

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Moment { after, acts } in &self.0 {
            let acts: Vec<String> = acts
                .iter()
                .map(|(code, act)| {
                    let name = ["first", "second"][*code];
                    match act {
                        Act::Poll => format!("the {name} device polls"),
                        Act::StrangerPolls => format!("a stranger polls the {name} code"),
                        Act::Approve => format!("alice approves the {name} code"),
                        Act::Deny => format!("alice denies the {name} code"),
                    }
                })
                .collect();
            write!(
                f,
                "\n    {:>7.3} s later: {}",
                Duration::from_millis(*after).as_secs_f64(),
                acts.join(", ")
            )?;
        }
        Ok(())
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let act = || {
        prop_oneof![
            8 => Just(Act::Poll),
            1 => Just(Act::StrangerPolls),
            3 => Just(Act::Approve),
            2 => Just(Act::Deny),
        ]
    };
    let after = prop_oneof![
        2 => 0..300_u64,
        8 => 5_100..7_000_u64,
        3 => 10_000..16_000_u64,
        2 => 100_000..650_000_u64,
    ];
    // Both codes at once, or several acts on one; most often a single act.
    let acts = prop_oneof![
        6 => (0..CODES, act()).prop_map(|(code, act)| vec![(code, act)]),
        2 => proptest::collection::vec((0..CODES, act()), 2..4),
        1 => (0..CODES, 2..5_usize).prop_map(|(code, polls)| vec![(code, Act::Poll); polls]),
    ];
    let moment = (after, acts).prop_map(|(after, acts)| Moment { after, acts });
    proptest::collection::vec(moment, 1..12).prop_map(Schedule)
}

/// One code and what the oracle makes of its life.
struct Code {
    device_code: String,
    user_code: String,
    life: Life,
}

struct Play<'a> {
    oracle: &'a Oracle,
    public: InProcess,
    admin: InProcess,
    start: tokio::time::Instant,
    codes: RefCell<Vec<Code>>,
    worst: RefCell<Option<(Grade, String)>>,
}

impl<'a> Play<'a> {
    /// Plays a schedule; the worst answer, if it is worth a warning.
    async fn play(oracle: &'a Oracle, config: Config, schedule: &Schedule) -> Option<(Grade, String)> {
        let app = app(config, ORIGIN);
        let play = Self {
            oracle,
            public: InProcess::new(app.public, 1),
            admin: InProcess::new(app.admin, 2),
            start: tokio::time::Instant::now(),
            codes: RefCell::default(),
            worst: RefCell::default(),
        };
        for _ in 0..CODES {
            play.ask_for_codes().await;
        }
        for Moment { after, acts } in &schedule.0 {
            tokio::time::sleep(Duration::from_millis(*after)).await;
            join_all(acts.iter().map(|&(code, act)| play.act(code, act))).await;
        }
        play.worst.into_inner()
    }

    fn since_start(&self, at: tokio::time::Instant) -> Duration {
        at - self.start
    }

    async fn ask_for_codes(&self) {
        let sent = self.public.send(&form("/oauth/device/code", "client_id=tv-public&scope=api")).await;
        let members = json_object(&sent.answer.unwrap().body).unwrap();
        let text = |name: &str| members[name].as_str().unwrap().to_owned();
        let seconds = |name: &str| Some(Duration::from_secs(members[name].as_u64().unwrap()));
        let (asked, received) = (self.since_start(sent.sent), self.since_start(sent.done));
        let life = self.oracle.issued(asked, received, seconds("interval"), seconds("expires_in"));
        let code = Code { device_code: text("device_code"), user_code: text("user_code"), life };
        self.codes.borrow_mut().push(code);
    }

    async fn act(&self, code: usize, act: Act) {
        match act {
            Act::Poll => self.poll(code, Asker::Owner, "tv-public").await,
            Act::StrangerPolls => self.poll(code, Asker::Stranger, "other-public").await,
            Act::Approve => self.decide(code, Choice::Approve).await,
            Act::Deny => self.decide(code, Choice::Deny).await,
        }
    }

    async fn poll(&self, code: usize, asker: Asker, client: &str) {
        let device_code = self.codes.borrow()[code].device_code.clone();
        let body = format!("grant_type={DEVICE_CODE_GRANT}&device_code={device_code}&client_id={client}");
        self.codes.borrow_mut()[code].life.sent(asker, self.since_start(tokio::time::Instant::now()));
        let sent = self.public.send(&form("/oauth/token", &body)).await;
        let answer = sent.answer.unwrap();
        let members = json_object(&answer.body).unwrap_or_default();
        let said = Said::of(
            classify(answer.status, Some(&members)),
            members.get("error").and_then(|word| word.as_str()),
        );
        let tokens = members.get("access_token").and_then(|token| token.as_str()).map(|token| {
            let mut hasher = DefaultHasher::new();
            token.hash(&mut hasher);
            hasher.finish()
        });
        let answered =
            Answered { sent: self.since_start(sent.sent), done: self.since_start(sent.done), said, tokens };
        let mut codes = self.codes.borrow_mut();
        let finding = self.oracle.judge(&mut codes[code].life, asker, &answered).unwrap();
        let grade = finding.row.grade;
        let mut worst = self.worst.borrow_mut();
        if grade > Grade::Acceptable && worst.as_ref().is_none_or(|(known, _)| grade > *known) {
            let told = format!(
                "{grade}: {said} at {:.3} s, when code {} was {}: {}",
                answered.done.as_secs_f64(),
                code + 1,
                finding.possible,
                finding.row.because.as_deref().unwrap_or_default(),
            );
            *worst = Some((grade, told));
        }
    }

    async fn decide(&self, code: usize, choice: Choice) {
        let user_code = self.codes.borrow()[code].user_code.clone();
        let path = if choice == Choice::Approve { "/approve" } else { "/deny" };
        self.codes.borrow_mut()[code]
            .life
            .decision_began(choice, self.since_start(tokio::time::Instant::now()));
        let sent = self
            .admin
            .send(&Composed {
                method: "POST".to_owned(),
                url: format!("{ORIGIN}{path}"),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: format!(r#"{{"user_code":"{user_code}"}}"#).into_bytes(),
                manner: Manner::default(),
            })
            .await;
        if sent.answer.unwrap().status == 200 {
            let done = self.since_start(sent.done);
            self.codes.borrow_mut()[code].life.decision_came_out(choice, done);
        }
    }
}

fn form(path: &str, body: &str) -> Composed {
    Composed {
        method: "POST".to_owned(),
        url: format!("{ORIGIN}{path}"),
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: body.as_bytes().to_vec(),
        manner: Manner::default(),
    }
}

/// Plays random schedules, the same ones each time, and gives the first that brings an answer of this grade or a worse
/// one, shrunk.
fn search(fault: Option<&str>, from: Grade, cases: u32, shrink: u32) -> Result<(), TestError<Schedule>> {
    let oracle = Oracle::new(
        Table::builtin(&Requirements::builtin().unwrap()).unwrap(),
        Terms::new(&Constants::new()),
    );
    let fault = fault.map(|id| faults::find(id).unwrap_or_else(|| panic!("there is no fault {id}")));
    let config = test_runner::Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: shrink,
        ..test_runner::Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[28; 32]);
    TestRunner::new_with_rng(config, rng).run(&schedules(), |schedule| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let config = Config::reference().with_faults(fault);
        match runtime.block_on(Play::play(&oracle, config, &schedule)) {
            Some((grade, told)) if grade >= from => Err(TestCaseError::fail(told)),
            _ => Ok(()),
        }
    })
}

#[test]
fn the_reference_server_never_breaks_a_rule() {
    if let Err(broken) = search(None, Grade::Warn, 400, 400) {
        panic!("{broken}");
    }
}

/// Faults of the state of a session, each with how many schedules may be played until it shows.
const STATE_FAULTS: [&str; 16] = [
    "approval-lost-to-pollers",
    "approve-after-deny-flips",
    "approved-code-used-up",
    "approved-outlives-expiry",
    "denial-is-told-once",
    "denied-stays-pending",
    "double-approve-resurrects",
    "double-redeem-race",
    "expired-once-then-pending",
    "expired-pending-stays-pending",
    "expires-in-from-wrong-setting",
    "pending-as-invalid-grant",
    "poll-write-loses-approval",
    "replay-mints-new-token",
    "replay-pending",
    "second-poll-declined",
];

#[test]
fn a_fault_of_the_state_breaks_one() {
    let missed: Vec<&str> = STATE_FAULTS
        .into_iter()
        .filter(|fault| match search(Some(fault), Grade::Fail, 400, 0) {
            Err(TestError::Fail(told, _)) => {
                println!("{fault}: {told}");
                false
            }
            Ok(()) => true,
            Err(abort) => panic!("{fault}: {abort}"),
        })
        .collect();
    assert_eq!(missed, Vec::<&str>::new(), "the oracle sees nothing of these");
}

#[test]
fn a_counterexample_is_short_and_can_be_read() {
    let Err(TestError::Fail(told, schedule)) = search(Some("replay-mints-new-token"), Grade::Fail, 400, 400)
    else {
        panic!("the fault does not show")
    };
    let acts: usize = schedule.0.iter().map(|moment| moment.acts.len()).sum();
    let text = format!("{told}{schedule:?}");
    println!("{text}");
    assert!(acts <= 4, "{text}");
    assert!(
        text.contains("security-high: granted") && text.contains("s later: alice approves the"),
        "{text}"
    );
}
