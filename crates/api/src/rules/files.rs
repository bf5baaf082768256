//! `/api/v1/rule-files`: files of one's own rules, with what they held before; and whether a text is any good.

use audit::Action;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use problem::Problem;
use rulebook::{Fault, Tested, Version, tested};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    in_sql,
    state::{Shared, answer, fault_json, problem, refused},
};
use crate::{
    clock::now,
    decision::By,
    params::{Params, bad_parameter},
};

/// The file that a text is looked at as, where none is named.
const UNNAMED: &str = "unnamed.yml";

/// A text, and the file that it is meant for.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    text: Option<String>,
    file: Option<String>,
}

/// What a file held before.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Back {
    version: Option<u32>,
}

pub(super) async fn check(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let written: Written =
        shared.read(&headers, body, r#"{"text": …, "file": …}, the file of which may be left out"#).await?;
    let text = given(written.text)?;
    let file = written.file.unwrap_or_else(|| UNNAMED.to_owned());
    shared
        .work(move |shared| {
            let (faults, tests) = checked(shared, &file, &text);
            Ok(json!({"faults": faults.iter().map(fault_json).collect::<Vec<_>>(), "tests": tests}))
        })
        .await
        .map(answer)
}

pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let files = |shared: &Shared| [shared.book.files(), shared.shelf.files()].concat();
    shared.work(move |shared| Ok(json!({"files": files(shared)}))).await.map(answer)
}

pub(super) async fn read(
    State(shared): State<Shared>,
    Path(file): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["version"])?;
    let number = params.number("version", 0, u32::MAX as usize)?;
    shared
        .work(move |shared| {
            let number = u32::try_from(number).unwrap_or_default();
            let text = match number {
                0 => shared.book.file(&file),
                number => shared.book.version(&file, number),
            };
            let text = text.map_err(|error| problem(&error))?;
            let versions = shared.book.versions(&file).map_err(|error| problem(&error))?;
            Ok(json!({"file": file, "text": text, "versions": versions.iter().map(version_json).collect::<Vec<_>>()}))
        })
        .await
        .map(answer)
}

pub(super) async fn write(
    State(shared): State<Shared>,
    by: By,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let written: Written = shared.read(&headers, body, r#"{"text": …}"#).await?;
    let decision = by.decides(Action::RuleWritten).about(&file);
    shared
        .work(move |shared| {
            let work = || {
                let text = given(written.text)?;
                put(shared, &file, &text)
            };
            by.carry_out(decision, work, |(kept, _), decision| decision.with_some("kept", *kept))
        })
        .await
        .map(|(_, json)| answer(json))
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    by: By,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let decision = by.decides(Action::RuleRemoved).about(&file);
    shared
        .work(move |shared| {
            let work = || shared.book.remove(&file).map_err(|error| problem(&error));
            let kept = by.carry_out(decision, work, |kept, decision| decision.with_some("kept", *kept))?;
            shared.shelf.look();
            Ok(json!({"file": file, "state": "removed", "kept": kept}))
        })
        .await
        .map(answer)
}

pub(super) async fn roll_back(
    State(shared): State<Shared>,
    by: By,
    Path(file): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let back: Back =
        shared.read(&headers, body, r#"{"version": …}, which may be left out for the last one"#).await?;
    let decision = by.decides(Action::RuleRolledBack).about(&file).with_some("version", back.version);
    shared
        .work(move |shared| {
            let work = || {
                let last = || shared.book.versions(&file).map(|all| all.last().map(|last| last.number));
                let number = match back.version {
                    Some(number) => number,
                    None => last().map_err(|error| problem(&error))?.unwrap_or_default(),
                };
                let text = shared.book.version(&file, number).map_err(|error| problem(&error))?;
                put(shared, &file, &text)
            };
            by.carry_out(decision, work, |(kept, _), decision| decision.with_some("kept", *kept))
        })
        .await
        .map(|(_, json)| answer(json))
}

/// Writes a text in which nothing is wrong.
fn put(shared: &Shared, file: &str, text: &str) -> Result<(Option<u32>, Value), Problem> {
    let (faults, tests) = checked(shared, file, text);
    if !faults.is_empty() {
        return Err(refused(&faults));
    }
    let kept = shared.book.write(file, text).map_err(|error| problem(&error))?;
    shared.shelf.look();
    Ok((kept, json!({"file": file, "kept": kept, "tests": tests, "kept_back": shared.book.kept_back()})))
}

/// What is wrong with a text in the place of a file, and how its tests go.
fn checked(shared: &Shared, file: &str, text: &str) -> (Vec<Fault>, Value) {
    if in_sql::is_sql(file) {
        return in_sql::check(&shared.shelf, file, text);
    }
    let faults = shared.book.check(file, text);
    let tests = tests_json(&tested(file, text, now()), &faults);
    (faults, tests)
}

fn given(text: Option<String>) -> Result<String, Problem> {
    let text = text.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| bad_parameter("text", "'text' must be the text of a file of rules"))
}

fn version_json(version: &Version) -> Value {
    json!({"version": version.number, "until": version.until, "bytes": version.bytes})
}

fn tests_json(tested: &Tested, faults: &[Fault]) -> Value {
    let failed = tested.failed.iter().map(|(rule, name, found, expected)| {
        json!({"rule": rule, "name": name, "found": found, "expected": expected})
    });
    // What keeps a rule from being read keeps its tests from being run, and was told.
    let problem = tested.problem.as_ref().filter(|_| faults.is_empty());
    json!({"held": tested.held, "failed": failed.collect::<Vec<_>>(), "problem": problem})
}
