//! Who may import whom. The table is the policy, `ARCHITECTURE.md` says why; what breaks it is a mistake of the code
//! or a change of the policy, and never passes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::repository;
use crate::rust_paths::{Import, imports};

/// Each top-level module: its layer, and the modules it may import. Layers and names as in `src/lib.rs`.
const ALLOWED: &[(&str, u8, &str)] = &[
    // 0 vocabulary
    ("diagnostic", 0, ""),
    ("protocol", 0, ""),
    ("secret", 0, ""),
    ("timing", 0, "protocol"),
    ("yaml", 0, "diagnostic"),
    // 1 pure: the judging half, from bytes to verdicts ...
    ("outcome", 1, "protocol"),
    ("verdict", 1, "protocol"),
    ("redact", 1, "secret"),
    ("exchange", 1, "outcome protocol"),
    ("suite", 1, "diagnostic outcome protocol requirement timing verdict yaml"),
    ("expect", 1, "exchange outcome protocol redact secret suite timing verdict"),
    ("oracle", 1, "device diagnostic outcome protocol requirement suite timing verdict yaml"),
    // ... what happened, and what it covers ...
    ("event", 1, "outcome protocol verdict"),
    ("card", 1, ""),
    ("record", 1, "event protocol verdict"),
    ("compare", 1, "event record verdict"),
    ("requirement", 1, "diagnostic protocol yaml"),
    ("known", 1, "diagnostic event verdict yaml"),
    ("edition", 1, "diagnostic yaml"),
    // ... and what is to be done
    ("catalog", 1, "diagnostic edition event oracle protocol requirement suite verdict yaml"),
    ("ambiguous", 1, "catalog diagnostic oracle protocol requirement suite yaml"),
    ("coverage", 1, "catalog event requirement"),
    ("target", 1, "diagnostic protocol secret timing yaml"),
    ("scenario", 1, "diagnostic outcome protocol suite timing yaml"),
    // What a load run measured; knows no clock and no socket.
    ("tally", 1, "event oracle outcome protocol scenario verdict"),
    ("plan", 1, "catalog event protocol suite target timing verdict"),
    ("compose", 1, "exchange protocol secret suite target"),
    // What an answer is for a device follows from what it means.
    ("device", 1, "outcome"),
    ("diagnosis", 1, ""),
    // 2 doing
    ("clock", 2, ""),
    // A browser is started otherwise by root.
    ("approval", 2, "exchange machine protocol secret suite target"),
    // `in_process` serves the pages of a router to the approval drivers too.
    ("http", 2, "approval compose exchange"),
    ("login", 2, "clock compose device exchange http outcome protocol secret suite target"),
    // The load engine: devices as records, the oracle on every answer.
    (
        "load",
        2,
        "approval compose device exchange http machine oracle outcome protocol redact scenario suite tally target",
    ),
    // What this machine gives and what processes take of it; starts the embedded server by its flags alone.
    ("machine", 2, ""),
    (
        "runner",
        2,
        "approval card catalog clock compose coverage device diagnosis edition event exchange expect http known oracle \
         outcome plan protocol record redact suite target timing verdict",
    ),
    // Knows nothing of the judge: a shared parser would agree with its own mistakes.
    ("server", 2, "clock protocol secret"),
    // 3 showing: from records alone, or from the suites alone
    (
        "generated",
        3,
        "ambiguous catalog coverage diagnostic matrix oracle record requirement scenario server suite target verdict",
    ),
    ("matrix", 3, "catalog diagnostic protocol server suite verdict yaml"),
    ("report", 3, "compare diagnosis event outcome protocol record scenario tally verdict"),
    // 4 the rim: brings everything together, and may use all but what only the runner composes
    (
        "cli",
        4,
        "ambiguous approval catalog clock compare coverage diagnosis diagnostic edition event expect generated http known load \
         login machine matrix oracle plan protocol record report requirement runner scenario selftest server suite tally \
         target timing verdict yaml",
    ),
    // The same for a test of somebody else's: no flags, no files, no terminal.
    (
        "judge",
        4,
        "approval catalog clock diagnostic edition event http known plan protocol record report runner target timing \
         verdict yaml",
    ),
    // Brings server and judge together.
    ("selftest", 4, "catalog diagnostic event judge matrix record server target verdict"),
];

