//! What is shipped can be read; what the guide says about defaults is so.

use std::time::Duration;

use crate::diagnostic::Colour;
use crate::scenario::{
    Arrive, Estimate, HttpVersion, Polls, Rate, ScaleError, Scaling, Scenario, Setting, SourceAddress, Stage,
};
use crate::timing::Timekeeper as _;
use crate::yaml::Source;

pub(super) fn scenario(text: &str) -> Scenario {
    Scenario::read(&Source { name: "mine.yaml".to_owned(), text: text.to_owned() }).unwrap_or_else(
        |mistakes| {
            panic!("{}", mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect::<String>())
        },
    )
}

pub(super) fn shipped(name: &str) -> Scenario {
    Scenario::read(&Scenario::builtin(name).unwrap()).unwrap()
}

#[test]
fn the_shapes_are_shipped_each_with_a_setting_and_thresholds() {
    let names = [
        "steady_pollers",
        "phase_locked_herd",
        "approval_burst",
        "abandoned_flows",
        "rude_pollers",
        "garbage_codes",
        "guess_storm",
        "replay_storm",
        "expiry_wave",
        "mixed_soak",
        "million",
        "ten_million",
    ];
    for name in names {
        let scenario = shipped(name);
        assert_eq!(scenario.scenario, name);
        assert!(scenario.title.len() > 20 && scenario.why.len() > 40, "{name}");
        assert!(scenario.thresholds.iter().any(|bound| bound.to_string() == "violations == 0"), "{name}");
        let setting = Setting::embedded(&scenario).unwrap();
        let estimate = Estimate::new(&scenario, &setting);
        assert_eq!(estimate.remarks, [""; 0], "{name}");
        let longest = match name {
            "mixed_soak" => 720,
            "ten_million" => 600,
            _ => 130,
        };
        assert!(estimate.timeline.end() <= Duration::from_secs(longest), "{name}: {:?}", estimate.timeline);
        let texts: Vec<String> = scenario.validity().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["lag_p99 < 10 ms", "run_queue < 2 %"], "{name}");
    }
    assert_eq!(Scenario::builtin_sources().len(), names.len());
    assert!(Scenario::builtin("steady-pollers").is_ok());
    let unknown = Scenario::builtin("steady_poller").unwrap_err();
    assert_eq!(unknown.help.as_deref(), Some("did you mean \"steady_pollers\"?"));
}

/// The page that the language was agreed on has this one.
#[test]
fn a_scenario_that_uses_every_key_is_read() {
    let all = scenario(include_str!("every_key.yaml"));
    assert_eq!(all.groups.len(), 4);
    assert_eq!((all.connections.at_most, all.connections.http), (Some(256), HttpVersion::H1));
    assert_eq!(all.connections.sources, [SourceAddress([127, 0, 0, 1].into())]);
    assert_eq!(all.approvals.at_most.map(|rate| rate.to_string()).as_deref(), Some("500/s"));
    assert_eq!(all.groups[3].polls, Polls::Race { at_once: 8, then_replay: 3 });
    let setting = Setting::embedded(&all).unwrap();
    let estimate = Estimate::new(&all, &setting);
    assert_eq!(estimate.timeline.fill, Duration::from_secs(10));
    assert_eq!(estimate.timeline.end(), Duration::from_secs(10 + 10 + 600 + 30));
    // 20,000 that conform, 50 that poll ten times a second, and 50/s of strangers.
    assert!((4_550.0..4_750.0).contains(&estimate.polls_per_second), "{estimate:?}");
    let texts: Vec<String> = all.thresholds.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["violations == 0", "p99(pending) < 200 ms", "grants >= 99.9 %"]);
}

