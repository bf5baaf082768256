//! How many events a second rsigma holds against rules, parsing among it: `rsigma-speed RULES.jsonl EVENTS.jsonl`. The same loop as that of
//! `sentinel-bench sigma --speed`: one thread, by its processor time. Prints one JSON object, with a figure for each way that its
//! engine can find candidates.

use std::{error::Error, fs, time::Duration};

use rsigma_eval::{Engine, JsonEvent};
use rsigma_parser::parse_sigma_yaml;
use serde_json::{Value, json};

const MEASURED: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(rules), Some(events)) = (arguments.next(), arguments.next()) else {
        return Err("usage: rsigma-speed RULES.jsonl EVENTS.jsonl".into());
    };
    let rows = |path: &str| -> Result<Vec<Value>, Box<dyn Error>> {
        Ok(fs::read_to_string(path)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    };
    let texts: Vec<String> = rows(&events)?.iter().map(|row| row["event"].to_string()).collect();
    let rules = rows(&rules)?;
    let mut told = json!({"rules": rules.len(), "events": texts.len()});
    for (name, has_bloom, has_automaton) in
        [("events_per_s", false, false), ("with_bloom_filter", true, false), ("with_automaton", false, true)]
    {
        let mut engine = Engine::new();
        engine.set_bloom_prefilter(has_bloom);
        engine.set_cross_rule_ac(has_automaton);
        for row in &rules {
            engine.add_collection(&parse_sigma_yaml(row["yaml"].as_str().unwrap_or_default())?)?;
        }
        told["loaded"] = engine.rule_count().into();
        // Once to get warm.
        measure(&engine, &texts)?;
        let (events_per_s, found) = measure(&engine, &texts)?;
        told[name] = events_per_s.round().into();
        told["found"] = found.into();
    }
    println!("{told}");
    Ok(())
}

/// Events a second, and how many matches a pass over them has.
fn measure(engine: &Engine, texts: &[String]) -> Result<(f64, usize), Box<dyn Error>> {
    let (mut events, begin) = (0, processor_time()?);
    loop {
        let mut found = 0;
        for text in texts {
            let value: Value = serde_json::from_str(text)?;
            found += engine.evaluate(&JsonEvent::borrow(&value)).len();
        }
        events += texts.len();
        let taken = processor_time()? - begin;
        if taken >= MEASURED {
            return Ok((events as f64 / taken.as_secs_f64(), found));
        }
    }
}

/// The processor time of this thread so far.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
}
