//! The schedule is the same for any number of shards, and its shares and times are those of the file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::language::{scenario, shipped};
use crate::protocol::{Decision, Role};
use crate::scenario::{Arrival, DevicePlan, Pace, Scaling, Schedule, Setting, Shard, StrangerKind, When};

const SETTING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

fn schedule(text: &str) -> Schedule {
    let head = "scenario: mine\ntitle: t\nwhy: w\nduration: 60 s\n";
    Schedule::new(&scenario(&format!("{head}{text}")), &Setting::new(SETTING.0, SETTING.1))
}

fn group(lines: &str) -> Schedule {
    schedule(&format!("groups:\n  - name: a\n    {lines}\n"))
}

/// Everything that happens: of each group each device that arrives, and its replacements of three generations.
fn all(schedule: &Schedule, shards: u32) -> BTreeMap<(usize, u64), (Option<Duration>, DevicePlan)> {
    let mut found = BTreeMap::new();
    for index in 0..shards {
        let shard = Shard::new(index, shards).unwrap();
        for (group, _) in schedule.groups().iter().enumerate() {
            for Arrival { number, at } in schedule.arrivals(group, shard).unwrap() {
                assert_eq!(schedule.owner(group, number, shards), index);
                let plan = schedule.device(group, number).unwrap();
                assert_eq!(found.insert((group, number), (Some(at), plan)), None, "twice");
                let mut number = number;
                for _ in 0..3 {
                    let Some(next) = schedule.replacement(group, number) else { break };
                    number = next;
                    assert_eq!(schedule.owner(group, number, shards), index, "a slot stays on its shard");
                    let plan = schedule.device(group, number).unwrap();
                    assert_eq!(found.insert((group, number), (None, plan)), None, "twice");
                }
            }
        }
    }
    found
}

#[test]
fn the_schedule_is_the_same_for_any_number_of_shards() {
    for name in ["mixed_soak", "replay_storm", "approval_burst", "phase_locked_herd"] {
        let mut scenario = shipped(name);
        if scenario.devices() > 0 {
            scenario = scenario.scaled(&Scaling { devices: Some(1_000), ..Scaling::default() }).unwrap();
        }
        let setting = Setting::embedded(&scenario).unwrap();
        let schedule = Schedule::new(&scenario, &setting);
        let whole = all(&schedule, 1);
        assert!(whole.len() > 2_000, "{name}: {}", whole.len());
        for shards in [2, 3, 7] {
            assert_eq!(all(&schedule, shards), whole, "{name} in {shards} shards");
        }
        let mut other = scenario.clone();
        other.seed = 2;
        assert_ne!(all(&Schedule::new(&other, &setting), 1), whole, "{name}: the seed does not matter");
        // Other groups do not change what the devices of one do.
        let mut fewer = scenario.clone();
        fewer.groups.remove(0);
        for ((group, number), (_, plan)) in all(&Schedule::new(&fewer, &setting), 1) {
            let before = whole.get(&(group + 1, number));
            assert!(before.is_none_or(|(_, before)| *before == plan), "{name}: {group} {number}");
        }
    }
}

#[test]
fn strangers_are_split_among_shards_too() {
    let schedule = schedule("strangers: { garbage_codes: 50/s }\n");
    let of = |shards: u32| {
        let shards = (0..shards).filter_map(|index| Shard::new(index, shards));
        let mut all: Vec<Arrival> = shards
            .filter_map(|shard| schedule.strangers(StrangerKind::GarbageCode, shard))
            .flatten()
            .collect();
        all.sort_by_key(|arrival| arrival.number);
        all
    };
    assert_eq!(of(1).len(), 60 * 50);
    assert_eq!(of(7), of(1));
    let code = |number| schedule.stranger(StrangerKind::GarbageCode, number).unwrap().text("abc", 43);
    assert_eq!(code(1), code(1));
    assert_ne!(code(1), code(2));
    assert!(schedule.strangers(StrangerKind::WrongUserCode, Shard::WHOLE).is_none());
    assert!(Shard::new(3, 3).is_none());
}