#[test]
fn what_is_left_out_has_a_default() {
    let scenario = scenario(
        "scenario: mine\ntitle: t\nwhy: w\nduration: 60 s\ngroups:\n  - name: a\n    arrive: { hold: { devices: 10 } }\n    \
         user: [{ nothing: { weight: 1 } }]\nvalid_while: [\"lag_p99.9 < 20 ms\"]\n",
    );
    assert_eq!((scenario.seed, scenario.groups[0].polls.clone()), (1, Polls::Conforming));
    let setting = Setting::new(Duration::from_secs(5), Duration::from_secs(600));
    assert_eq!(setting.lifetime(), Duration::from_secs(600));
    let timeline = Estimate::new(&scenario, &setting).timeline;
    assert_eq!((timeline.fill, timeline.warm_up), (Duration::from_secs(5), Duration::ZERO));
    assert_eq!(timeline.measured_to(), timeline.end());
    let stages = [0, 5, 64, 65].map(|at| timeline.stage(Duration::from_secs(at)));
    assert_eq!(stages, [Stage::Fill, Stage::Duration, Stage::Duration, Stage::Over]);
    let texts: Vec<String> = scenario.validity().iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["lag_p99.9 < 20 ms", "run_queue < 2 %"]);
}

fn devices(scenario: &Scenario) -> Vec<u64> {
    scenario.groups.iter().filter_map(|group| group.arrive.devices()).collect()
}

#[test]
fn scaling_keeps_the_shares() {
    let soak = shipped("mixed_soak");
    assert_eq!(devices(&soak), [10_000, 500, 20, 2_000]);
    for wanted in [4, 7, 100, 12_520, 1_000_003] {
        let scaled = soak.scaled(&Scaling { devices: Some(wanted), ..Scaling::default() }).unwrap();
        assert_eq!(scaled.devices(), wanted);
        assert!(devices(&scaled).iter().all(|count| *count > 0), "{:?}", devices(&scaled));
    }
    let ten = soak.scaled(&Scaling { devices: Some(125_200), ..Scaling::default() }).unwrap();
    assert_eq!(devices(&ten), [100_000, 5_000, 200, 20_000]);

    assert_eq!(soak.rate().to_string(), "61/s");
    let rate: Rate = "122/s".parse().unwrap();
    let faster = soak.scaled(&Scaling { rate: Some(rate), ..Scaling::default() }).unwrap();
    assert_eq!(faster.rate(), rate);
    assert_eq!(faster.strangers.unwrap().garbage_codes.unwrap().to_string(), "100/s");
    let Arrive::Constant(rule) = faster.groups[2].arrive else { panic!("{:?}", faster.groups[2]) };
    assert_eq!(rule.rate.to_string(), "10/s");
    assert_eq!(devices(&faster), devices(&soak));
}

#[test]
fn duration_and_seed_are_replaced_and_nothing_else() {
    let soak = shipped("mixed_soak");
    let scaling = Scaling { duration: Some(Duration::from_secs(90)), seed: Some(7), ..Scaling::default() };
    let scaled = soak.scaled(&scaling).unwrap();
    let setting = Setting::embedded(&soak).unwrap();
    assert_eq!(Estimate::new(&scaled, &setting).timeline.duration, Duration::from_secs(90));
    assert_eq!(scaled.seed, 7);
    assert_eq!(Scenario { duration: soak.duration.clone(), seed: soak.seed, ..scaled }, soak);
    assert_eq!(soak.scaled(&Scaling::default()).unwrap(), soak);
}

#[test]
fn what_cannot_be_scaled_says_so() {
    let scaled = |name: &str, scaling: Scaling| shipped(name).scaled(&scaling).unwrap_err();
    let devices = |devices| Scaling { devices: Some(devices), ..Scaling::default() };
    assert!(matches!(scaled("replay_storm", devices(10)), ScaleError::NoDevices { .. }));
    assert!(matches!(scaled("mixed_soak", devices(3)), ScaleError::TooFew { groups: 4, .. }));
    let rate = Scaling { rate: "5/s".parse().ok(), ..Scaling::default() };
    assert!(matches!(scaled("steady_pollers", rate), ScaleError::NoRate { .. }));
    let nothing = Scaling { duration: Some(Duration::ZERO), ..Scaling::default() };
    assert_eq!(scaled("million", nothing), ScaleError::NoDuration);
}

