//! The command line: one binary, several roles.

mod access;
mod agent;
mod alerts;
mod anomaly;
mod asking;
mod audit;
mod hosts;
mod names;
mod output;
mod report;
mod rules;
mod signals;
mod sql;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Arg, ArgGroup, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::sql::Sql;
pub use access::{AgentsAction, Keeper, KeysAction, Scope};
pub use agent::{Agent, AgentProgram};
pub use alerts::{AlertsAction, SilenceAction, Which};
pub use anomaly::{
    FeedbackAction, GivenFeedback, Label, ModelsAction, Service, SplitTemplate, StartersAction,
    TemplatesAction,
};
pub use asking::{Count, Histogram, PatternOrder, Patterns, Question, Search, Server, Top};
pub use audit::{AuditAction, AuditFormat};
pub use hosts::HostsAsked;
pub use names::by_name;
pub use output::{HitsOutput, Output};
pub use report::{ReportAsked, ReportFormat};
pub use rules::{PastAsked, RulesAction};
pub use signals::{Language, Says, SignalsAction, SignalsAsked, SignalsTold};

use crate::settings::SETTINGS;

/// Takes logs from anything, loses none, finds what is wrong in them.
///
/// Without a command it runs everything on this machine: the collector on port 8080, the anomaly service
/// on port 8000 and the embedded store.
#[derive(Debug, Parser)]
#[command(name = "log-sentinel", version)]
pub struct Cli {
    /// Settings file instead of log-sentinel.yaml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can be asked to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run everything in one process (the default).
    Run,
    /// Take in, keep and search logs, without serving scores to others.
    ///
    /// LOG_SENTINEL_ANOMALY_URL names the anomaly service that scores them; without it this process does.
    Collector,
    /// Run the anomaly service alone: HTTP on port 8000, gRPC for collectors on port 50051.
    Anomaly,
    /// Watch this machine: look for attacks and failures in its logs, and send the signals to a server.
    ///
    /// It reads what `run --system` reads, needs no other setting, and keeps what could not be sent yet. LOG_SENTINEL_API_KEY is the key that it shows.
    Agent(Agent),
    /// Ask whether a running process is ready. The exit status is 0 when it is.
    Health {
        /// Its address. Default: the collector of these settings.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Prepare an Elasticsearch or OpenSearch cluster, or see how it stands.
    Elastic {
        /// What to do with it.
        #[command(subcommand)]
        action: ElasticAction,
    },
    /// Look at events that the cluster refused, and take them in again or delete them.
    Dlq {
        /// What to do with them.
        #[command(subcommand)]
        action: DlqAction,
        /// Which collector.
        #[command(flatten)]
        server: Server,
    },
    /// Make, list and revoke keys. While there are none, everybody who reaches a port may do everything.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        action: KeysAction,
        /// Whose.
        #[command(flatten)]
        server: Keeper,
    },
    /// Add, list and revoke agents: who is to send from other machines.
    Agents {
        /// What to do with them.
        #[command(subcommand)]
        action: AgentsAction,
        /// Whose.
        #[command(flatten)]
        server: Keeper,
    },
    /// Feed a sample of real logs through a throw-away instance and say what was found.
    Demo {
        /// Files to use instead of the sample.
        files: Vec<PathBuf>,
    },
    /// Take in log files and say what was found. Runs against a running collector, else on the data folder itself.
    Import {
        /// Files, plain or packed by gzip, zstd, xz, bzip2 or lz4; `-`, or nothing, is standard input.
        files: Vec<PathBuf>,
        /// Also take in lines that an earlier import has brought: they are then stored twice.
        #[arg(long)]
        again: bool,
        /// Which collector.
        #[command(flatten)]
        server: Server,
    },
    /// List signals: what was found in the logs that somebody should know. Show, acknowledge or resolve one.
    #[command(args_conflicts_with_subcommands = true)]
    Signals {
        /// What to do with one. Default: list them.
        #[command(subcommand)]
        action: Option<SignalsAction>,
        /// Which.
        #[command(flatten)]
        asked: SignalsAsked,
        /// How they are told.
        #[command(flatten)]
        told: SignalsTold,
    },
    /// List hosts: those that send what is measured on them, how they are, and what is wrong with them.
    Hosts(HostsAsked),
    /// Tell what a day or a week of signals came to: how many, about whom, what changed, what nobody looked at, which
    /// rules are noise, what is not watched. As a page, as text or as data.
    Report(ReportAsked),
    /// List alerts and what was sent, send a test, or ask who would be told.
    Alerts {
        /// What to do.
        #[command(subcommand)]
        action: AlertsAction,
        /// How to print it.
        #[arg(long, short = 'o', value_enum, default_value_t = Output::Text, global = true)]
        output: Output,
        /// Which collector.
        #[command(flatten)]
        server: Server,
    },
    /// Search what is stored, or ask it in SQL.
    Query(Box<Search>),
    /// Print how many events match.
    Count(Count),
    /// Print the most frequent values of a field.
    Top(Top),
    /// Print how many events there are over time.
    Histogram(Histogram),
    /// Print the templates of what matches: the most frequent, the rare, the new, or what changed since an earlier period.
    Patterns(Patterns),
    /// Print events as they come in, until interrupted.
    Tail {
        /// What to look for; nothing means everything.
        query: Vec<String>,
        /// How to print them.
        #[arg(long, short = 'o', value_enum, default_value_t = Output::Text)]
        output: Output,
        /// Which collector.
        #[command(flatten)]
        server: Server,
    },
    /// Train the anomaly model on a file of logs, or on what is stored.
    ///
    /// A long training says how it fares until it ends; Ctrl-C cancels it.
    #[command(group = ArgGroup::new("logs").required(true))]
    Train {
        /// A file of NDJSON, a JSON array or plain lines; `-` is standard input.
        #[arg(group = "logs")]
        file: Option<PathBuf>,
        /// Learn from the stored events that match this instead.
        #[arg(long, group = "logs")]
        query: Option<String>,
        /// Where the anomaly service answers, such as http://127.0.0.1:8000.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Score a file of logs without storing them.
    Predict {
        /// A file of NDJSON, one object, a JSON array or plain lines; `-` is standard input.
        file: PathBuf,
        /// Where the anomaly service answers, such as http://127.0.0.1:8000.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// List, compare, exchange and copy the models of the anomaly service.
    Models {
        /// What to do with them. Default: list them.
        #[command(subcommand)]
        action: Option<ModelsAction>,
        /// Which service.
        #[command(flatten)]
        service: Service,
    },
    /// Say that an event is normal or bad, and see or take back what was said.
    Feedback {
        /// What to do.
        #[command(subcommand)]
        action: FeedbackAction,
        /// Which service.
        #[command(flatten)]
        service: Service,
    },
    /// List sessions (requests, connections and the like) that were strange as a whole, newest first, with reasons.
    Sessions {
        /// How many, at most 256.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
        /// Which service.
        #[command(flatten)]
        service: Service,
    },
    /// Give the service what logs of the same kind have taught elsewhere, so that it judges well from the first event on.
    Starters {
        /// What to do with them.
        #[command(subcommand)]
        action: StartersAction,
        /// Which service.
        #[command(flatten)]
        service: Service,
    },
    /// List, name, pin, split and merge templates.
    Templates {
        /// What to do with them.
        #[command(subcommand)]
        action: TemplatesAction,
        /// Which service.
        #[command(flatten)]
        service: Service,
    },
    /// Look into the journal on disk.
    Journal {
        /// What to do with it.
        #[command(subcommand)]
        action: JournalAction,
    },
    /// Print what is made of the lines of a file, without taking them in.
    ///
    /// LOG_SENTINEL_FORMATS_FILE names formats of your own, LOG_SENTINEL_ZONE the zone of times that name none.
    Parse {
        /// A file of log lines; `-` is standard input.
        file: PathBuf,
        /// Say of each line in which format it is, and where its time and its level come from.
        #[arg(long)]
        explain: bool,
        /// How; without --explain events are JSON, one a line.
        #[arg(long, short = 'o', value_enum, default_value = "text")]
        output: Output,
    },
    /// Test rules, explain them, see what they cover and what they would have told of what is past.
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        action: RulesAction,
    },
    /// Look at the record of what was decided and by whom.
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        action: AuditAction,
    },
    /// Print each setting with its origin, and check them and the files that they name. Changes nothing.
    Check {
        /// Print .env.sample instead.
        #[arg(long)]
        sample: bool,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What to do with a cluster.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ElasticAction {
    /// Write templates and lifecycle for the data stream. May be repeated.
    Setup {
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say how the cluster stands.
    Status,
    /// Bring templates and lifecycle to this version. What an operator changed stays as it is.
    Upgrade {
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What to do with events that an index refused.
#[derive(Debug, Clone, Subcommand)]
pub enum DlqAction {
    /// Print them with the reason, a line each.
    List {
        /// Only those that match; nothing means all.
        query: Vec<String>,
        /// How many, oldest first.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Print them whole, as NDJSON.
    Show {
        /// Only those that match a query; nothing means all.
        query: Vec<String>,
        /// How many, oldest first.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Take all of them in again, as new events.
    Replay,
    /// Delete all of them.
    Drop {
        /// Really do.
        #[arg(long, required = true)]
        yes: bool,
    },
}

/// What to do with the journal.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum JournalAction {
    /// Print its events as NDJSON.
    Cat,
    /// Check every record and say what is damaged.
    Verify,
}

/// The whole command with a flag for every setting, which its help leaves to `--help-settings`.
pub fn command() -> clap::Command {
    let help = Arg::new(HELP_SETTINGS)
        .long(HELP_SETTINGS)
        .help("Print the settings, which may follow every command")
        .action(clap::ArgAction::SetTrue)
        .global(true);
    Cli::command().arg(help).args(settings().map(|setting| setting.hide(true).global(true)))
}

const HELP_SETTINGS: &str = "help-settings";

fn settings() -> impl Iterator<Item = Arg> {
    SETTINGS.iter().map(|setting| {
        let help = format!("{} [{}]", setting.help, setting.name);
        let flag = Arg::new(setting.name).long(setting.flag()).value_name("VALUE").help(help);
        // Behind a word of its own it would take the command for its value.
        match setting.name {
            "LOG_SENTINEL_SYSTEM" => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
            _ => flag,
        }
    })
}

/// What `--help-settings` prints.
fn settings_help() -> String {
    let mut command =
        clap::Command::new("log-sentinel").args(settings()).disable_help_flag(true).help_template(
            "Settings are flags behind any command, variables by the name in brackets, or lines of .env and \
             log-sentinel.yaml.\nlog-sentinel check prints those in effect.\n\n{options}\n",
        );
    command.render_long_help().to_string()
}

/// Reads the command line: what to do, and the settings given as flags.
///
/// # Errors
/// When it is not a command line of this program; the error prints itself.
pub fn parse(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<(Cli, BTreeMap<&'static str, String>), clap::Error> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--help-settings")
    {
        return Err(clap::Error::raw(clap::error::ErrorKind::DisplayHelp, settings_help()));
    }
    let arguments = agent::with_two_dashes(arguments).into_iter().map(asking::without_hyphen);
    let matches = command().try_get_matches_from(arguments)?;
    let flags = flags(&matches);
    Ok((Cli::from_arg_matches(&matches)?, flags))
}

/// Reads the command line of the agent's own program, and the settings given as flags.
///
/// # Errors
/// When it is none; the error prints itself.
pub fn parse_agent(
    arguments: Vec<std::ffi::OsString>,
) -> Result<(AgentProgram, BTreeMap<&'static str, String>), clap::Error> {
    let command = AgentProgram::command().args(settings().map(|setting| setting.hide(true)));
    let matches = command.try_get_matches_from(agent::with_two_dashes(arguments))?;
    Ok((AgentProgram::from_arg_matches(&matches)?, flags(&matches)))
}

fn flags(matches: &ArgMatches) -> BTreeMap<&'static str, String> {
    let given = |name: &'static str| Some((name, matches.get_one::<String>(name)?.clone()));
    SETTINGS.iter().filter_map(|setting| given(setting.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn settings_are_flags_of_every_command() {
        for line in ["log-sentinel --addr 127.0.0.1:9 run", "log-sentinel run --addr 127.0.0.1:9"] {
            let (_, flags) = parse(line.split(' ').map(Into::into)).unwrap();
            assert_eq!(flags["LOG_SENTINEL_ADDR"], "127.0.0.1:9", "{line}");
        }
    }

    #[test]
    fn the_logs_of_this_machine_are_asked_for_by_a_word_alone() {
        for (line, value) in
            [("--system run", "true"), ("run --system", "true"), ("run --system=false", "false")]
        {
            let (_, flags) = parse(format!("log-sentinel {line}").split(' ').map(Into::into)).unwrap();
            assert_eq!(flags["LOG_SENTINEL_SYSTEM"], value, "{line}");
        }
    }

    #[test]
    fn the_help_of_a_command_is_its_own() {
        let help = |line: &str| parse(line.split(' ').map(Into::into)).unwrap_err().to_string();
        for line in ["log-sentinel --help", "log-sentinel query --help", "log-sentinel query -h"] {
            let help = help(line);
            assert!(help.contains("--help-settings") && !help.contains("--anomaly-addr"), "{help}");
        }
        for line in ["log-sentinel --help-settings", "log-sentinel top --help-settings"] {
            let help = help(line);
            assert!(
                help.contains("--anomaly-addr") && help.contains("[LOG_SENTINEL_ANOMALY_ADDR]"),
                "{help}"
            );
        }
    }

    #[test]
    fn a_question_has_a_zone_of_its_own() {
        for zone in ["Europe/Berlin", "+02:00", "-03:30"] {
            let (cli, _) = parse(["log-sentinel", "query", "--zone", zone, "x"].map(Into::into)).unwrap();
            let Some(Command::Query(search)) = cli.command else { panic!("{zone}") };
            assert_eq!(
                (search.question.zone.as_deref(), search.question.query),
                (Some(zone), vec!["x".to_owned()])
            );
        }
        let help = parse("log-sentinel top --help".split(' ').map(Into::into)).unwrap_err().to_string();
        assert!(help.contains("--zone"), "{help}");
        let (_, flags) = parse("log-sentinel run --zone UTC".split(' ').map(Into::into)).unwrap();
        assert_eq!(flags["LOG_SENTINEL_ZONE"], "UTC");
    }

    #[test]
    fn of_two_ways_to_name_something_a_refusal_shows_both() {
        for (line, expected) in [
            ("log-sentinel feedback give --label bad", "<FILE|--line <LINE>>"),
            ("log-sentinel templates split 0af9", "<--variable <NUMBER>|--example <LINE>>"),
            ("log-sentinel train", "<FILE|--query <QUERY>>"),
        ] {
            let error = parse(line.split(' ').map(Into::into)).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
        let both = parse("log-sentinel train a.json --query x".split(' ').map(Into::into));
        assert!(both.unwrap_err().to_string().contains("cannot be used with"));
        assert!(parse("log-sentinel dlq list --url http://h".split(' ').map(Into::into)).is_ok());
    }

    #[test]
    fn a_field_may_be_left_out_with_a_hyphen() {
        for argument in ["-level:info", "-@timestamp:2024", "-source.ip:*"] {
            let (cli, _) = parse(["log-sentinel", "query", argument, "-n", "5"].map(Into::into)).unwrap();
            let Some(Command::Query(search)) = cli.command else { panic!("{argument}") };
            let expected = argument.replacen('-', "!", 1);
            assert_eq!((search.question.query, search.limit), (vec![expected], 5));
        }
        assert!(parse(["log-sentinel", "query", "-level"].map(Into::into)).is_err());
    }

    #[test]
    fn an_unknown_flag_is_refused_with_a_suggestion() {
        let error = parse("log-sentinel --adr x".split(' ').map(Into::into)).unwrap_err().to_string();
        assert!(error.contains("--addr"), "{error}");
    }
}