/// Crates and functions that belong to some modules alone: the path, who may name it, and what to do instead.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("tokio", &LAYER_2_AND_RIM, "pure code takes instants and values; async code lives in layer 2"),
    ("futures_util", &LAYER_2_AND_RIM, "pure code takes instants and values; async code lives in layer 2"),
    (
        "jiff",
        &["clock", "known", "login", "server", "cli"],
        "dates come from clock::wall, or from the caller",
    ),
    ("jiff::Timestamp::now", &["clock"], "take the date from clock::wall"),
    ("Timestamp::now", &["clock"], "take the date from clock::wall"),
    ("std::time::Instant", &[], "layer 2 uses tokio::time::Instant, so that tests can pause the clock"),
    ("std::time::SystemTime", &[], "take the date from clock::wall"),
    ("Instant::now", &LAYER_2_AND_RIM, "pure code takes the present instant as an argument"),
    ("std::env", &["cli"], "read the environment in cli/ and hand the value on"),
    (
        "std::fs",
        &["cli", "machine", "yaml"],
        "files are read and written in cli/; yaml/ opens the file of a source, machine/ those of the kernel",
    ),
    ("rustix", &["machine"], "limits, processes and cores are looked at in machine/"),
    ("std::io::stdout", &["cli"], "return text, and let cli/ print it"),
    ("std::io::stderr", &["cli"], "return text, and let cli/ print it"),
    ("reqwest", &["http"], "send through http::Transport, or http::HttpPages"),
    ("httparse", &["http"], "answers are read by http"),
    ("quick_junit", &["report"], "reports are written by report"),
    ("hyper", &["http"], "connections are made by http"),
    ("prometheus_client", &["report"], "figures are shown by report"),
    ("hdrhistogram", &["tally"], "times are kept in tally"),
    ("tokio_rustls", &["http", "load"], "connections are made by http"),
    ("axum", &["http", "judge", "server"], "only the reference server and what takes a router know axum"),
    ("maud", &["server"], "HTML is the reference server's"),
    ("scraper", &["approval"], "other servers' pages are read by the approval drivers"),
    ("jsonwebtoken", &["expect"], "JWTs are taken apart in expect; the server writes its own"),
    ("saphyr_parser", &["yaml"], "load YAML with yaml::load"),
    ("serde_yaml", &["yaml"], "load YAML with yaml::load"),
    ("comfy_table", &["cli", "report"], "tables are for reports"),
    ("clap", &["cli"], "flags are read in cli/"),
    ("dialoguer", &["cli"], "people are asked in cli/"),
    ("goose", &["load/goose"], "only load/goose names goose, and load/goose::run plays it"),
    ("thirtyfour", &["approval/browser"], "WebDriver is spoken by approval/browser"),
    ("log", &["load/goose"], "records and notes say what happened; only Goose's log is silenced"),
];

const LAYER_2_AND_RIM: [&str; 11] =
    ["approval", "clock", "http", "load", "login", "machine", "runner", "server", "cli", "judge", "selftest"];

/// Macros that print; `cli/console.rs` and the screen of `login` write to handles.
const PRINTING: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];

/// More lines than this, and a file wants to be two.
const LONGEST: usize = 500;