#[test]
fn users_decide_as_the_weights_say() {
    let schedule = group(
        "arrive: { hold: { devices: 10000 } }\n    clients: { tv: 3, other-public: 1 }\n    user:\n      \
         - approve: { weight: 7, after: { median: 20 s, p99: 60 s } }\n      - deny: { weight: 2, after: { from: 5 s, to: 60 s } }\n      \
         - nothing: { weight: 1 }",
    );
    let plans: Vec<DevicePlan> = (0..20_000).map(|number| schedule.device(0, number).unwrap()).collect();
    let share = |is: &dyn Fn(&DevicePlan) -> bool| {
        plans.iter().filter(|plan| is(plan)).count() as f64 / plans.len() as f64
    };
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 0.02, "{found} for {wanted}");
    near(share(&|plan| plan.client == Role::Tv), 0.75);
    near(share(&|plan| plan.decision.is_none()), 0.1);
    let after = |wanted: Decision| -> Vec<f64> {
        let mut times: Vec<f64> = plans
            .iter()
            .filter_map(|plan| match plan.decision?.when {
                When::AfterCodes(after) if plan.decision?.decision == wanted => Some(after.as_secs_f64()),
                _ => None,
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (yes, no) = (after(Decision::Approve), after(Decision::Deny));
    near(yes.len() as f64 / 20_000.0, 0.7);
    let (median, p99) = (yes[yes.len() / 2], yes[yes.len() * 99 / 100]);
    assert!((median - 20.0).abs() < 1.0 && (p99 - 60.0).abs() < 5.0, "{median} {p99}");
    assert!(no[0] >= 5.0 && no[no.len() - 1] <= 60.0);
    assert!((no[no.len() / 2] - 32.5).abs() < 2.0);
}

#[test]
fn instants_count_from_what_the_file_says() {
    let at = Duration::from_secs;
    for (rule, when) in [
        ("after: 10 s", When::AfterCodes(at(10))),
        ("after: 2 intervals", When::AfterCodes(at(10))),
        ("after: expiry + tol_late", When::AfterExpiry(at(5))),
        ("after: expiry - 3 s", When::BeforeExpiry(at(3))),
        ("at: 50 % of lifetime", When::At(at(60))),
    ] {
        let lines = format!(
            "arrive: {{ hold: {{ devices: 1 }} }}\n    user: [{{ approve: {{ weight: 1, {rule} }} }}]"
        );
        assert_eq!(group(&lines).device(0, 0).unwrap().decision.unwrap().when, when, "{rule}");
    }
    assert_eq!(When::AfterCodes(at(10)).instant(at(7), at(120)), Some(at(17)));
    assert_eq!(When::BeforeExpiry(at(3)).instant(at(7), at(120)), Some(at(124)));
    assert_eq!(When::BeforeExpiry(at(300)).instant(at(7), at(120)), Some(at(7)));
    assert_eq!(When::AfterExpiry(at(5)).instant(at(7), at(120)), Some(at(132)));
    assert_eq!(When::At(at(60)).instant(at(7), at(120)), Some(at(60)));
    assert_eq!(When::At(at(60)).instant(at(61), at(120)), None);
}

#[test]
fn a_random_phase_fills_the_interval_however_fast_a_group_arrives() {
    for (arrive, phase, wanted) in [
        ("burst: { devices: 1000, over: 0 s }", "random", 5.0),
        ("burst: { devices: 1000, over: 2 s }", "random", 3.0),
        ("hold: { devices: 1000, fill: 1 interval }", "random", 0.0),
        ("hold: { devices: 1000, fill: 20 s }", "random", 0.0),
        ("burst: { devices: 1000, over: 0 s }", "together", 0.0),
        ("constant: { rate: 50/s }", "random", 0.0),
    ] {
        let lines =
            format!("arrive: {{ {arrive} }}\n    phase: {phase}\n    user: [{{ nothing: {{ weight: 1 }} }}]");
        let schedule = group(&lines);
        let waits = (0..1_000).map(|number| schedule.device(0, number).unwrap().first_wait.as_secs_f64());
        let longest = waits.fold(0.0, f64::max);
        assert!((longest - wanted).abs() < 0.01, "{arrive}: {longest}");
        // Who takes a place over comes when the other ended: that is random enough.
        assert_eq!(schedule.device(0, 1_000).unwrap().first_wait, Duration::ZERO);
        // First polls by tenths of the interval.
        let mut tenths = [0; 10];
        for Arrival { number, at } in schedule.arrivals(0, Shard::WHOLE).unwrap().take(1_000) {
            let polls = at + schedule.device(0, number).unwrap().first_wait;
            tenths[(polls.as_secs_f64().rem_euclid(5.0) * 2.0) as usize % 10] += 1;
        }
        if phase == "random" {
            assert!(tenths.iter().all(|count| (98..=102).contains(count)), "{arrive}: {tenths:?}");
        }
    }
}

#[test]
fn common_instants_leave_room_for_the_answer() {
    let schedule = group(
        "arrive: { hold: { devices: 1 } }\n    phase: together\n    user: [{ nothing: { weight: 1 } }]",
    );
    let at = Duration::from_millis;
    assert_eq!(schedule.common_period(), at(6_000));
    for (due, common) in [(0, 0), (1, 6_000), (6_000, 6_000), (11_900, 12_000), (12_001, 18_000)] {
        assert_eq!(schedule.next_common(at(due)), at(common));
    }
}

#[test]
fn polls_have_their_times_resolved() {
    for (polls, pace) in [
        ("conforming", Pace::Conforming),
        ("never", Pace::Never),
        ("{ every: 20 % of interval }", Pace::Every(Duration::from_secs(1))),
        ("{ race: 8, then_replay: 3 }", Pace::Race { at_once: 8, then_replay: 3 }),
        ("{ race: 8 }", Pace::Race { at_once: 8, then_replay: 0 }),
        ("{ then_replay: 3 }", Pace::Race { at_once: 1, then_replay: 3 }),
    ] {
        let lines = format!(
            "arrive: {{ poisson: {{ rate: 5/s }} }}\n    polls: {polls}\n    user: [{{ approve: {{ weight: 1, after: 10 s }} }}]"
        );
        let schedule = group(&lines);
        assert_eq!(schedule.groups()[0].pace, pace, "{polls}");
        assert_eq!(schedule.groups()[0].held, None);
        assert_eq!(schedule.replacement(0, 0), None);
        assert!(schedule.device(1, 0).is_none());
        assert!(schedule.arrivals(1, Shard::WHOLE).is_none());
    }
}
