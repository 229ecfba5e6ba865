//! What is said about values; the machine has no part in it, except in the last test.

use super::*;

fn wanted() -> Wanted {
    Wanted {
        sockets: 1000,
        new_connections_per_second: 0.0,
        sources: 1,
        memory: 50 * 1024 * 1024,
        shards: 1,
        server_is_here: true,
    }
}

fn found() -> Found {
    Found {
        descriptors: Some(Descriptors { soft: 1024, hard: 20_000 }),
        ports: Some(Ports { range: 32_768..=60_999, resting: 0, reuse: Reuse::Loopback }),
        memory: Some(Memory { available: 4 << 30, allowed: None }),
        cores: Some(Cores { allowed: vec![0, 1], quota: None }),
        load: Some(0.2),
        resolution: Some(Duration::from_nanos(1)),
        late: vec![Duration::from_micros(60); 45],
    }
}

fn ports(count: u16) -> Ports {
    Ports { range: 1024..=1023 + count, resting: 0, reuse: Reuse::Loopback }
}

fn said(line: &Line) -> (Verdict, &str, &str) {
    (line.verdict, &line.what, line.help.as_deref().unwrap_or_default())
}

#[test]
fn each_limit_has_a_line_and_a_good_one_needs_no_help() {
    let machine = Found { descriptors: Some(Descriptors { soft: 20_000, hard: 20_000 }), ..found() };
    let lines = judge(&wanted(), &machine);
    let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "descriptors: 1064 wanted, 20000 allowed",
            "local ports: 1000 wanted at once, 28232 there are from one local address",
            "memory: 50 MiB wanted, 4.0 GiB available",
            "clock: a sleep of 1 ms comes back 60.0µs late, nine of ten within 60.0µs",
            "cores: 1 wanted, one more for the server, 2 there are",
        ]
    );
    assert!(lines.iter().all(|line| line.verdict == Verdict::Ok && line.help.is_none()), "{lines:#?}");
}

#[test]
fn what_a_system_does_not_tell_is_a_warning_and_no_failure() {
    let lines = judge(&wanted(), &Found::default());
    let verdicts: Vec<Verdict> = lines.iter().map(|line| line.verdict).collect();
    use Verdict::{Ok, Warning};
    assert_eq!(verdicts, [Warning, Warning, Warning, Ok, Warning]);
}

#[test]
fn too_few_descriptors_fail_and_the_help_depends_on_the_hard_limit() {
    let limit = Descriptors { soft: 1024, hard: 20_000 };
    assert_eq!(
        said(&descriptors(&wanted(), limit)),
        (
            Verdict::Failed,
            "descriptors: 1064 wanted, 1024 allowed",
            "raise the limit: ulimit -n 1064; or use at most 960 connections"
        )
    );
    let line = descriptors(&Wanted { sockets: 30_000, ..wanted() }, limit);
    assert_eq!(line.verdict, Verdict::Failed);
    assert!(line.help.unwrap().starts_with("have the hard limit raised"));
    assert_eq!(descriptors(&Wanted { sockets: 960, ..wanted() }, limit).verdict, Verdict::Ok);
}

#[test]
fn ports_count_for_each_local_address() {
    let at = |sockets, sources| open_ports(&Wanted { sockets, sources, ..wanted() }, &ports(100));
    assert_eq!(at(50, 1).verdict, Verdict::Ok);
    assert_eq!(at(51, 1).verdict, Verdict::Warning);
    assert_eq!(
        said(&at(101, 1)),
        (
            Verdict::Failed,
            "local ports: 101 wanted at once, 100 there are from one local address",
            "use 3 local addresses, or widen the range: sysctl net.ipv4.ip_local_port_range=\"1024 65535\""
        )
    );
    assert_eq!(at(101, 3).verdict, Verdict::Ok);
}