#[test]
fn the_table_and_the_map_of_modules_agree() {
    let map = layers_of_lib();
    let table: BTreeMap<&str, u8> = ALLOWED.iter().map(|(module, layer, _)| (*module, *layer)).collect();
    let mut wrong = Vec::new();
    for (module, layer) in &map {
        match table.get(module.as_str()) {
            None => wrong.push(format!(
                "{module} is new: give it a line in ALLOWED of tests/it/layers.rs and one in ARCHITECTURE.md"
            )),
            Some(listed) if listed != layer => wrong.push(format!(
                "{module} stands in layer {layer} of src/lib.rs and in layer {listed} of the table: one is wrong"
            )),
            Some(_) => {}
        }
    }
    for module in table.keys().filter(|module| !map.contains_key(**module)) {
        wrong.push(format!("{module} is in the table and not in src/lib.rs: take its line out"));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_goes_downwards_and_in_no_circle() {
    let layer = |name: &str| {
        let line = ALLOWED.iter().find(|(module, ..)| *module == name);
        line.unwrap_or_else(|| panic!("the table lets somebody import {name}, which it does not know")).1
    };
    for (module, own, may) in ALLOWED {
        let may: Vec<&str> = may.split_whitespace().collect();
        for other in &may {
            assert!(layer(other) <= *own, "{module} (layer {own}) may not import {other}: it is above");
        }
        let is_sorted = may.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(is_sorted, "the imports of {module} in the table are not in alphabetical order");
    }
    // Taking away what depends on nothing that is left must take away everything.
    let mut left: BTreeMap<&str, &str> = ALLOWED.iter().map(|(module, _, may)| (*module, *may)).collect();
    loop {
        let free = left.iter().find(|(_, may)| may.split_whitespace().all(|other| !left.contains_key(other)));
        let Some(free) = free.map(|(module, _)| *module) else { break };
        left.remove(free);
    }
    assert!(left.is_empty(), "these import each other in a circle: {:?}", left.keys().collect::<Vec<_>>());
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = BTreeSet::new();
    for file in product_files() {
        let module = file.module();
        let Some((_, _, may)) = ALLOWED.iter().find(|(name, ..)| *name == module) else { continue };
        for import in &file.imports {
            let Some(path) = import.path.strip_prefix("crate::") else { continue };
            let other = path.split("::").next().unwrap_or(path);
            if other != module && !may.split_whitespace().any(|allowed| allowed == other) {
                wrong.insert(format!(
                    "{}:{}: {module} must not import {other} ({}): turn the dependency round, move what is needed \
                     to a lower layer, or change the table and say why",
                    file.name, import.line, import.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn crates_and_clocks_stay_where_they_belong() {
    let mut wrong = BTreeSet::new();
    for file in product_files() {
        let module = file.module();
        for import in &file.imports {
            for (path, may, instead) in RESERVED {
                let named = import.path == *path
                    || import.path.strip_prefix(path).is_some_and(|rest| rest.starts_with("::"));
                if named && !may.iter().any(|may| file.is_in(may)) {
                    let who = if may.is_empty() { "nobody".to_owned() } else { may.join(", ") };
                    wrong.insert(format!(
                        "{}:{}: {module} names {path}, which is for {who}: {instead}",
                        file.name, import.line
                    ));
                }
            }
            if PRINTING.contains(&import.path.trim_end_matches('!')) && import.path.ends_with('!') {
                wrong.insert(format!(
                    "{}:{}: {} prints: return text, and let cli/console.rs print it",
                    file.name, import.line, import.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_path_climbs_to_the_crate_root_with_super() {
    for file in product_files() {
        for import in &file.imports {
            let climbs = import.path.split("::").take_while(|part| *part == "super").count();
            assert!(
                climbs < file.depth() + import.depth,
                "{}:{}: {} leaves its top-level module: write crate:: there, so that this test sees it",
                file.name,
                import.line,
                import.path
            );
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    rust_files(Path::new("tests"), &mut files);
    for file in files {
        let name = file.display().to_string();
        let lines = repository::text(&name).lines().count();
        assert!(
            lines <= LONGEST,
            "{name} has {lines} lines; {LONGEST} is the most: find the noun in it, and move it"
        );
    }
}

/// The modules of `src/lib.rs` with their layers, by the comments `// 0 ...` that head the groups.
fn layers_of_lib() -> BTreeMap<String, u8> {
    let mut layer = None;
    let mut map = BTreeMap::new();
    for line in repository::text("src/lib.rs").lines() {
        if let Some(heading) = line.strip_prefix("// ").and_then(|rest| rest.split(' ').next()) {
            layer = heading.parse().ok().or(layer);
        }
        if let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            let layer = layer.unwrap_or_else(|| panic!("{module} stands before the heading of its layer"));
            map.insert(module.to_owned(), layer);
        }
    }
    assert!(!map.is_empty(), "src/lib.rs names no modules");
    map
}

/// A file of the product, tests left out.
struct File {
    /// Its path in the repository, with `/`.
    name: String,
    imports: Vec<Import>,
}

impl File {
    fn parts(&self) -> Vec<&str> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    fn module(&self) -> &str {
        self.parts()[0]
    }

    /// Does it belong to this module, given as a path such as `load/goose`?
    fn is_in(&self, module: &str) -> bool {
        let rest = self.name.trim_start_matches("src/").strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with(['.', '/']))
    }

    /// How deep its module is: 1 for a top-level one.
    fn depth(&self) -> usize {
        self.parts().len()
    }
}

/// Every file under `src/` that is part of the product, with what it names.
fn product_files() -> Vec<File> {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    let parsed: Vec<_> = files
        .into_iter()
        .filter(|file| file != Path::new("src/lib.rs") && file != Path::new("src/main.rs"))
        .map(|file| {
            let parts: Vec<_> = file.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = parts.join("/");
            let found = imports(&repository::text(&name));
            (name, found)
        })
        .collect();
    // `#[cfg(test)] mod tests;` takes the file and the directory of that name out.
    let tests: Vec<String> = parsed
        .iter()
        .flat_map(|(name, found)| {
            let base = name.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
            found.test_modules.iter().map(move |module| format!("{base}/{module}"))
        })
        .collect();
    let is_in =
        |name: &str, module: &str| name.strip_prefix(module).is_some_and(|rest| rest.starts_with(['.', '/']));
    let is_test = |name: &str| tests.iter().any(|test| is_in(name, test));
    let files: Vec<_> = parsed
        .into_iter()
        .filter(|(name, _)| !is_test(name))
        .map(|(name, found)| File { name, imports: found.imports })
        .collect();
    assert!(files.len() > 50, "only {} files found under src/", files.len());
    files
}

fn rust_files(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(repository::path(&directory.display().to_string())).unwrap() {
        let entry = entry.unwrap();
        let path = directory.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
    into.sort();
}
