//! `sentinel-bench sigma`: rules against events, the conformance rows of the specification, and speed.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use ::sigma::{Correlator, Json, Limits, Options, Rules, Scratch};
use anyhow::{Context, bail};
use serde_json::{Value, json, value::RawValue};

use crate::lines;

/// How long is measured, in processor time.
const MEASURED: Duration = Duration::from_secs(4);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rows with a rule each, as `yaml`.
    #[arg(long, requires = "events")]
    rules: Option<PathBuf>,
    /// Rows `{"id","event"}`; each match is printed as `{"rule","event"}`.
    #[arg(long, requires = "rules")]
    events: Option<PathBuf>,
    /// Print events a second, parsed and held against the rules by one thread, instead of matches.
    #[arg(long, requires = "rules")]
    speed: bool,
    /// Rows of the specification's features or correlations, or of recorded events; `{"id","pass"}` is printed for each.
    #[arg(long, conflicts_with = "rules")]
    spec: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments {
        Arguments { spec: Some(spec), .. } => conformance(spec),
        Arguments { rules: Some(rules), events: Some(events), speed: true, .. } => speed(rules, events),
        Arguments { rules: Some(rules), events: Some(events), .. } => matches(rules, events),
        _ => bail!("give --rules and --events, or --spec"),
    }
}

fn rows(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Value>>> {
    let reader = lines::open(path)?;
    let rows = reader.lines().filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty()));
    let path = path.to_owned();
    Ok(rows.enumerate().map(move |(number, line)| {
        let row = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?));
        row.with_context(|| format!("row {} of {}", number + 1, path.display()))
    }))
}

fn load(path: &Path) -> anyhow::Result<Rules> {
    let mut files = vec![];
    for row in rows(path)? {
        let row = row?;
        let text = row["yaml"].as_str().or_else(|| row["rule_yaml"].as_str());
        let text = text.map_or_else(|| row["rule"].to_string(), str::to_owned);
        let name = row["path"].as_str().or_else(|| row["id"].as_str()).unwrap_or("rule").to_owned();
        files.push((name, text));
    }
    Ok(loaded(&files))
}

fn loaded(files: &[(String, String)]) -> Rules {
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let (rules, errors) = Rules::load(files, &Options::default());
    for error in &errors {
        eprintln!("{error}");
    }
    eprintln!(
        "{} rules and {} correlations loaded, {} refused",
        rules.rules().len(),
        rules.correlations().len(),
        errors.len()
    );
    rules
}

fn matches(rules: &Path, events: &Path) -> anyhow::Result<()> {
    let rules = load(rules)?;
    let mut scratch = Scratch::default();
    let mut out = BufWriter::new(io::stdout().lock());
    for row in rows(events)? {
        let row = row?;
        let text = row["event"].to_string();
        let event = Json::parse(&text)?;
        for rule in rules.matches(&event, None, &mut scratch) {
            let rule = rules.rules()[*rule].about.id_or_title();
            writeln!(out, "{}", json!({"rule": rule, "event": row["id"]}))?;
        }
    }
    Ok(out.flush()?)
}