#[test]
fn estimates_are_of_the_size_that_comes() {
    let of = |name: &str| {
        let scenario = shipped(name);
        Estimate::new(&scenario, &Setting::embedded(&scenario).unwrap())
    };
    let million = of("million");
    assert_eq!((million.devices, million.codes), (1_000_000, 1_000_000));
    assert!((16_600.0..16_700.0).contains(&million.polls_per_second), "{million:?}");
    assert!((16_600.0..16_700.0).contains(&million.codes_per_second), "{million:?}");
    // The byte budget of the design: 190 MB or less for a million.
    assert!((150_000_000..190_000_000).contains(&million.memory), "{}", million.memory);
    assert_eq!((million.sockets, million.approvals_per_second), (256, 0.0));
    assert_eq!(million.timeline.end(), Duration::from_secs(120));
    let ten = of("ten_million");
    assert!(ten.memory < 2_000_000_000, "{}", ten.memory);

    // Polls of a herd fall into one second, those of rude ones come ten times in each.
    assert!(of("phase_locked_herd").polls_per_second >= 2_000.0);
    let rude = of("rude_pollers").polls_per_second;
    assert!((800.0..1_000.0).contains(&rude), "{rude}");
    assert!(of("garbage_codes").polls_per_second >= 600.0);
    let burst = of("approval_burst").approvals_per_second;
    assert!((1_000.0..1_100.0).contains(&burst), "{burst}");
    // 200/s for the lifetime of 30 s stay behind.
    let abandoned = of("abandoned_flows").devices;
    assert!((6_000..7_000).contains(&abandoned), "{abandoned}");
}

#[test]
fn connections_decide_about_sockets_and_ports() {
    let with = |connections: &str| {
        let text = format!(
            "scenario: mine\ntitle: t\nwhy: w\nduration: 60 s\n{connections}groups:\n  - name: a\n    \
             arrive: {{ hold: {{ devices: 10000 }} }}\n    user: [{{ nothing: {{ weight: 1 }} }}]\n"
        );
        Estimate::new(&scenario(&text), &Setting::new(Duration::from_secs(5), Duration::from_secs(600)))
    };
    let pooled = with("");
    assert_eq!((pooled.sockets, pooled.ports), (200, 200));
    assert_eq!(with("connections: { at_most: 64 }\n").sockets, 64);
    assert_eq!(with("connections: { mode: one_per_device }\n").sockets, 10_000);
    let each = with("connections: { mode: one_per_poll }\n");
    assert!(each.sockets == 200 && each.ports > 120_000, "{each:?}");
}

#[test]
fn what_will_not_come_out_is_remarked() {
    let remarks = |group: &str| {
        let head = "scenario: mine\ntitle: t\nwhy: w\nduration: 60 s\napprovals: { at_most: 10/s }\ngroups:\n  - name: many\n";
        let setting = Setting::new(Duration::from_secs(5), Duration::from_secs(600));
        Estimate::new(&scenario(&format!("{head}{group}")), &setting).remarks
    };
    let late = remarks(
        "    arrive: { burst: { devices: 10, at: 90 s, over: 1 s } }\n    user: [{ approve: { weight: 1, at: 2 min } }]\n",
    );
    assert!(late.len() == 2 && late[0].contains("comes at 90 s") && late[1].contains("at 2 min"), "{late:?}");
    let slow = remarks(
        "    arrive: { hold: { devices: 1000, fill: 11 min } }\n    user: [{ approve: { weight: 1, after: 10 s } }]\n",
    );
    assert!(
        slow.len() == 2 && slow[0].contains("wait in line") && slow[1].contains("live 10 min"),
        "{slow:?}"
    );
}
