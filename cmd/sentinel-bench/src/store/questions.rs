//! The seven queries, chosen from the corpus itself.

use std::{collections::HashMap, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value as Json};
use testkit::Server;

use crate::lines;

/// Lines in which the rare token should occur.
const RARE_LINES: u64 = 20;
/// Share of lines in which the phrase should occur.
const PHRASE_SHARE: f64 = 0.025;

/// Name, path and parameters of a query.
type Question<'q> = (&'q str, &'q str, Vec<(&'q str, &'q str)>);

/// What will be asked.
pub(crate) struct Questions {
    lines: u64,
    rare: (String, u64),
    phrase: (String, u64),
    host: String,
}

impl Questions {
    /// Chooses a token and a phrase of the wanted frequency among those of the sampled lines.
    pub(crate) fn choose(corpus: &Path, sample: &[Json]) -> Result<Self> {
        let (mut tokens, mut phrases) = (HashMap::new(), HashMap::new());
        for event in sample {
            let message = event["message"].as_str().unwrap_or_default();
            let words = tokenize(message);
            for word in &words {
                if word.len() >= 4 && word.bytes().any(|byte| byte.is_ascii_digit()) {
                    tokens.insert(word.clone(), 0u64);
                }
            }
            for pair in words.windows(2) {
                if pair
                    .iter()
                    .all(|word| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
                {
                    phrases.insert(pair.join(" "), 0u64);
                }
            }
        }
        let mut lines = 0;
        lines::each(corpus, |line| {
            let event: Json = serde_json::from_str(line)?;
            let words = tokenize(event["message"].as_str().unwrap_or_default());
            let mut met: Vec<&String> = vec![];
            for word in &words {
                if !met.contains(&word)
                    && let Some(count) = tokens.get_mut(word)
                {
                    *count += 1;
                    met.push(word);
                }
            }
            let mut pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
            pairs.sort();
            pairs.dedup();
            for pair in pairs {
                if let Some(count) = phrases.get_mut(&pair) {
                    *count += 1;
                }
            }
            lines += 1;
            Ok(())
        })?;
        let nearest = |counts: HashMap<String, u64>, wanted: u64| {
            counts.into_iter().min_by_key(|(text, count)| (count.abs_diff(wanted), text.clone()))
        };
        let rare = nearest(tokens, RARE_LINES).context("the sample has no token with a digit")?;
        let phrase =
            nearest(phrases, (lines as f64 * PHRASE_SHARE) as u64).context("the sample has no phrase")?;
        let host =
            sample.iter().find_map(|event| event["host"].as_str()).context("the corpus has no host")?;
        eprintln!(
            "rare token {} in {} lines, phrase \"{}\" in {} of {lines}",
            rare.0, rare.1, phrase.0, phrase.1
        );
        Ok(Self { lines, rare, phrase, host: host.to_owned() })
    }

    /// Asks each of them `rounds` times; medians in milliseconds. Answers are checked against the corpus.
    pub(crate) async fn ask(&self, server: &Server, rounds: usize) -> Result<Map<String, Json>> {
        let phrase = format!("\"{}\"", self.phrase.0);
        let host = format!("host:\"{}\"", self.host);
        let search = "/api/v1/search";
        let fields = "/api/v1/fields";
        let asked: [Question; 7] = [
            ("count_by_level", fields, vec![("field", "log.level")]),
            ("rare_token", search, vec![("q", &self.rare.0), ("limit", "100")]),
            ("phrase_count", search, vec![("q", &phrase), ("limit", "0")]),
            ("phrase_last", search, vec![("q", &phrase), ("limit", "100")]),
            (
                "top_sources_errors",
                fields,
                vec![("field", "service.name"), ("q", "level:error"), ("limit", "10")],
            ),
            ("histogram_hour", "/api/v1/histogram", vec![("interval", "1h")]),
            ("last_of_host", search, vec![("q", &host), ("limit", "100")]),
        ];
        let mut medians = Map::new();
        for (name, path, query) in &asked {
            let mut times = vec![];
            for _ in 0..rounds {
                let start = Instant::now();
                let answer = server.get(path, query).await?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
                self.verify(name, &answer)?;
            }
            times.sort_by(f64::total_cmp);
            medians.insert((*name).to_owned(), ((times[times.len() / 2] * 1000.0).round() / 1000.0).into());
        }
        Ok(medians)
    }

    fn verify(&self, name: &str, answer: &Json) -> Result<()> {
        let hits = answer["hits"].as_array().map_or(0, Vec::len) as u64;
        let (found, expected) = match name {
            "rare_token" => (answer["total"].as_u64(), self.rare.1),
            "phrase_count" => (answer["total"].as_u64(), self.phrase.1),
            "phrase_last" => (Some(hits), self.phrase.1.min(100)),
            "count_by_level" => (answer["total"].as_u64(), self.lines),
            "histogram_hour" => {
                let buckets = answer["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
                (Some(buckets.iter().filter_map(|bucket| bucket["count"].as_u64()).sum()), self.lines)
            }
            _ => return Ok(()),
        };
        ensure!(found == Some(expected), "{name}: {found:?} instead of {expected}");
        Ok(())
    }
}

/// Lower-cased runs of letters, digits and `_`.
fn tokenize(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}