/// The processor time of this thread so far.
fn processor_time() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn speed(rules: &Path, events: &Path) -> anyhow::Result<()> {
    #[derive(serde::Deserialize)]
    struct Row {
        event: Box<RawValue>,
    }
    let rules = load(rules)?;
    let mut texts: Vec<String> = vec![];
    for line in lines::open(events)?.lines() {
        let row: Row = serde_json::from_str(&line?)?;
        texts.push(row.event.get().to_owned());
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut scratch = Scratch::default();
    let mut found = 0;
    let mut measure = |is_evaluated: bool| -> anyhow::Result<f64> {
        let (mut events, begin) = (0, processor_time()?);
        loop {
            for text in &texts {
                let event = Json::parse(text)?;
                if is_evaluated {
                    found += rules.matches(&event, None, &mut scratch).len();
                }
            }
            events += texts.len();
            let taken = processor_time()? - begin;
            if taken >= MEASURED {
                return Ok(events as f64 / taken.as_secs_f64());
            }
        }
    };
    measure(true)?;
    let (all, parsed) = (measure(true)?, measure(false)?);
    let size = rules.index_size();
    println!(
        "{}",
        json!({
            "events_per_s": all.round(),
            "events_per_s_parsed_only": parsed.round(),
            "events": texts.len(),
            "bytes_per_event": bytes / texts.len().max(1),
            "rules": rules.rules().len(),
            "index_texts": size.texts,
            "index_bytes": size.memory_bytes,
            "rules_without_text": size.rules_without_text,
            "found": found > 0,
        })
    );
    Ok(())
}

fn conformance(path: &Path) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for row in rows(path)? {
        let row = row?;
        let pass = if row["stream"].is_array() {
            correlates(&row)?
        } else if row["events"].is_array() {
            has_features(&row)?
        } else {
            let expected = row["expect"].as_bool().unwrap_or(true);
            let rules = one_rule(&row["rule_yaml"])?;
            rules.rules().len() == 1 && is_matched(&rules, &row["event"])? == expected
        };
        writeln!(out, "{}", json!({"id": row["id"], "pass": pass}))?;
    }
    Ok(out.flush()?)
}

fn one_rule(rule: &Value) -> anyhow::Result<Rules> {
    let text = rule.as_str().map_or_else(|| rule.to_string(), str::to_owned);
    let (rules, errors) = Rules::load([("row", text.as_str())], &Options::default());
    for error in &errors {
        eprintln!("{error}");
    }
    Ok(rules)
}

fn is_matched(rules: &Rules, event: &Value) -> anyhow::Result<bool> {
    let text = event.to_string();
    Ok(!rules.matches(&Json::parse(&text)?, None, &mut Scratch::default()).is_empty())
}

fn has_features(row: &Value) -> anyhow::Result<bool> {
    let rules = one_rule(&row["rule"])?;
    for event in row["events"].as_array().into_iter().flatten() {
        if rules.rules().is_empty() || Some(is_matched(&rules, &event["event"])?) != event["expect"].as_bool()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn correlates(row: &Value) -> anyhow::Result<bool> {
    let mut files: Vec<(String, String)> = vec![];
    let parts = row["base_rules"].as_array().into_iter().flatten();
    let correlations = match &row["correlation"] {
        Value::Array(correlations) => correlations.as_slice(),
        correlation => std::slice::from_ref(correlation),
    };
    for part in parts.chain(correlations) {
        files.push(("row".to_owned(), part.as_str().map_or_else(|| part.to_string(), str::to_owned)));
    }
    let rules = loaded(&files);
    let last = correlations.last().unwrap_or(&Value::Null);
    let mut correlator = Correlator::new(&rules, Limits::default());
    let (mut scratch, mut met) = (Scratch::default(), vec![]);
    for step in row["stream"].as_array().into_iter().flatten() {
        let text = step["event"].to_string();
        let event = Json::parse(&text)?;
        let matched = rules.matches(&event, None, &mut scratch);
        let seconds = step["t"].as_f64().context("t")?;
        correlator.observe(&rules, matched, &event, (seconds * 1e9) as i64, 1, &mut met);
    }
    let is_last = |correlation: usize| {
        let about = &rules.correlations()[correlation].about;
        about.id.as_deref() == last["id"].as_str() && Some(about.title.as_str()) == last["title"].as_str()
    };
    let groups: BTreeSet<Vec<String>> = met
        .iter()
        .filter(|met| is_last(met.correlation))
        .map(|met| met.group.iter().map(|value| value.clone().unwrap_or_default()).collect())
        .collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let expected: BTreeSet<Vec<String>> = row["expect_groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| group.as_array().into_iter().flatten().map(text).collect())
        .collect();
    Ok(groups == expected)
}
