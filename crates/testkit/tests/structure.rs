//! What the workspace promises about itself: which way its dependencies point, which files need which, and how
//! large they are.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "structure/circles.rs"]
mod circles;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value as Json;

/// Every crate's level; a crate and its tests may depend on lower levels only.
const LEVELS: &[(&str, u32)] = &[
    ("arithmetic", 0),
    ("dashboard", 0),
    ("disk", 0),
    ("event", 0),
    ("mask", 0),
    ("problem", 0),
    ("retry", 0),
    ("telemetry", 0),
    ("testkit", 0),
    ("access", 1),
    ("audit", 1),
    ("finding", 1),
    ("forest", 1),
    ("host", 1),
    ("parse", 1),
    ("process", 1),
    ("query", 1),
    ("sample", 1),
    ("sigma", 1),
    ("sql", 1),
    ("state", 1),
    ("journal", 1),
    ("template", 1),
    ("tls", 1),
    ("wire", 1),
    ("verdicts", 2),
    ("body", 2),
    ("detect", 2),
    ("index", 2),
    ("session", 2),
    ("signal", 2),
    ("suspicion", 2),
    ("alert", 3),
    ("analyst", 3),
    ("anomaly", 3),
    ("dead_letter", 3),
    ("fleet", 3),
    ("intake", 3),
    ("report", 3),
    ("rulebook", 3),
    ("search", 3),
    ("inquiry", 4),
    ("agent", 5),
    ("pipeline", 5),
    ("api", 5),
    ("app", 6),
    ("log-sentinel", 7),
    ("log-sentinel-agent", 7),
    ("procmond", 7),
    ("sentinel-bench", 7),
];

/// What no level forbids and the design does: intake knows no index and nothing of scoring.
const FORBIDDEN: &[(&str, &str)] = &[("intake", "index"), ("intake", "anomaly"), ("intake", "template")];

/// Crates whose tests need one of their own level: a pipeline is tested with a real anomaly service.
const TESTED_WITH: &[(&str, &str)] = &[("pipeline", "api")];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let levels: BTreeMap<&str, u32> = LEVELS.iter().copied().collect();
    assert_eq!(packages.len(), levels.len(), "every crate has a level, and every level a crate");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let level = *levels.get(name).unwrap_or_else(|| panic!("{name} has no level"));
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        assert_eq!(folder.file_name().unwrap().to_str(), Some(name), "folder and package have the same name");
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let Some(other_level) = levels.get(other) else { continue };
            let for_tests = dependency["kind"] == "dev";
            let is_known = for_tests && TESTED_WITH.contains(&(name, other)) && *other_level == level;
            assert!(
                is_known || *other_level < level,
                "{name} (level {level}) must not depend on {other} (level {other_level})"
            );
            assert!(!FORBIDDEN.contains(&(name, other)), "{name} must not depend on {other}");
            let is_test_aid = other == "testkit" && !for_tests && name != "sentinel-bench";
            assert!(!is_test_aid, "{name} is shipped, and testkit is for tests and measurements");
        }
    }
}

/// The crates with their folder of sources.
fn crates() -> Vec<(String, PathBuf)> {
    let folders = ["crates", "cmd"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let folders = folders.into_iter().flatten().map(|entry| entry.unwrap());
    let mut crates: Vec<_> =
        folders.map(|entry| (entry.file_name().into_string().unwrap(), entry.path().join("src"))).collect();
    crates.sort();
    crates
}

#[test]
fn no_files_of_a_crate_need_each_other() {
    let mut problems = vec![];
    for (name, src) in crates() {
        let mut files = vec![];
        sources(&src, &mut files);
        for circle in circles::circles(&src, &files) {
            problems.push(format!("{name}: {:?}\n  {}", circle.files, circle.needs.join("\n  ")));
        }
    }
    assert!(problems.is_empty(), "files of a crate need each other in circles:\n{}", problems.join("\n"));
}

#[test]
fn a_folder_holds_its_own_module() {
    let mut files = vec![];
    for (_, src) in crates() {
        sources(&src, &mut files);
    }
    let beside = files.iter().filter(|file| file.with_extension("").is_dir());
    let beside: Vec<_> = beside.collect();
    assert!(beside.is_empty(), "the file of a module that has a folder is the folder's mod.rs: {beside:?}");
}

#[test]
fn the_map_names_files_that_are_there() {
    let map = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    let paths: Vec<&str> = map
        .split(|c| !is_of_path(c))
        .map(|word| word.trim_start_matches("../"))
        .filter(|word| word.contains('/') && word.ends_with(".rs"))
        .collect();
    assert!(paths.len() > 50, "{} paths are found", paths.len());
    let is_there = |path: &&str| root().join(path).is_file() || root().join("crates").join(path).is_file();
    let gone: Vec<&str> = paths.into_iter().filter(|path| !is_there(path)).collect();
    assert!(gone.is_empty(), "docs/ARCHITECTURE.md names files that are not there: {gone:?}");
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let skipped =
                ["target", "tests", "fuzz", "examples", "generated"].iter().any(|name| path.ends_with(name));
            if !skipped {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

#[test]
fn files_and_functions_stay_readable() {
    let mut files = vec![];
    for folder in ["crates", "cmd"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50);
    let mut problems = vec![];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code: Vec<&str> = text.split("#[cfg(test)]\nmod ").next().unwrap().lines().collect();
        let lines = code.iter().filter(|line| is_code(line)).count();
        if lines > FILE_LINES_MAX {
            problems.push(format!("{} has {lines} lines of code", file.display()));
        }
        for (number, line) in code.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = code[number..].iter().position(|other| *other == format!("{indent}}}"));
            let length =
                end.map_or(0, |end| code[number..number + end].iter().filter(|line| is_code(line)).count());
            if length > FUNCTION_LINES_MAX {
                problems.push(format!("{}:{} is a function of {length} lines", file.display(), number + 1));
            }
        }
    }
    assert!(problems.is_empty(), "split what is too long to read:\n{}", problems.join("\n"));
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// Whether a line begins a function with a body, in the layout of rustfmt.
fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || ["const", "async", "(crate)", "(super)"].contains(word)
    });
    words.next() == Some("fn") && !line.trim_end().ends_with(['}', ';'])
}
