//! The group of settings of what a language model is asked.

use analyst::Config;
use finding::Level;

use super::value::Reader;

/// Whether a language model looks at signals, and how much it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Analyst {
    /// None where it is not asked.
    pub config: Option<Config>,
    /// Less grave signals are left alone.
    pub from: Level,
}

impl Analyst {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let is_active = reader.one_of("LOG_SENTINEL_BOTMODE", &["inactive", "active"]) == "active";
        let levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        let from = reader.one_of("LOG_SENTINEL_AI_SEVERITY", &levels).parse().unwrap_or(Level::Medium);
        let config = Config {
            key: reader.string("OPENAI_API_KEY"),
            base_url: reader.string("OPENAI_BASE_URL"),
            model: reader.string("OPENAI_MODEL"),
            timeout: reader.duration("LOG_SENTINEL_AI_TIMEOUT"),
            per_hour: reader.count("LOG_SENTINEL_AI_PER_HOUR", 1, 100_000),
            cache_max: reader.count("LOG_SENTINEL_AI_ANSWERS_KEPT", 0, 100_000),
        };
        if !is_active {
            return Self { config: None, from };
        }
        if config.key.trim().is_empty() {
            reader.problem(
                "LOG_SENTINEL_BOTMODE is active and OPENAI_API_KEY is not set; set the key (any text, where the service \
                 asks for none), or LOG_SENTINEL_BOTMODE to inactive"
                    .to_owned(),
            );
        }
        if let Err(error) = analyst::Analyst::new(config.clone()) {
            reader.problem(error.to_string());
        }
        Self { config: Some(config), from }
    }
}