#[test]
fn new_connections_are_limited_by_the_ports_that_rest() {
    let wants = |rate| Wanted { sockets: 0, new_connections_per_second: rate, ..wanted() };
    let rests = Ports { reuse: Reuse::Never, ..ports(6000) };
    assert_eq!(fresh_ports(&wants(0.0), &rests), None);
    assert_eq!(fresh_ports(&wants(100.0), &rests).unwrap().verdict, Verdict::Ok);
    let line = fresh_ports(&wants(200.0), &rests).unwrap();
    assert_eq!(
        said(&line),
        (
            Verdict::Warning,
            "new connections: 200/s wanted, 100/s can go on for ever from one local address, since a port rests for 60 s",
            "the ports last for 30 s: keep connections open, use more local addresses, or set net.ipv4.tcp_tw_reuse=1"
        )
    );
    // Those that rest already are missing.
    let resting = Ports { resting: 3000, ..rests };
    assert_eq!(fresh_ports(&wants(100.0), &resting).unwrap().verdict, Verdict::Warning);
    // Within the machine a port can be taken again after a second.
    let loopback = Ports { resting: 3000, ..ports(6000) };
    assert_eq!(fresh_ports(&wants(5000.0), &loopback).unwrap().verdict, Verdict::Ok);
    let away = Wanted { server_is_here: false, ..wants(5000.0) };
    assert_eq!(fresh_ports(&away, &loopback).unwrap().verdict, Verdict::Warning);
}

#[test]
fn memory_is_the_less_of_what_is_available_and_what_is_allowed() {
    let gibibyte = 1 << 30;
    let at = |bytes, allowed| {
        memory(&Wanted { memory: bytes, ..wanted() }, Memory { available: 2 * gibibyte, allowed })
    };
    assert_eq!(at(gibibyte, None).verdict, Verdict::Ok);
    assert_eq!(at(gibibyte / 10 * 19, None).verdict, Verdict::Warning);
    assert_eq!(at(3 * gibibyte, None).verdict, Verdict::Failed);
    let line = at(gibibyte, Some(gibibyte / 2));
    assert_eq!(line.verdict, Verdict::Failed);
    assert_eq!(line.what, "memory: 1.0 GiB wanted, 512 MiB left by the limit of the control group");
}

#[test]
fn a_clock_is_judged_by_its_step_and_by_how_late_sleeps_come_back() {
    let sleeps = |usual, worst| {
        let mut late = vec![Duration::from_millis(usual); 39];
        late.extend([Duration::from_millis(worst); 6]);
        late
    };
    let fine = Some(Duration::from_nanos(1));
    assert_eq!(clock(fine, &sleeps(0, 0)).verdict, Verdict::Ok);
    assert_eq!(clock(fine, &sleeps(0, 5)).verdict, Verdict::Warning);
    assert_eq!(clock(fine, &sleeps(11, 11)).verdict, Verdict::Failed);
    let line = clock(Some(Duration::from_millis(4)), &sleeps(0, 0));
    assert_eq!(said(&line).0, Verdict::Failed);
    assert_eq!(line.what, "clock: its step is 4.0ms, the lag is told in milliseconds");
}

#[test]
fn cores_are_shared_with_a_server_that_is_here() {
    let two = Cores { allowed: vec![0, 1], quota: None };
    let at =
        |shards, server_is_here, cores: &Cores| cpu(&Wanted { shards, server_is_here, ..wanted() }, cores);
    assert_eq!(at(1, true, &two).verdict, Verdict::Ok);
    assert_eq!(at(2, false, &two).verdict, Verdict::Ok);
    assert_eq!(
        said(&at(2, true, &two)),
        (
            Verdict::Warning,
            "cores: 2 wanted, one more for the server, 2 there are",
            "use --shards 1; more threads than cores wait for each other"
        )
    );
    let quota = Cores { quota: Some(0.5), ..two.clone() };
    let line = at(1, true, &quota);
    assert_eq!(line.verdict, Verdict::Warning);
    assert!(line.help.unwrap().starts_with("put the server on another machine"));
    assert_eq!(busy(&wanted(), 0.9, &two), None);
    assert_eq!(
        busy(&wanted(), 1.5, &two).unwrap().what,
        "load: 1.5 threads were ready to run in the last minute, which leaves 0.5 cores for 1"
    );
}

#[test]
fn this_machine_gets_a_line_for_each_limit() {
    let lines = preflight(&Wanted { sockets: u64::MAX, memory: u64::MAX, ..wanted() });
    let about: Vec<&str> = lines.iter().filter_map(|line| line.what.split(':').next()).collect();
    for what in ["descriptors", "local ports", "memory", "clock", "cores"] {
        assert!(about.contains(&what), "{about:?}");
    }
    // Nothing has so much of anything.
    assert!(
        !cfg!(target_os = "linux")
            || lines.iter().filter(|line| line.verdict == Verdict::Failed).count() >= 3
    );
}
