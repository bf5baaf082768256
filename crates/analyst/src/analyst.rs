//! Asks a service that speaks OpenAI's protocol.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::header::{AUTHORIZATION, HeaderValue};
use retry::{Breaker, BreakerConfig};
use serde_json::Value as Json;
use signal::{
    Incident, Signal,
    narrative::{self, Language, Reader},
};

use crate::{
    answer,
    budget::Budget,
    config::Config,
    error::AnalystError,
    question::{self, Question},
};

/// Longer answers are not read.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// When a service that does not answer is left alone, and for how long.
const BREAKER: BreakerConfig = BreakerConfig {
    failures_max: 3,
    pause_min: Duration::from_secs(30),
    pause_max: Duration::from_secs(900),
};

/// What a language model says of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What it says, in one line; written by AI.
    pub text: String,
    /// The signal's own next steps, the most useful first.
    pub steps: Vec<String>,
}

impl Assessment {
    /// As a note on the signal, which says first who wrote it.
    pub fn note(&self, language: Language) -> String {
        let [by, first] = match language {
            Language::English => ["Written by AI, which may be wrong:", "Look first:"],
            Language::Portuguese => ["Escrito por IA, que pode errar:", "Veja primeiro:"],
        };
        let mut note = format!("{by} {}", self.text);
        if !self.steps.is_empty() {
            note.push_str(&format!("\n{first}"));
            for (number, step) in (1..).zip(&self.steps) {
                let _: u32 = number;
                note.push_str(&format!("\n{number}. {step}"));
            }
        }
        note
    }
}

/// What is remembered, and what may be asked.
#[derive(Debug)]
struct Memory {
    budget: Budget,
    breaker: Breaker,
    /// Answers by question, as they came.
    answers: HashMap<[u8; 32], Json>,
    order: VecDeque<[u8; 32]>,
}

/// Asks for assessments. Share it by Arc.
#[derive(Debug)]
pub struct Analyst {
    config: Config,
    http: reqwest::Client,
    url: reqwest::Url,
    memory: Mutex<Memory>,
}

impl Analyst {
    /// Asks as the settings say. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the key can be none.
    pub fn new(config: Config) -> Result<Self, AnalystError> {
        let set_up = |reason| AnalystError::SetUp { reason };
        let base = config.base_url.trim().trim_end_matches('/');
        let url = reqwest::Url::parse(&format!("{base}/chat/completions")).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or(set_up("its address is none, such as https://api.openai.com/v1"))?;
        let mut key = HeaderValue::from_str(&format!("Bearer {}", config.key.trim()))
            .map_err(|_| set_up("its key has characters that no key has"))?;
        key.set_sensitive(true);
        let http = reqwest::Client::builder()
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers([(AUTHORIZATION, key)].into_iter().collect())
            .user_agent(concat!("log-sentinel/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| set_up("no connection can be made"))?;
        let memory = Memory {
            budget: Budget::new(config.per_hour),
            breaker: Breaker::new(&BREAKER),
            answers: HashMap::new(),
            order: VecDeque::new(),
        };
        Ok(Self { config, http, url, memory: Mutex::new(memory) })
    }

    /// Asks for an assessment of a signal, in a language, as part of the story that it belongs to if there is one. Both are
    /// only read.
    ///
    /// # Errors
    /// When the budget is spent, the service is left alone, does not answer in time or in the form that was asked for.
    pub async fn assess(
        &self,
        signal: &Signal,
        story: Option<&Incident>,
        reader: &Reader,
        now: Instant,
    ) -> Result<Assessment, AnalystError> {
        let words = narrative::of(signal, reader);
        let question = question::of(signal, &words, story, reader, &self.config.model);
        let (answer, is_new) = match self.remembered(&question) {
            Some(answer) => (answer, false),
            None => (self.ask(&question, now).await?, true),
        };
        let (text, order) = answer::read(&answer, words.next.len())?;
        if is_new {
            self.remember(&question, answer);
        }
        let text = question.names.reveal(&text);
        Ok(Assessment {
            text,
            steps: order.into_iter().filter_map(|step| words.next.get(step).cloned()).collect(),
        })
    }

    fn remembered(&self, question: &Question) -> Option<Json> {
        self.memory().answers.get(&question.key).cloned()
    }

    fn remember(&self, question: &Question, answer: Json) {
        let mut memory = self.memory();
        if memory.answers.insert(question.key, answer).is_none() {
            memory.order.push_back(question.key);
        }
        while memory.order.len() > self.config.cache_max {
            let Some(oldest) = memory.order.pop_front() else { break };
            memory.answers.remove(&oldest);
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, question: &Question, now: Instant) -> Result<Json, AnalystError> {
        {
            let mut memory = self.memory();
            if !memory.breaker.is_closed() && !memory.breaker.take_probe(now, self.config.timeout) {
                let wait = memory.breaker.probe_in(now).unwrap_or_default();
                return Err(AnalystError::LeftAlone { wait });
            }
            if !memory.budget.take(now) {
                return Err(AnalystError::Budget);
            }
        }
        let answered = self.exchange(&question.body).await;
        let mut memory = self.memory();
        match &answered {
            Ok(_) => memory.breaker.succeeded(),
            Err(_) => {
                memory.breaker.failed(now);
            }
        }
        answered
    }

    async fn exchange(&self, body: &Json) -> Result<Json, AnalystError> {
        let failed = |error: reqwest::Error| match error.is_timeout() {
            true => AnalystError::TimedOut,
            false => AnalystError::Unreachable,
        };
        let mut response = self.http.post(self.url.clone()).json(body).send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            return Err(AnalystError::Refused { status: status.as_u16() });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(AnalystError::Answer { reason: "it is too long" });
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes).map_err(|_| AnalystError::Answer { reason: "it is not JSON" })
    }
}
