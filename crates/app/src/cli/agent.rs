//! The command line of the agent.

use std::{ffi::OsString, path::PathBuf};

/// How an agent runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Agent {
    /// The collector, or its /data; with /ingest at its end signals go there, and any server that takes them as JSON will do.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Print what is configured and where each value comes from, and start nothing.
    #[arg(long)]
    pub check: bool,
}

impl Agent {
    /// Where signals go, when they are what is sent.
    pub(crate) fn signals_url(&self) -> Option<&str> {
        let path =
            |url: &str| url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').to_owned();
        self.url.as_deref().filter(|url| path(url).ends_with("/ingest"))
    }
}

/// Measures this machine and reads its logs, and sends both to a collector.
#[derive(Debug, clap::Parser)]
#[command(name = "log-sentinel-agent", version)]
pub struct AgentProgram {
    /// The agent's file. Default: /etc/log-sentinel/agent.yaml, where it is there.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How it runs.
    #[command(flatten)]
    pub agent: Agent,
}

/// Options that people write behind a single dash.
const WORDS: [&str; 3] = ["url", "botmode", "config"];

/// Gives `-url` and its like the two dashes that they mean. None of them can be read in another way.
pub(super) fn with_two_dashes(arguments: Vec<OsString>) -> Vec<OsString> {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let two = |(at, argument): (usize, OsString)| {
        let word = argument.to_str().and_then(|text| text.strip_prefix('-')).filter(|_| at < end);
        let is_known = word.is_some_and(|word| WORDS.contains(&word.split('=').next().unwrap_or_default()));
        match word.filter(|_| is_known) {
            Some(word) => format!("--{word}").into(),
            None => argument,
        }
    };
    arguments.into_iter().enumerate().map(two).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_dash_before_a_word_is_two() {
        let read = |line: &str| {
            let words = with_two_dashes(line.split(' ').map(OsString::from).collect());
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(read("x agent -url http://h/ingest"), "x agent --url http://h/ingest");
        assert_eq!(read("x agent --url=a -config=b"), "x agent --url=a --config=b");
        for line in ["x query -n 5", "x query -level:info", "x query -- -url", "x query - -urls"] {
            assert_eq!(read(line), line);
        }
    }
}
